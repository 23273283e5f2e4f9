//! `GET /v1/user/me`: the caller as authentication sees them.

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

pub(super) async fn me(Extension(user): Extension<User>) -> Json<Body> {
    Json(Body {
        email: user.email,
        name: user.name,
        groups: user.groups,
        tenant: user.tenant,
        issuer: user.issuer,
        subject: user.subject,
    })
}
