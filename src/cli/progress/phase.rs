//! The phases of an install: steps that belong together, told as one when the last of them is done.

use crate::{cli::plan::Group, record::Step};
use std::time::{Duration, Instant};

/// The phase that an install is in.
#[derive(Debug, Default)]
pub(super) struct Phases {
    current: Option<Phase>,
    /// When folders were made of which it is not known yet what is to be put there.
    since: Option<Instant>,
}

#[derive(Debug)]
struct Phase {
    group: Group,
    begun: Instant,
    /// What it comes to, and how much that tells: of several steps the one counts that tells most.
    phrase: (u8, String),
    /// Bytes that were transferred.
    bytes: u64,
}

impl Phases {
    /// A step begins. What ended with it, and how long that took.
    pub(super) fn begin(&mut self, step: &Step) -> Option<(String, Duration)> {
        let group = Group::of(step);
        if group == Group::Folders {
            // It is made for what comes next.
            self.since.get_or_insert_with(Instant::now);
            return None;
        }
        let phrase = sentence(step);
        match &mut self.current {
            Some(phase) if phase.group == group => {
                self.since = None;
                if phrase.0 > phase.phrase.0 {
                    phase.phrase = phrase;
                }
                None
            }
            _ => {
                let since = self.since.take();
                let ended = self.end();
                let begun = since.unwrap_or_else(Instant::now);
                self.current = Some(Phase { group, begun, phrase, bytes: 0 });
                ended
            }
        }
    }

    /// So many bytes of the binary have arrived.
    pub(super) fn transferred(&mut self, bytes: u64) {
        if let Some(phase) = &mut self.current {
            phase.bytes = bytes;
        }
    }

    /// The last step is done: what the phase came to, and how long it took.
    pub(super) fn end(&mut self) -> Option<(String, Duration)> {
        let folders = |since| Phase {
            group: Group::Folders,
            begun: since,
            phrase: (0, "Made the folders".to_owned()),
            bytes: 0,
        };
        let folders = self.since.take().map(folders);
        let phase = self.current.take().or(folders)?;
        let size = match phase.bytes {
            0 => String::new(),
            bytes => format!(", {}", indicatif::DecimalBytes(bytes)),
        };
        Some((format!("{}{size}", phase.phrase.1), phase.begun.elapsed()))
    }

    /// What was begun has failed.
    pub(super) fn break_off(&mut self) {
        *self = Self::default();
    }
}

/// What a step that is done comes to, for a person, and how much it tells.
fn sentence(step: &Step) -> (u8, String) {
    match step {
        Step::Binary(binary) => {
            let (version, platform) = (&binary.artifact.version, binary.artifact.platform);
            (1, format!("Downloaded and verified {version} for {platform}"))
        }
        Step::Account(account) => (1, format!("Created the account {}", account.name)),
        Step::File(file) if file.definition => (1, "Defined the service".to_owned()),
        Step::File(_) => (1, "Wrote the configuration".to_owned()),
        Step::Link { .. } => (0, "Defined the service".to_owned()),
        Step::Enable { service } => (2, format!("Defined {service}, which starts with the host")),
        Step::Start { service, .. } => (3, format!("Started {service}")),
        Step::Stop { service, .. } => (3, format!("Stopped {service}")),
        Step::Registry(_) => (1, "Set up the system".to_owned()),
        other => (0, capitalized(&other.to_string())),
    }
}

fn capitalized(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or_else(String::new, |first| first.to_uppercase().chain(signs).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Folder, NewAccount};

    fn folder() -> Step {
        let path = "/a".into();
        Step::Folder(Folder { path, owner: None, mode: 0o755, data: false, shared: false })
    }

    fn account() -> Step {
        Step::Account(NewAccount {
            name: "ci".to_owned(),
            home: "/home/ci".into(),
            shell: "/bin/bash".into(),
            administrator: false,
        })
    }

    fn phrase(steps: &[Step]) -> Vec<String> {
        let mut phases = Phases::default();
        let mut phrase: Vec<String> =
            steps.iter().filter_map(|step| phases.begin(step)).map(|(what, _)| what).collect();
        phrase.extend(phases.end().map(|(what, _)| what));
        phrase
    }

    #[test]
    fn steps_that_belong_together_are_one_phase() {
        let enable = Step::Enable { service: "ci.service".to_owned() };
        let link = Step::Link { path: "/a".into(), to: "/b".into() };
        assert_eq!(
            phrase(&[folder(), account(), folder(), folder(), link, enable]),
            ["Created the account ci", "Defined ci.service, which starts with the host"]
        );
        assert_eq!(phrase(&[account(), folder(), account(), folder()]), ["Created the account ci"]);
        assert_eq!(phrase(&[folder()]), ["Made the folders"]);
    }

    #[test]
    fn what_was_broken_off_is_told_by_no_phase() {
        let mut phases = Phases::default();
        phases.begin(&account());
        phases.break_off();
        assert_eq!(phases.end().map(|(what, _)| what), None);
    }
}
