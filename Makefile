# `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
DATA_DIR ?= ./.metal-edge
PREFIX ?= /usr/local
# Below DESTDIR, for packages.
DESTDIR ?=

.PHONY: help build run test bench lint deny install clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Release build
	$(CARGO) build --release --locked

run: build ## Serve on this machine: HTTPS on 127.0.0.1:8443, state in ./.metal-edge
	exec $(TARGET)/release/metal-edge serve --data-dir $(DATA_DIR)

test: ## Install what the tests need (Debian, as root), then run them all
	tests/install.sh
	$(CARGO) test --workspace --locked --no-fail-fast

bench: ## Measure beside nginx, other BGP speakers, go-ipam and raw SQL on this machine
	tests/install.sh packages
	$(CARGO) bench --locked --bench edge
	$(CARGO) bench --locked --bench withdraw
	$(CARGO) bench --locked --bench ipam
	$(CARGO) bench --locked -p metal-storage --bench storage

lint: ## Format and lints, as CI has them
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

deny: ## Licences, sources and advisories of the dependencies
	.ci/deny

install: build ## Install the program, its unit, completions and an example configuration
	install -D -m 0755 $(TARGET)/release/metal-edge $(DESTDIR)$(PREFIX)/bin/metal-edge
	install -D -m 0644 metal-edge.example.toml \
		$(DESTDIR)$(PREFIX)/share/doc/metal-edge/metal-edge.example.toml
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/bin/metal-edge|$(PREFIX)/bin/metal-edge|' systemd/metal-edge.service \
		> $(DESTDIR)$(PREFIX)/lib/systemd/system/metal-edge.service
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	$(TARGET)/release/metal-edge completions bash \
		> $(DESTDIR)$(PREFIX)/share/bash-completion/completions/metal-edge

clean: ## Remove what was built; the state in ./.metal-edge stays
	$(CARGO) clean
