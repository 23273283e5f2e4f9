use super::*;

/// With the size `s`, images of two operating systems, and what `s` may be installed with.
async fn api() -> Api {
    let api = Api::new();
    let url = format!("{}/there", files().await);
    api.put("/v1/size", json!({"id": "s"})).await.is(201);
    for id in [
        "ubuntu-24.4.1",
        "ubuntu-24.4.2",
        "ubuntu-26.4",
        "debian-12.0",
    ] {
        let image = json!({"id": id, "url": url, "features": ["machine"]});
        api.put("/v1/image", image).await.is(201);
    }
    api.put("/v1/size-image-constraint", constraint("s", "< 24.4.2"))
        .await
        .is(201);
    api
}

fn constraint(id: &str, ubuntu: &str) -> Value {
    json!({"id": id, "name": id, "constraints": {"images": {"ubuntu": ubuntu}}})
}

fn attempt(size: &str, image: &str) -> Value {
    json!({"size": size, "image": image})
}

#[tokio::test]
async fn a_constraint_is_made_read_changed_and_deleted() {
    let api = Api::new();
    let path = "/v1/size-image-constraint";
    let made = api.put(path, constraint("s", "~24.4")).await.is(201);
    assert_eq!(made, constraint("s", "~24.4"));
    assert_eq!(api.get(&format!("{path}/s")).await.is(200), made);
    assert_eq!(api.get(path).await.is(200), json!([made]));
    api.put(path, constraint("s", "*")).await.refused(
        409,
        "Conflict sizeimageconstraint with id \"s\" already exists",
    );

    let changed = api
        .post(path, json!({"id": "s", "description": "d"}))
        .await
        .is(200);
    assert_eq!(changed["description"], "d");
    assert_eq!(changed["constraints"], made["constraints"]);
    let changed = api.post(path, constraint("s", "*")).await.is(200);
    assert_eq!(changed["constraints"]["images"], json!({"ubuntu": "*"}));

    assert_eq!(api.delete(&format!("{path}/s")).await.is(200), changed);
    api.get(&format!("{path}/s")).await.refused(404, "NotFound");
    api.delete(&format!("{path}/s"))
        .await
        .refused(404, "NotFound");
    api.post(path, constraint("s", "*"))
        .await
        .refused(404, "NotFound");
}

#[tokio::test]
async fn trying_an_image_that_violates_the_constraint_of_the_size_is_refused() {
    let api = api().await;
    let path = "/v1/size-image-constraint/try";
    assert_eq!(
        api.post(path, attempt("s", "ubuntu-24.4.1")).await.is(200),
        json!({})
    );
    // Without a patch the newest is meant.
    api.post(path, attempt("s", "ubuntu-24.4")).await.refused(
        422,
        "given size:s with image:ubuntu-24.4.2 does violate image constraint:ubuntu < 24.4.2",
    );
    api.post(path, attempt("s", "ubuntu-26.4"))
        .await
        .refused(422, "does violate image constraint:ubuntu");
    api.post(path, attempt("s", "debian-12.0")).await.is(200);
    api.delete("/v1/size-image-constraint/s").await.is(200);
    api.post(path, attempt("s", "ubuntu-26.4")).await.is(200);
}

#[tokio::test]
async fn trying_what_does_not_exist_or_is_not_given_is_refused() {
    let api = api().await;
    let path = "/v1/size-image-constraint/try";
    for (body, status, message) in [
        (attempt("t", "ubuntu-26.4"), 404, "no size with id \"t\""),
        (
            attempt("s", "ubuntu-28.4"),
            404,
            "no image for id:ubuntu-28.4",
        ),
        (attempt("s", "ubuntu"), 400, "is not an operating system"),
        (json!({"size": "s"}), 400, "image: should not be empty"),
        (json!({"image": "x-1"}), 400, "size: should not be empty"),
    ] {
        api.post(path, body).await.refused(status, message);
    }
}

#[tokio::test]
async fn constraints_that_cannot_be_kept_are_refused_and_change_nothing() {
    let api = Api::new();
    let path = "/v1/size-image-constraint";
    for (body, message) in [
        (constraint("", "*"), "id: should not be empty"),
        (constraint("try", "*"), "id: \"try\" is reserved"),
        (constraint("s", "abc"), "constraints.images.ubuntu"),
        (constraint("s", ""), "constraints.images.ubuntu"),
        (
            json!({"id": "s", "constraints": {"images": {"u*": "*"}}}),
            "no wildcard",
        ),
        (
            json!({"id": "s", "constraints": {"images": ["u"]}}),
            "field constraints.images",
        ),
    ] {
        api.put(path, body).await.refused(400, message);
    }
    assert_eq!(api.get(path).await.is(200), json!([]));
}
