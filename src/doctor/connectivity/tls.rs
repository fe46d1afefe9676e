//! TLS certificates.

use super::{
    endpoints,
    failure::{Failure, problems},
    server,
};
use crate::{
    doctor::{Check, Command, Judge, Judged, Remedy, Verdict},
    host::{Endpoint, Install, Survey, Tls},
};

pub(super) const TRUSTED: Check = Check {
    name: "connectivity/tls-trusted",
    holds: "The service trusts the certificate of every endpoint",
    why: "An agent that does not trust the certificate of its server logs an x509 error and claims \
          no job.",
    found: "The doctor makes a TLS handshake with the certificate authorities that the service \
            trusts: those of the system, and those of SSL_CERT_FILE in its unit.",
    cure: "Add the certificate authority to the system, or name it with SSL_CERT_FILE in the unit.",
    after: &["connectivity/reachable", "connectivity/proxy-works", "host/clock-right"],
    judge: Judge::Agent(trusted),
};

fn trusted(survey: &Survey, install: &Install) -> Judged {
    let endpoints = endpoints(survey, install)?;
    let mut failures = Vec::new();
    let mut count = 0;
    for endpoint in endpoints {
        let Some(tls) = &endpoint.tls else { continue };
        count += 1;
        let failure = match &tls.outcome {
            Err(why) => Failure {
                endpoint,
                sentence: "the TLS handshake with {} fails",
                cause: why.clone(),
                detail: format!("after {} ms", tls.ms),
                remedy: show(endpoint, "Find out which server or proxy answers at this address."),
            },
            Ok(tls) => match tls.distrust.as_deref() {
                None => continue,
                Some(why) => distrusted(endpoint, tls, why),
            },
        };
        failures.push(failure);
    }
    Ok(Verdict::of(problems(failures), format!("the service trusts all {count} certificates")))
}

fn distrusted<'a>(endpoint: &'a Endpoint, tls: &Tls, why: &str) -> Failure<'a> {
    let (sentence, text) = match tls.distrust_kind.as_deref() {
        Some("expired") => (
            "the certificate of {} has expired",
            "Renew the certificate, and check the clock of this host.",
        ),
        Some("not-yet-valid") => {
            ("the certificate of {} is not valid yet", "Check the clock of this host.")
        }
        Some("wrong-name") => (
            "the certificate of {} is for another name",
            "Another server answers at this address: check the DNS resolver and the proxy.",
        ),
        Some("unknown-issuer") => (
            "the certificate of {} comes from an authority that the service does not trust",
            "Find out who issued the certificate. If the authority is your own (a proxy that inspects \
             TLS, or a private server), get its certificate from its operator and add it to the \
             system. If an account other than root set this server, do not trust its certificate.",
        ),
        _ => ("the certificate of {} is not trusted", "Examine the certificate."),
    };
    let mut remedy = show(endpoint, text);
    // A server that an account chose can present any certificate.
    if tls.distrust_kind.as_deref() == Some("unknown-issuer") && endpoint.named_by.is_root() {
        remedy = remedy.and(
            "Then: sudo runnerup install --ca-file AUTHORITY.pem, or for the whole host: sudo cp \
             AUTHORITY.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates.",
        );
    }
    Failure {
        endpoint,
        sentence,
        cause: format!(
            "{why}; issuer of the certificate: {}; trusted authorities: {}",
            tls.issuer, tls.trust
        ),
        detail: format!("subject: {}", tls.subject),
        remedy,
    }
}

fn show(endpoint: &Endpoint, text: &'static str) -> Remedy {
    let server = server(endpoint);
    Remedy::by_hand(text).inspect(
        Command::fixed("openssl s_client -connect")
            .authority(server.as_ref())
            .then("-servername")
            .host(server.as_ref())
            .then("</dev/null | openssl x509 -noout -subject -issuer -dates | cat -v"),
    )
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Provenance, Tls},
    };

    #[test]
    fn who_issued_what_is_not_trusted_is_said() {
        let survey = online(|api| {
            if let Some(tls) = &mut api.tls {
                tls.outcome = Ok(Tls {
                    distrust: Some("UnknownIssuer".into()),
                    distrust_kind: Some("unknown-issuer".into()),
                    issuer: "CN=mitmproxy".into(),
                    ..Tls::default()
                });
            }
        });
        let found = finding(&survey, "connectivity/tls-trusted");
        assert_eq!(found.status, Status::Fail);
        assert!(found.evidence.contains("CN=mitmproxy"), "{}", found.evidence);
    }

    /// A server that an account names shows any certificate that this account likes.
    #[test]
    fn nobody_is_told_to_trust_a_server_that_an_account_named() {
        let commands = |by: Provenance, url: &str| {
            let survey = online(|api| {
                api.named_by = by;
                api.url = url.into();
                let kind = Some("unknown-issuer".to_owned());
                let tls = Tls { distrust: kind.clone(), distrust_kind: kind, ..Tls::default() };
                api.tls.as_mut().unwrap().outcome = Ok(tls);
            });
            let remedy = finding(&survey, "connectivity/tls-trusted").remedy.unwrap();
            (remedy.commands().join("\n"), remedy.text().to_owned())
        };
        let trusts = |text: &str| text.contains("update-ca-") || text.contains("--ca-file");
        assert!(trusts(&commands(Provenance::Root, "https://server.example").1));
        let (by_account, text) = commands(Provenance::Account(UID), "https://127.0.0.1:9444/x");
        assert!(!trusts(&text), "{text}");
        assert_eq!(
            by_account,
            "openssl s_client -connect 127.0.0.1:9444 -servername 127.0.0.1 </dev/null \
             | openssl x509 -noout -subject -issuer -dates | cat -v"
        );
        let (by_anybody, text) = commands(Provenance::Anybody, "https://evil.example");
        assert!(by_anybody.is_empty() && !trusts(&text), "{text}");
    }
}
