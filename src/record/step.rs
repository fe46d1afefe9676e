//! The few steps that every plan is made of.

mod words;

use super::target::{Digest, Record, State, Target};
use crate::{
    platform::{
        fs::Meta,
        windows::registry::{Place, Value},
    },
    release::Artifact,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};
use std::{fmt, path::PathBuf, time::Duration};

/// One change to the host. Its `Display` says what it will do, for a person.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Makes a folder, or gives one its owner and mode.
    Folder(Folder),
    /// Writes a file whole, in place of what stands there.
    File(File),
    /// Downloads and verifies the agent's binary and puts it in place.
    Binary(Binary),
    /// Gives what stands at a path its owner and mode, and leaves what is in it.
    #[serde(rename = "settle")]
    SetPermissions(SetPermissions),
    /// Makes a symbolic link.
    Link {
        /// Where the link stands.
        path: PathBuf,
        /// Where it points.
        to: PathBuf,
    },
    /// Creates the account that jobs run as.
    Account(NewAccount),
    /// Sets a value of the Windows registry.
    Registry(RegistryValue),
    /// Makes a service start with the host.
    Enable {
        /// The service's name, such as `circleci.service`.
        service: String,
    },
    /// Starts a service, or starts it again so that it sees what changed, once it has drained.
    Start {
        /// The service's name.
        service: String,
        /// How long a running job may take to end.
        drain: Duration,
        /// What is done with a service that runs a job.
        #[serde(skip_serializing_if = "IfBusy::is_drain")]
        if_busy: IfBusy,
    },
    /// Stops a service once its agent has finished the job it runs.
    Stop {
        /// The service's name.
        service: String,
        /// How long a running job may take to end.
        drain: Duration,
    },
    /// Ends every process of an account that is about to be removed.
    EndProcesses {
        /// The account's name.
        account: String,
    },
    /// Gives a folder of data to root alone, before its account goes: what is left in it if the run
    /// is cut off then belongs to no free number.
    Close {
        /// The folder.
        path: PathBuf,
    },
    /// Puts a target back to how it stood before this tool changed it.
    Restore {
        /// What is put back.
        target: Target,
        /// How it is to stand.
        to: State,
        /// Removes a folder with what the jobs' account has in it.
        purge: bool,
        /// A purge removes what others have in it too.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        others: bool,
    },
}

/// What a step that starts a service again does with one that runs a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum IfBusy {
    /// The job ends first.
    #[default]
    Drain,
    /// The service is left as it is, also where nobody can say whether a job runs.
    Leave,
}

/// A folder, as it is to stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Folder {
    /// Where.
    pub path: PathBuf,
    /// Its owner; `None`: whoever runs the tool.
    pub owner: Option<Owner>,
    /// Permission bits.
    #[serde(serialize_with = "octal")]
    #[cfg_attr(test, schemars(with = "String", regex(pattern = "^[0-7]{4,5}$")))]
    pub mode: u32,
    /// Belongs to the jobs' data.
    pub data: bool,
    /// A folder that others use too: made when missing, and else left as it is.
    pub shared: bool,
}

/// A file, as it is to stand.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct File {
    /// Where.
    pub path: PathBuf,
    /// What is in it.
    pub content: Content,
    /// Its owner; `None`: whoever runs the tool.
    pub owner: Option<Owner>,
    /// Permission bits.
    #[serde(serialize_with = "octal")]
    #[cfg_attr(test, schemars(with = "String", regex(pattern = "^[0-7]{4,5}$")))]
    pub mode: u32,
    /// What it is for, in a few words.
    pub purpose: &'static str,
    /// The service manager reads it, and is told when it changes.
    pub definition: bool,
    /// Checked by the system's own tool before it is put in place.
    pub check: Option<Check>,
    /// Made when missing; what is written into it later stays.
    pub seed: bool,
    /// A file that no install wrote is there, and comes back with an uninstall.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replaces: bool,
}

/// The agent's binary, as it is to stand.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Binary {
    /// Where.
    pub path: PathBuf,
    /// What is fetched, and the checksum that it must have.
    pub artifact: Artifact,
    /// Its owner; `None`: whoever runs the tool.
    pub owner: Option<Owner>,
    /// The agent replaces it when it updates itself.
    pub updates_itself: bool,
}

/// Owner and mode, as they are to be, of something whose content stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SetPermissions {
    /// Where.
    pub path: PathBuf,
    /// A folder; else a file.
    pub folder: bool,
    /// Its owner; `None`: as it is.
    pub owner: Option<Owner>,
    /// Permission bits.
    #[serde(serialize_with = "octal")]
    #[cfg_attr(test, schemars(with = "String", regex(pattern = "^[0-7]{4,5}$")))]
    pub mode: u32,
    /// What stood there when the step was decided on, where an account can put another thing in its
    /// place meanwhile.
    #[serde(skip)]
    pub judged: Option<Meta>,
    /// Leaves what is root's and holds something: it would be given with its content.
    #[serde(skip)]
    pub only_if_empty: bool,
}

/// An account, as it is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NewAccount {
    /// Its name, and its group's.
    pub name: String,
    /// Its home, made with it.
    pub home: PathBuf,
    /// Its shell; jobs need a real one.
    pub shell: PathBuf,
    /// A local administrator with a password that nobody knows, as Windows has it.
    pub administrator: bool,
}

/// A value of the registry, as it is to stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RegistryValue {
    /// Where.
    pub place: Place,
    /// What.
    pub value: Value,
    /// What it is for, in a few words.
    pub purpose: &'static str,
}

/// User and group by name; looked up when the step is done, since the account may be new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Owner {
    /// The user.
    pub user: String,
    /// The group; `None`: the user's own.
    pub group: Option<String>,
}

/// A tool of the system that must accept a file before it is put in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// `visudo -cf`.
    Sudoers,
}

/// A file's content. One with a secret prints and serializes as what may be shown of it.
#[derive(Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Content {
    #[serde(skip)]
    whole: SecretString,
    /// What may be shown of it.
    #[serde(rename = "text")]
    shown: String,
    /// Whether something of it is not shown.
    secret: bool,
    #[serde(skip)]
    wide: bool,
}

impl Step {
    /// What the step acts on.
    pub fn target(&self) -> Target {
        match self {
            Self::Folder(folder) => Target::Folder(folder.path.clone()),
            Self::File(file) => Target::File(file.path.clone()),
            Self::Binary(binary) => Target::File(binary.path.clone()),
            Self::SetPermissions(SetPermissions { path, folder: true, .. }) => {
                Target::Folder(path.clone())
            }
            Self::SetPermissions(change) => Target::File(change.path.clone()),
            Self::Link { path, .. } => Target::Link(path.clone()),
            Self::Account(account) => Target::Account(account.name.clone()),
            Self::Registry(value) => Target::Registry(value.place.clone()),
            Self::Enable { service } => Target::Enabled(service.clone()),
            Self::Start { service, .. } | Self::Stop { service, .. } => {
                Target::Running(service.clone())
            }
            Self::EndProcesses { account } => Target::Processes(account.clone()),
            Self::Close { path } => Target::Folder(path.clone()),
            Self::Restore { target, .. } => target.clone(),
        }
    }

    /// Whether what it makes goes only with `--purge`.
    pub fn is_data(&self) -> bool {
        matches!(
            self,
            Self::Folder(Folder { data: true, .. })
                | Self::File(File { seed: true, .. })
                | Self::Account(_)
        )
    }

    /// The step that puts a record's target back.
    pub fn restore(record: &Record, purge: bool) -> Self {
        let (target, to) = (record.target.clone(), record.before.clone());
        Self::Restore { target, to, purge, others: false }
    }
}

impl Step {
    /// The same, also with what others have in a folder that is purged.
    #[must_use]
    pub fn with_others(mut self, is_forced: bool) -> Self {
        if let Self::Restore { purge: true, others, .. } = &mut self {
            *others = is_forced;
        }
        self
    }
}

impl IfBusy {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_drain(&self) -> bool {
        *self == Self::Drain
    }
}

impl Owner {
    /// A user with its own group.
    pub fn user(name: impl Into<String>) -> Self {
        Self { user: name.into(), group: None }
    }
}

impl Content {
    /// Content that anyone may see.
    pub fn public(text: impl Into<String>) -> Self {
        let shown = text.into();
        Self { whole: SecretString::from(shown.clone()), shown, secret: false, wide: false }
    }

    /// Content that stands in the file as UTF-16 with a mark in front, as Windows wants its XML.
    pub fn wide(text: impl Into<String>) -> Self {
        Self { wide: true, ..Self::public(text) }
    }

    /// Content with a secret in it, and the same with `***` in its place.
    pub fn secret(whole: SecretString, shown: impl Into<String>) -> Self {
        Self { whole, shown: shown.into(), secret: true, wide: false }
    }

    /// All of it, secrets included.
    pub fn expose(&self) -> &str {
        self.whole.expose_secret()
    }

    /// The bytes that stand in the file.
    pub fn bytes(&self) -> Vec<u8> {
        let text = self.expose();
        if !self.wide {
            return text.as_bytes().to_vec();
        }
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    }

    /// What may be shown.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether a secret is in it.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// The fingerprint to compare with what stands on the host.
    pub fn digest(&self, key: &[u8]) -> Digest {
        Digest::of(&self.bytes(), self.secret.then_some(key))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Content").field(&self.shown).finish()
    }
}

fn octal<S: Serializer>(mode: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{mode:04o}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_neither_printed_nor_serialized() {
        let content = Content::secret("token: hush".to_owned().into(), "token: ***");
        let file = Step::File(File {
            path: "/etc/x".into(),
            content,
            owner: Some(Owner::user("circleci")),
            mode: 0o600,
            purpose: "the configuration",
            definition: false,
            check: None,
            seed: false,
            replaces: false,
        });
        let printed = format!("{file:?} {file} {}", serde_json::to_string(&file).unwrap());
        assert!(!printed.contains("hush"), "{printed}");
        assert!(printed.contains("(circleci, 0600)"), "{printed}");
    }
}
