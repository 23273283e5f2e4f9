use super::*;

#[tokio::test]
async fn malformed_json_is_refused_and_changes_nothing() {
    let api = Api::new();
    for (body, message) in [
        ("", "is empty"),
        ("{", "not valid JSON: EOF"),
        ("null", "expected an object"),
        ("[\"a\",null,null,[],null,null]", "expected an object"),
        (r#"{"id":"a"}{"id":"b"}"#, "trailing characters"),
        (
            r#"{"id":7}"#,
            "field id: invalid type: integer `7`, expected a string",
        ),
        (r#"{"id":"a","id":"b"}"#, "duplicate field `id`"),
        (
            r#"{"id":"a","labels":{"x":1}}"#,
            "field labels.x: invalid type",
        ),
        (
            r#"{"id":"a","labels":{"x":"1","x":"2"}}"#,
            "duplicate field `x`",
        ),
        (
            r#"{"id":"a","constraints":{}}"#,
            "field constraints: invalid type",
        ),
    ] {
        api.raw(Method::PUT, "/v1/size", body)
            .await
            .refused(400, message);
    }
    api.raw(Method::PUT, "/v1/size", vec![b'{', 0xff, b'}'])
        .await
        .refused(400, "");
    assert_eq!(api.get("/v1/size").await.is(200), json!([]));
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let body = json!({"id": "a", "colour": "red", "labels": {"x": null}, "constraints": [], "more": {"x": [1, null]}});
    Api::new().put("/v1/size", body).await.is(201);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_413() {
    let api = Api::new();
    let body = json!({"id": "a", "description": "x".repeat(BODY)});
    api.put("/v1/size", body).await.refused(413, "too long");
    assert_eq!(api.get("/v1/size").await.is(200), json!([]));
}

#[tokio::test]
async fn deeply_nested_json_is_refused() {
    let body = format!("{{\"x\":{}", "[".repeat(10_000));
    Api::new()
        .raw(Method::PUT, "/v1/size", body)
        .await
        .refused(400, "");
}

#[tokio::test]
async fn ids_and_texts_beyond_their_bounds_are_refused_with_their_field() {
    let api = Api::new();
    for (body, message) in [
        (json!({}), "id: should not be empty"),
        (json!({"id": null}), "id: should not be empty"),
        (json!({"id": "a\u{0}b"}), "id: control characters"),
        (json!({"id": "x".repeat(256)}), "id: 256 bytes, at most 255"),
        (
            json!({"id": "a", "name": "x".repeat(256)}),
            "name: 256 bytes",
        ),
        (
            json!({"id": "a", "description": "x".repeat(5000)}),
            "description: 5000 bytes",
        ),
        (
            json!({"id": "a", "description": "a\u{0}"}),
            "description: control",
        ),
        (
            json!({"id": "a", "labels": {"": "x"}}),
            "labels: must not be empty",
        ),
        (
            json!({"id": "a", "labels": {"k": "x".repeat(5000)}}),
            "labels.k: 5000 bytes",
        ),
    ] {
        api.put("/v1/size", body).await.refused(400, message);
    }
    let labels: serde_json::Map<_, _> = (0..129).map(|i| (format!("k{i}"), json!(""))).collect();
    api.put("/v1/size", json!({"id": "a", "labels": labels}))
        .await
        .refused(400, "labels: 129 entries");
    assert_eq!(api.get("/v1/size").await.is(200), json!([]));
}

#[tokio::test]
async fn an_id_in_the_path_may_be_anything_and_is_merely_not_found() {
    let api = Api::new();
    api.get("/v1/size/a%2Fb").await.refused(404, "NotFound");
    api.get("/v1/size/%00").await.refused(404, "NotFound");
    api.get(&format!("/v1/size/{}", "x".repeat(3000)))
        .await
        .refused(404, "NotFound");
    api.delete(&format!("/v1/tenant/{}", "x".repeat(3000)))
        .await
        .refused(404, "NotFound");
    api.get("/v1/size/%ff").await.refused(400, "not UTF-8");
}

#[tokio::test]
async fn an_id_with_a_slash_is_found_by_its_encoded_path() {
    let api = Api::new();
    api.put("/v1/size", json!({"id": "a/b ü", "constraints": []}))
        .await
        .is(201);
    let found = api.get("/v1/size/a%2Fb%20%C3%BC").await.is(200);
    assert_eq!(found["id"], "a/b ü");
}

#[tokio::test]
async fn empty_lists_are_lists() {
    let api = Api::new();
    for path in [
        "tenant",
        "project",
        "partition",
        "size",
        "size/reservations",
        "size-image-constraint",
        "image",
        "filesystemlayout",
    ] {
        assert_eq!(
            api.get(&format!("/v1/{path}")).await.is(200),
            json!([]),
            "{path}"
        );
    }
}
