//! A service as it is defined, and as its manager sees it.

use super::{Scrubbed, Seen, Trail};
use crate::values::Manager;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A service that runs an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its manager.
    pub manager: Manager,
    /// Its name: a unit, a label, a task.
    pub name: String,
    /// The files that define it, the unit or plist first, drop-ins in the order in which they are
    /// read.
    pub definitions: Vec<Definition>,
    /// Other parts that its manager would act on as root, and that are not root's alone: folders of
    /// drop-ins and of dependencies, files in them, and the same of units that are started with it.
    #[serde(default)]
    pub strange_parts: Seen<Vec<Trail>>,
    /// Every directive of these files, in order. An empty value takes earlier ones back.
    pub directives: Vec<Directive>,
    /// What it runs, word by word.
    pub command: Vec<Scrubbed>,
    /// What its manager says.
    pub state: Seen<State>,
}

/// A file that defines a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The way to it.
    pub trail: Trail,
    /// Why it could not be read, or not whole.
    pub trouble: Option<String>,
}

/// A line of a definition; before it is scrubbed, of a `String`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directive<T = Scrubbed> {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The section, such as `Service`; of a plist nothing.
    pub section: String,
    /// The key; empty for a line that is none.
    pub key: String,
    /// The value.
    pub value: T,
}

/// What a service manager says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// `loaded`, `not-found`, `bad-setting`, `error`, `masked`; of a task `Ready`, `Disabled`…
    pub load: String,
    /// launchd: the domain that it is loaded in, such as `system` or `gui/501`.
    pub domain: Option<String>,
    /// Why it could not be loaded.
    pub load_trouble: Option<String>,
    /// It starts with the host.
    pub enabled: bool,
    /// The manager's word for that, such as `enabled` or `linked`.
    pub enabled_word: String,
    /// `active`, `activating`, `deactivating`, `inactive`, `failed`.
    pub active: String,
    /// Closer, such as `running` or `auto-restart`.
    pub sub: String,
    /// Seconds since 1970 when it came into this state.
    pub since: Option<i64>,
    /// The main process.
    pub main_pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// How it last ended, such as `exit-code`, `oom-kill`, `start-limit-hit`.
    pub result: String,
    /// Its last exit status; 203 of systemd: it could not be executed.
    pub exit_status: Option<i32>,
    /// Its own health text.
    pub health: Option<String>,
    /// Its definition changed since the manager read it.
    pub needs_reload: bool,
}

impl Service {
    /// The directive that counts, of those that hold one value.
    pub fn directive(&self, section: &str, key: &str) -> Option<&Directive> {
        self.directives(section, key).last()
    }

    /// The value that counts; `None` also where it was taken back.
    pub fn value(&self, section: &str, key: &str) -> Option<&str> {
        let value = self.directive(section, key)?.value.as_str();
        (!value.is_empty()).then_some(value)
    }

    /// Every directive of a key that still counts, in order.
    pub fn directives(&self, section: &str, key: &str) -> impl Iterator<Item = &Directive> {
        let is_it = |directive: &&Directive| directive.section == section && directive.key == key;
        let all: Vec<&Directive> = self.directives.iter().filter(is_it).collect();
        let from = all.iter().rposition(|directive| directive.value.is_empty());
        all.into_iter().skip(from.map_or(0, |at| at + 1))
    }

    /// Whether it runs, or is being started.
    pub fn is_active(&self) -> bool {
        self.state
            .ok()
            .is_some_and(|state| matches!(state.active.as_str(), "active" | "activating"))
    }

    /// The file of the definition itself.
    pub fn file(&self) -> Option<&Trail> {
        self.definitions.first().map(|definition| &definition.trail)
    }
}
