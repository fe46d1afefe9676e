//! Certificates.

use super::{by_need, endpoints, named};
use crate::{
    doctor::{Check, Command, Judge, Judged, Remedy, Verdict},
    facts::survey::{Endpoint, Install, Provenance, Survey, Tls},
};

pub(super) const TRUSTED: Check = Check {
    name: "connectivity/tls-trusted",
    holds: "The service trusts every certificate that it is shown",
    why: "An agent that does not trust its server's certificate gets no further: x509 in its log, \
          and no job.",
    found: "The handshake is made with the authorities that the service trusts: the system's, and \
            those of SSL_CERT_FILE in its unit.",
    cure: "Add the authority to the system's, or name it with SSL_CERT_FILE in the unit.",
    after: &["connectivity/reachable", "connectivity/proxy-works", "host/clock-right"],
    judge: Judge::Agent(trusted),
};

fn trusted(survey: &Survey, install: &Install) -> Judged {
    let endpoints = endpoints(survey, install)?;
    let mut problems = Vec::new();
    let mut count = 0;
    for endpoint in endpoints {
        let Some(tls) = &endpoint.tls else { continue };
        count += 1;
        let problem = match &tls.outcome {
            Err(why) => by_need(endpoint, format!("no TLS with {}", named(endpoint)))
                .seen(format!("{why} ({} ms)", tls.ms))
                .cure(show(endpoint, "Look at what answers there.")),
            Ok(tls) => match tls.distrust.as_deref() {
                None => continue,
                Some(why) => distrusted(endpoint, tls, why),
            },
        };
        problems.push(problem);
    }
    Ok(Verdict::of(problems, format!("{count} certificates, all trusted")))
}

fn distrusted(endpoint: &Endpoint, tls: &Tls, why: &str) -> crate::doctor::Problem {
    let who = format!("issued by {}, for {}", tls.issuer, tls.subject);
    let (what, text) = match tls.distrust_kind.as_deref() {
        Some("expired") => ("is out of date", "Have it renewed; look at this host's clock too."),
        Some("not-yet-valid") => ("is not valid yet", "Look at this host's clock."),
        Some("wrong-name") => {
            ("is for another name", "Something else answers there: look at names and proxies.")
        }
        Some("unknown-issuer") => (
            "comes from an authority that the service does not trust",
            "If this authority is your own (a proxy that intercepts, or a private server), add it \
             to the system's.",
        ),
        _ => ("is not trusted", "Look at it."),
    };
    let mut remedy = show(endpoint, text);
    if tls.distrust_kind.as_deref() == Some("unknown-issuer") {
        remedy = remedy
            .command(Command::fixed("sudo cp AUTHORITY.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates"))
            .command(Command::root("runnerup install --ca-file AUTHORITY.pem"));
    }
    by_need(endpoint, format!("the certificate of {} {what}", named(endpoint)))
        .seen(format!("{why}; {who}; trusted: {}", tls.trust))
        .cure(remedy)
}

fn show(endpoint: &Endpoint, text: &str) -> Remedy {
    let host = endpoint.host();
    Remedy::by_hand(text).command(
        Command::fixed("openssl s_client -connect")
            .within("", host, ":443", Provenance::Anybody)
            .then("-servername")
            .value(host, Provenance::Anybody)
            .then("</dev/null | openssl x509 -noout -subject -issuer -dates"),
    )
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, sample::*},
        facts::survey::Tls,
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
}
