use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};

/// A CA that a test makes for itself.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, both PEM.
pub struct Leaf {
    pub certificate: String,
    pub key: String,
}

// === impl Leaf ===

impl Leaf {
    /// The certificate, DER.
    pub fn der(&self) -> Vec<u8> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .expect("PEM")
            .to_vec()
    }
}

// === impl Authority ===

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a P-256 key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "test authority");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a valid CA");
        Self { issuer }
    }

    /// The CA's certificate, PEM.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// A P-256 server certificate for 127.0.0.1 and `name`, the name being its
    /// common name as well.
    pub fn issue(&self, name: &str) -> Leaf {
        let key = KeyPair::generate().expect("a P-256 key");
        let names = vec!["127.0.0.1".to_owned(), name.to_owned()];
        let mut params = CertificateParams::new(names).expect("valid names");
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        Leaf {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}
