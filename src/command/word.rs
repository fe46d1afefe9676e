//! Words of a command: each of the kind that the program takes there, and chosen by root alone or
//! by the documentation.
//!
//! That a value means nothing to a shell is not enough: `apt-get install /tmp/x.deb`, `systemctl
//! unmask ssh.service` and `launchctl bootstrap system /tmp/x.plist` are made of plain words only.

use crate::{
    agent::is_documented,
    platform::{fs::Provenance, macos},
    text::{inner, is_sound, is_whole_path},
};

/// What a word is to the program that takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A service or a slice of systemd.
    Unit,
    /// A label of launchd.
    Label,
    /// Where launchd runs a job: `system`, or the number of a user.
    Domain,
    /// A task of Windows' scheduler.
    Task,
    /// An account.
    User,
    /// The number of an account of Windows, or of a group.
    Sid,
    /// A path from the root, or with a drive.
    Path,
    /// A value that root alone wrote, whatever it is.
    Trusted,
}

impl Kind {
    /// Whether a value may be a word of this kind: root alone could have written it, or the
    /// documentation names it.
    pub(super) fn takes(self, value: &str, written_by: Provenance) -> bool {
        self.is(value) && (written_by.is_root() || self.is_documented(value))
    }

    fn is(self, value: &str) -> bool {
        let all = |more: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
        let is_name = !value.starts_with('.');
        is_sound(value)
            && match self {
                Self::Unit => {
                    let kind = value.rsplit_once('.').map(|(_, kind)| kind);
                    is_name && all("-_.@:\\") && matches!(kind, Some("service" | "slice"))
                }
                Self::Label => is_name && all("-_."),
                Self::Domain => is_domain(value),
                Self::User => value.len() <= 64 && all("-_. \\"),
                Self::Sid => is_sid(value),
                Self::Path => is_whole_path(value),
                Self::Task | Self::Trusted => true,
            }
    }

    fn is_documented(self, value: &str) -> bool {
        match self {
            Self::Domain => [macos::SYSTEM, macos::DESKTOP].contains(&value),
            Self::Trusted => false,
            Self::Sid => EVERYONE.contains(&value),
            Self::Path => is_documented(
                |layout| layout.places().into_iter().any(|place| place == inner(value)),
                value,
            ),
            Self::User => is_documented(|layout| layout.user == value, value),
            Self::Unit | Self::Label | Self::Task => {
                is_documented(|layout| layout.service == value, value)
            }
        }
    }
}

/// Everyone, all who have logged on, all users, those at the screen, and guests: the same on every host.
const EVERYONE: [&str; 5] = ["S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-4", "S-1-5-32-546"];

/// `S-1-` and numbers.
fn is_sid(value: &str) -> bool {
    let numbers = value.strip_prefix("S-1-");
    numbers.is_some_and(|numbers| numbers.split('-').all(|number| number.parse::<u64>().is_ok()))
}

/// `system`, `gui/NUMBER` or `user/NUMBER`; or that of whoever types the command, which is the one
/// word that a shell has to read.
fn is_domain(value: &str) -> bool {
    let number =
        |of: &str| value.strip_prefix(of).is_some_and(|layout| layout.parse::<u32>().is_ok());
    [macos::SYSTEM, macos::DESKTOP].contains(&value) || number("gui/") || number("user/")
}
