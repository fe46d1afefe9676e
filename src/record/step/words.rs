//! Steps in words, as a plan shows them.

use super::{Binary, File, Folder, IfBusy, NewAccount, Owner, RegistryValue, SetPermissions, Step};
use crate::{
    record::{State, Target},
    text::{has_drive, shown},
};
use std::{fmt, path::Path};

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(Folder { path, owner, mode, .. }) => {
                write!(f, "make the folder {} ({})", shown(path), rights(path, owner, *mode))
            }
            Self::File(File { path, owner, mode, purpose, replaces, .. }) => {
                let verb = if *replaces { "replace" } else { "write" };
                write!(f, "{verb} {}: {purpose} ({})", shown(path), rights(path, owner, *mode))
            }
            Self::Binary(Binary { path, artifact, owner, .. }) => write!(
                f,
                "place {}: version {} for {}, SHA-256 {} ({})",
                shown(path),
                artifact.version,
                artifact.platform,
                artifact.sha256,
                rights(path, owner, 0o755)
            ),
            Self::SetPermissions(SetPermissions {
                path, owner, mode, only_if_empty: true, ..
            }) => {
                write!(f, "set {} to {}, if it is empty", shown(path), rights(path, owner, *mode))
            }
            Self::SetPermissions(SetPermissions { path, owner, mode, .. }) => write!(
                f,
                "set {} to {}; what is in it stays",
                shown(path),
                rights(path, owner, *mode)
            ),
            Self::Link { path, to } => write!(f, "link {} to {}", shown(path), shown(to)),
            Self::Account(NewAccount { name, administrator: true, .. }) => write!(
                f,
                "create the account {name} (local administrator, random password that is kept \
                 nowhere)"
            ),
            Self::Account(NewAccount { name, home, shell, .. }) => write!(
                f,
                "create the account {name} (home {}, shell {}, no password)",
                shown(home),
                shown(shell)
            ),
            Self::Registry(RegistryValue { place, value, purpose }) => {
                write!(f, "set the registry value {place} to {}: {purpose}", value.data)
            }
            Self::Enable { service } => write!(f, "start {service} with the host"),
            Self::Start { service, if_busy: IfBusy::Drain, .. } => write!(f, "start {service}"),
            Self::Start { service, if_busy: IfBusy::Leave, .. } => {
                write!(f, "start {service}, unless it runs a job then")
            }
            Self::Stop { service, .. } => {
                write!(f, "stop {service}, once the job it runs has ended")
            }
            Self::EndProcesses { account } => {
                write!(f, "end the processes of {account}, if any are left")
            }
            Self::Close { path } => {
                write!(f, "close the folder {} (root, 0700)", shown(path))
            }
            Self::Restore { target, to, purge, others } => match (to, target) {
                (State::Absent, Target::Folder(_))
                    if *purge && (*others || target.path().is_some_and(has_drive)) =>
                {
                    write!(f, "remove {target} with all that is in it")
                }
                (State::Absent, Target::Folder(_)) if *purge => {
                    write!(f, "remove {target} with what jobs left in it")
                }
                (State::Absent, Target::Folder(_)) => write!(f, "remove {target} if it is empty"),
                (State::Absent, Target::Enabled(name)) => {
                    write!(f, "no longer start {name} with the host")
                }
                (State::Absent, Target::Running(name)) => write!(f, "stop {name}"),
                (State::Absent | State::GroupOnly { home: false, .. }, Target::Account(_)) => {
                    write!(f, "remove {target} and its home")
                }
                (State::HomeOnly | State::GroupOnly { .. }, Target::Account(_)) => {
                    write!(f, "remove {target}, but not its home")
                }
                (State::Absent | State::NoKey { .. }, _) => write!(f, "remove {target}"),
                _ => write!(f, "put back {target} as it was"),
            },
        }
    }
}

fn rights(path: &Path, owner: &Option<Owner>, mode: u32) -> String {
    let owner = owner.as_ref().map(|owner| owner.user.as_str());
    if !has_drive(path) {
        return owner.map_or(format!("{mode:04o}"), |owner| format!("{owner}, {mode:04o}"));
    }
    let may = |bits: u32| if bits & 0o2 != 0 { "change" } else { "read" };
    let mut list = vec!["administrators".to_owned()];
    if let Some(owner) = owner.filter(|owner| *owner != "root") {
        list.push(format!("{owner} may {}", may(mode >> 6)));
    }
    if mode & 0o7 != 0 {
        list.push(format!("all may {}", may(mode)));
    }
    list.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_a_list_where_a_path_begins_with_a_drive() {
        let owner = Some(Owner::user("circleci"));
        let of = |path: &str| rights(Path::new(path), &owner, 0o750);
        assert_eq!(of(r"/srv/a:\b"), "circleci, 0750");
        assert_eq!(of("C:/ProgramData/x"), "administrators, circleci may change");
    }
}
