//! From a survey to a diagnosis: every selected check, once for each agent or for the host.

use super::{
    CHECKS, Check, Finding, Judge, Judged, Problem, Remedy, Severity, Status, Topic, Verdict,
    bounds, change::left_running, reinstall,
};
use crate::{
    Code, Error, Help, Result,
    host::{Install, ProbeName, ProbeSet, Survey, Unseen},
    text::nearest,
    values::InstanceName,
};
use std::{
    collections::{HashMap, hash_map::Entry},
    time::Instant,
};

/// Which checks to judge: `--only` and `--skip`.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
}

impl Selection {
    /// Names of checks or topics.
    ///
    /// # Errors
    /// [`Code::ValueInvalid`] for a name that is neither, with the one that was probably meant.
    pub fn new(only: Vec<String>, skip: Vec<String>) -> Result<Self> {
        only.iter().chain(&skip).try_for_each(|name| known(name))?;
        Ok(Self { only, skip })
    }

    /// Whether a check is among them.
    pub fn has(&self, check: &Check) -> bool {
        let fits = |name: &String| name == check.name || name == check.topic();
        (self.only.is_empty() || self.only.iter().any(fits)) && !self.skip.iter().any(fits)
    }

    /// The probes that its checks may read.
    pub fn probes(&self) -> ProbeSet {
        let is_read = |topics: &[Topic]| topics.iter().any(|topic| self.has_topic(*topic));
        let unread = READ_BY.iter().filter(|(_, topics)| !is_read(topics));
        ProbeSet::without(&unread.map(|(name, _)| *name).collect::<Vec<_>>())
    }

    /// Whether any check of a topic is among them.
    pub fn has_topic(&self, topic: Topic) -> bool {
        CHECKS.iter().any(|check| check.topic() == topic.name() && self.has(check))
    }
}

/// Probes that only the checks of these topics read.
const READ_BY: [(ProbeName, &[Topic]); 7] = [
    (ProbeName::Connections, &[Topic::Connectivity, Topic::Agent]),
    (ProbeName::Network, &[Topic::Connectivity, Topic::Agent]),
    (ProbeName::RunnerApi, &[Topic::Queue]),
    (ProbeName::KernelLog, &[Topic::Host]),
    (ProbeName::Packages, &[Topic::Host]),
    (ProbeName::Selinux, &[Topic::Permissions]),
    (ProbeName::UnitObjections, &[Topic::Service]),
];

/// Most agents of a survey that are judged: checks that compare agents with each other cost the square
/// of their number.
pub const JUDGED_LIMIT: usize = 128;

/// Judges a survey. Pure, except for the clock that times each check.
pub fn judge(survey: &Survey, selection: &Selection) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut causes = Causes::default();
    for check in CHECKS.iter().filter(|check| selection.has(check)) {
        let subjects: Vec<Option<usize>> = match check.judge {
            Judge::Host(_) => vec![None],
            Judge::Agent(_) => (0..survey.installs.len().min(JUDGED_LIMIT)).map(Some).collect(),
        };
        for subject in subjects {
            let install = subject.and_then(|at| survey.installs.get(at));
            let begun = Instant::now();
            let judged = match (check.judge, install) {
                (Judge::Host(judge), _) => judge(survey),
                (Judge::Agent(judge), Some(install)) => judge(survey, install),
                (Judge::Agent(_), None) => continue,
            };
            let name = install.map(|install| install.name.as_str());
            let mut finding = bounds::bounded(finding_of(check, name, judged));
            finding.remedy = finding
                .remedy
                .map(|remedy| left_running(remedy.for_system(survey.host.os), survey, install));
            if let Some(instance) = install.and_then(instance) {
                let instance = Some(&instance).filter(|_| !survey.is_saved);
                finding.remedy = finding.remedy.map(|remedy| remedy.for_instance(instance));
            }
            if let Some(install) = install {
                let possible = |remedy| reinstall::possible(remedy, survey, install);
                finding.remedy = finding.remedy.map(possible);
            }
            if survey.host.image {
                let base = survey.base.as_deref();
                finding.remedy = finding.remedy.map(|remedy| remedy.in_image(base));
            }
            finding.elapsed_ms = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
            causes.explain(check, &mut finding);
            findings.push(finding);
        }
    }
    findings
}

/// The name by which `runnerup install` knows an install; the default one has none.
fn instance(install: &Install) -> Option<InstanceName> {
    install.receipt.as_ref().and_then(|_| install.name.parse().ok())
}

/// Failures so far, which explain later ones.
#[derive(Default)]
struct Causes {
    /// Checks that failed, by their agent (`None`: the host), each with the root cause: itself, or an
    /// earlier check.
    failed: HashMap<(&'static str, Option<String>), &'static str>,
    /// Failed probes, by their agent and their error, and the check that reported each.
    probes: HashMap<(Option<String>, String), &'static str>,
}

impl Causes {
    /// Reports a cause once: a check that an earlier failure explains is skipped.
    fn explain(&mut self, check: &Check, finding: &mut Finding) {
        let cause = self.of(check, finding.instance.as_deref()).filter(|_| finding.is_problem());
        if let Some(cause) = cause {
            let found = std::mem::take(&mut finding.summary);
            skip(
                finding,
                cause,
                format!("skipped: {cause} fails first; this check found: {found}"),
            );
        }
        if finding.status == Status::Error {
            let probe = (finding.instance.clone(), finding.summary.clone());
            match self.probes.entry(probe) {
                Entry::Occupied(first) => {
                    let first = *first.get();
                    skip(finding, first, format!("skipped: {first} reports the same failed probe"));
                }
                Entry::Vacant(new) => drop(new.insert(check.name)),
            }
        }
        // A cause passes through checks that it explains, not through those that hold or could not be
        // judged.
        let root = (finding.status == Status::Fail).then_some(check.name);
        if let Some(root) = cause.or(root) {
            self.failed.insert((check.name, finding.instance.clone()), root);
        }
    }

    /// The root cause behind the first failed cause of a check. A failure of the host applies to every
    /// agent.
    fn of(&self, check: &Check, instance: Option<&str>) -> Option<&'static str> {
        let failed = |cause, instance: Option<&str>| {
            self.failed.get(&(cause, instance.map(str::to_owned))).copied()
        };
        let mut causes = check.after.iter().copied();
        causes.find_map(|cause| failed(cause, None).or_else(|| failed(cause, instance)))
    }
}

fn skip(finding: &mut Finding, because: &'static str, why: String) {
    finding.summary = why;
    finding.status = Status::Skip;
    finding.because = Some(because);
    finding.remedy = None;
}

fn finding_of(check: &Check, instance: Option<&str>, judged: Judged) -> Finding {
    let new = |status, summary| Finding::new(check, instance, status, summary);
    match judged {
        Ok(Verdict::Holds(summary)) => new(Status::Pass, summary),
        Err(Unseen { why, reason }) => new(Status::from(reason), why),
        Ok(Verdict::Broken(mut problems)) => {
            problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
            let count = problems.len();
            problems.truncate(bounds::PROBLEMS);
            let status = match problems.first().map(|problem| problem.severity) {
                Some(Severity::Fail) => Status::Fail,
                _ => Status::Warn,
            };
            let mut finding = new(status, summary(&problems, count));
            finding.evidence = evidence(&problems);
            finding.remedy = remedy(problems);
            finding
        }
    }
}

fn summary(problems: &[Problem], count: usize) -> String {
    let first = problems.first().map_or("", |problem| problem.summary.as_str());
    match count {
        0 | 1 => first.to_owned(),
        2 => format!("{first} (and one more problem)"),
        many => format!("{first} (and {} more problems)", many - 1),
    }
}

fn evidence(problems: &[Problem]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (at, problem) in problems.iter().enumerate() {
        // The summary of the first problem is that of the finding.
        let line = match (at, problem.evidence.as_str()) {
            (0, evidence) => evidence.to_owned(),
            (_, "") => problem.summary.clone(),
            (_, evidence) => format!("{}: {evidence}", problem.summary),
        };
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// The remedies of all problems as one.
fn remedy(problems: Vec<Problem>) -> Option<Remedy> {
    let mut remedies = problems.into_iter().filter_map(|problem| problem.remedy);
    let mut whole = remedies.next()?;
    for remedy in remedies {
        whole.join(remedy);
    }
    Some(whole)
}

fn known(name: &str) -> Result<()> {
    let topics = Topic::ALL.iter().map(|topic| topic.name());
    let names: Vec<&str> = CHECKS.iter().map(|check| check.name).chain(topics).collect();
    if names.contains(&name) {
        return Ok(());
    }
    let error = Error::new(Code::ValueInvalid, format!("there is no check or topic {name:?}"));
    Err(match nearest(name, &names) {
        Some(near) => error.help(Help::words(format!("did you mean {near}?"))),
        None => error,
    }
    .help("runnerup doctor --list"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::{Consent, Diagnosis, fixtures::*},
        host::{Activity, ConfigState, Load, PackageFault, Queue, Seen, Selinux},
        record::Step,
        session::cures,
    };
    use std::collections::{BTreeMap, BTreeSet};

    /// The documented hang: a binary that cannot be run, and a service that therefore does not.
    fn hang() -> Survey {
        let mut survey = healthy();
        if let Seen::Known(walk) = &mut agent(&mut survey).binary.as_mut().unwrap().walk {
            walk.end = Some(file(0, 0o644));
        }
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            state.active = Activity::Failed;
        }
        survey
    }

    #[test]
    fn one_cause_is_told_once_with_what_comes_of_it() {
        let findings = judge(&hang(), &Selection::default());
        let diagnosis = Diagnosis::new(findings, 0);
        let reported: Vec<_> = diagnosis.problems().map(|finding| finding.check).collect();
        assert_eq!(reported, ["permissions/binary-executable"]);
        let cause = diagnosis.problems().next().unwrap();
        let explained: Vec<_> =
            diagnosis.consequences(cause).map(|finding| finding.check).collect();
        assert_eq!(explained, ["service/running"]);
    }

    /// `service/healthy` names `service/running` as a cause, and not what keeps that from running.
    #[test]
    fn a_cause_passes_through_what_it_explains() {
        let mut survey = hang();
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            state.health = Some("Unhealthy".to_owned());
        }
        let diagnosis = Diagnosis::new(judge(&survey, &Selection::default()), 0);
        let reported: Vec<_> = diagnosis.problems().map(|finding| finding.check).collect();
        assert_eq!(reported, ["permissions/binary-executable"]);
        let cause = diagnosis.problems().next().unwrap();
        let explained: Vec<_> =
            diagnosis.consequences(cause).map(|finding| finding.check).collect();
        assert_eq!(explained, ["service/running", "service/healthy"]);
    }

    /// A host without a service for its agent was reported to correct a line of a configuration that is
    /// not there.
    #[test]
    fn what_is_missing_is_not_said_to_be_wrong() {
        let mut survey = healthy();
        let install = agent(&mut survey);
        install.service = None;
        install.processes = Seen::Known(Vec::new());
        let Some(Seen::Known(config)) = &mut install.config else { panic!() };
        config.walk.end = None;
        config.state = ConfigState::Missing;
        let diagnosis = Diagnosis::new(judge(&survey, &Selection::default()), 0);
        let failed = diagnosis.problems().filter(|finding| finding.status == Status::Fail);
        let failed: Vec<_> = failed.map(|finding| finding.check).collect();
        assert_eq!(failed, ["service/defined"]);
    }

    /// What is left out because no chosen check reads it is read by none of them.
    #[test]
    fn a_chosen_check_has_all_that_it_reads() {
        let mut whole = online(|api| api.answer = None);
        whole.host.oom_kills = Seen::Known(vec!["Killed process 7".into()]);
        whole.host.packages = Seen::Known(vec![PackageFault::Interrupted]);
        whole.host.selinux =
            Some(Selinux { mode: "enforcing".into(), modules: Seen::Known(Vec::new()) });
        whole.queue = Seen::Known(Queue::default());
        let reported = |survey: &Survey, selection: &Selection| -> Vec<_> {
            let findings = judge(survey, selection);
            findings
                .into_iter()
                .map(|finding| (finding.check, finding.status, finding.evidence))
                .collect()
        };
        for (name, topics) in READ_BY {
            let mut part = whole.clone();
            unread(&mut part, name);
            let differs = |topic: &Topic| {
                let only = Selection::new(vec![topic.name().to_owned()], Vec::new()).unwrap();
                assert_eq!(only.probes().contains(name), topics.contains(topic), "{name:?}");
                reported(&part, &only) != reported(&whole, &only)
            };
            let read_by: Vec<Topic> = Topic::ALL.into_iter().filter(differs).collect();
            assert!(!read_by.is_empty(), "{name:?} is read by no check");
            for topic in read_by {
                assert!(topics.contains(&topic), "{name:?} is read by {}", topic.name());
            }
        }
    }

    /// Takes out of a survey what a probe of [`READ_BY`] yields.
    fn unread(survey: &mut Survey, name: ProbeName) {
        match name {
            ProbeName::Connections | ProbeName::Network => survey.network = Seen::default(),
            ProbeName::RunnerApi => survey.queue = Seen::default(),
            ProbeName::KernelLog => survey.host.oom_kills = Seen::default(),
            ProbeName::Packages => survey.host.packages = Seen::default(),
            ProbeName::Selinux => survey.host.selinux = None,
            ProbeName::UnitObjections => service_of(survey).objections = Seen::default(),
            other => panic!("what {other:?} yields is to be taken out here"),
        }
    }

    /// What holds in between shows that the first failure is not the reason.
    #[test]
    fn a_cause_does_not_pass_through_what_holds() {
        let mut survey = healthy();
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            state.load = Load::BadSetting;
        }
        set(&mut survey, "runner.mode", Some("sometimes"));
        let diagnosis = Diagnosis::new(judge(&survey, &Selection::default()), 0);
        let reported: Vec<_> = diagnosis.problems().map(|finding| finding.check).collect();
        assert!(reported.contains(&"service/loaded"), "{reported:?}");
        assert!(reported.contains(&"config/values-valid"), "{reported:?}");
    }

    #[test]
    fn a_look_that_broke_is_told_once() {
        let mut survey = healthy();
        service_of(&mut survey).state = Seen::broken("`systemctl show` did not end");
        let diagnosis = Diagnosis::new(judge(&survey, &Selection::default()), 0);
        let reported: Vec<_> =
            diagnosis.problems().map(|finding| (finding.check, finding.status)).collect();
        assert_eq!(reported, [("service/loaded", Status::Error)]);
        let cause = diagnosis.problems().next().unwrap();
        assert!(diagnosis.consequences(cause).any(|finding| finding.check == "service/running"));
    }

    #[test]
    fn a_restart_waits_for_a_word_while_a_job_runs() {
        let mut survey = hang();
        if let Seen::Known(processes) = &mut agent(&mut survey).processes {
            processes.push(process(501, 500, UID, "circleci-agent"));
        }
        let findings = judge(&survey, &Selection::default());
        let none = cures(&findings, &survey, &BTreeMap::new(), &BTreeSet::new());
        assert!(none.plans.is_empty() && none.held.len() == 1);
        let asked = BTreeSet::from([Consent::RestartBusy]);
        let given = cures(&findings, &survey, &BTreeMap::new(), &asked);
        assert_eq!(given.plans[0].steps.len(), 2);
    }

    #[test]
    fn a_restart_waits_for_a_word_where_nobody_knows_whether_a_job_runs() {
        let mut survey = hang();
        agent(&mut survey).processes = Seen::broken("there are more processes than can be read");
        let cured = |survey: &Survey, allowed| {
            let findings = judge(survey, &Selection::default());
            cures(&findings, survey, &BTreeMap::new(), &allowed)
        };
        let none = cured(&survey, BTreeSet::new());
        assert!(none.plans.is_empty() && none.held.len() == 1, "{none:?}");
        // Where the manager has no process no job can run.
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            state.main_pid = None;
        }
        assert!(cured(&survey, BTreeSet::new()).held.is_empty());
        agent(&mut survey).processes = Seen::not("nothing runs in an image");
        assert!(cured(&survey, BTreeSet::new()).held.is_empty());
    }

    #[test]
    fn a_restart_that_lets_the_job_end_signals_the_agent_alone() {
        let mut survey = hang();
        if let Seen::Known(processes) = &mut agent(&mut survey).processes {
            processes.push(process(501, 500, UID, "circleci-agent"));
        }
        let written = |survey: &Survey| {
            let findings = judge(survey, &Selection::default());
            let asked = BTreeSet::from([Consent::RestartBusy]);
            let given = cures(&findings, survey, &BTreeMap::new(), &asked);
            let steps = given.plans.iter().flat_map(|plan| &plan.steps);
            let contents = steps.filter_map(|step| match step {
                Step::File(file) => Some(file.content.shown().to_owned()),
                _ => None,
            });
            contents.collect::<Vec<_>>()
        };
        assert_eq!(written(&survey), Vec::<String>::new());
        // systemd's default sends TERM to the job, too.
        service_of(&mut survey).directives.retain(|directive| directive.key != "KillMode");
        let lines = written(&survey);
        assert!(lines.len() == 1 && lines[0].contains("KillMode=mixed"), "{lines:?}");
    }

    #[test]
    fn names_that_are_none_are_refused_with_the_one_meant() {
        let error = Selection::new(vec!["config/token-sett".into()], Vec::new()).unwrap_err();
        assert!(error.help_lines()[0].contains("config/token-set"));
    }
}
