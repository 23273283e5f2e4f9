//! metalctl, and a client on the Go libraries that metalctl is made of, against
//! a real node. Both are told where and who by `metal-edge env` alone.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use support::{FileServer, Node, Role, Tool, find_tool, run, with_environment};

/// In the order in which they depend on each other; ids as in `fixtures/`.
const ENTITIES: [(&str, &[&str]); 10] = [
    ("size", &["n1-medium-x86", "g1-large-x86"]),
    (
        "image",
        &["firewall-ubuntu-3.1", "ubuntu-24.4", "debian-12.0"],
    ),
    ("filesystemlayout", &["single", "mirrored", "volumes"]),
    ("partition", &["plant-7"]),
    ("tenant", &["rivergate"]),
    (
        "project",
        &[
            "3f0c7a10-4b1e-4c6f-9a57-0d6f6e2b1c01",
            "3f0c7a10-4b1e-4c6f-9a57-0d6f6e2b1c02",
        ],
    ),
    ("size imageconstraint", &["n1-medium-x86", "g1-large-x86"]),
    ("size reservation", &["assembly-n1", "paint-g1"]),
    (
        "network",
        &["plant-7-super", "internet-plant-7", "underlay-plant-7"],
    ),
    ("network ip", &["198.51.100.170", "2001:db8:7:113::170"]),
];

#[test]
fn metalctl_applies_files_twice_and_reads_back_what_they_say() {
    if let Some(program) = find_tool(Tool::Metalctl) {
        Session::new(program).live_and_die();
    }
}

#[test]
fn metalctl_as_view_reads_and_is_told_403_when_it_writes() {
    if let Some(program) = find_tool(Tool::Metalctl) {
        Session::new(program).read_as_view();
    }
}

#[test]
fn the_go_libraries_apply_files_twice_and_read_back_what_they_say() {
    if let Some(program) = find_tool(Tool::GoClient) {
        Session::new(program).live_and_die();
    }
}

#[test]
fn metalctl_allocates_and_frees_networks_and_addresses() {
    if let Some(program) = find_tool(Tool::Metalctl) {
        Session::new(program).allocate_and_free();
    }
}

#[test]
fn the_go_libraries_allocate_and_free_networks_and_addresses() {
    if let Some(program) = find_tool(Tool::GoClient) {
        Session::new(program).allocate_and_free();
    }
}

#[test]
fn the_go_libraries_as_view_read_and_are_told_403_when_they_write() {
    if let Some(program) = find_tool(Tool::GoClient) {
        Session::new(program).read_as_view();
    }
}

/// One program, one node.
struct Session {
    program: PathBuf,
    node: Node,
    files: FileServer,
}

// === impl Session ===

impl Session {
    fn new(program: PathBuf) -> Self {
        Self {
            program,
            node: Node::start(),
            files: FileServer::start(),
        }
    }

    fn live_and_die(&self) {
        assert!(self.ok(&["whoami"]).contains("metal-admin@metal-stack.io"));
        assert!(self.ok(&["health"]).contains("healthy"));
        assert!(self.ok(&["version"]).contains("metal-edge"));

        for (entity, ids) in ENTITIES {
            assert_eq!(self.ids(entity), Vec::<String>::new());
            self.apply(entity);
            assert_eq!(self.ids(entity), sorted(ids), "{entity} after apply");
            let described = self.ok(&[entity, "describe", ids[0], "-o", "json"]);
            assert!(described.contains(ids[0]), "{described}");
        }
        let before: Vec<Value> = ENTITIES.map(|(entity, _)| self.list(entity)).into();

        // Each record exists: only a 409 makes `apply` an update.
        for (entity, ids) in ENTITIES {
            let file = self.file(entity, " (second edition)");
            self.ok(&[entity, "apply", "-f", &file]);
            assert_eq!(
                self.ids(entity),
                sorted(ids),
                "{entity} after a second apply"
            );
            for id in ids {
                let described = self.ok(&[entity, "describe", id, "-o", "json"]);
                assert!(
                    described.contains("(second edition)"),
                    "{entity} {id} was not updated: {described}"
                );
            }
        }
        for ((entity, _), before) in ENTITIES.iter().zip(&before) {
            assert_eq!(
                &without_change(self.list(entity)),
                &without_change(before.clone()),
                "{entity}: an update changed more than the description"
            );
        }

        // `update` by itself, and `create` of what exists.
        for (entity, ids) in ENTITIES {
            let file = self.file(entity, " (third edition)");
            self.ok(&[entity, "update", "-f", &file]);
            let described = self.ok(&[entity, "describe", ids[0], "-o", "json"]);
            assert!(described.contains("(third edition)"), "{described}");
            let refusal = self.refused(Role::Admin, &[entity, "create", "-f", &file]);
            assert!(refusal.contains("exists"), "{refusal}");
        }

        for (entity, ids) in ENTITIES.iter().rev() {
            for id in *ids {
                self.ok(&[entity, "delete", id]);
                let refusal = self.refused(Role::Admin, &[entity, "describe", id]);
                assert!(refusal.contains("404"), "{refusal}");
            }
            assert_eq!(self.ids(entity), Vec::<String>::new());
        }

        let trail = self.list("audit");
        let trail = trail.as_array().expect("a list");
        for path in [
            "/v1/size/reservations/paint-g1",
            "/v1/size-image-constraint/g1-large-x86",
            "/v1/partition/plant-7",
        ] {
            let told = trail.iter().any(|entry| {
                entry["detail"] == "DELETE"
                    && entry["path"] == path
                    && entry["status_code"] == 200
                    && entry["user"] == "metal-admin@metal-stack.io"
            });
            assert!(told, "the deletion of {path} is not in the trail");
        }
    }

    fn allocate_and_free(&self) {
        for entity in ["partition", "tenant", "project", "network", "network ip"] {
            self.apply(entity);
        }
        let before = self.list("network");
        let project = "3f0c7a10-4b1e-4c6f-9a57-0d6f6e2b1c01";
        let allocate = [
            "network",
            "allocate",
            "--name",
            "line-1",
            "--partition",
            "plant-7",
            "--project",
            project,
            "-o",
            "json",
        ];
        let network = self.json(&allocate);
        assert_eq!(
            network["prefixes"],
            json!(["10.70.0.0/22", "2001:db8:7:10::/96"])
        );
        let id = network["id"].as_str().expect("an id");
        assert_eq!(
            self.json(&["network", "describe", id, "-o", "json"]),
            network
        );
        assert!(self.ids("network").contains(&id.to_owned()));

        let of = |network: &str, address: &str| {
            let mut arguments = vec![
                "network ip",
                "create",
                "--network",
                network,
                "--project",
                project,
                "--type",
                "static",
            ];
            if !address.is_empty() {
                arguments.extend(["--ipaddress", address]);
            }
            arguments.extend(["-o", "json"]);
            arguments.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let asked = |arguments: Vec<String>| -> Value {
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            self.json(&arguments)
        };
        let own = asked(of(id, ""));
        assert_eq!(
            (&own["ipaddress"], &own["type"]),
            (&json!("10.70.0.1"), &json!("static"))
        );
        let wide = asked(of("internet-plant-7", "198.51.100.200"));
        assert_eq!(wide["ipaddress"], "198.51.100.200");
        let again = of("internet-plant-7", "198.51.100.200");
        let again: Vec<_> = again.iter().map(String::as_str).collect();
        let refusal = self.refused(Role::Admin, &again);
        assert!(refusal.contains("already allocated"), "{refusal}");

        let refusal = self.refused(Role::Admin, &["network", "free", id]);
        assert!(refusal.contains("10.70.0.1"), "{refusal}");
        for ip in ["10.70.0.1", "198.51.100.200"] {
            self.ok(&["network ip", "delete", ip]);
        }
        self.ok(&["network", "free", id]);
        let refusal = self.refused(Role::Admin, &["network", "describe", id]);
        assert!(refusal.contains("404"), "{refusal}");
        assert_eq!(self.list("network"), before);
        assert_eq!(self.ids("network ip"), sorted(ENTITIES[9].1));
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let json = self.ok(arguments);
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {json}"))
    }

    fn read_as_view(&self) {
        self.ok(&["size", "apply", "-f", &self.file("size", "")]);
        let (output, stdout, stderr) = self.run(Role::View, &["size", "list", "-o", "json"]);
        assert!(output.status.success(), "{stderr}");
        assert!(stdout.contains("n1-medium-x86"), "{stdout}");
        let before = self.list("size");

        let changed = self.file("size", " (by view)");
        for arguments in [
            ["size", "apply", "-f", &changed].as_slice(),
            &["size", "update", "-f", &changed],
            &["size", "delete", "g1-large-x86"],
        ] {
            let refusal = self.refused(Role::View, arguments);
            assert!(refusal.contains("403"), "{refusal}");
        }
        assert_eq!(self.list("size"), before);
    }

    /// Applies the fixture of `entity`.
    fn apply(&self, entity: &str) {
        self.ok(&[entity, "apply", "-f", &self.file(entity, "")]);
    }

    /// The fixture of `entity` with `suffix` behind every description.
    fn file(&self, entity: &str, suffix: &str) -> String {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(match entity {
                "network ip" => "ip.yaml".to_owned(),
                entity => format!("{}.yaml", entity.replace(' ', "-")),
            });
        let text: String = fs::read_to_string(&fixture)
            .expect("the fixture is there")
            .replace("@FILES@", &self.files.url(""))
            .lines()
            .map(|line| match line.starts_with("description:") {
                true => format!("{line}{suffix}\n"),
                false => format!("{line}\n"),
            })
            .collect();
        let path = self.node.scratch().join(format!("{entity}.yaml"));
        fs::write(&path, text).expect("the file is written");
        path.display().to_string()
    }

    fn list(&self, entity: &str) -> Value {
        let json = self.ok(&[entity, "list", "-o", "json"]);
        match serde_json::from_str(&json) {
            Ok(Value::Null) => Value::Array(Vec::new()),
            Ok(list) => list,
            Err(error) => panic!("{entity} list is no JSON ({error}): {json}"),
        }
    }

    fn ids(&self, entity: &str) -> Vec<String> {
        let list = self.list(entity);
        let id = |entity: &Value| {
            let own = entity.get("id").or_else(|| entity.get("ipaddress"));
            let id = own.unwrap_or(&entity["meta"]["id"]);
            id.as_str().expect("an id").to_owned()
        };
        let ids: Vec<String> = list.as_array().expect("a list").iter().map(id).collect();
        sorted(&ids)
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let (output, stdout, stderr) = self.run(Role::Admin, arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}\n{stdout}{stderr}",
            output.status
        );
        stdout
    }

    fn refused(&self, role: Role, arguments: &[&str]) -> String {
        let (output, stdout, stderr) = self.run(role, arguments);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{arguments:?}: {stdout}{stderr}"
        );
        stderr
    }

    fn run(&self, role: Role, arguments: &[&str]) -> (std::process::Output, String, String) {
        let (command, rest) = arguments.split_first().expect("a command");
        run(with_environment(&self.node, role, &self.program)
            .args(command.split(' '))
            .args(rest))
    }
}

fn sorted(ids: &[impl AsRef<str>]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(|id| id.as_ref().to_owned()).collect();
    ids.sort();
    ids
}

/// A list without what an update of the description changes.
fn without_change(mut list: Value) -> Value {
    for entity in list.as_array_mut().expect("a list") {
        let entity = entity.as_object_mut().expect("an object");
        entity.remove("description");
        entity.remove("changed");
        if let Some(meta) = entity.get_mut("meta").and_then(Value::as_object_mut) {
            meta.remove("version");
            meta.remove("updated_time");
        }
    }
    list
}
