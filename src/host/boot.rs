//! What the next boot of a host does with a unit, by the files that systemd will read then.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What the next boot does with a unit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Boot {
    /// What the boot leads to, such as `multi-user.target`.
    pub target: String,
    /// The boot starts `multi-user.target` on its way.
    pub is_multi_user: bool,
    /// The boot leads to the unit.
    pub is_reached: bool,
    /// What names the unit as one that it starts.
    pub wanters: Vec<Wanter>,
    /// Units that it cannot be started without, and that systemd cannot start.
    pub missing: Vec<Requirement>,
    /// Services that it is stopped with.
    pub tied: Vec<Requirement>,
    /// Units of the same boot that cannot run beside it.
    pub conflicts: Vec<String>,
    /// Units of the same boot, each of which starts after the next one, and the last after the first:
    /// systemd leaves one of them out.
    pub cycle: Vec<String>,
    /// Conditions and assertions that do not hold.
    pub conditions: Vec<UnitCondition>,
    /// Where a file system is mounted by a person only.
    pub unmounted: Vec<PathBuf>,
}

/// A unit that starts another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanter {
    /// Its name.
    pub name: String,
    /// Why the boot does not come to the other unit by it.
    pub state: WanterState,
    /// The name that was probably meant.
    #[serde(default)]
    pub meant: Option<String>,
    /// The link to the other unit is in a folder of packages, which `systemctl is-enabled` does not
    /// look into.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_package: bool,
}

/// What becomes of a unit that starts another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WanterState {
    /// The boot starts it.
    Reached,
    /// It is not a part of this boot.
    NotReached,
    /// There is no such unit.
    Missing,
    /// Nothing can start it.
    Masked,
    /// It starts the other one until the next boot only.
    UntilBoot,
    /// What another version of this program knows.
    #[serde(other)]
    Unknown,
}

/// A unit that another one needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// The directive, such as `Requires`.
    pub key: String,
    /// The unit that is needed.
    pub name: String,
    /// The unit that needs it: the agent's own, or one that this one needs.
    pub by: String,
    /// It exists, and nothing can start it.
    pub is_masked: bool,
}

/// A condition of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitCondition {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The directive, such as `ConditionPathExists`.
    pub key: String,
    /// Why it does not hold.
    pub why: ConditionFault,
}

/// Why a condition does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionFault {
    /// The path is not what it must be.
    Path(PathBuf),
    /// The path must not be there.
    PathStands(PathBuf),
    /// It holds at the first boot only.
    FirstBoot,
    /// It is meant for another host.
    Host,
    /// What another version of this program knows.
    #[serde(other)]
    Unknown,
}
