use super::*;
use crate::api::ServiceStatus;

fn service(status: ServiceStatus, message: &str) -> ServiceHealth {
    ServiceHealth {
        status,
        message: message.into(),
    }
}

#[tokio::test]
async fn a_healthy_node_answers_200_with_its_services() {
    let api = Api::with_services(BTreeMap::from([(
        "store".into(),
        service(ServiceStatus::Healthy, ""),
    )]));
    let body = api.get("/v1/health").await.is(200);
    assert_eq!(
        body,
        json!({"status": "healthy", "message": "", "services": {
            "store": {"status": "healthy", "message": ""}
        }})
    );
}

#[tokio::test]
async fn one_unhealthy_service_makes_it_500_but_not_for_the_others() {
    let api = Api::with_services(BTreeMap::from([
        ("listener".into(), service(ServiceStatus::Degraded, "slow")),
        (
            "store".into(),
            service(ServiceStatus::Unhealthy, "disk full"),
        ),
    ]));
    let body = api.get("/v1/health").await.is(500);
    assert_eq!(body["status"], "unhealthy");
    assert_eq!(body["services"]["store"]["message"], "disk full");
    let body = api.get("/v1/health?service=listener").await.is(200);
    assert_eq!(body["status"], "degraded");
    assert_eq!(body["services"].as_object().unwrap().len(), 1);
    api.get("/v1/health?service=none")
        .await
        .refused(404, "NotFound");
}

#[tokio::test]
async fn the_version_has_every_field_that_clients_require() {
    let body = Api::new().get("/v1/version").await.is(200);
    for field in [
        "builddate",
        "gitsha1",
        "min_client_version",
        "name",
        "revision",
        "version",
    ] {
        assert!(body[field].is_string(), "{field}");
    }
    assert_eq!(body["name"], "metal-edge");
}

#[tokio::test]
async fn the_caller_sees_themselves_with_capitalised_fields() {
    let body = Api::new().get("/v1/user/me").await.is(200);
    assert_eq!(
        body,
        json!({
            "EMail": "metal-admin@metal-stack.io", "Name": "Metal-Admin", "Tenant": "metal-stack",
            "Groups": ["maas-all-all-admin"], "Issuer": "", "Subject": ""
        })
    );
}
