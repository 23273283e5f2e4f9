//! Checks that a URL answers before a record that points at it is written.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use super::ApiError;

/// Longest URL, bytes.
const MAX_URL: usize = 2048;

/// Redirects followed at most.
const MAX_REDIRECTS: usize = 5;

/// Asks URLs with HTTP `HEAD`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HeadChecker {
    client: Client,
    timeout: Duration,
}

// === impl HeadChecker ===

impl HeadChecker {
    /// A checker that waits `timeout` for an answer at most, redirects included.
    ///
    /// The process must have a default crypto provider of rustls installed.
    ///
    /// # Errors
    /// When the TLS client cannot be set up, for instance without any trusted root.
    pub fn new(timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            .redirect(Policy::limited(MAX_REDIRECTS))
            .referer(false)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("metal-edge/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, timeout })
    }

    /// Whether `HEAD` on `url`, the value of `field`, is answered below 400.
    ///
    /// # Errors
    /// 400 naming the field and what went wrong, nothing of what was answered.
    pub(super) async fn check(&self, field: &str, url: &str) -> Result<(), ApiError> {
        let parsed = parse(field, url)?;
        let refused = |why: String| {
            ApiError::bad_request(format!("{field}: {url:?} is not accessible: {why}"))
        };
        let answer = self
            .client
            .head(parsed)
            .send()
            .await
            .map_err(|error| refused(self.reason(&error)))?;
        let status = answer.status().as_u16();
        if status >= 400 {
            return Err(refused(format!("HEAD was answered with {status}")));
        }
        Ok(())
    }

    fn reason(&self, error: &reqwest::Error) -> String {
        if error.is_timeout() {
            format!("no answer within {:?}", self.timeout)
        } else if error.is_redirect() {
            format!("more than {MAX_REDIRECTS} redirects, or one to where HEAD may not go")
        } else if error.is_connect() {
            "no connection".to_owned()
        } else {
            "no valid HTTP answer".to_owned()
        }
    }
}

fn parse(field: &str, url: &str) -> Result<Url, ApiError> {
    if url.len() > MAX_URL {
        return Err(ApiError::bad_request(format!(
            "{field} is longer than {MAX_URL} bytes"
        )));
    }
    let parsed = Url::parse(url)
        .map_err(|error| ApiError::bad_request(format!("{field}: {url:?} is no URL: {error}")))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(ApiError::bad_request(format!(
            "{field}: {url:?} is neither an http nor an https URL"
        )));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_and_https_urls_are_asked() {
        for url in ["ftp://a/b", "file:///etc/passwd", "a/b", ""] {
            let error = parse("url", url).unwrap_err();
            assert_eq!(error.status.as_u16(), 400, "{url}");
            assert!(error.message.starts_with("url: "), "{error}");
        }
        assert!(parse("url", "https://images.example/x.tar.lz4").is_ok());
    }

    #[test]
    fn a_url_that_is_too_long_is_refused() {
        let url = format!("http://a/{}", "x".repeat(MAX_URL));
        assert!(parse("url", &url).unwrap_err().message.contains("longer"));
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_waited_for_a_bounded_time() {
        // Another test may have installed it already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/x", silent.local_addr().unwrap());
        let heads = HeadChecker::new(Duration::from_millis(100)).unwrap();
        let error = heads.check("url", &url).await.unwrap_err();
        assert_eq!(error.status.as_u16(), 400);
        assert!(error.message.contains("no answer within 100ms"), "{error}");
    }
}
