//! Whether the server certificate is still good.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, ready};

use super::probe::{Finding, Probe};
use crate::clock;
use crate::edge::certificates::Certificates;

/// Says when the certificate has expired. All partitions may share one
/// certificate, so this alone never withdraws the address.
#[derive(Debug, Clone)]
pub struct CertificateProbe {
    certificates: Arc<Certificates>,
}

// === impl CertificateProbe ===

impl CertificateProbe {
    /// Probes the certificate in use.
    pub fn new(certificates: Arc<Certificates>) -> Self {
        Self { certificates }
    }
}

impl Probe for CertificateProbe {
    fn name(&self) -> &str {
        "certificate"
    }

    fn run(&self) -> BoxFuture<'static, Finding> {
        let not_after = self.certificates.current().not_after;
        let finding = if clock::wall() < not_after {
            Finding::Good
        } else {
            let path = self.certificates.path().display();
            Finding::Poor(format!("the certificate {path} expired at {not_after}").into())
        };
        ready(finding).boxed()
    }
}
