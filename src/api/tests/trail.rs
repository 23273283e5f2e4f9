use super::*;

#[tokio::test]
async fn a_search_that_nothing_can_match_is_an_empty_list() {
    let api = Api::new();
    for body in [
        json!({}),
        json!({"component": "metal-edge", "type": "http", "limit": 1000}),
        json!({"component": "other"}),
        json!({"type": "grpc"}),
        json!({"phase": "single"}),
        json!({"status_code": -1}),
        // What a Go client sends for times that are not given.
        json!({"from": "0001-01-01T00:00:00.000Z", "to": "0001-01-01T00:00:00.000Z"}),
        json!({"user": "x".repeat(1024)}),
    ] {
        let found = api.post("/v1/audit/find", body.clone()).await.is(200);
        assert_eq!(found, json!([]), "{body}");
    }
}

#[tokio::test]
async fn a_search_that_makes_no_sense_is_refused_with_its_field() {
    let api = Api::new();
    for (body, message) in [
        (json!({"limit": 1001}), "limit: must be from 1 to 1000"),
        (json!({"limit": -1}), "limit: must be from 1 to 1000"),
        (json!({"limit": "all"}), "field limit"),
        (json!({"from": "yesterday"}), "field from"),
        (json!({"status_code": "200"}), "field status_code"),
        (json!({"user": "x".repeat(1025)}), "user: 1025 bytes"),
        (json!({"rqid": "a\u{0}"}), "rqid: control characters"),
        (json!({"project": "x".repeat(1025)}), "project: 1025 bytes"),
    ] {
        api.post("/v1/audit/find", body).await.refused(400, message);
    }
}
