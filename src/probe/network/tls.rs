//! A TLS handshake that goes on whoever answers, and says what is to be thought of them.

use super::trust::Trust;
use crate::host::Tls;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{
        CryptoProvider, ring::default_provider, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::Url;
use x509_cert::{Certificate, der::Decode};

/// Keeps what the real verifier says, and lets the handshake go on: nothing secret is sent to
/// whom it does not trust.
#[derive(Debug)]
struct Witness {
    trust: Option<Arc<rustls::client::WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Tls>,
}

/// Shakes hands over a connection.
pub(super) async fn shake(
    stream: TcpStream,
    url: &Url,
    trust: Trust,
) -> Result<(TlsStream<TcpStream>, Tls), String> {
    let provider = Arc::new(default_provider());
    let witness = Arc::new(Witness {
        trust: trust.verifier,
        provider: Arc::clone(&provider),
        seen: Mutex::new(Tls { trust: trust.source, ..Tls::default() }),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.map_err(|error| error.to_string())?;
    let seen = witness.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((stream, seen))
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = match &self.trust {
            Some(trust) => trust.verify_server_cert(end, between, name, stapled, now).err(),
            None => Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = verdict {
            seen.distrust = Some(error.to_string());
            seen.distrust_kind = Some(kind(&error).to_owned());
        }
        describe(&mut seen, end, between.last().unwrap_or(end));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn kind(error: &Error) -> &'static str {
    use CertificateError as Bad;
    match error {
        Error::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => "expired",
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => "not-yet-valid",
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => "wrong-name",
            Bad::UnknownIssuer => "unknown-issuer",
            _ => "other",
        },
        _ => "other",
    }
}

fn describe(seen: &mut Tls, end: &CertificateDer<'_>, last: &CertificateDer<'_>) {
    if let Ok(certificate) = Certificate::from_der(end) {
        let body = certificate.tbs_certificate();
        seen.subject = body.subject().to_string();
        seen.issuer = body.issuer().to_string();
        let until = body.validity().not_after.to_unix_duration().as_secs();
        seen.expires = i64::try_from(until).ok();
    }
    if let Ok(certificate) = Certificate::from_der(last) {
        seen.root_issuer = certificate.tbs_certificate().issuer().to_string();
    }
}
