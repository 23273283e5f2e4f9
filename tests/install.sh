#!/usr/bin/env bash
# Puts in place what the tests need: Debian packages and the clients that are
# tested against. Quick when everything is there already.
#
#   tests/install.sh            everything
#   tests/install.sh packages   the Debian packages only
#   tests/install.sh clients    the clients only
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
clients="${CARGO_TARGET_DIR:-$here/../target}/clients"

# Only what the tests and benchmarks run.
packages=(
  bird2         # another leaf switch of the lab
  curl          # README, quick looks, health checks of the benchmark
  e2fsprogs     # a small file system that fills up
  etcd-client   # sets up roles in a test
  etcd-server   # a store
  exabgp        # another announcer of the benchmark
  faketime      # steps of a server's clock
  frr           # leaf switch of the lab
  gobgpd        # an external BGP daemon
  iproute2      # network namespaces, monitor
  nftables      # cuts in the lab
  nginx-light   # the other side of the benchmark
  pmacct        # a BMP station
  postgresql-15 # a store
  python3-venv  # metal-python
  wrk           # load of the benchmark
)

installed() {
  local wanted=$1
  # Any of the flavours does.
  [[ $wanted == nginx-light ]] && wanted='nginx(-core|-light|-full|-extras)?'
  grep -qxE "$wanted installed" <<<"$have"
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "skipped: no Debian packages on this system; wanted: ${packages[*]}"
    return
  fi
  local missing=() package have
  have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n')
  for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  if ((EUID)); then
    echo "skipped: not root, missing: ${missing[*]}"
    return
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # Nothing of them shall run by itself (invoke-rc.d asks this file, deb-systemd-invoke too), and
  # PostgreSQL needs no cluster.
  if [[ ! -e /usr/sbin/policy-rc.d ]]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 0755 /usr/sbin/policy-rc.d
  fi
  mkdir -p /etc/postgresql-common
  [[ -e /etc/postgresql-common/createcluster.conf ]] ||
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  RUNLEVEL=1 apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}" >/dev/null
}

# up_to_date STAMP FILE...: STAMP holds the hash of the FILEs.
up_to_date() {
  local stamp=$1
  shift
  [[ -f $stamp && $(<"$stamp") == "$(cat "$@" | sha256sum)" ]]
}

install_python() {
  local wanted="$here/clients/metal_python/requirements.txt" stamp="$clients/python.stamp"
  up_to_date "$stamp" "$wanted" && [[ -x $clients/python/bin/python ]] && return
  rm -rf "$clients/python" "$stamp"
  python3 -m venv "$clients/python"
  "$clients/python/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted"
  sha256sum <"$wanted" >"$stamp"
}

install_go() {
  if ! command -v go >/dev/null; then
    echo "skipped: no Go, so no client on metal-stack's Go libraries"
    return
  fi
  local source="$here/clients/metalgo" stamp="$clients/metalgo.stamp" files
  files=("$source"/go.mod "$source"/go.sum "$source"/*.go)
  up_to_date "$stamp" "${files[@]}" && [[ -x $clients/bin/metalgo ]] && return
  rm -f "$stamp"
  (cd "$source" && go build -trimpath -o "$clients/bin/metalgo" .)
  cat "${files[@]}" | sha256sum >"$stamp"
}

# The test that uses it builds it too; here it is not counted as the test's time.
install_crdb_parser() {
  command -v go >/dev/null || return 0
  (cd "$here/../storage/tests/crdb-parser" &&
    go build -trimpath -buildvcs=false -o "$clients/bin/crdb-parser" .)
}

install_gobgp4() {
  command -v go >/dev/null || return 0
  local source="$here/../bgp/tests/gobgp4" stamp="$clients/gobgp4.stamp"
  up_to_date "$stamp" "$source"/go.mod "$source"/go.sum && [[ -x $clients/bin/gobgpd4 ]] && return
  rm -f "$stamp"
  (cd "$source" && go build -trimpath -buildvcs=false -o "$clients/bin/gobgpd4" \
    github.com/osrg/gobgp/v4/cmd/gobgpd)
  cat "$source"/go.mod "$source"/go.sum | sha256sum >"$stamp"
}

# Likewise, of a version newer than Debian's.
install_etcd() {
  if ! command -v go >/dev/null; then
    echo "skipped: no Go, so no etcd newer than Debian's"
    return
  fi
  (cd "$here/../storage/tests/etcd-server" &&
    go build -trimpath -buildvcs=false -o "$clients/bin/etcd" .)
}

mkdir -p "$clients/bin"
clients=$(cd "$clients" && pwd)
case ${1:-all} in
  packages) parts=(packages) ;;
  clients) parts=(python go crdb_parser gobgp4 etcd) ;;
  all) parts=(packages python go crdb_parser gobgp4 etcd) ;;
  *)
    echo "usage: $0 [packages|clients]" >&2
    exit 2
    ;;
esac
for part in "${parts[@]}"; do
  "install_$part"
done
