//! metal-stack's Python client against a real node, over HTTPS with the node's
//! own CA. The assertions stand in `tests/clients/metal_python/`.

mod support;

use std::path::Path;

use support::{FileServer, Node, Role, Tool, find_tool, run, with_environment};

#[test]
fn metal_python_creates_gets_finds_updates_and_deletes_every_entity() {
    let Some(python) = find_tool(Tool::Python) else {
        return;
    };
    let node = Node::start();
    let files = FileServer::start();
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/metal_python");

    let (output, stdout, stderr) = run(with_environment(&node, Role::Admin, &python)
        .args([
            "-B", "-W", "ignore", "-m", "unittest", "discover", "-v", "-s",
        ])
        .arg(&scenarios)
        .env("METAL_TEST_VIEW_HMAC", node.key(Role::View))
        .env("METAL_TEST_FILES", files.url("")));

    println!("{stdout}{stderr}");
    assert!(output.status.success(), "a scenario failed");
    // An empty discovery would succeed as well.
    let count = stderr.lines().filter(|line| line.ends_with("ok")).count();
    assert!(count >= 77, "only {count} scenarios ran");
    assert!(
        files.heads("/boot/kernel") > 0,
        "the kernel was not asked for"
    );
    assert!(
        files.heads("/images/alma-9.4.tar.lz4") > 0,
        "the image was not asked for"
    );
}
