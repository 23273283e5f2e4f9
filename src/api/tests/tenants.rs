use super::*;

#[tokio::test]
async fn a_tenant_is_made_read_found_changed_and_deleted() {
    let api = Api::new();
    let made = api
        .put(
            "/v1/tenant",
            json!({
                "meta": {"id": "acme", "kind": "Tenant", "apiversion": "v1", "version": 0,
                         "annotations": {"a": "1"}, "labels": ["x"]},
                "name": "Acme", "description": "makes everything",
                "quotas": {"machine": {"quota": 3}, "ip": null},
                "iam_config": {"issuer_config": {"url": "https://i", "client_id": "c"},
                               "idm_config": {"idm_type": "AD"}}
            }),
        )
        .await
        .is(201);
    assert_eq!(made["meta"]["version"], 0);
    assert_eq!(made["meta"]["kind"], "Tenant");
    assert_eq!(made["meta"]["apiversion"], "v1");
    assert_eq!(made["quotas"], json!({"machine": {"quota": 3}}));
    assert_eq!(made["iam_config"]["idm_config"]["idm_type"], "AD");
    assert!(made["meta"].get("updated_time").is_none());

    assert_eq!(api.get("/v1/tenant/acme").await.is(200), made);
    assert_eq!(api.get("/v1/tenant").await.is(200), json!([made]));

    let mut update = made.clone();
    update["name"] = json!("Acme Inc");
    let changed = api.post("/v1/tenant", update).await.is(200);
    assert_eq!(changed["name"], "Acme Inc");
    assert_eq!(changed["meta"]["version"], 1);
    assert_eq!(
        changed["meta"]["created_time"],
        made["meta"]["created_time"]
    );
    assert!(changed["meta"]["updated_time"].is_string());
    assert_eq!(changed["meta"]["annotations"], json!({"a": "1"}));

    assert_eq!(api.delete("/v1/tenant/acme").await.is(200), changed);
    api.get("/v1/tenant/acme")
        .await
        .refused(404, "NotFound no tenant with id \"acme\" found");
    api.delete("/v1/tenant/acme").await.refused(404, "NotFound");
}

#[tokio::test]
async fn a_second_tenant_of_the_same_id_is_a_conflict_and_changes_nothing() {
    let api = Api::new().with_tenant("a").await;
    let body = json!({"meta": {"id": "a"}, "name": "other"});
    api.put("/v1/tenant", body)
        .await
        .refused(409, "Conflict tenant with id \"a\" already exists");
    assert_eq!(api.get("/v1/tenant/a").await.is(200)["name"], "a");
}

#[tokio::test]
async fn a_tenant_without_id_gets_one() {
    let api = Api::new();
    let made = api
        .put("/v1/tenant", json!({"meta": null, "name": "x"}))
        .await
        .is(201);
    let id = made["meta"]["id"].as_str().unwrap();
    assert!(id.parse::<uuid::Uuid>().is_ok());
    api.get(&format!("/v1/tenant/{id}")).await.is(200);
}

#[tokio::test]
async fn an_update_of_another_version_than_the_stored_one_is_412() {
    let api = Api::new().with_tenant("a").await;
    // Clients leave version 0 out.
    api.post("/v1/tenant", json!({"meta": {"id": "a"}, "name": "1"}))
        .await
        .is(200);
    let stale = json!({"meta": {"id": "a", "version": 0}, "name": "2"});
    api.post("/v1/tenant", stale)
        .await
        .refused(412, "version 1");
    for version in [2, -1] {
        let wrong = json!({"meta": {"id": "a", "version": version}, "name": "2"});
        api.post("/v1/tenant", wrong)
            .await
            .refused(412, "read it again");
    }
    let fresh = json!({"meta": {"id": "a", "version": 1}, "name": "3"});
    api.post("/v1/tenant", fresh).await.is(200);
    assert_eq!(api.get("/v1/tenant/a").await.is(200)["name"], "3");
}

#[tokio::test]
async fn an_update_needs_an_id_that_exists() {
    let api = Api::new();
    for body in [json!({"name": "x"}), json!({"meta": {"id": ""}})] {
        api.post("/v1/tenant", body).await.refused(400, "meta.id");
    }
    let body = json!({"meta": {"id": "nobody"}});
    api.post("/v1/tenant", body).await.refused(404, "NotFound");
}

#[tokio::test]
async fn tenants_are_found_by_everything_given_and_in_pages() {
    let api = Api::new();
    for i in 0..5 {
        let annotations = json!({"even": (i % 2 == 0).to_string(), "n": i.to_string()});
        let meta = json!({"id": format!("t{i}"), "annotations": annotations});
        api.put("/v1/tenant", json!({"meta": meta, "name": "same"}))
            .await
            .is(201);
    }
    let ids = |body: Value| -> Vec<String> {
        let tenants = body.as_array().unwrap().iter();
        tenants
            .map(|t| t["meta"]["id"].as_str().unwrap().to_owned())
            .collect()
    };
    for (query, expected) in [
        (json!({}), vec!["t0", "t1", "t2", "t3", "t4"]),
        (
            json!({"id": "", "name": "", "annotations": null}),
            vec!["t0", "t1", "t2", "t3", "t4"],
        ),
        (json!({"id": "t3", "name": "same"}), vec!["t3"]),
        (json!({"id": "t3", "name": "other"}), vec![]),
        (
            json!({"annotations": {"even": "true"}}),
            vec!["t0", "t2", "t4"],
        ),
        (
            json!({"annotations": {"even": "true", "n": "2"}}),
            vec!["t2"],
        ),
        (json!({"paging": {"count": 2}}), vec!["t0", "t1"]),
        (json!({"paging": {"count": 2, "page": 2}}), vec!["t4"]),
        (json!({"paging": {"count": 2, "page": 9}}), vec![]),
    ] {
        let found = ids(api.post("/v1/tenant/find", query.clone()).await.is(200));
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn a_tenant_with_a_project_is_not_deleted() {
    let api = Api::new().with_tenant("a").await;
    let project = json!({"meta": {"id": "p"}, "tenant_id": "a"});
    api.put("/v1/project", project).await.is(201);
    api.delete("/v1/tenant/a")
        .await
        .refused(422, "still has 1 projects");
    api.delete("/v1/project/p").await.is(200);
    api.delete("/v1/tenant/a").await.is(200);
}
