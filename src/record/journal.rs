//! The journal: each step's intent before it and its outcome after it, a JSON line each, synced
//! before the host is touched. What a killed run leaves is read back by the next one.

use super::{
    receipt::{Receipt, is_instance},
    target::{After, Record, State, Target},
};
use crate::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
};

/// Most bytes of a journal that are read; one of a thousand steps has about half of it.
const SIZE_LIMIT: u64 = 1 << 20;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event {
    /// A run began.
    Begin {
        /// Such as `install`, or [`FIX`].
        command: String,
        /// The instance that it is about.
        instance: String,
        /// When, RFC 3339.
        at: String,
        /// Ends the name of every temporary file of this run.
        run: String,
        /// Folders made for the state folder.
        made: Vec<PathBuf>,
    },
    /// A step is about to be done.
    Intent {
        /// Its number, from 1.
        step: usize,
        /// What it will do, in words.
        what: String,
        /// What it acts on.
        target: Target,
        /// How that stands.
        before: State,
        /// Puts something back, rather than making it.
        restores: bool,
        /// Goes only with `--purge`.
        data: bool,
    },
    /// A step was done.
    Done {
        /// Its number.
        step: usize,
        /// How its target stands now.
        after: Option<After>,
    },
    /// A step was undone.
    Undone {
        /// Its number.
        step: usize,
    },
}

/// The command of a run that cures faults.
pub const FIX: &str = "doctor --fix";

/// Whether a run of this command cures faults: an install leaves what it did as it is.
pub(crate) fn cures(command: &str) -> bool {
    command == FIX
}

/// The journal of the run that is under way.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
}

/// What an earlier run left when it was cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfinished {
    /// Such as `install`.
    pub command: String,
    /// The instance that it was about.
    pub instance: String,
    /// When it began, RFC 3339.
    pub at: String,
    /// Ends the name of its temporary files.
    pub run: String,
    /// How many steps were done.
    pub done: usize,
    /// The step that was under way, in words.
    pub under_way: Option<String>,
    #[serde(skip)]
    events: Vec<Event>,
}

impl Journal {
    /// Goes on in a new, empty file.
    pub(crate) fn new(file: File) -> Self {
        Self { file }
    }

    /// Adds a line and waits until it is on disk.
    pub(crate) fn write(&mut self, event: &Event) -> Result<()> {
        let mut line = serde_json::to_vec(event)
            .map_err(|error| Error::new(Code::StepFailed, format!("the journal: {error}")))?;
        line.push(b'\n');
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(|error| {
            Error::new(Code::HostUnfit, format!("the journal cannot be written: {error}"))
        })
    }
}

impl Unfinished {
    /// Reads a journal. A last line that was cut off is passed over: its step was not begun.
    pub fn read(from: impl Read) -> Result<Option<Self>> {
        let mut bytes = Vec::new();
        from.take(SIZE_LIMIT).read_to_end(&mut bytes).map_err(|error| {
            Error::new(Code::StateUnreadable, format!("the journal cannot be read: {error}"))
        })?;
        let whole =
            bytes.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |end| &bytes[..end]);
        let mut events = Vec::new();
        for (number, line) in whole.split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let event = serde_json::from_slice(line).map_err(|error| {
                Error::new(
                    Code::StateUnreadable,
                    format!("line {} of the journal is damaged: {error}", number + 1),
                )
            })?;
            events.push(event);
        }
        let Some(Event::Begin { command, instance, at, run, .. }) = events.first().cloned() else {
            return Ok(None);
        };
        // An image brings its own journal: what it says ends names of files, and options.
        let is_run = run.len() == 16 && run.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_run || !is_instance(&instance) {
            return Err(Error::new(
                Code::StateUnreadable,
                "the journal names a run or an instance that this program does not name so",
            ));
        }
        let mut unfinished =
            Self { command, instance, at, run, done: 0, under_way: None, events: Vec::new() };
        for event in &events {
            match event {
                Event::Begin { .. } => {}
                Event::Intent { what, .. } => unfinished.under_way = Some(what.clone()),
                Event::Done { .. } => {
                    unfinished.done += 1;
                    unfinished.under_way = None;
                }
                Event::Undone { .. } => unfinished.under_way = Some("rolling back".to_owned()),
            }
        }
        unfinished.events = events;
        Ok(Some(unfinished))
    }

    /// Takes what the cut-off run did into the receipt. A step whose intent was written counts
    /// as done: putting back what was never made does no harm, forgetting what was made does.
    pub(crate) fn fold(&self, receipt: &mut Receipt) {
        let original = receipt.clone();
        receipt.complete = false;
        let cure = self
            .events
            .iter()
            .any(|event| matches!(event, Event::Begin { command, .. } if cures(command)));
        for event in &self.events {
            match event {
                Event::Begin { made, .. } => {
                    for folder in made {
                        if !receipt.made_for_state.contains(folder) {
                            receipt.made_for_state.push(folder.clone());
                        }
                    }
                }
                Event::Intent { target, before, restores: false, data, .. } => {
                    receipt.changed(Record {
                        target: target.clone(),
                        before: before.clone(),
                        after: None,
                        data: *data,
                        cure,
                    });
                }
                Event::Intent { .. } => {}
                Event::Done { step, after } => match self.intent(*step) {
                    Some(Event::Intent { target, restores: true, .. }) => receipt.restored(target),
                    Some(Event::Intent { target, before, data, .. }) => receipt.changed(Record {
                        target: target.clone(),
                        before: before.clone(),
                        after: after.clone(),
                        data: *data,
                        cure,
                    }),
                    _ => {}
                },
                Event::Undone { step } => {
                    if let Some(Event::Intent { target, .. }) = self.intent(*step) {
                        receipt.restored(target);
                        receipt.records.extend(original.record(target).cloned());
                    }
                }
            }
        }
    }

    /// The paths that a temporary file may stand beside.
    pub(crate) fn renamed_to(&self) -> impl Iterator<Item = &Path> {
        self.events.iter().filter_map(|event| match event {
            Event::Intent { target: Target::File(path) | Target::Link(path), .. } => {
                Some(path.as_path())
            }
            _ => None,
        })
    }

    fn intent(&self, number: usize) -> Option<&Event> {
        self.events
            .iter()
            .find(|event| matches!(event, Event::Intent { step, .. } if *step == number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin() -> Event {
        Event::Begin {
            command: "install".into(),
            instance: "default".into(),
            at: "2026-01-01T00:00:00Z".into(),
            run: "0123456789abcdef".into(),
            made: vec!["/var".into()],
        }
    }

    fn intent(step: usize, path: &str) -> Event {
        Event::Intent {
            step,
            what: format!("write {path}"),
            target: Target::File(path.into()),
            before: State::Absent,
            restores: false,
            data: false,
        }
    }

    fn written(events: &[Event]) -> Vec<u8> {
        let mut file = tempfile::tempfile().unwrap();
        let mut journal = Journal::new(file.try_clone().unwrap());
        events.iter().for_each(|event| journal.write(event).unwrap());
        let mut bytes = Vec::new();
        std::io::Seek::rewind(&mut file).unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_journal_with_foreign_names_is_not_believed() {
        for (name, value) in [("run", "x/../../srv/x"), ("run", ""), ("instance", "a --purge")] {
            let mut line = serde_json::to_value(begin()).unwrap();
            line[name] = value.into();
            let text = format!("{line}\n");
            let error = Unfinished::read(text.as_bytes()).unwrap_err();
            assert_eq!(error.code(), Code::StateUnreadable, "{value}");
        }
    }

    #[test]
    fn what_was_begun_counts_as_done_and_what_was_undone_does_not() {
        let bytes = written(&[
            begin(),
            intent(1, "/a"),
            Event::Done { step: 1, after: None },
            intent(2, "/b"),
            Event::Undone { step: 1 },
        ]);
        let unfinished = Unfinished::read(&bytes[..]).unwrap().unwrap();
        assert_eq!((unfinished.done, unfinished.under_way.as_deref()), (1, Some("rolling back")));
        let mut receipt = Receipt::new("default");
        unfinished.fold(&mut receipt);
        let targets: Vec<_> = receipt.records.iter().map(|record| &record.target).collect();
        assert_eq!(targets, [&Target::File("/b".into())]);
        assert_eq!(receipt.made_for_state, [PathBuf::from("/var")]);
    }

    #[test]
    fn what_was_taken_away_and_put_back_again_is_on_record_again() {
        let target = Target::File("/a".into());
        let record = Record {
            target: target.clone(),
            before: State::Absent,
            after: None,
            data: false,
            cure: false,
        };
        let mut receipt = Receipt::new("default");
        receipt.changed(record.clone());
        let Event::Intent { step, what, before, data, .. } = intent(1, "/a") else { panic!() };
        let removal = Event::Intent { step, what, target, before, data, restores: true };
        let done = Event::Done { step: 1, after: None };
        let mut cut_off = receipt.clone();
        let bytes = written(&[begin(), removal.clone(), done.clone()]);
        Unfinished::read(&bytes[..]).unwrap().unwrap().fold(&mut cut_off);
        assert_eq!(cut_off.records, []);
        let bytes = written(&[begin(), removal, done, Event::Undone { step: 1 }]);
        Unfinished::read(&bytes[..]).unwrap().unwrap().fold(&mut receipt);
        assert_eq!(receipt.records, [record]);
    }

    #[test]
    fn a_line_that_was_cut_off_is_passed_over_and_a_damaged_one_is_not() {
        let mut bytes = written(&[begin(), intent(1, "/a")]);
        bytes.truncate(bytes.len() - 5);
        assert_eq!(Unfinished::read(&bytes[..]).unwrap().unwrap().under_way, None);
        bytes.extend(b"\n");
        assert_eq!(Unfinished::read(&bytes[..]).unwrap_err().code(), Code::StateUnreadable);
    }

    #[test]
    fn an_empty_journal_is_no_run() {
        assert_eq!(Unfinished::read(&b""[..]).unwrap(), None);
    }
}
