use super::*;

#[tokio::test]
async fn a_project_is_made_read_found_changed_and_deleted() {
    let api = Api::new().with_tenant("a").await.with_tenant("b").await;
    let body = json!({"meta": {"id": "p", "labels": null, "annotations": null}, "name": "P",
                      "description": "d", "tenant_id": "a", "quotas": {"ip": {"quota": 5, "used": 9}}});
    let made = api.put("/v1/project", body).await.is(201);
    assert_eq!(made["tenant_id"], "a");
    assert_eq!(made["meta"]["kind"], "Project");
    assert_eq!(made["quotas"], json!({"ip": {"quota": 5}}));
    assert_eq!(api.get("/v1/project/p").await.is(200), made);
    assert_eq!(api.get("/v1/project").await.is(200), json!([made]));

    let update = json!({"meta": {"id": "p", "version": 0}, "name": "Q"});
    let changed = api.post("/v1/project", update.clone()).await.is(200);
    assert_eq!(
        (&changed["name"], &changed["tenant_id"]),
        (&json!("Q"), &json!("a"))
    );
    api.post("/v1/project", update)
        .await
        .refused(412, "version 1");

    let moved = json!({"meta": {"id": "p", "version": 1}, "name": "Q", "tenant_id": "b"});
    api.post("/v1/project", moved).await.is(200);
    let nowhere = json!({"meta": {"id": "p", "version": 2}, "tenant_id": "nobody"});
    api.post("/v1/project", nowhere)
        .await
        .refused(404, "no tenant with id \"nobody\"");

    for (query, found) in [
        (json!({"tenant_id": "b"}), 1),
        (json!({"tenant_id": "a"}), 0),
        (json!({"tenant_id": "b", "name": "Q", "id": "p"}), 1),
        (json!({"tenant_id": "b", "name": "P"}), 0),
        (json!({"description": "d"}), 0),
        (json!({"tenant_id": "x".repeat(2000)}), 0),
        (json!({}), 1),
    ] {
        let body = api.post("/v1/project/find", query.clone()).await.is(200);
        assert_eq!(body.as_array().unwrap().len(), found, "{query}");
    }
    api.delete("/v1/project/p").await.is(200);
    api.get("/v1/project/p")
        .await
        .refused(404, "NotFound no project");
}

#[tokio::test]
async fn a_project_needs_a_tenant_that_exists() {
    let api = Api::new();
    for body in [
        json!({"name": "p"}),
        json!({"tenant_id": ""}),
        json!({"tenant_id": null}),
    ] {
        api.put("/v1/project", body)
            .await
            .refused(400, "no tenant given");
    }
    let body = json!({"tenant_id": "nobody"});
    api.put("/v1/project", body)
        .await
        .refused(404, "NotFound no tenant with id \"nobody\" found");
    let body = json!({"tenant_id": "a\nb"});
    api.put("/v1/project", body)
        .await
        .refused(400, "tenant_id: control");
    assert_eq!(api.get("/v1/project").await.is(200), json!([]));
}

#[tokio::test]
async fn a_second_project_of_the_same_id_is_a_conflict() {
    let api = Api::new().with_tenant("a").await;
    let body = json!({"meta": {"id": "p"}, "tenant_id": "a"});
    api.put("/v1/project", body.clone()).await.is(201);
    api.put("/v1/project", body)
        .await
        .refused(409, "Conflict project with id \"p\" already exists");
}

#[tokio::test]
async fn a_tenant_has_no_more_projects_than_its_quota() {
    let api = Api::new();
    let tenant = json!({"meta": {"id": "a"}, "quotas": {"project": {"quota": 2}}});
    api.put("/v1/tenant", tenant).await.is(201);
    for _ in 0..2 {
        api.put("/v1/project", json!({"tenant_id": "a"}))
            .await
            .is(201);
    }
    api.put("/v1/project", json!({"tenant_id": "a"}))
        .await
        .refused(422, "project quota");
}
