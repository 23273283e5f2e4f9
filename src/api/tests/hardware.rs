use super::fleet::{allocated, machine};
use super::*;
use crate::domain::{BlockDevice, Gpu, Hardware, Machine, Stage};

/// A machine with a disk of so many MiB.
fn with_disk(id: &str, mib: u64) -> Machine {
    let disk = BlockDevice {
        name: "sda".into(),
        size: mib << 20,
    };
    let gpu = Gpu {
        vendor: "v".into(),
        model: "AD102GL".into(),
    };
    Machine {
        hardware: Hardware {
            cores: 8,
            memory: 1 << 35,
            disks: vec![disk],
            gpus: vec![gpu],
        },
        ..machine(id, "x", "s")
    }
}

fn layout() -> Value {
    json!({
        "id": "l",
        "disks": [{"device": "/dev/sda", "partitions": [{"number": 1, "size": 1000, "gpttype": "8300"}]}],
        "filesystems": [{"device": "/dev/sda1", "path": "/", "format": "ext4"}],
        "constraints": {"sizes": ["s"], "images": {"ubuntu": ">= 24.4"}},
    })
}

#[tokio::test]
async fn a_suggested_size_means_the_machine_and_can_be_made() {
    let api = Api::with_machines(Fleet(vec![with_disk("m", 1000)]));
    let body = json!({"machineID": "m"});
    let constraints = api.post("/v1/size/suggest", body).await.is(200);
    assert_eq!(
        constraints,
        json!([
            {"type": "cores", "min": 8, "max": 8},
            {"type": "memory", "min": 1_u64 << 35, "max": 1_u64 << 35},
            {"type": "storage", "min": 1000 << 20, "max": 1000 << 20},
            {"type": "gpu", "min": 1, "max": 1, "identifier": "AD102GL"},
        ])
    );
    let size = json!({"id": "suggested", "constraints": constraints});
    api.put("/v1/size", size).await.is(201);
}

#[tokio::test]
async fn what_is_asked_of_an_unknown_machine_is_not_found() {
    let api = Api::new();
    api.put("/v1/filesystemlayout", layout()).await.is(201);
    api.post("/v1/size/suggest", json!({"machineID": "m"}))
        .await
        .refused(404, "NotFound no machine with id \"m\" found");
    api.post("/v1/size/suggest", json!({}))
        .await
        .refused(400, "machineID: should not be empty");
    let matches = "/v1/filesystemlayout/matches";
    for (body, status, message) in [
        (
            json!({"machine": "m", "filesystemlayout": "l"}),
            404,
            "no machine with id \"m\"",
        ),
        (
            json!({"machine": "m", "filesystemlayout": "k"}),
            404,
            "no filesystemlayout with id \"k\"",
        ),
        (
            json!({"filesystemlayout": "l"}),
            400,
            "machine: should not be empty",
        ),
        (
            json!({"machine": "m"}),
            400,
            "filesystemlayout: should not be empty",
        ),
    ] {
        api.post(matches, body).await.refused(status, message);
    }
}

#[tokio::test]
async fn a_layout_matches_a_machine_whose_disks_are_enough() {
    let bare = machine("bare", "x", "s");
    let fleet = vec![with_disk("big", 1000), with_disk("small", 999), bare];
    let api = Api::with_machines(Fleet(fleet));
    let made = api.put("/v1/filesystemlayout", layout()).await.is(201);
    let path = "/v1/filesystemlayout/matches";
    let body = |machine: &str| json!({"machine": machine, "filesystemlayout": "l"});
    assert_eq!(api.post(path, body("big")).await.is(200), made);
    api.post(path, body("small")).await.refused(
        422,
        "device:/dev/sda is not big enough required:1000MiB, existing:999MiB",
    );
    api.post(path, body("bare"))
        .await
        .refused(422, "device:/dev/sda does not exist on given hardware");
}

#[tokio::test]
async fn the_layout_of_a_size_and_an_image_is_tried() {
    let api = Api::new().with_sizes(&["s", "t"]).await;
    let url = format!("{}/there", files().await);
    for id in ["ubuntu-22.4", "ubuntu-24.4.1", "ubuntu-24.4.2"] {
        let image = json!({"id": id, "url": url});
        api.put("/v1/image", image).await.is(201);
    }
    let made = api.put("/v1/filesystemlayout", layout()).await.is(201);
    let path = "/v1/filesystemlayout/try";
    let body = |size: &str, image: &str| json!({"size": size, "image": image});
    assert_eq!(api.post(path, body("s", "ubuntu-24.4")).await.is(200), made);
    for (body, status, message) in [
        (
            body("t", "ubuntu-24.4"),
            422,
            "could not find a matching filesystemLayout for size:t and image:ubuntu-24.4.2",
        ),
        (body("s", "ubuntu-22.4"), 422, "could not find a matching"),
        (body("none", "ubuntu-24.4"), 404, "no size with id \"none\""),
        (body("s", "ubuntu-26.4"), 404, "no image for id:ubuntu-26.4"),
        (body("", "ubuntu-26.4"), 400, "size: should not be empty"),
        (json!({"size": "s"}), 400, "image: should not be empty"),
    ] {
        api.post(path, body).await.refused(status, message);
    }
}

#[tokio::test]
async fn capacity_counts_machines_and_what_is_reserved_for_others() {
    let mut broken = machine("5", "x", "s");
    (broken.allocatable, broken.faulty, broken.stage) = (false, true, Stage::Other);
    let fleet = Fleet(vec![
        allocated("1", "x", "s", "p"),
        machine("2", "x", "s"),
        machine("3", "x", "s"),
        machine("4", "x", "s"),
        broken,
        machine("6", "y", "s"),
        machine("7", "x", "t"),
    ]);
    let api = Api::with_machines(fleet).with_tenant("a").await;
    let api = api
        .with_projects(&["p", "q"])
        .await
        .with_partitions(&["x", "y", "z"])
        .await;
    let api = api.with_sizes(&["s", "t", "u"]).await;
    for (id, size, project, amount) in [
        ("r1", "s", "p", 2),
        ("r2", "s", "q", 1),
        ("r3", "u", "q", 4),
    ] {
        let reservation = json!({"id": id, "amount": amount, "sizeid": size, "projectid": project, "partitionids": ["x"]});
        api.put("/v1/size/reservations", reservation).await.is(201);
    }

    let path = "/v1/partition/capacity";
    let all = api.post(path, json!({})).await.is(200);
    let sizes = |partition: &Value| {
        let servers = partition["servers"].as_array().unwrap().iter();
        servers.map(|s| s["size"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (&all[0]["id"], sizes(&all[0])),
        (&json!("x"), vec![json!("s"), json!("t"), json!("u")])
    );
    assert_eq!(
        (&all[1]["id"], sizes(&all[1])),
        (&json!("y"), vec![json!("s")])
    );
    assert_eq!((&all[2]["id"], sizes(&all[2])), (&json!("z"), vec![]));
    assert_eq!(
        all[0]["servers"][0],
        json!({
            "size": "s", "total": 5, "phoned_home": 1, "waiting": 3, "other": 1,
            "othermachines": ["5"], "allocated": 1, "allocatable": 3, "unavailable": 1,
            "faulty": 1, "faultymachines": ["5"], "free": 1, "reservations": 3,
            "usedreservations": 1, "remainingreservations": 2,
        })
    );
    let reserved = &all[0]["servers"][2];
    assert_eq!(
        (&reserved["total"], &reserved["free"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(reserved["remainingreservations"], 4);

    // What is kept for the project that asks is free for it.
    let asked = json!({"id": "x", "sizeid": "s", "projectid": "p"});
    let mine = api.post(path, asked).await.is(200);
    assert_eq!(mine.as_array().unwrap().len(), 1);
    assert_eq!(sizes(&mine[0]), [json!("s")]);
    assert_eq!(mine[0]["servers"][0]["free"], 2);
    api.post(path, json!({"id": "none"}))
        .await
        .refused(404, "no partition with id \"none\"");
}
