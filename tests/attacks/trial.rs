//! One attack, and what came of it.

use super::{
    commands,
    stage::{self, Printed, Stage},
};
use serde_json::Value;
use std::{collections::BTreeSet, fmt};

/// Something that an account without privilege does.
pub struct Attack {
    pub name: &'static str,
    /// What root does for it, as a script: what the account could do by itself.
    pub plant: &'static str,
    /// What is done between printing and pasting.
    pub meanwhile: &'static str,
    /// The check that has to tell of it still: to be silent is no cure. Where it is empty the report
    /// has to differ from the one before the attack.
    pub told_by: &'static str,
}

/// The usual kind.
pub const fn attack(name: &'static str, plant: &'static str, told_by: &'static str) -> Attack {
    Attack { name, plant, meanwhile: "", told_by }
}

/// The same, with something that is done between printing and pasting.
pub const fn swapped(name: &'static str, plant: &'static str, meanwhile: &'static str) -> Attack {
    Attack { name, plant, meanwhile, told_by: "" }
}

/// Of what the report says nothing: the report is the same as without the attack.
pub const SILENT: &str = "(silent)";

/// Tries each attack with each of these arguments. Writes one line for each attack, and ends with
/// those that worked, and those that no report told of. With the variable `RUNNERUP_ATTACK` only
/// those are tried whose name has it, and all that was printed is shown.
pub fn tried(stage: &Stage, attacks: &[Attack], modes: &[&[&str]]) {
    let only = std::env::var("RUNNERUP_ATTACK").unwrap_or_default();
    let mut worked = Vec::new();
    let before: Vec<_> = modes.iter().map(|more| stage.told(more)).collect();
    for attack in attacks.iter().filter(|attack| attack.name.contains(&only)) {
        let plant = || stage.script(attack.plant);
        let (mut wrongs, mut is_told) = (Wrongs::new(), false);
        for (more, before) in modes.iter().zip(&before) {
            let (printed, more) = examined_and_cured(stage, &plant, more, attack.meanwhile);
            wrongs.extend(more);
            is_told |= match attack.told_by {
                "" | SILENT => stage::told(&printed.findings) != *before,
                check => !problems(&printed, check).is_empty(),
            };
            stage.reset();
            if !only.is_empty() {
                printed.outputs.iter().for_each(|(command, text)| println!("{command}:\n{text}"));
            }
        }
        if is_told == (attack.told_by == SILENT) {
            wrongs.push((Sink::Echo, format!("told: {is_told}, and not {:?}", attack.told_by)));
        }
        println!("{:70} {}", attack.name, verdict(&wrongs));
        if !wrongs.is_empty() {
            worked.push(format!("{}:\n    {}", attack.name, lines(&wrongs).join("\n    ")));
        }
    }
    assert!(worked.is_empty(), "{} worked:\n{}", worked.len(), worked.join("\n"));
}

fn verdict(wrongs: &Wrongs) -> String {
    if wrongs.is_empty() {
        return "ok".to_owned();
    }
    let sinks: BTreeSet<String> = wrongs.iter().map(|(sink, _)| sink.to_string()).collect();
    format!("WRONG {}", sinks.into_iter().collect::<Vec<_>>().join(", "))
}

fn lines(wrongs: &Wrongs) -> Vec<String> {
    wrongs.iter().map(|(sink, what)| format!("{sink}: {what}")).collect()
}

/// What an attacker may want of root.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sink {
    Owner,
    Mode,
    Folder,
    Removal,
    Content,
    Read,
    Echo,
    Command,
    Download,
    Service,
}

impl Sink {
    pub const ALL: [Self; 10] = [
        Self::Owner,
        Self::Mode,
        Self::Folder,
        Self::Removal,
        Self::Content,
        Self::Read,
        Self::Echo,
        Self::Command,
        Self::Download,
        Self::Service,
    ];

    /// The one that a line of [`Stage::changes`] is about.
    fn of_change(line: &str) -> Self {
        match line.split(' ').next() {
            Some("owner") => Self::Owner,
            Some("mode") => Self::Mode,
            Some("made") => Self::Folder,
            Some("removed" | "replaced") => Self::Removal,
            Some("read") => Self::Read,
            _ => Self::Content,
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Owner => "owner",
            Self::Mode => "mode",
            Self::Folder => "folder",
            Self::Removal => "removal",
            Self::Content => "content",
            Self::Read => "read",
            Self::Echo => "echo",
            Self::Command => "printed command",
            Self::Download => "download",
            Self::Service => "service definition",
        })
    }
}

/// What went wrong, by what was reached.
pub type Wrongs = Vec<(Sink, String)>;

/// Changes outside of the install, by what they are.
pub fn changed(stage: &Stage, when: &str) -> Wrongs {
    let mut changes = stage.changes();
    changes.extend(stage.reads());
    let wrongs = changes.iter().map(|line| (Sink::of_change(line), format!("{when}: {line}")));
    wrongs.collect()
}

/// What one command printed.
pub fn printed(command: &str, text: String) -> Printed {
    Printed { outputs: vec![(command.to_owned(), text)], ..Printed::default() }
}

/// Text of others, and control characters, in what was printed.
pub fn shown(printed: &Printed) -> Wrongs {
    let mut wrongs = Wrongs::new();
    for (command, text) in &printed.outputs {
        let told = text.split('\n').filter(|line| line.contains("MARK"));
        wrongs.extend(told.map(|line| (Sink::Echo, format!("{command} tells: {line}"))));
        let raw = text.split('\n').filter(|line| line.chars().any(is_control));
        wrongs.extend(raw.map(|line| (Sink::Echo, format!("{command} prints raw: {line}"))));
    }
    wrongs
}

/// Whether a character does something to a terminal, or to the order of what is read.
pub fn is_control(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Without the restart of every agent of a fleet that was planted anew, one after another: no name
/// steers it.
pub const NO_RESTARTS: &str = "--skip=service/runs-current";

/// Plants, examines, cures and pastes; between printing and pasting `meanwhile` is run.
pub fn examined_and_cured(
    stage: &Stage,
    plant: &dyn Fn(),
    more: &[&str],
    meanwhile: &str,
) -> (Printed, Wrongs) {
    plant();
    let printed = stage.examined(more);
    let mut wrongs = shown(&printed);
    wrongs.extend(changed(stage, "doctor"));
    let said = commands::dangers(&printed.commands);
    wrongs.extend(said.into_iter().map(|danger| (Sink::Command, danger)));
    stage.repair();
    let cures = stage.fixed(more);
    wrongs.extend(shown(&cures));
    wrongs.extend(changed(stage, "doctor --fix"));
    stage.reset();
    let again = || {
        plant();
        stage.script(meanwhile);
    };
    let harm = if meanwhile.is_empty() {
        plant();
        stage.paste(&printed.commands, &again)
    } else {
        stage.paste_each(&printed.commands, &again)
    };
    // A person may look at what they are told of.
    stage.reads();
    wrongs.extend(harm.into_iter().map(|harm| (Sink::Command, harm)));
    (printed, wrongs)
}

/// The findings of a check that are troubles.
pub fn problems<'a>(printed: &'a Printed, check: &str) -> Vec<&'a Value> {
    let is_problem = |own: &&Value| {
        own["check"] == check && matches!(own["status"].as_str(), Some("fail" | "warn"))
    };
    printed.findings.iter().filter(is_problem).collect()
}
