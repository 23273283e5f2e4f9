use super::concurrency::{at_once, count, wait};
use super::fleet::{allocated, machine};
use super::*;

const PATH: &str = "/v1/size/reservations";

fn reservation(id: &str, amount: i64, partitions: &[&str]) -> Value {
    json!({"id": id, "amount": amount, "sizeid": "s", "projectid": "p", "partitionids": partitions})
}

/// With sizes, projects and partitions to refer to.
async fn prepared(api: Api) -> Api {
    api.with_tenant("a")
        .await
        .with_projects(&["p", "q"])
        .await
        .with_partitions(&["x", "y"])
        .await
        .with_sizes(&["s", "t"])
        .await
}

#[tokio::test]
async fn a_reservation_is_made_read_changed_and_deleted() {
    let api = prepared(Api::new()).await;
    let mut body = reservation("r", 3, &["x", "y"]);
    body["labels"] = json!({"a": "b"});
    let made = api.put(PATH, body).await.is(201);
    assert_eq!(made["partitionids"], json!(["x", "y"]));
    assert_eq!((&made["amount"], &made["sizeid"]), (&json!(3), &json!("s")));
    assert_eq!(made["created"], made["changed"]);
    assert_eq!(api.get(&format!("{PATH}/r")).await.is(200), made);
    assert_eq!(api.get(PATH).await.is(200), json!([made]));
    api.put(PATH, reservation("r", 1, &["x"])).await.refused(
        409,
        "Conflict size reservation with id \"r\" already exists",
    );

    // Size and project stay as they are.
    let change =
        json!({"id": "r", "amount": 5, "partitionids": ["y"], "sizeid": "t", "projectid": "q"});
    let changed = api.post(PATH, change).await.is(200);
    assert_eq!(changed["amount"], 5);
    assert_eq!(changed["partitionids"], json!(["y"]));
    assert_eq!(changed["labels"], json!({"a": "b"}));
    assert_eq!(
        (&changed["sizeid"], &changed["projectid"]),
        (&json!("s"), &json!("p"))
    );
    assert_ne!(changed["changed"], made["changed"]);

    assert_eq!(api.delete(&format!("{PATH}/r")).await.is(200), changed);
    api.get(&format!("{PATH}/r"))
        .await
        .refused(404, "NotFound no size reservation with id \"r\"");
}

#[tokio::test]
async fn a_reservation_of_what_does_not_exist_is_refused_and_changes_nothing() {
    let api = prepared(Api::new()).await;
    let with = |field: &str, value: Value| {
        let mut body = reservation("r", 1, &["x"]);
        body[field] = value;
        body
    };
    for (body, status, message) in [
        (
            with("sizeid", json!("none")),
            404,
            "no size with id \"none\"",
        ),
        (
            with("projectid", json!("none")),
            404,
            "no project with id \"none\"",
        ),
        (
            with("partitionids", json!(["x", "none"])),
            404,
            "no partition with id \"none\"",
        ),
        (
            with("partitionids", json!([])),
            400,
            "partitionids: must name",
        ),
        (
            with("partitionids", json!(["x", "x"])),
            400,
            "\"x\" is given twice",
        ),
        (
            with("partitionids", json!([""])),
            400,
            "partitionids[0]: should not be empty",
        ),
        (with("amount", json!(0)), 400, "amount: must be from 1"),
        (with("amount", json!(-4)), 400, "amount: must be from 1"),
        (with("amount", json!(1_u64 << 40)), 400, "field amount"),
        (
            with("sizeid", json!(null)),
            400,
            "sizeid: should not be empty",
        ),
        (
            with("projectid", json!("")),
            400,
            "projectid: should not be empty",
        ),
        (with("id", json!("usage")), 400, "reserved"),
    ] {
        api.put(PATH, body).await.refused(status, message);
    }
    assert_eq!(api.get(PATH).await.is(200), json!([]));
    api.post(PATH, reservation("r", 1, &["x"]))
        .await
        .refused(404, "NotFound");
}

#[tokio::test]
async fn what_a_reservation_refers_to_is_not_deleted_and_the_refusal_names_it() {
    let api = prepared(Api::new()).await;
    api.put(PATH, reservation("r", 1, &["x"])).await.is(201);
    for (path, status, what) in [
        ("/v1/size/s", 422, "size \"s\""),
        ("/v1/partition/x", 422, "partition \"x\""),
        ("/v1/project/p", 400, "project \"p\""),
    ] {
        let message = format!("{what} is in use by size reservations \"r\"");
        api.delete(path).await.refused(status, &message);
        api.get(path).await.is(200);
    }
    for path in ["/v1/size/t", "/v1/partition/y", "/v1/project/q"] {
        api.delete(path).await.is(200);
    }
    api.delete(&format!("{PATH}/r")).await.is(200);
    for path in ["/v1/size/s", "/v1/partition/x", "/v1/project/p"] {
        api.delete(path).await.is(200);
    }
}

#[tokio::test]
async fn a_size_with_an_image_constraint_is_not_deleted() {
    let api = Api::new().with_sizes(&["s"]).await;
    let constraint = json!({"id": "s", "constraints": {"images": {"ubuntu": "*"}}});
    api.put("/v1/size-image-constraint", constraint)
        .await
        .is(201);
    api.delete("/v1/size/s")
        .await
        .refused(422, "size \"s\" is in use by size image constraint \"s\"");
    api.delete("/v1/size-image-constraint/s").await.is(200);
    api.delete("/v1/size/s").await.is(200);
}

#[tokio::test]
async fn reservations_are_found_by_id_size_project_and_partition() {
    let api = prepared(Api::new()).await;
    let mut other = reservation("b", 1, &["y"]);
    other["sizeid"] = json!("t");
    other["projectid"] = json!("q");
    api.put(PATH, reservation("a", 1, &["x", "y"]))
        .await
        .is(201);
    api.put(PATH, other).await.is(201);
    for (query, expected) in [
        (json!({}), vec!["a", "b"]),
        (json!({"id": "a"}), vec!["a"]),
        (json!({"sizeid": "t"}), vec!["b"]),
        (json!({"projectid": "p"}), vec!["a"]),
        (json!({"partitionid": "y"}), vec!["a", "b"]),
        (
            json!({"partitionid": "x", "sizeid": "s", "projectid": "p"}),
            vec!["a"],
        ),
        (json!({"sizeid": "s", "projectid": "q"}), vec![]),
        (json!({"sizeid": "x".repeat(3000)}), vec![]),
        (json!({"id": ""}), vec!["a", "b"]),
    ] {
        let found = api
            .post(&format!("{PATH}/find"), query.clone())
            .await
            .is(200);
        let ids: Vec<_> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["id"].clone())
            .collect();
        assert_eq!(json!(ids), json!(expected), "{query}");
    }
}

#[tokio::test]
async fn usage_counts_the_machines_of_the_project_in_each_partition() {
    let fleet = Fleet(vec![
        allocated("1", "x", "s", "p"),
        allocated("2", "x", "s", "p"),
        allocated("3", "x", "s", "p"),
        allocated("4", "y", "s", "p"),
        allocated("5", "x", "t", "p"),
        allocated("6", "x", "s", "q"),
        machine("7", "x", "s"),
    ]);
    let usage = format!("{PATH}/usage");
    let api = prepared(Api::with_machines(fleet)).await;
    api.put(PATH, reservation("r", 2, &["x", "y"]))
        .await
        .is(201);
    let rows = api.post(&usage, json!({})).await.is(200);
    let figures = |row: &Value| {
        json!([
            row["partitionid"],
            row["amount"],
            row["usedamount"],
            row["projectallocations"]
        ])
    };
    assert_eq!(figures(&rows[0]), json!(["x", 2, 2, 3]));
    assert_eq!(figures(&rows[1]), json!(["y", 2, 1, 1]));
    let only = api.post(&usage, json!({"partitionid": "y"})).await.is(200);
    assert_eq!(only, json!([rows[1]]));

    let api = prepared(Api::new()).await;
    api.put(PATH, reservation("r", 2, &["x"])).await.is(201);
    let rows = api.post(&usage, json!({})).await.is(200);
    assert_eq!(figures(&rows[0]), json!(["x", 2, 0, 0]));
}

#[tokio::test]
async fn of_reservations_of_one_id_made_at_once_exactly_one_is_made() {
    let api = prepared(Api::new()).await;
    let answers = at_once((0..16).map(|_| {
        let api = api.clone();
        async move { api.put(PATH, reservation("r", 1, &["x"])).await }
    }))
    .await;
    assert_eq!(count(&answers), BTreeMap::from([(201, 1), (409, 15)]));
}

#[tokio::test]
async fn no_reservation_is_left_of_what_was_deleted_at_the_same_moment() {
    for path in ["/v1/size/s", "/v1/partition/x", "/v1/project/p"] {
        // Each is ahead of the other by some of its reads; the first time without any
        // reservation before, the second beside one.
        for (maker_waits, deleter_waits) in (0..6).flat_map(|m| (0..6).map(move |d| (2 * m, 2 * d)))
        {
            let api = prepared(Api::new()).await;
            if (maker_waits + deleter_waits) % 4 == 0 {
                let mut other = reservation("other", 1, &["y"]);
                other["sizeid"] = json!("t");
                other["projectid"] = json!("q");
                api.put(PATH, other).await.is(201);
            }
            let (maker, deleter) = (api.clone(), api.clone());
            let made = tokio::spawn(async move {
                wait(maker_waits).await;
                maker.put(PATH, reservation("r", 1, &["x"])).await
            });
            let deleted = tokio::spawn(async move {
                wait(deleter_waits).await;
                deleter.delete(path).await
            });
            let (made, deleted) = (made.await.unwrap(), deleted.await.unwrap());
            match (made.status.as_u16(), deleted.status.as_u16()) {
                (201, 422 | 400) | (404, 200) => {}
                other => panic!("{path} {other:?} {made:?} {deleted:?}"),
            }
        }
    }
}

#[tokio::test]
async fn reservations_made_at_once_do_not_disturb_an_update_of_their_size() {
    let api = prepared(Api::new()).await;
    let makers = (0..8).map(|i| {
        let api = api.clone();
        tokio::spawn(async move { api.put(PATH, reservation(&i.to_string(), 1, &["x"])).await })
    });
    let makers: Vec<_> = makers.collect();
    for i in 0..8 {
        let body = json!({"id": "s", "name": i.to_string()});
        api.post("/v1/size", body).await.is(200);
    }
    for maker in makers {
        maker.await.unwrap().is(201);
    }
}
