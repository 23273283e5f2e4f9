use super::*;
use futures::future::join_all;

/// The statuses of all answers, counted.
pub(super) fn count(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status.as_u16()).or_default() += 1;
    }
    counts
}

/// Lets the other tasks go first that many times.
pub(super) async fn wait(times: usize) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

/// Runs the requests at once, each on its own task.
pub(super) async fn at_once<F>(requests: impl IntoIterator<Item = F>) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let tasks: Vec<_> = requests.into_iter().map(tokio::spawn).collect();
    let answers = join_all(tasks).await;
    answers.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn of_sixteen_creates_of_one_id_exactly_one_succeeds() {
    for (path, body) in [
        ("/v1/tenant", json!({"meta": {"id": "x"}})),
        (
            "/v1/project",
            json!({"meta": {"id": "x"}, "tenant_id": "a"}),
        ),
        (
            "/v1/size",
            json!({"id": "x", "constraints": [{"type": "cores", "min": 1, "max": 2}]}),
        ),
        (
            "/v1/filesystemlayout",
            json!({"id": "x", "constraints": {"images": {}}}),
        ),
        (
            "/v1/size-image-constraint",
            json!({"id": "x", "constraints": {"images": {}}}),
        ),
    ] {
        let api = Api::new().with_tenant("a").await;
        let answers = at_once((0..16).map(|_| {
            let (api, body) = (api.clone(), body.clone());
            async move { api.put(path, body).await }
        }))
        .await;
        assert_eq!(
            count(&answers),
            BTreeMap::from([(201, 1), (409, 15)]),
            "{path}"
        );
    }
}

#[tokio::test]
async fn of_writers_of_the_same_version_exactly_one_wins() {
    for path in ["/v1/tenant", "/v1/project"] {
        let api = Api::new().with_tenant("a").await;
        let project = json!({"meta": {"id": "a"}, "tenant_id": "a"});
        api.put("/v1/project", project).await.is(201);
        for version in 0..20 {
            let answers = at_once((0..4).map(|writer| {
                let api = api.clone();
                let body =
                    json!({"meta": {"id": "a", "version": version}, "name": writer.to_string()});
                async move { api.post(path, body).await }
            }))
            .await;
            assert_eq!(
                count(&answers),
                BTreeMap::from([(200, 1), (412, 3)]),
                "{path}"
            );
            let winner = answers
                .into_iter()
                .find(|answer| answer.status == 200)
                .unwrap();
            assert_eq!(api.get(&format!("{path}/a")).await.is(200), winner.body);
        }
    }
}

#[tokio::test]
async fn projects_made_at_once_do_not_disturb_an_update_of_their_tenant() {
    let api = Api::new().with_tenant("a").await;
    let makers = (0..16).map(|_| {
        let api = api.clone();
        tokio::spawn(async move { api.put("/v1/project", json!({"tenant_id": "a"})).await })
    });
    let makers: Vec<_> = makers.collect();
    for version in 0..8 {
        let body = json!({"meta": {"id": "a", "version": version}, "name": "new"});
        api.post("/v1/tenant", body).await.is(200);
    }
    for maker in makers {
        maker.await.unwrap().is(201);
    }
    let tenant = api.get("/v1/tenant/a").await.is(200);
    assert_eq!(
        (&tenant["name"], &tenant["meta"]["version"]),
        (&json!("new"), &json!(8))
    );
}

#[tokio::test]
async fn no_project_is_left_in_a_tenant_that_was_deleted_at_the_same_moment() {
    // Each is ahead of the other by some of its reads.
    for (maker_waits, deleter_waits) in (0..5).flat_map(|m| (0..5).map(move |d| (m, d))) {
        let api = Api::new().with_tenant("a").await;
        let (maker, deleter) = (api.clone(), api.clone());
        let made = tokio::spawn(async move {
            wait(maker_waits).await;
            let project = json!({"meta": {"id": "p"}, "tenant_id": "a"});
            maker.put("/v1/project", project).await
        });
        let deleted = tokio::spawn(async move {
            wait(deleter_waits).await;
            deleter.delete("/v1/tenant/a").await
        });
        let (made, deleted) = (made.await.unwrap(), deleted.await.unwrap());
        match (made.status.as_u16(), deleted.status.as_u16()) {
            (201, 422) | (404, 200) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_quota_is_kept_by_projects_made_at_once() {
    let api = Api::new();
    let tenant = json!({"meta": {"id": "a"}, "quotas": {"project": {"quota": 5}}});
    api.put("/v1/tenant", tenant).await.is(201);
    let answers = at_once((0..16).map(|_| {
        let api = api.clone();
        async move { api.put("/v1/project", json!({"tenant_id": "a"})).await }
    }))
    .await;
    assert_eq!(count(&answers), BTreeMap::from([(201, 5), (422, 11)]));
}

#[tokio::test]
async fn of_overlapping_sizes_and_layouts_made_at_once_exactly_one_is_made() {
    let size = |id: String, cores: u64| json!({"id": id, "constraints": [{"type": "cores", "min": cores, "max": cores}]});
    let layout = |id: String, os: &str| json!({"id": id, "constraints": {"sizes": ["s"], "images": {os: "*"}}});
    // The first time on an empty table, the second beside another record.
    for existing in [false, true] {
        let api = Api::new();
        if existing {
            api.put("/v1/size", size("other".into(), 9)).await.is(201);
            api.put("/v1/filesystemlayout", layout("other".into(), "debian"))
                .await
                .is(201);
        }
        let sizes = at_once((0..16).map(|i| {
            let (api, body) = (api.clone(), size(i.to_string(), 1));
            async move { api.put("/v1/size", body).await }
        }))
        .await;
        assert_eq!(count(&sizes), BTreeMap::from([(201, 1), (400, 15)]));

        let layouts = at_once((0..16).map(|i| {
            let (api, body) = (api.clone(), layout(i.to_string(), "ubuntu"));
            async move { api.put("/v1/filesystemlayout", body).await }
        }))
        .await;
        assert_eq!(count(&layouts), BTreeMap::from([(201, 1), (400, 15)]));
    }
}

#[tokio::test]
async fn sizes_changed_at_once_do_not_come_to_overlap() {
    let api = Api::new();
    for cores in [1, 9] {
        let constraint = json!({"type": "cores", "min": cores, "max": cores});
        let body = json!({"id": cores.to_string(), "constraints": [constraint]});
        api.put("/v1/size", body).await.is(201);
    }
    let answers = at_once([1, 9].map(|id| {
        let api = api.clone();
        let constraint = json!({"type": "cores", "min": 5, "max": 5});
        let body = json!({"id": id.to_string(), "constraints": [constraint]});
        async move { api.post("/v1/size", body).await }
    }))
    .await;
    assert_eq!(count(&answers), BTreeMap::from([(200, 1), (400, 1)]));
}

#[tokio::test]
async fn sizes_that_do_not_overlap_are_all_made_at_once() {
    let api = Api::new();
    let answers = at_once((0..32).map(|i| {
        let api = api.clone();
        let body =
            json!({"id": i.to_string(), "constraints": [{"type": "cores", "min": i, "max": i}]});
        async move { api.put("/v1/size", body).await }
    }))
    .await;
    assert_eq!(count(&answers), BTreeMap::from([(201, 32)]));
}
