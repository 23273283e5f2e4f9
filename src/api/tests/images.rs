use super::*;
use chrono::{DateTime, Duration, Utc};

fn image(id: &str, url: &str) -> Value {
    json!({"id": id, "name": id, "url": format!("{url}/there"), "features": ["machine"]})
}

#[tokio::test]
async fn an_image_is_made_read_changed_and_deleted() {
    let (api, url) = (Api::new(), files().await);
    let made = api
        .put("/v1/image", image("ubuntu-26.4", &url))
        .await
        .is(201);
    assert_eq!(made["classification"], "preview");
    assert_eq!(made["features"], json!(["machine"]));
    let expires: DateTime<Utc> = made["expirationDate"].as_str().unwrap().parse().unwrap();
    let created: DateTime<Utc> = made["created"].as_str().unwrap().parse().unwrap();
    assert_eq!(expires - created, Duration::days(90));
    assert_eq!(api.get("/v1/image/ubuntu-26.4").await.is(200), made);
    assert_eq!(
        api.get("/v1/image?show-usage=true").await.is(200),
        json!([made])
    );

    let update = json!({"id": "ubuntu-26.4", "expirationDate": "2030-01-02T03:04:05+01:00",
                        "classification": "supported", "usedby": null});
    let changed = api.post("/v1/image", update).await.is(200);
    assert_eq!(changed["classification"], "supported");
    assert_eq!(changed["expirationDate"], "2030-01-02T02:04:05Z");
    assert_eq!(changed["url"], made["url"]);
    let kept = api
        .post(
            "/v1/image",
            json!({"id": "ubuntu-26.4", "expirationDate": null}),
        )
        .await
        .is(200);
    assert_eq!(kept["expirationDate"], changed["expirationDate"]);

    api.delete("/v1/image/ubuntu-26.4").await.is(200);
    api.get("/v1/image/ubuntu-26.4")
        .await
        .refused(404, "NotFound no image");
}

#[tokio::test]
async fn an_image_that_cannot_be_fetched_is_refused() {
    let (api, url) = (Api::new(), files().await);
    for (path, message) in [
        (format!("{url}/nothing"), "answered with 404"),
        (format!("{url}/loop"), "redirects"),
        ("http://127.0.0.1:1/x".into(), "no connection"),
        ("ftp://a/b".into(), "neither an http nor an https"),
        ("nonsense".into(), "is no URL"),
        (String::new(), "url: must not be empty"),
    ] {
        let body = json!({"id": "ubuntu-26.4", "url": path});
        api.put("/v1/image", body).await.refused(400, message);
    }
    assert_eq!(api.get("/v1/image").await.is(200), json!([]));
    let body = json!({"id": "ubuntu-26.4", "url": format!("{url}/moved")});
    api.put("/v1/image", body).await.is(201);
    let body = json!({"id": "ubuntu-26.4", "url": format!("{url}/nothing")});
    api.post("/v1/image", body)
        .await
        .refused(400, "answered with 404");
}

#[tokio::test]
async fn a_second_image_of_the_same_id_is_a_conflict_even_if_it_cannot_be_fetched() {
    let (api, url) = (Api::new(), files().await);
    api.put("/v1/image", image("ubuntu-26.4", &url))
        .await
        .is(201);
    let body = json!({"id": "ubuntu-26.4", "url": format!("{url}/nothing")});
    api.put("/v1/image", body)
        .await
        .refused(409, "Conflict image");
}

#[tokio::test]
async fn images_with_an_unknown_feature_classification_or_id_are_refused() {
    let (api, url) = (Api::new(), files().await);
    for (field, value, message) in [
        (
            "features",
            json!(["router"]),
            "features: \"router\" is none of machine, firewall",
        ),
        (
            "classification",
            json!("best"),
            "classification: \"best\" is none of",
        ),
        (
            "id",
            json!("ubuntu"),
            "id: \"ubuntu\" is not an operating system and a version",
        ),
        ("id", json!(""), "id: should not be empty"),
        ("expirationDate", json!("tomorrow"), "field expirationDate"),
        (
            "expirationDate",
            json!("+12026-01-01T00:00:00Z"),
            "expirationDate",
        ),
    ] {
        let mut body = image("ubuntu-26.4", &url);
        body[field] = value;
        api.put("/v1/image", body).await.refused(400, message);
    }
}

#[tokio::test]
async fn an_image_without_patch_means_its_newest_patch() {
    let (api, url) = (Api::new(), files().await);
    for id in [
        "ubuntu-24.4.9",
        "ubuntu-24.4.10",
        "ubuntu-24.10.1",
        "debian-24.4.99",
    ] {
        api.put("/v1/image", image(id, &url)).await.is(201);
    }
    let latest = api.get("/v1/image/ubuntu-24.4/latest").await.is(200);
    assert_eq!(latest["id"], "ubuntu-24.4.10");
    let exact = api.get("/v1/image/ubuntu-24.4.9/latest").await.is(200);
    assert_eq!(exact["id"], "ubuntu-24.4.9");
    api.get("/v1/image/ubuntu-20.4/latest")
        .await
        .refused(404, "NotFound no image for id:ubuntu-20.4 found");
    api.get("/v1/image/nonsense/latest")
        .await
        .refused(400, "id:");
    let found = api.get("/v1/image/ubuntu-24.4/query").await.is(200);
    assert_eq!(found.as_array().unwrap().len(), 2);
    // Only the query resolves: a read is of the exact id.
    api.get("/v1/image/ubuntu-24.4")
        .await
        .refused(404, "NotFound");
}

#[tokio::test]
async fn images_are_found_by_everything_given() {
    let (api, url) = (Api::new(), files().await);
    api.put("/v1/image", image("ubuntu-24.04", &url))
        .await
        .is(201);
    let mut firewall = image("firewall-ubuntu-3.0", &url);
    firewall["features"] = json!(["firewall"]);
    api.put("/v1/image", firewall).await.is(201);
    for (query, expected) in [
        (json!({}), 2),
        (json!({"os": "ubuntu"}), 1),
        (json!({"os": "ubuntu", "version": "24.4.0"}), 1),
        (json!({"os": "ubuntu", "version": "24.5"}), 0),
        (json!({"features": ["firewall"]}), 1),
        (json!({"features": ["firewall", "machine"]}), 0),
        (
            json!({"classification": "preview", "id": "ubuntu-24.04"}),
            1,
        ),
    ] {
        let found = api.post("/v1/image/find", query.clone()).await.is(200);
        assert_eq!(found.as_array().unwrap().len(), expected, "{query}");
    }
    api.post("/v1/image/find", json!({"classification": "best"}))
        .await
        .refused(400, "classification");
}
