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
    /// It is root's, it is not known to be empty, and an account could have named it.
    Filled,
    /// A person allows it, and it is not empty.
    NotEmpty,
    /// A file system is mounted there that only the account's configuration names.
    Mounted,
    /// It is a path of the system.
    System,
    /// It is the home of an account, and not plainly root's to give to that account.
    Home,
    /// It is a link, or nothing that has an owner and a mode of its own.
    NoFile,
    /// It goes up: what it is called is not where it is.
    Up,
    /// Others can write to a folder on the way, or it has a special bit.
    Shared,
    /// The account that it would be given to is named by what another account can write.
    Account,
}

impl Refusal {
    /// The reason in words, and what is right instead; `None` where the finding says enough.
    pub(super) fn why(self) -> Option<&'static str> {
        Some(match self {
            Self::NotOwn | Self::NotAllowed => {
                "Name another path in the configuration: this one is none of the install's own \
                 folders, and an account could have named it, so that root changes nothing there."
            }
            Self::Agent => {
                "Name a path of its own in the configuration: the agent's binary or configuration \
                 is here, and root gives that to no job."
            }
            Self::System => {
                "Name another path in the configuration: this is a path of the system, which is \
                 given to no account."
            }
            Self::Foreign => {
                "Name another path in the configuration, or remove what is there: it belongs to \
                 someone else, or the account could have put it there, and root does not give it \
                 away."
            }
            Self::Filled => {
                "Name another path in the configuration: this one belongs to root, an account could \
                 have named it, and something of root's may be in it."
            }
            Self::NotEmpty => {
                "Move away what is in it, or name another path in the configuration: what is given \
                 is given with its content."
            }
            Self::Mounted => {
                "Name another path in the configuration, or set owner and mode of what is mounted: \
                 another file system is mounted there."
            }
            Self::Up => {
                "Write the path in the configuration without `..`: it leads elsewhere than its \
                 name says, and root changes nothing there."
            }
            Self::Home => {
                "Look at who owns the home and what is in it, with everything that a login reads: it \
                 acts for the account. Give the account a home of its own, that nobody else has had \
                 or can write to."
            }
            Self::NoFile => return None,
            Self::Shared => {
                "Others can write to a folder on the way, or it has a special bit: set its mode \
                 yourself, once you know why."
            }
            Self::Account => {
                "Have a file that root alone can write name this account, as the unit is one: \
                 another account could have named it here, so root gives it nothing, and opens \
                 nothing for it. Saved facts prove nothing of this; the doctor on the host itself \
                 can."
            }
        })
    }
}
