//! What fixes a finding: text, commands, and steps for the engine where that is safe.
//!
//! Text is advice to root like a command, so it holds only this program's own words: see [`Text`].

use super::{Command, programs};
use crate::{
    host::{Install, Service},
    platform::Os,
    record::Step,
    service::Verb,
    text::Effect,
    values::InstanceName,
};
use serde::Serialize;
use std::path::Path;

/// What fixes a finding.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Remedy {
    /// One or two sentences.
    text: Text,
    /// The exact commands, as a person would type them.
    commands: Vec<Line>,
    /// Whether `doctor --fix` does it.
    pub fixable: bool,
    /// What it does.
    #[serde(skip)]
    steps: Vec<Step>,
    /// The consent that `--fix` needs.
    #[serde(skip)]
    pub consent: Option<Consent>,
}

/// A command of a remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
struct Line {
    text: String,
    /// Whether it removes the problem; else it only shows more of it.
    #[serde(skip)]
    is_cure: bool,
    /// What it does to what runs.
    #[serde(skip)]
    effect: Effect,
}

/// Advice, made of this program's own words and of numbers. What a probe or a document says belongs in
/// the evidence.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub(super) struct Text(String);

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl<const N: usize> From<[&'static str; N]> for Text {
    fn from(parts: [&'static str; N]) -> Self {
        Self(parts.concat())
    }
}

impl Text {
    /// With a number.
    pub(super) fn number(before: &'static str, number: u64, after: &'static str) -> Self {
        Self(format!("{before}{number}{after}"))
    }

    /// Followed by more text.
    #[must_use]
    pub(super) fn then(self, more: impl Into<Self>) -> Self {
        Self(self.0 + &more.into().0)
    }

    /// Its lines, joined.
    #[must_use]
    pub(super) fn in_one_line(self) -> Self {
        Self(self.0.trim().replace('\n', ", "))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What `--fix` does only with consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Consent {
    /// Restarting a service while a job runs, or may run: the job ends first, which may take hours.
    RestartBusy,
}

impl Remedy {
    /// Something that a person has to do.
    pub(super) fn by_hand(text: impl Into<Text>) -> Self {
        let (commands, steps) = (Vec::new(), Vec::new());
        Self { text: text.into(), commands, fixable: false, steps, consent: None }
    }

    /// One or two sentences.
    pub fn text(&self) -> &str {
        &self.text.0
    }

    /// With another sentence.
    #[must_use]
    pub(super) fn and(mut self, text: &'static str) -> Self {
        self.text = Text(format!("{} {text}", self.text.0));
        self
    }

    /// The same where saved facts do not prove who named the path or the service.
    #[must_use]
    pub(super) fn without_proof(self) -> Self {
        self.and("From saved facts no command is given for it: run `runnerup doctor` on that host.")
    }

    /// The same commands and steps with another text.
    #[must_use]
    pub(super) fn reworded(self, text: &'static str) -> Self {
        Self { text: text.into(), ..self }
    }

    /// With more text behind its own.
    #[must_use]
    pub(super) fn with_text(self, more: Text) -> Self {
        Self { text: self.text.then(more), ..self }
    }

    /// With a command that removes the problem, unless a value in it cannot be trusted.
    #[must_use]
    pub(super) fn command(self, command: Command) -> Self {
        self.line(command, true)
    }

    /// With a command that shows more of the problem and changes nothing, on the same condition.
    #[must_use]
    pub(super) fn inspect(self, command: Command) -> Self {
        self.line(command, false)
    }

    /// With what a person types to do something with the service of an agent: all of it, or nothing.
    #[must_use]
    pub(super) fn typed(self, verb: Verb, install: &Install, service: &Service) -> Self {
        self.all_or_none(
            service.manager.profile().commands(verb, install, service),
            !verb.only_shows(),
        )
    }

    /// The same for what a person types after the problem is removed.
    #[must_use]
    pub(super) fn afterwards(self, verb: Verb, install: &Install, service: &Service) -> Self {
        self.all_or_none(service.manager.profile().commands(verb, install, service), false)
    }

    fn all_or_none(self, commands: Vec<Command>, is_cure: bool) -> Self {
        match commands.iter().all(|command| command.line().is_some()) {
            true => commands.into_iter().fold(self, |all, command| all.line(command, is_cure)),
            false => self,
        }
    }

    fn line(mut self, command: Command, is_cure: bool) -> Self {
        let parts = command.into_parts();
        self.commands.extend(parts.map(|(text, effect)| Line { text, is_cure, effect }));
        self
    }

    /// With commands that are useful only together, in this order: all of them, or none.
    #[must_use]
    pub(super) fn in_turn<const N: usize>(self, commands: [Command; N]) -> Self {
        self.all_or_none(commands.into(), true)
    }

    /// The exact commands, as a person would type them.
    pub fn commands(&self) -> Vec<&str> {
        self.commands.iter().map(|line| line.text.as_str()).collect()
    }

    /// The first command that removes the problem.
    pub fn first_cure(&self) -> Option<&str> {
        self.commands.iter().find(|line| line.is_cure).map(|line| line.text.as_str())
    }

    /// Keeps at most `most` commands, none longer than `longest` bytes.
    pub(super) fn keep_commands(&mut self, most: usize, longest: usize) {
        self.commands.retain(|line| line.text.len() <= longest);
        self.commands.truncate(most);
    }

    /// What `doctor --fix` does.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Leaves steps and commands out; returns whether there were such. Nothing is done then that
    /// would need consent.
    pub(super) fn leave_out(
        &mut self,
        is_step: impl Fn(&Step) -> bool,
        acts: impl Fn(&Effect) -> bool,
    ) -> bool {
        let before = self.steps.len() + self.commands.len();
        self.steps.retain(|step| !is_step(step));
        self.commands.retain(|line| !acts(&line.effect));
        let is_start = |step: &Step| matches!(step, Step::Start { .. });
        let was_changed = self.steps.len() + self.commands.len() < before;
        if was_changed {
            self.fixable &= !self.steps.is_empty();
            self.consent = self.consent.filter(|_| self.steps.iter().any(is_start));
        }
        was_changed
    }

    /// Only for a person: `doctor --fix` does nothing.
    #[must_use]
    pub(super) fn without_steps(mut self) -> Self {
        self.steps.clear();
        self.fixable = false;
        self.consent = None;
        self
    }

    /// Adds another remedy for the same finding.
    pub(super) fn join(&mut self, other: Self) {
        if !self.text.0.contains(&other.text.0) {
            self.text = Text(format!("{} {}", self.text.0, other.text.0));
        }
        for command in other.commands {
            if !self.commands.contains(&command) {
                self.commands.push(command);
            }
        }
        self.fixable |= other.fixable;
        self.steps.extend(other.steps);
        self.consent = self.consent.or(other.consent);
    }

    /// The remedy for an image in a folder: a command without that folder would act on the host where it
    /// is typed.
    #[must_use]
    pub(super) fn in_image(mut self, base: Option<&Path>) -> Self {
        // Nothing runs in an image.
        self.steps.retain(|step| !matches!(step, Step::Start { .. }));
        self.fixable &= !self.steps.is_empty();
        self.consent = self.consent.filter(|consent| *consent != Consent::RestartBusy);
        let commands = std::mem::take(&mut self.commands);
        let is_ours = |line: &Line| line.text.trim_start_matches("sudo ").starts_with("runnerup ");
        if let Some(base) = base.and_then(Path::to_str).filter(|base| crate::text::is_plain(base)) {
            let ours = commands.into_iter().filter(is_ours);
            let with_folder =
                |line: Line| Line { text: format!("{} --root {base}", line.text), ..line };
            self.commands = ours.map(with_folder).collect();
        }
        self
    }

    /// With a step that `--fix` does, which must be safe. Steps that set an owner or a mode, or create a
    /// folder, come from [`super::change`].
    #[must_use]
    pub(super) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self.fixable = true;
        self
    }

    /// Done only with consent.
    #[must_use]
    pub fn asks(mut self, consent: Consent) -> Self {
        self.consent = Some(consent);
        self
    }
}

impl Remedy {
    /// The same for an install of another instance than the default one, which `runnerup install`
    /// without its name would change or make. `None`: saved facts alone tell the name, which stands in
    /// no command then.
    #[must_use]
    pub(super) fn for_instance(mut self, instance: Option<&InstanceName>) -> Self {
        const INSTALL: &str = "runnerup install";
        let installs = |line: &Line| line.effect == Effect::Install;
        let Some(instance) = instance else {
            let has_install = self.commands.iter().any(installs);
            self.commands.retain(|line| !installs(line));
            let text = "Run `runnerup install` with `--instance` and the name of this agent.";
            return if has_install { self.and(text) } else { self };
        };
        for line in self.commands.iter_mut().filter(|line| installs(line)) {
            let with_name = format!("{INSTALL} --instance {instance}");
            line.text = line.text.replacen(INSTALL, &with_name, 1);
        }
        self
    }

    /// The same with advice on the install that it names; without that, where it would do nothing.
    #[must_use]
    pub(super) fn of_install(mut self, is_refused: bool, advice: &'static str) -> Self {
        let installs = |line: &Line| line.effect == Effect::Install;
        if !self.commands.iter().any(installs) {
            return self;
        }
        self.commands.retain(|line| !(is_refused && installs(line)));
        self.and(advice)
    }

    /// The same as a person at a host of this system types it: Windows has no sudo, and a program
    /// that the system does not have is named by no command.
    #[must_use]
    pub(super) fn for_system(mut self, os: Os) -> Self {
        for Line { text, .. } in self.commands.iter_mut().filter(|_| os == Os::Windows) {
            if let Some(file) = text.strip_prefix("sudoedit ") {
                *text = format!("notepad {file}");
            } else if let Some(rest) = text.strip_prefix("sudo ") {
                *text = rest.to_owned();
            }
        }
        self.commands.retain(|line| programs::has(&line.text, os));
        self
    }
}

impl Consent {
    /// The word that `--allow` takes.
    pub fn word(self) -> &'static str {
        match self {
            Self::RestartBusy => "restart-busy",
        }
    }

    /// The question.
    pub fn question(self) -> &'static str {
        match self {
            Self::RestartBusy => {
                "A job is running, or may be. Wait until it ends, however long it takes, and then \
                 restart the agent?"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::fixtures::*,
        host::{PathWalk, Seen, Survey},
    };

    #[test]
    fn an_install_is_repeated_for_its_own_instance() {
        let remedy = Remedy::by_hand("x")
            .command(Command::install().then("--version latest"))
            .command(Command::root("runnerup doctor --fix"));
        let commands =
            ["sudo runnerup install --instance gpu --version latest", "sudo runnerup doctor --fix"];
        assert_eq!(remedy.for_instance(Some(&"gpu".parse().unwrap())).commands(), commands);
        let mut survey = healthy();
        agent(&mut survey).binary.as_mut().unwrap().walk = Seen::Known(PathWalk {
            path: "/opt/circleci/circleci-launch-agent".into(),
            ..PathWalk::default()
        });
        let commands = |survey: &Survey| {
            let found = finding(survey, "permissions/binary-executable");
            found.remedy.unwrap().commands().join(" ")
        };
        assert!(commands(&survey).contains("runnerup install"), "{}", commands(&survey));
        assert!(!commands(&survey).contains("--instance"));
        agent(&mut survey).name = "gpu".into();
        assert!(commands(&survey).contains("runnerup install --instance gpu"));
        survey.is_saved = true;
        assert_eq!(commands(&survey), "");
        survey.is_saved = false;
        // Of facts that somebody saved the name may be anything.
        agent(&mut survey).name = "gpu; reboot".into();
        assert!(!commands(&survey).contains("reboot"));
    }

    #[test]
    fn a_command_for_windows_has_no_sudo() {
        let remedy = Remedy::by_hand("x")
            .command(Command::install())
            .command(Command::root("systemctl restart x"))
            .command(Command::fixed("sudoedit C:\\x.yaml"))
            .command(Command::fixed("schtasks /Run /TN x"));
        let commands = ["runnerup install", "notepad C:\\x.yaml", "schtasks /Run /TN x"];
        assert_eq!(remedy.for_system(Os::Windows).commands(), commands);
    }

    #[test]
    fn a_command_for_an_image_names_its_folder_or_is_left_out() {
        let remedy = Remedy::by_hand("x")
            .command(Command::install())
            .command(Command::root("systemctl restart x"));
        let image = |base| remedy.clone().in_image(Some(Path::new(base))).commands().join("\n");
        assert_eq!(image("/srv/img"), "sudo runnerup install --root /srv/img");
        assert!(image("/srv/$(x)").is_empty());
        assert!(remedy.clone().in_image(None).commands().is_empty());
    }

    #[test]
    fn nothing_is_started_in_an_image() {
        let start = Step::Start {
            service: "x.service".into(),
            drain: Default::default(),
            if_busy: crate::record::IfBusy::default(),
        };
        let enable = Step::Enable { service: "x.service".into() };
        let remedy = Remedy::by_hand("x").step(start).asks(Consent::RestartBusy);
        let of_image = |remedy: Remedy| remedy.in_image(Some(Path::new("/srv/img")));
        let left = of_image(remedy.clone());
        assert!(left.steps().is_empty() && !left.fixable && left.consent.is_none(), "{left:?}");
        let left = of_image(remedy.step(enable));
        assert!(left.steps().len() == 1 && left.fixable && left.consent.is_none(), "{left:?}");
    }
}
