use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Node, PATIENCE, metal_edge, run};

/// A figure of the node, by the name that its line begins with.
pub async fn metric(node: &Node, name: &str) -> Option<f64> {
    let url = format!("http://{}/metrics", node.admin());
    let text = reqwest::get(url).await.ok()?.text().await.ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Waits until the replica has everything that the global store has.
pub async fn replica_is_current(node: &Node) {
    let (output, stdout, stderr) = run(metal_edge()
        .args(["store", "info", "-o", "json", "--config"])
        .arg(node.config_file()));
    assert!(output.status.success(), "{stdout}{stderr}");
    let info: Value = serde_json::from_str(&stdout).expect("JSON");
    let revision = info["scopes"][0]["revision"].as_f64();
    assert!(revision > Some(0.0), "{info:#}");
    let start = Instant::now();
    while metric(node, "metal_edge_replica_revision ").await < revision {
        assert!(start.elapsed() < PATIENCE, "{}", node.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
