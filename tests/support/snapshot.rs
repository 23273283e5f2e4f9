use serde_json::Value;

use super::Client;

const LISTS: [&str; 10] = [
    "/v1/tenant",
    "/v1/project",
    "/v1/partition",
    "/v1/size",
    "/v1/size/reservations",
    "/v1/size-image-constraint",
    "/v1/image",
    "/v1/filesystemlayout",
    "/v1/network",
    "/v1/ip",
];

/// Everything that the API lists, for comparing before and after.
#[derive(Debug, PartialEq)]
pub struct Snapshot(Vec<(&'static str, Vec<Value>)>);

// === impl Snapshot ===

impl Snapshot {
    pub async fn take(client: &Client) -> Self {
        let mut lists = Vec::new();
        for path in LISTS {
            lists.push((path, client.list(path).await));
        }
        Self(lists)
    }
}
