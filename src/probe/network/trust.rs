//! Whom the service trusts: the system's bundle as Go finds it, and the unit's own authorities.

use rustls::{
    RootCertStore,
    client::WebPkiServerVerifier,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{fs, io::Read, sync::Arc};

/// Where Go looks for the system's authorities on Linux and macOS; the first one counts.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Most bytes of a bundle that are read.
const LIMIT: u64 = 8 << 20;

/// Whom one service trusts, and where that stands.
#[derive(Clone)]
pub(super) struct Trust {
    /// `None`: there is no authority at all.
    pub(super) verifier: Option<Arc<WebPkiServerVerifier>>,
    pub(super) source: String,
}

/// Each service's trust, made once.
pub(super) struct Trusts(Vec<(Option<(String, String)>, Trust)>);

impl Trusts {
    /// Reads the bundles.
    pub(super) fn read<'a>(of: impl Iterator<Item = Option<&'a (String, String)>>) -> Self {
        let system = BUNDLES.iter().find_map(|path| {
            let mut text = Vec::new();
            fs::File::open(path).ok()?.take(LIMIT).read_to_end(&mut text).ok()?;
            Some((text, (*path).to_owned()))
        });
        let mut known: Vec<(Option<(String, String)>, Trust)> = Vec::new();
        for authorities in of {
            if !known.iter().any(|(other, _)| other.as_ref() == authorities) {
                known.push((authorities.cloned(), trust(system.as_ref(), authorities)));
            }
        }
        Self(known)
    }

    /// The trust that goes with these authorities.
    pub(super) fn of(&self, authorities: Option<&(String, String)>) -> Trust {
        let found = self.0.iter().find(|(other, _)| other.as_ref() == authorities);
        found.map_or(Trust { verifier: None, source: String::new() }, |(_, trust)| trust.clone())
    }
}

fn trust(system: Option<&(Vec<u8>, String)>, authorities: Option<&(String, String)>) -> Trust {
    let mut roots = RootCertStore::empty();
    let texts = system.map(|(text, _)| text.as_slice()).into_iter();
    for text in texts.chain(authorities.map(|(text, _)| text.as_bytes())) {
        let certificates = CertificateDer::pem_slice_iter(text).filter_map(Result::ok);
        roots.add_parsable_certificates(certificates);
    }
    let sources = [authorities.map(|(_, source)| source), system.map(|(_, source)| source)];
    let sources: Vec<&str> = sources.into_iter().flatten().map(String::as_str).collect();
    let provider = Arc::new(default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    Trust { verifier: verifier.ok(), source: sources.join(" and ") }
}
