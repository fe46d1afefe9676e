//! The plan of `doctor --fix`: the steps of all remedies, in an order that works.

use crate::{
    doctor::{Consent, Finding, Status},
    host::Survey,
    plan::Plan,
    record::{Receipt, SetPermissions, Step},
};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The receipt of cures of what this tool did not install; its uninstall takes them back.
pub(crate) const BY_HAND: &str = "doctor";

/// What can be cured, and what cannot without being asked.
#[derive(Debug, Default)]
pub struct Cures {
    /// One for each receipt that they are written into.
    pub plans: Vec<Plan>,
    /// What each check's cure would need to be asked for.
    pub held: Vec<(&'static str, Consent)>,
    /// Checks that fail and that a person has to cure.
    pub by_hand: Vec<&'static str>,
}

/// Plans the cures of findings. `receipts` are those of the instances that have one.
pub fn cures(
    findings: &[Finding],
    survey: &Survey,
    receipts: &BTreeMap<String, Receipt>,
    allowed: &BTreeSet<Consent>,
) -> Cures {
    let mut cures = Cures::default();
    let mut steps: BTreeMap<String, Vec<Step>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.is_problem()) {
        let remedy = finding.remedy.as_ref().filter(|remedy| !remedy.steps().is_empty());
        match remedy {
            Some(remedy) => match remedy.consent.filter(|consent| !allowed.contains(consent)) {
                Some(consent) => cures.held.push((finding.check, consent)),
                None => {
                    let receipt = receipt_of(finding, survey);
                    steps.entry(receipt).or_default().extend(remedy.steps().iter().cloned());
                }
            },
            None if finding.status == Status::Fail => cures.by_hand.push(finding.check),
            None => {}
        }
    }
    for (instance, steps) in steps {
        let steps = ordered(steps);
        let prove = steps.iter().find_map(|step| match step {
            Step::Start { service, .. } => Some(service.clone()),
            _ => None,
        });
        let receipt = receipts.get(&instance).cloned().unwrap_or_else(|| Receipt::new(&instance));
        cures.plans.push(Plan {
            instance,
            steps,
            notes: Vec::new(),
            settings: Vec::new(),
            unfinished: false,
            prove,
            receipt,
        });
    }
    cures
}

/// Into whose receipt the cure of a finding goes.
fn receipt_of(finding: &Finding, survey: &Survey) -> String {
    let name = finding.instance.as_deref().unwrap_or(BY_HAND);
    let is_ours =
        survey.installs.iter().any(|install| install.name == name && install.receipt.is_some());
    if is_ours { name.to_owned() } else { BY_HAND.to_owned() }
}

/// What others need comes first, a service is started last and once, and nothing is done twice.
fn ordered(steps: Vec<Step>) -> Vec<Step> {
    let mut seen = HashSet::new();
    let mut steps: Vec<Step> = steps
        .into_iter()
        .filter(|step| match step {
            Step::Start { service, .. } => seen.insert(format!("start {service}")),
            step => seen.insert(step.to_string()),
        })
        .collect();
    // Stable: of two of a kind the one whose cause was found first is done first.
    steps.sort_by_key(|step| match step {
        Step::Account(_) => (0, 0),
        Step::Folder(folder) => (1, folder.path.components().count()),
        Step::SetPermissions(SetPermissions { folder: true, path, .. }) => {
            (1, path.components().count())
        }
        Step::SetPermissions(_)
        | Step::File(_)
        | Step::Binary(_)
        | Step::Link { .. }
        | Step::Registry(_) => (2, 0),
        Step::Restore { .. }
        | Step::Stop { .. }
        | Step::EndProcesses { .. }
        | Step::Close { .. } => (3, 0),
        Step::Enable { .. } => (4, 0),
        Step::Start { .. } => (5, 0),
    });
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::IfBusy;
    use std::time::Duration;

    #[test]
    fn a_service_is_started_once_and_last() {
        let start = Step::Start {
            service: "a.service".into(),
            drain: Duration::from_secs(1),
            if_busy: IfBusy::Leave,
        };
        let set_permissions = |path: &str, folder| {
            Step::SetPermissions(SetPermissions {
                path: path.into(),
                folder,
                owner: None,
                mode: 0o755,
                judged: None,
                only_if_empty: false,
            })
        };
        let steps = ordered(vec![
            set_permissions("/opt/a/file", false),
            start.clone(),
            set_permissions("/opt/a", true),
            set_permissions("/opt", true),
            set_permissions("/opt/a", true),
            start,
        ]);
        let targets: Vec<_> = steps.iter().map(|step| step.target().to_string()).collect();
        assert_eq!(
            targets,
            ["the folder /opt", "the folder /opt/a", "/opt/a/file", "the service a.service"]
        );
    }
}
