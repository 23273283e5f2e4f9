use super::*;

fn partition(url: &str) -> Value {
    json!({"id": "mini-lab", "name": "mini-lab", "bootconfig": {
        "kernelurl": format!("{url}/there"), "imageurl": format!("{url}/there"),
        "commandline": "console=ttyS0"}, "privatenetworkprefixlength": 22,
        "dns_servers": [{"ip": "1.1.1.1"}, {"ip": "2001:db8::1"}],
        "ntp_servers": [{"address": "0.pool.ntp.example"}]})
}

#[tokio::test]
async fn a_partition_is_made_read_changed_and_deleted() {
    let (api, url) = (Api::new(), files().await);
    let made = api.put("/v1/partition", partition(&url)).await.is(201);
    assert_eq!(made["bootconfig"]["commandline"], "console=ttyS0");
    assert_eq!(made["dns_servers"][1]["ip"], "2001:db8::1");
    assert!(made.get("labels").is_none());
    assert_eq!(api.get("/v1/partition/mini-lab").await.is(200), made);
    assert_eq!(api.get("/v1/partition").await.is(200), json!([made]));
    api.put("/v1/partition", partition("http://127.0.0.1:1"))
        .await
        .refused(409, "Conflict partition");

    let update = json!({"id": "mini-lab", "description": "d", "dns_servers": null, "ntp_servers": [],
                        "bootconfig": {"commandline": "quiet"}, "labels": {"a": "b"}});
    let changed = api.post("/v1/partition", update).await.is(200);
    assert_eq!(changed["description"], "d");
    assert_eq!(changed["bootconfig"]["commandline"], "quiet");
    assert_eq!(
        changed["bootconfig"]["kernelurl"],
        made["bootconfig"]["kernelurl"]
    );
    assert_eq!(changed["dns_servers"], made["dns_servers"]);
    assert!(changed.get("ntp_servers").is_none());
    let mut stale = made;
    stale["name"] = json!("other");
    api.post("/v1/partition", stale)
        .await
        .refused(409, "Conflict partition");

    api.delete("/v1/partition/mini-lab").await.is(200);
    api.get("/v1/partition/mini-lab")
        .await
        .refused(404, "NotFound no partition");
}

#[tokio::test]
async fn a_partition_needs_both_urls_and_both_must_answer() {
    let (api, url) = (Api::new(), files().await);
    for field in ["kernelurl", "imageurl"] {
        let mut body = partition(&url);
        body["bootconfig"][field] = json!(null);
        api.put("/v1/partition", body.clone())
            .await
            .refused(400, field);
        body["bootconfig"][field] = json!(format!("{url}/nothing"));
        api.put("/v1/partition", body)
            .await
            .refused(400, &format!("bootconfig.{field}"));
    }
    let mut body = partition(&url);
    body["bootconfig"] = json!(null);
    api.put("/v1/partition", body)
        .await
        .refused(400, "bootconfig");
    assert_eq!(api.get("/v1/partition").await.is(200), json!([]));

    api.put("/v1/partition", partition(&url)).await.is(201);
    let update = json!({"id": "mini-lab", "bootconfig": {"kernelurl": format!("{url}/nothing")}});
    api.post("/v1/partition", update)
        .await
        .refused(400, "bootconfig.kernelurl");
}

#[tokio::test]
async fn servers_that_are_none_and_too_many_of_them_are_refused() {
    let (api, url) = (Api::new(), files().await);
    let ip = json!({"ip": "1.1.1.1"});
    for (field, value, message) in [
        (
            "dns_servers",
            json!([{"ip": "dns.example"}]),
            "dns_servers[0].ip: \"dns.example\" is no IP address",
        ),
        (
            "dns_servers",
            json!([ip, ip, ip, ip]),
            "dns_servers: 4 entries, at most 3",
        ),
        (
            "ntp_servers",
            json!([{"address": "a b"}]),
            "ntp_servers[0].address",
        ),
        ("ntp_servers", json!([{}]), "ntp_servers[0].address"),
    ] {
        let mut body = partition(&url);
        body[field] = value;
        api.put("/v1/partition", body).await.refused(400, message);
    }
}
