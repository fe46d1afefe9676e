//! The roll-back: when a step fails, the steps before it are undone in reverse and verified, or kept if
//! one of them cannot be undone.

use super::act::{Loss, Purge, Restored, Tools};
use crate::{
    Code, Command, Error, Help,
    platform::{accounts, fs::Provenance},
    record::{Event, Journal, Receipt, State, Target},
};

/// A step that was begun.
pub(super) struct Begun {
    pub(super) number: usize,
    pub(super) target: Target,
    pub(super) before: State,
    pub(super) restores: bool,
    /// It removes a folder with its content.
    pub(super) purges: bool,
}

impl Begun {
    /// Whether it removed something that cannot be restored.
    fn is_final(&self, tools: &Tools<'_>) -> bool {
        match &self.target {
            Target::Folder(_) => self.purges && self.before != State::Absent,
            // A new account of the same name has another user ID.
            Target::Account(name) => {
                let is_gone = || matches!(accounts::find(tools.host.root, name), Ok(None));
                self.restores && self.before == State::Present && is_gone()
            }
            _ => false,
        }
    }
}

/// Undoes the steps that were begun, and returns the error with the result.
pub(super) fn roll_back(
    error: Error,
    tools: &Tools<'_>,
    journal: &mut Journal,
    begun: &[Begun],
    receipt: &Receipt,
) -> Error {
    if begun.iter().any(|begun| begun.is_final(tools)) {
        return stays_begun(&error, tools, begun, receipt);
    }
    let mut left = Vec::new();
    for Begun { number, target, before, restores, .. } in begun.iter().rev() {
        tools.host.report.undoes(&target.to_string());
        // A folder that this run created contains no files of others.
        let purge = match !restores && *before == State::Absent {
            true => Purge::All,
            false => Purge::No,
        };
        let undone = tools
            .restore(target, before, purge, receipt.record(target))
            .and_then(|end| Ok(end == Restored::Done && tools.is_as_before(target, before)?));
        match undone {
            // The journal is for a later run; a full disk must not prevent this roll-back.
            Ok(true) => drop(journal.write(&Event::Undone { step: *number })),
            Ok(false) => left.push(format!("{target}: it is not in its previous state")),
            Err(error) => left.push(format!("{target}: {error}")),
        }
    }
    if left.is_empty() {
        let error = match error.code() {
            code if matches!(code.exit(), 4 | 5 | 130) => error,
            _ => error.recode(Code::StepFailed),
        };
        let lost = tools.lost.borrow();
        if lost.is_empty() {
            return error.help("everything was rolled back");
        }
        let line = |loss: &Loss| {
            let (before, name, after) = loss.words();
            Help::value(before, name, after)
        };
        return lost
            .iter()
            .fold(error, |error, loss| error.help(line(loss)))
            .help("everything else was rolled back");
    }
    left.extend(losses(tools));
    let message = format!("{}; not undone: {}", error.message(), left.join("; "));
    let incomplete = Error::new(Code::RollbackIncomplete, message);
    let incomplete = incomplete.help_of(&error);
    incomplete
        .help(again("runnerup uninstall", receipt, "removes what the journal lists"))
        .help(again("runnerup install", receipt, "completes the install"))
}

fn losses(tools: &Tools<'_>) -> Vec<String> {
    let line = |loss: &Loss| {
        let (before, name, after) = loss.words();
        format!("{before}{name}{after}")
    };
    tools.lost.borrow().iter().map(line).collect()
}

/// The error when something removed cannot be restored: nothing is rolled back, since half an install
/// without its data is of no use, and the next run continues.
fn stays_begun(error: &Error, tools: &Tools<'_>, begun: &[Begun], receipt: &Receipt) -> Error {
    let gone: Vec<String> = begun
        .iter()
        .filter(|begun| begun.is_final(tools))
        .map(|begun| match &begun.target {
            Target::Folder(_) => format!("the content of {}", begun.target),
            target => target.to_string(),
        })
        .chain(losses(tools))
        .collect();
    let message = format!(
        "{}; nothing was rolled back, because this cannot be restored: {}",
        error.message(),
        gone.join(", ")
    );
    Error::new(Code::RollbackIncomplete, message).help_of(error).help(again(
        "runnerup uninstall --purge",
        receipt,
        "continues the removal",
    ))
}

fn again(command: &'static str, receipt: &Receipt, why: &'static str) -> Help {
    let command = Command::fixed(command);
    let command = match receipt.instance.as_str() {
        "default" => command,
        name => command.then("--instance").trusted_value(name, Provenance::Root),
    };
    Help::of_program(command, why)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::{
        apply::bench::{Bench, OnEnable, content, run, run_with},
        platform::left_out::needs_root,
        record::{self, Content, File, Record, Step},
    };
    use std::{fs, os::unix::fs::chown};

    fn file(path: &str) -> Step {
        Step::File(File {
            path: path.into(),
            content: Content::public("new"),
            owner: None,
            mode: 0o600,
            purpose: "a test",
            definition: false,
            check: None,
            seed: false,
            replaces: false,
        })
    }

    fn enable() -> Step {
        Step::Enable { service: "x.service".into() }
    }

    fn refused() -> Error {
        Error::new(Code::StepFailed, "the test refuses")
    }

    fn removal(target: Target, purge: bool) -> Step {
        Step::Restore { target, to: State::Absent, purge, others: false }
    }

    #[test]
    fn what_was_swapped_meanwhile_is_not_called_rolled_back_and_the_next_run_ends_it() {
        let bench = Bench::new();
        fs::write(bench.at("ground/file"), "old").unwrap();
        let swap = || {
            fs::remove_file(bench.at("ground/file")).unwrap();
            fs::create_dir_all(bench.at("ground/file/full")).unwrap();
            Err(refused())
        };
        let mut receipt = Receipt::new("default");
        receipt.installed = true;
        let steps = [file("/ground/file"), enable()];
        let error = run_with(&bench, Some(&OnEnable(&swap)), &steps, receipt).unwrap_err();
        assert_eq!(error.code(), Code::RollbackIncomplete, "{error}");
        assert!(error.message().contains("not undone: /ground/file"), "{error}");
        let help = error.help_lines().join("; ");
        assert!(help.contains("runnerup uninstall"), "{help}");
        assert!(!help.contains("was rolled back"), "{help}");

        // Once the swapped thing is out of the way, the uninstall that was named puts back.
        fs::remove_dir_all(bench.at("ground/file")).unwrap();
        let known = record::read(&bench.root, "default").unwrap().receipt.unwrap();
        let back: Vec<Step> =
            known.records.iter().map(|record| Step::restore(record, false)).collect();
        let uninstalled = Receipt { written: known.written, ..Receipt::new("default") };
        assert_eq!(run(&bench, &back, uninstalled).unwrap(), None);
        assert_eq!(content(&bench.at("ground/file")).as_deref(), Some("old"));
    }

    #[test]
    fn a_purge_that_was_begun_is_not_called_rolled_back_and_goes_on_with_the_next_run() {
        let bench = Bench::new();
        fs::create_dir_all(bench.at("var/work/job")).unwrap();
        fs::write(bench.at("etc/config"), "ours").unwrap();
        let targets = [Target::File("/etc/config".into()), Target::Folder("/var/work".into())];
        let steps: Vec<Step> = targets.iter().map(|target| removal(target.clone(), true)).collect();
        let refuse = || Err(refused());
        let services = OnEnable(&refuse);
        let all = [steps.clone(), vec![enable()]].concat();
        let error = run_with(&bench, Some(&services), &all, Receipt::new("default")).unwrap_err();
        assert_eq!(error.code(), Code::RollbackIncomplete);
        assert!(error.message().contains("the content of the folder /var/work"), "{error}");
        let help = error.help_lines().join("; ");
        assert!(help.contains("runnerup uninstall --purge"), "{help}");
        assert!(!help.contains("was rolled back"), "{help}");
        assert!(!bench.at("var/work").exists() && !bench.at("etc/config").exists());

        // Before anything is gone for good, everything comes back, and nothing was read for it.
        fs::write(bench.at("etc/config"), "ours").unwrap();
        let known = record::read(&bench.root, "default").unwrap().receipt.unwrap();
        let receipt = Receipt { written: known.written, ..Receipt::new("default") };
        let all = [steps[..1].to_vec(), vec![enable()]].concat();
        let error = run_with(&bench, Some(&services), &all, receipt).unwrap_err();
        assert_eq!(error.code(), Code::StepFailed);
        assert_eq!(error.help_lines().last().unwrap(), "everything was rolled back");
        assert_eq!(content(&bench.at("etc/config")).as_deref(), Some("ours"));
    }

    #[test]
    fn a_removed_file_of_any_size_comes_back_whole() {
        let bench = Bench::new();
        let path = bench.at("ground/huge");
        fs::File::create(&path).unwrap().set_len(4 << 40).unwrap();
        let refuse = || Err(refused());
        let steps = [removal(Target::File("/ground/huge".into()), false), enable()];
        let services = OnEnable(&refuse);
        run_with(&bench, Some(&services), &steps, Receipt::new("default")).unwrap_err();
        assert_eq!(fs::metadata(&path).unwrap().len(), 4 << 40);
    }

    #[test]
    fn another_kind_of_thing_in_the_place_of_our_file_does_not_stop_its_removal() {
        for folder in [false, true] {
            let bench = Bench::new();
            let path = bench.at("ground/file");
            match folder {
                true => fs::create_dir(&path).unwrap(),
                false => std::os::unix::fs::symlink("/etc/shadow", &path).unwrap(),
            }
            let steps = [removal(Target::File("/ground/file".into()), false)];
            assert_eq!(run(&bench, &steps, Receipt::new("default")).unwrap(), None);
            assert!(fs::symlink_metadata(&path).is_err());
        }
    }

    #[test]
    fn a_home_that_was_left_when_its_account_went_is_removed_by_the_next_run() {
        let bench = Bench::new();
        let home = bench.at("home/runner");
        fs::create_dir_all(home.join("inner")).unwrap();
        if needs_root("a home that was left when its account went is removed by the next run") {
            return;
        }
        chown(&home, Some(4243), Some(4243)).unwrap();
        let record = Record {
            target: Target::Account("runner".into()),
            before: State::Absent,
            after: None,
            data: true,
            cure: false,
        };
        run(&bench, &[Step::restore(&record, true)], Receipt::new("default")).unwrap();
        assert!(!home.exists());
        // One that belongs to an account stays.
        fs::create_dir_all(&home).unwrap();
        chown(&home, Some(4242), Some(4242)).unwrap();
        run(&bench, &[Step::restore(&record, true)], Receipt::new("default")).unwrap();
        assert!(home.exists());
    }
}
