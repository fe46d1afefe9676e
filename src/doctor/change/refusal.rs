//! Why a path is not changed.

/// Why a path is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// An account could have named it, and it is no part of the install.
    NotOwn,
    /// The same, and a person may allow it.
    NotAllowed,
    /// It is for data, and lies with the binary or the configuration.
    Agent,
    /// It belongs to another account, or to root on ground that an account can change.
    Foreign,
    /// A file system is mounted there that only the account's configuration names.
    Mounted,
    /// It is a path of the system.
    System,
    /// It is a link, or nothing that has an owner and a mode of its own.
    NoFile,
    /// It goes up: what it is called is not where it is.
    Up,
    /// The account that it would be given to is named by what another account can write.
    Account,
}

impl Refusal {
    /// The reason in words, and what is right instead; `None` where the finding says enough.
    pub(super) fn why(self) -> Option<&'static str> {
        Some(match self {
            Self::NotOwn | Self::NotAllowed => {
                "This path is not one of the install's own folders, and an account could have \
                 named it: root changes nothing there. Name another path in the configuration."
            }
            Self::Agent => {
                "The agent's binary or configuration is there: root gives that to no job. Name a \
                 path of its own in the configuration."
            }
            Self::System => {
                "This is a path of the system: it is given to no account. Name another path in \
                 the configuration."
            }
            Self::Foreign => {
                "It belongs to someone else, where the account could have put it: root does not \
                 give it away. Remove it, or name another path in the configuration."
            }
            Self::Mounted => {
                "Another file system is mounted there. Name another path in the configuration, or \
                 set owner and mode of what is mounted."
            }
            Self::Up => {
                "This path goes up (`..`), and leads elsewhere than its name says: root changes \
                 nothing there. Write the path in the configuration as it is."
            }
            Self::NoFile => return None,
            Self::Account => {
                "Another account is named there by what jobs can change: root gives it nothing."
            }
        })
    }
}
