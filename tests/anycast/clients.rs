//! Real clients behind the leaf, over HTTPS on the anycast address.

use super::lab::Lab;
use super::support::{Tool, find_tool, run};
use super::{EdgeNode, alone, announced};

const EVAL: &str = r#"
    settings=$("$METAL_EDGE" env --config "$CONFIG") || exit 99
    eval "$settings"
    exec "$@"
"#;

/// Runs `program` in the leaf's namespace with what `metal-edge env` prints.
fn behind_the_leaf(lab: &Lab, node: &EdgeNode, program: &[&str]) -> (bool, String, String) {
    let mut command = node.command(&lab.leaves[0].namespace, "sh");
    command
        .args(["-c", EVAL, "sh"])
        .args(program)
        .env("METAL_EDGE", env!("CARGO_BIN_EXE_metal-edge"))
        .env("CONFIG", node.config());
    let (output, stdout, stderr) = run(&mut command);
    (output.status.success(), stdout, stderr)
}

#[test]
fn curl_metal_python_and_metalctl_are_answered_on_the_anycast_address() {
    let _alone = alone();
    let (lab, node, _monitor) = announced(&[]);

    for host in ["192.0.2.1", "[2001:db8::1]"] {
        let script = format!("curl -sSf --cacert \"$SSL_CERT_FILE\" https://{host}/v1/health");
        let (ok, stdout, stderr) = behind_the_leaf(&lab, &node, &["sh", "-c", &script]);
        assert!(ok, "{stderr}");
        assert!(stdout.contains("\"status\":\"healthy\""), "{stdout}");
    }

    if let Some(python) = find_tool(Tool::Python) {
        let python = python.to_str().expect("a path");
        let (ok, stdout, stderr) = behind_the_leaf(&lab, &node, &[python, "-c", PYTHON]);
        assert!(ok, "{stderr}");
        assert_eq!(stdout.trim(), "created n1 read n1 cores 4");
    }
    for tool in [Tool::Metalctl, Tool::GoClient] {
        if let Some(program) = find_tool(tool) {
            let program = program.to_str().expect("a path");
            let list = [program, "size", "list"];
            let (ok, stdout, stderr) = behind_the_leaf(&lab, &node, &list);
            assert!(ok, "{stderr}");
            assert!(stdout.contains("n1"), "{stdout}");
        }
    }
}

const PYTHON: &str = r#"
import os
from metal_python import models
from metal_python.api import size_api
from metal_python.configuration import Configuration
from metal_python.driver import Driver

configuration = Configuration()
configuration.ssl_ca_cert = os.environ["SSL_CERT_FILE"]
Configuration.set_default(configuration)
client = Driver(os.environ["METALCTL_API_URL"], None, os.environ["METALCTL_HMAC"],
                os.environ["METALCTL_HMAC_AUTH_TYPE"]).client
sizes = size_api.SizeApi(client)
cores = models.V1SizeConstraint(type="cores", min=4, max=4)
created = sizes.create_size(models.V1SizeCreateRequest(id="n1", name="n1", constraints=[cores]))
read = sizes.find_size("n1")
print("created", created.id, "read", read.id, "cores", read.constraints[0].max)
"#;
