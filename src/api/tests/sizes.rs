use super::*;

fn size(id: &str, cores: (u64, u64)) -> Value {
    json!({"id": id, "name": id, "description": "d", "constraints": [
        {"type": "cores", "min": cores.0, "max": cores.1},
        {"type": "memory", "min": 500_000_000, "max": 4_000_000_000_u64},
        {"type": "storage", "min": 1, "max": 100_000_000_000_u64},
    ]})
}

#[tokio::test]
async fn a_size_is_made_read_changed_and_deleted() {
    let api = Api::new();
    let made = api.put("/v1/size", size("s", (1, 4))).await.is(201);
    assert_eq!(made["labels"], json!({}));
    assert_eq!(
        made["constraints"][0],
        json!({"type": "cores", "min": 1, "max": 4})
    );
    assert_eq!(made["created"], made["changed"]);
    assert_eq!(api.get("/v1/size/s").await.is(200), made);
    assert_eq!(api.get("/v1/size").await.is(200), json!([made]));

    let update =
        json!({"id": "s", "description": "other", "constraints": null, "labels": {"a": "b"}});
    let changed = api.post("/v1/size", update).await.is(200);
    assert_eq!(changed["description"], "other");
    assert_eq!(changed["name"], "s");
    assert_eq!(changed["constraints"], made["constraints"]);
    assert_eq!(changed["labels"], json!({"a": "b"}));
    assert_eq!(changed["created"], made["created"]);
    assert_ne!(changed["changed"], made["changed"]);

    assert_eq!(api.delete("/v1/size/s").await.is(200), changed);
    api.get("/v1/size/s")
        .await
        .refused(404, "NotFound no size with id \"s\" found");
    api.post("/v1/size", size("s", (1, 4)))
        .await
        .refused(404, "NotFound");
}

#[tokio::test]
async fn a_second_size_of_the_same_id_is_a_conflict_even_if_it_overlaps() {
    let api = Api::new();
    api.put("/v1/size", size("s", (1, 4))).await.is(201);
    api.put("/v1/size", size("s", (1, 4)))
        .await
        .refused(409, "Conflict size with id \"s\" already exists");
}

#[tokio::test]
async fn a_size_that_overlaps_another_is_refused() {
    let api = Api::new();
    api.put("/v1/size", size("s", (1, 4))).await.is(201);
    api.put("/v1/size", size("t", (4, 8)))
        .await
        .refused(400, "overlaps size \"s\"");
    api.put("/v1/size", size("t", (5, 8))).await.is(201);
    api.post("/v1/size", size("t", (3, 8)))
        .await
        .refused(400, "overlaps size \"s\"");
    api.post("/v1/size", size("t", (6, 8))).await.is(200);
}

#[tokio::test]
async fn a_size_read_before_another_change_does_not_overwrite_it() {
    let api = Api::new();
    let read = api.put("/v1/size", size("s", (1, 4))).await.is(201);
    api.post("/v1/size", json!({"id": "s", "name": "first"}))
        .await
        .is(200);
    let mut stale = read;
    stale["name"] = json!("second");
    api.post("/v1/size", stale)
        .await
        .refused(409, "Conflict size with id \"s\" was changed");
    let mut fresh = api.get("/v1/size/s").await.is(200);
    assert_eq!(fresh["name"], "first");
    fresh["name"] = json!("third");
    api.post("/v1/size", fresh).await.is(200);
}

#[tokio::test]
async fn constraints_that_break_a_rule_are_refused_with_their_field() {
    let api = Api::new();
    for (constraint, message) in [
        (
            json!({"type": "disks", "min": 1}),
            "constraints[0].type: \"disks\" is none of cores",
        ),
        (json!({"type": null}), "constraints[0].type"),
        (
            json!({"type": "cores", "min": 2, "max": 1}),
            "min 2 is greater than max 1",
        ),
        (
            json!({"type": "cores", "min": -1}),
            "field constraints[0].min",
        ),
        (
            json!({"type": "cores", "max": u64::MAX}),
            "constraints[0].max: 18446744073709551615 is greater than",
        ),
        (
            json!({"type": "gpu", "min": 1, "max": 1}),
            "needs an identifier",
        ),
    ] {
        let body = json!({"id": "s", "constraints": [constraint]});
        api.put("/v1/size", body).await.refused(400, message);
    }
    assert_eq!(api.get("/v1/size").await.is(200), json!([]));
}
