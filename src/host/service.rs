//! A service as it is defined.

use super::{
    Activity, Boot, HostEnd, Launch, Misread, PathWalk, Scrubbed, Seen, ServiceState, SliceLimits,
    StartLack, ValueKind,
};
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
    pub strange_parts: Seen<Vec<PathWalk>>,
    /// Every directive of these files, in order. An empty value takes earlier ones back.
    pub directives: Vec<Directive>,
    /// Lines of systemd's own configuration that set a default for every unit, in the order in which
    /// they count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defaults: Vec<Directive>,
    /// What systemd objects to in these lines.
    #[serde(default)]
    pub objections: Seen<Vec<Objection>>,
    /// Lines of these files, and of the environment files, that mean something else to the manager.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misread: Vec<Misread>,
    /// What it runs, word by word.
    pub command: Vec<Scrubbed>,
    /// The way from that to the agent, by its text; empty in facts of older versions.
    #[serde(default)]
    pub launch: Launch,
    /// What scripts and units that it names do to the host when it ends; the directives themselves
    /// tell the rest.
    #[serde(default)]
    pub host_ends: Seen<Vec<HostEnd>>,
    /// systemd: what it needs before it starts the agent, and that is not there or not as it must be.
    #[serde(default)]
    pub start_lacks: Seen<Vec<StartLack>>,
    /// systemd: what the next boot does with it.
    #[serde(default)]
    pub boot: Seen<Boot>,
    /// systemd: the slices that it runs in, the nearest first, by their files; of an image alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<SliceLimits>,
    /// What its manager says.
    pub state: Seen<ServiceState>,
}

/// A file that defines a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The way to it.
    #[serde(rename = "trail")]
    pub walk: PathWalk,
    /// Why it could not be read, or not whole.
    #[serde(rename = "trouble")]
    pub failure: Option<String>,
}

/// A line of a definition; before it is scrubbed, of a `String`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directive<T = Scrubbed> {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The section, such as `Service`; of a plist the keys of the dictionaries that it is in, such as
    /// `KeepAlive` or `KeepAlive/PathState`.
    pub section: String,
    /// The key; empty for a line that is none.
    pub key: String,
    /// The value.
    pub value: T,
    /// The type of the value, where the file has types.
    #[serde(default, skip_serializing_if = "ValueKind::is_unknown")]
    pub kind: ValueKind,
}

/// A line of a definition that its manager ignores or warns of; before it is scrubbed, of a `String`
/// that may repeat what stands in the line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objection<T = Scrubbed> {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1; the last one of a line that is continued.
    pub line: usize,
    /// The manager's sentence, without what it repeats of the line.
    pub message: T,
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
        let is_up = |activity| matches!(activity, Activity::Active | Activity::Activating);
        self.state.ok().is_some_and(|state| is_up(state.active))
    }

    /// The file of the definition itself.
    pub fn file(&self) -> Option<&PathWalk> {
        self.definitions.first().map(|definition| &definition.walk)
    }
}
