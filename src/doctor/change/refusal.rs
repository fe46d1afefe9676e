//! Reasons for which the doctor does not change a path.

use super::Change;
use crate::doctor::Remedy;

/// A reason for which a path is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// An account could have chosen it, and it is not part of the install.
    NotOwn,
    /// The same, and a person may allow it.
    NotAllowed,
    /// It is for data, and is in the folder of the binary or the configuration.
    Agent,
    /// It belongs to another account, or to root below a folder that an account can change.
    Foreign,
    /// It belongs to root, may not be empty, and an account could have chosen it.
    Filled,
    /// A person allows it, and it is not empty.
    NotEmpty,
    /// A file system is mounted at a path that an account could have chosen.
    Mounted,
    /// It is a path of the system.
    System,
    /// It is the home of an account, and not plainly a folder of root.
    Home,
    /// It is a link, or has no owner and mode.
    NoFile,
    /// It contains `..`.
    Up,
    /// Others can write to a folder above it, or it has a special bit.
    Shared,
    /// Another account could have chosen its new owner.
    Account,
}

impl Refusal {
    /// Whether it follows from who named the path or the account, which saved facts do not prove.
    pub(super) fn depends_on_author(self) -> bool {
        match self {
            Self::NotOwn
            | Self::NotAllowed
            | Self::Foreign
            | Self::Filled
            | Self::NotEmpty
            | Self::Mounted
            | Self::Home
            | Self::Account => true,
            Self::Agent | Self::System | Self::NoFile | Self::Up | Self::Shared => false,
        }
    }

    /// The reason in words, and what to do instead; `None` where the finding says enough.
    pub(super) fn why(self) -> Option<&'static str> {
        Some(match self {
            Self::NotOwn | Self::NotAllowed => {
                "Set another path in the configuration: this one is not in the install's own folders, \
                 and an account other than root could have set it, so root changes nothing there."
            }
            Self::Agent => {
                "Set another path in the configuration: this folder contains the agent's binary or \
                 configuration, which jobs must not own."
            }
            Self::System => {
                "Set another path in the configuration: this one belongs to the system, and no account \
                 must own it."
            }
            Self::Foreign => {
                "Set another path in the configuration, or remove what is at this one: it belongs to \
                 another account, or an account could have put it there, so root does not change its \
                 owner."
            }
            Self::Filled => {
                "Set another path in the configuration: this one belongs to root and may contain files \
                 of root, and an account other than root could have set it."
            }
            Self::NotEmpty => {
                "Move its content away, or set another path in the configuration: a folder changes its \
                 owner only if it is empty."
            }
            Self::Mounted => {
                "Set another path in the configuration, or set owner and mode of the mounted file \
                 system: a file system is mounted at this path."
            }
            Self::Up => {
                "Write the path in the configuration without `..`: root changes nothing at a path that \
                 contains it."
            }
            Self::Home => {
                "Check who owns the home folder, and every file in it that a login reads: such a file \
                 acts for the account. Give the account a new home folder that no other account can \
                 write to."
            }
            Self::NoFile => return None,
            Self::Shared => {
                "Other accounts can write to a folder above the path, or its mode has a special bit: \
                 find out why, and set the mode yourself."
            }
            Self::Account => {
                "Another account could have named this one, so this program gives it no rights. If you \
                 know it, give it the rights yourself, or name it in a file that only root can write, such \
                 as the unit."
            }
        })
    }
}

impl Change<'_> {
    /// The reason, and what to do instead.
    pub(super) fn refused(&self, remedy: Remedy, refusal: Refusal) -> Remedy {
        if self.survey.is_saved && refusal.depends_on_author() {
            return remedy.without_proof();
        }
        let Some(why) = refusal.why() else { return remedy };
        let remedy = remedy.reworded(why);
        // Not as a command: the account chose the path.
        let may_be_allowed = matches!(refusal, Refusal::NotAllowed | Refusal::Filled);
        match may_be_allowed && self.install.named_by.is_root() {
            true => remedy.and(
                "If you chose this path yourself and the folder is empty, use `runnerup doctor --fix \
                 --allow-path PATH`.",
            ),
            false => remedy,
        }
    }
}
