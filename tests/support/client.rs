use std::{error::Error, net::SocketAddr};

use rustls::ClientConfig;
use serde_json::Value;

use super::{PATIENCE, Role, Signature, sign_now};

/// An HTTPS client of one role.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
    role: Role,
}

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

// === impl Client ===

impl Client {
    pub fn new(address: SocketAddr, tls: ClientConfig, role: Role, key: &str) -> Self {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .expect("a client from a valid configuration");
        Self {
            http,
            base: format!("https://{address}"),
            key: key.to_owned(),
            role,
        }
    }

    /// Signs a request of `method` anew.
    pub fn sign(&self, method: &str) -> Signature {
        sign_now(&self.key, self.role, method)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(body)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    /// The list that `path` answers, sorted: for comparing before and after.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let mut list = match answer.json() {
            Value::Array(list) => list,
            // The API's way to say that there is none.
            Value::Null => Vec::new(),
            other => panic!("{path}: no list: {other}"),
        };
        list.sort_by_key(Value::to_string);
        list
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string().into_bytes());
        let signature = self.sign(method);
        self.try_send(method, path, Some(&signature), body)
            .await
            .unwrap_or_else(|error| panic!("{method} {path}: {}", chain(&error)))
    }

    /// One request with exactly this signature and body.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        signature: Option<&Signature>,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, reqwest::Error> {
        let method = method.parse().expect("an HTTP method");
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        for (name, value) in signature.iter().flat_map(|signature| signature.headers()) {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let text = |value: &reqwest::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect();
        let body = answer.bytes().await?.to_vec();
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}

// === impl Answer ===

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("the body is no JSON ({error}): {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(value)
    }
}

/// Asserts that `answer` is the API's error body with `status`, and that its
/// message contains `part`, whatever the case.
#[track_caller]
pub fn assert_error(answer: &Answer, status: u16, part: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    // As text, because metal-stack's Go clients read an object in no other way.
    let content_type = answer.header("content-type").unwrap_or_default();
    let known = ["text/plain", "application/json"];
    assert!(
        known.iter().any(|known| content_type.starts_with(known)),
        "content type {content_type:?}"
    );
    let json = answer.json();
    let body = json.as_object().expect("the error body is an object");
    assert_eq!(body.len(), 2, "{json}");
    assert_eq!(json["statuscode"], status, "{json}");
    let message = json["message"].as_str().expect("the message is a string");
    assert!(!message.is_empty());
    assert!(
        message.to_lowercase().contains(&part.to_lowercase()),
        "{part:?} is not in {message:?}"
    );
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
