//! Registry values that a logon session over Remote Desktop needs, and the reasons for which it is not
//! possible. Values of the account itself are set by the task that keeps the session.

use crate::{
    Code, Error, Help, Result,
    host::{Facts, Fingerprint, Load, Query},
    platform::windows::registry::{Place, Value},
    record::{Receipt, Record, RegistryValue, Target},
    service::task_scheduler,
    settings::Spec,
};

/// Which hosts saved credentials may be used for; a policy, so that no host stands in it unasked.
const DELEGATION: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\CredentialsDelegation";

/// The name of a policy, and of the key below with the hosts that it is for. A local account has
/// no other way than NTLM.
const ALLOW: &str = "AllowSavedCredentialsWhenNTLMOnly";

/// Keeps what Windows itself allows allowed, beside the list.
const CONCATENATE: &str = "ConcatenateDefaults_AllowSavedNTLMOnly";

/// The host, as it stands in the policy.
const HOST: &str = "TERMSRV/localhost";

/// Whether Remote Desktop is off; the policy of the same name goes before it.
const DENY: &str = "fDenyTSConnections";
const TERMINAL_SERVER: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server";
const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services";

/// Names that a list of the policy's hosts is numbered with, as far as is looked.
const NUMBERS: std::ops::RangeInclusive<u8> = 1..=9;

/// What has to be looked at.
pub(super) fn queries(spec: &Spec) -> Vec<Query> {
    let keeper = task_scheduler::keeper(&spec.layout.service);
    if !spec.desktop_session {
        // One may stand there from an install by hand.
        return vec![Query::Service(keeper)];
    }
    let settings = [(DELEGATION, ALLOW), (DELEGATION, CONCATENATE), (TERMINAL_SERVER, DENY)];
    let settings = settings.into_iter().chain([(POLICY, DENY)]);
    let places = settings.map(|(key, name)| Place::new(key, name)).chain(NUMBERS.map(host));
    let definition = Query::Path {
        path: task_scheduler::definition_path(&keeper),
        digest: Some(Fingerprint::Plain),
    };
    let others = [definition, Query::Service(keeper), Query::CredentialGuard];
    places.map(Query::Registry).chain(others).collect()
}

/// The values, as they are to stand.
pub(super) fn values(facts: &Facts) -> Vec<RegistryValue> {
    let set = |place, value, purpose| RegistryValue { place, value, purpose };
    let value = |key: &str, name: &str, number, purpose| {
        set(Place::new(key, name), Value::number(number), purpose)
    };
    let mut values = vec![
        value(DELEGATION, ALLOW, 1, "Remote Desktop can use saved credentials"),
        value(DELEGATION, CONCATENATE, 1, "the hosts that Windows allowed before stay allowed"),
    ];
    if let Some(place) = slot(facts) {
        values.push(set(place, Value::text(HOST), "only for this host"));
    }
    values.push(value(TERMINAL_SERVER, DENY, 0, "this host accepts Remote Desktop sessions"));
    values
}

/// Refuses where no session of the account can be kept open.
///
/// # Errors
/// With the reason.
pub(super) fn refuse(spec: &Spec, facts: &Facts, is_own_account: bool) -> Result<()> {
    if !spec.desktop_session {
        return Ok(());
    }
    let user = spec.user.as_str();
    if !is_own_account {
        return Err(Error::new(
            Code::HostUnfit,
            format!(
                "--desktop-session saves the password of the account, but runnerup did not create the \
                 account {user} and does not know its password"
            ),
        )
        .help("choose an account that runnerup creates: --user NAME")
        .help("or leave out --desktop-session: jobs then run without a desktop"));
    }
    if facts.registry_value(&Place::new(POLICY, DENY)) == Some(&Value::number(1)) {
        return Err(Error::new(
            Code::HostUnfit,
            "a policy of this host forbids Remote Desktop, which keeps the session open",
        )
        .help(Help::words(format!("examine it: reg query \"{POLICY}\" /v {DENY}")))
        .help("or leave out --desktop-session: jobs then run without a desktop"));
    }
    if facts.credential_guard {
        return Err(Error::new(
            Code::HostUnfit,
            "Credential Guard runs on this host: Remote Desktop uses no saved credential then, and \
             nobody would open the session",
        )
        .help("have the administrator of its policy switch Credential Guard off for this host")
        .help("or leave out --desktop-session: jobs then run without a desktop"));
    }
    if slot(facts).is_none() {
        return Err(Error::new(
            Code::InTheWay,
            format!(r"{DELEGATION}\{ALLOW} lists nine hosts already, without {HOST}"),
        )
        .help(Help::words(format!("add {HOST} to the list of that policy"))));
    }
    Ok(())
}

/// Notes for the person.
pub(super) fn notes(spec: &Spec, facts: &Facts) -> Vec<String> {
    if !spec.desktop_session {
        let keeper = task_scheduler::keeper(&spec.layout.service);
        let target = Target::Enabled(keeper.clone());
        let is_ours =
            facts.receipt.as_ref().is_some_and(|receipt| receipt.record(&target).is_some());
        let is_there =
            facts.services.get(&keeper).is_some_and(|status| status.load == Load::Loaded);
        let stays = format!(
            "the task {keeper} was made by hand and stays, but is no longer needed; to remove it, in \
             PowerShell: Unregister-ScheduledTask -TaskName '{keeper}'"
        );
        return Vec::from_iter((is_there && !is_ours).then_some(stays));
    }
    let user = spec.user.as_str();
    vec![
        format!(
            "{user} stays logged on over Remote Desktop to this host; its password is saved as \
             {HOST} in the credential store of the account, and uninstall removes it"
        ),
        "the firewall rules for Remote Desktop are not changed; without a licence server Windows \
         Server allows two sessions, and this is one of them"
            .to_owned(),
    ]
}

/// Whether a record is of something that another instance needs as well.
pub(super) fn is_needed_by_others(record: &Record, facts: &Facts) -> bool {
    let has = |other: &Receipt| {
        other.installed && other.settings.get("desktop-session").is_some_and(|on| on == "true")
    };
    matches!(record.target, Target::Registry(_)) && facts.others.iter().any(has)
}

/// Where this host stands in the list, or is to stand.
fn slot(facts: &Facts) -> Option<Place> {
    let ours = |place: &Place| facts.registry_value(place) == Some(&Value::text(HOST));
    let free = |place: &Place| facts.registry_value(place).is_none();
    NUMBERS.map(host).find(ours).or_else(|| NUMBERS.map(host).find(free))
}

fn host(number: u8) -> Place {
    Place::new(format!(r"{DELEGATION}\{ALLOW}"), number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_others_allowed_stay_on_the_list() {
        let mut facts = Facts::default();
        assert_eq!(slot(&facts).unwrap().name, "1");
        let mut list = |number, host_name: &str| {
            facts.registry.insert(host(number).to_string(), Value::text(host_name));
        };
        list(1, "TERMSRV/other");
        list(3, HOST);
        assert_eq!(slot(&facts).unwrap().name, "3");
        facts.registry.remove(&host(3).to_string());
        assert_eq!(slot(&facts).unwrap().name, "2");
        for number in NUMBERS {
            facts.registry.insert(host(number).to_string(), Value::text("TERMSRV/*"));
        }
        assert_eq!(slot(&facts), None);
    }

    #[test]
    fn values_stay_for_an_instance_that_has_a_session_too() {
        let record = Record {
            target: Target::Registry(host(1)),
            before: crate::record::State::Absent,
            after: None,
            data: false,
            cure: false,
        };
        let mut other = Receipt::new("gpu");
        other.installed = true;
        let mut facts = Facts { others: vec![other], ..Facts::default() };
        assert!(!is_needed_by_others(&record, &facts));
        facts.others[0].settings.insert("desktop-session".into(), "true".into());
        assert!(is_needed_by_others(&record, &facts));
        facts.others[0].installed = false;
        assert!(!is_needed_by_others(&record, &facts));
    }
}
