//! What becomes of the steps that were begun when one of them fails: undone in reverse, and looked
//! at, or left as they are where one of them cannot be undone.

use super::{
    act::{Restored, Tools},
    journal::{Event, Journal},
    receipt::Receipt,
    target::{State, Target},
};
use crate::{Code, Error, platform::accounts};

/// A step that was begun.
pub(super) struct Begun {
    pub(super) number: usize,
    pub(super) target: Target,
    pub(super) before: State,
    pub(super) restores: bool,
    /// It removes a folder with all that is in it.
    pub(super) purges: bool,
}

impl Begun {
    /// Whether it removed what nothing can bring back.
    fn is_final(&self, tools: &Tools<'_>) -> bool {
        match &self.target {
            Target::Folder(_) => self.purges && self.before != State::Absent,
            // A new account of the same name has another number.
            Target::Account(name) => {
                let is_gone = || matches!(accounts::find(tools.host.root, name), Ok(None));
                self.restores && self.before == State::Present && is_gone()
            }
            _ => false,
        }
    }
}

/// Undoes what was begun, and says what came of it.
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
        // A folder that this very run made holds nothing of anyone else's.
        let purge = !restores && *before == State::Absent;
        let undone = tools
            .restore(target, before, purge, receipt.record(target))
            .and_then(|end| Ok(end == Restored::Done && tools.is_as_before(target, before)?));
        match undone {
            // The journal serves a later run; a full disk must not keep this one from undoing.
            Ok(true) => drop(journal.write(&Event::Undone { step: *number })),
            Ok(false) => left.push(format!("{target}: it is not as it was")),
            Err(trouble) => left.push(format!("{target}: {trouble}")),
        }
    }
    if left.is_empty() {
        return match error.code() {
            code if matches!(code.exit(), 4 | 5 | 130) => error,
            _ => error.recode(Code::StepFailed),
        }
        .help("everything was rolled back");
    }
    let sum = format!("{}; not undone: {}", error.message(), left.join("; "));
    let incomplete = Error::new(Code::RollbackIncomplete, sum);
    let incomplete = with_help(incomplete, &error);
    incomplete
        .help(format!("runnerup uninstall{}   # cleans up from the journal", instance(receipt)))
        .help(format!("runnerup install{}     # goes on from it", instance(receipt)))
}

/// Half an install beside data that is gone would serve nobody: what was removed stays removed, and
/// the next run goes on.
fn stays_begun(error: &Error, tools: &Tools<'_>, begun: &[Begun], receipt: &Receipt) -> Error {
    let gone: Vec<String> = begun
        .iter()
        .filter(|begun| begun.is_final(tools))
        .map(|begun| match &begun.target {
            Target::Folder(_) => format!("what was in {}", begun.target),
            target => target.to_string(),
        })
        .collect();
    let sum = format!(
        "{}; nothing was rolled back, because this cannot be: {}",
        error.message(),
        gone.join(", ")
    );
    with_help(Error::new(Code::RollbackIncomplete, sum), error)
        .help(format!("runnerup uninstall --purge{}   # goes on from here", instance(receipt)))
}

fn with_help(error: Error, cause: &Error) -> Error {
    cause.help_lines().iter().fold(error, |error, line| error.help(line))
}

fn instance(receipt: &Receipt) -> String {
    match receipt.instance.as_str() {
        "default" => String::new(),
        name => format!(" --instance {name}"),
    }
}
