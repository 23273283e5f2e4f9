//! `GET /v1/user/me`: the caller as authentication sees them.

use std::sync::Arc;

use axum::{Extension, Json};
use serde::Serialize;

use crate::auth::User;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Body {
    #[serde(rename = "EMail")]
    email: String,
    name: String,
    groups: Vec<String>,
    tenant: String,
    issuer: String,
    subject: String,
}

pub(super) async fn me(Extension(user): Extension<Arc<User>>) -> Json<Body> {
    Json(Body {
        email: user.email.clone(),
        name: user.name.clone(),
        groups: user.groups.clone(),
        tenant: user.tenant.clone(),
        issuer: user.issuer.clone(),
        subject: user.subject.clone(),
    })
}
