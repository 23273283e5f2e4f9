use super::*;

fn layout(id: &str, images: Value) -> Value {
    json!({
        "id": id, "description": "d",
        "constraints": {"sizes": ["v1-small-x86"], "images": images},
        "filesystems": [
            {"path": "/boot/efi", "device": "/dev/vda1", "format": "vfat", "createoptions": ["-F", "32"], "label": "efi"},
            {"path": "/", "device": "/dev/vda2", "format": "ext4"},
            {"path": "/var/lib", "device": "/dev/vg00/varlib", "format": "ext4"},
            {"path": "/tmp", "device": "tmpfs", "format": "tmpfs", "mountoptions": ["defaults", "size=512M"]},
        ],
        "disks": [{"device": "/dev/vda", "wipeonreinstall": true, "partitions": [
            {"number": 1, "label": "efi", "size": 500, "gpttype": "ef00"},
            {"number": 2, "label": "root", "size": 5000, "gpttype": "8300"},
            {"number": 3, "label": "vg1", "size": 200, "gpttype": "8e00"},
            {"number": 4, "label": "vg2", "size": 0, "gpttype": "8e00"},
        ]}],
        "volumegroups": [{"name": "vg00", "devices": ["/dev/vda3", "/dev/vda4"], "tags": null}],
        "logicalvolumes": [{"name": "varlib", "volumegroup": "vg00", "size": 200, "lvmtype": "striped"}],
        "raid": null
    })
}

#[tokio::test]
async fn a_layout_is_made_read_changed_and_deleted() {
    let api = Api::new();
    let made = api
        .put("/v1/filesystemlayout", layout("l", json!({"ubuntu": "*"})))
        .await
        .is(201);
    let mut expected = layout("l", json!({"ubuntu": "*"}));
    expected.as_object_mut().unwrap().remove("raid");
    expected["volumegroups"][0]
        .as_object_mut()
        .unwrap()
        .remove("tags");
    assert_eq!(made, expected);
    assert_eq!(api.get("/v1/filesystemlayout/l").await.is(200), made);
    assert_eq!(api.get("/v1/filesystemlayout").await.is(200), json!([made]));
    api.put("/v1/filesystemlayout", made.clone())
        .await
        .refused(409, "Conflict filesystemlayout");

    let update = json!({"id": "l", "constraints": {"images": {}}, "name": "empty"});
    let changed = api.post("/v1/filesystemlayout", update).await.is(200);
    assert_eq!(
        changed,
        json!({"id": "l", "name": "empty", "constraints": {"images": {}}})
    );
    assert_eq!(api.delete("/v1/filesystemlayout/l").await.is(200), changed);
    api.post("/v1/filesystemlayout", made)
        .await
        .refused(404, "NotFound no filesystemlayout");
}

#[tokio::test]
async fn layouts_for_the_same_size_and_image_version_are_refused() {
    let api = Api::new();
    let path = "/v1/filesystemlayout";
    api.put(path, layout("old", json!({"ubuntu": "< 24.04"})))
        .await
        .is(201);
    api.put(path, layout("new", json!({"ubuntu": ">= 22.04"})))
        .await
        .refused(400, "overlaps filesystemlayout \"old\"");
    api.put(path, layout("new", json!({"ubuntu": ">= 24.04"})))
        .await
        .is(201);
    api.put(path, layout("named", json!({}))).await.is(201);
    api.post(path, layout("new", json!({"ubuntu": "*"})))
        .await
        .refused(400, "overlaps");
    api.post(path, layout("new", json!({"ubuntu": ">= 26"})))
        .await
        .is(200);
}

#[tokio::test]
async fn a_layout_that_breaks_a_rule_is_refused_with_its_field() {
    let api = Api::new();
    type Break = fn(&mut Value);
    let cases: [(Break, &str); 7] = [
        (
            |l| l["filesystems"][1]["device"] = json!("/dev/vdb1"),
            "filesystems[1].device",
        ),
        (
            |l| l["filesystems"][1]["format"] = json!("zfs"),
            "filesystems[1].format: \"zfs\" is none of vfat",
        ),
        (
            |l| l["disks"][0]["partitions"][1]["gpttype"] = json!("0700"),
            "disks[0].partitions[1].gpttype",
        ),
        (
            |l| l["disks"][0]["partitions"][1]["number"] = json!(300),
            "field disks[0].partitions[1].number",
        ),
        (
            |l| l["logicalvolumes"][0]["lvmtype"] = json!("raid5"),
            "logicalvolumes[0].lvmtype",
        ),
        (
            |l| l["raid"] = json!([{"arrayname": "/dev/md1", "level": "5"}]),
            "raid[0].level",
        ),
        (
            |l| l["constraints"]["images"] = json!({"ubuntu": "new"}),
            "constraints.images.ubuntu",
        ),
    ];
    for (break_it, message) in cases {
        let mut body = layout("l", json!({}));
        break_it(&mut body);
        api.put("/v1/filesystemlayout", body)
            .await
            .refused(400, message);
    }
    assert_eq!(api.get("/v1/filesystemlayout").await.is(200), json!([]));
}
