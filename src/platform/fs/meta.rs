//! What stands at a path.

use serde::{Deserialize, Serialize};
use std::{ffi::OsString, fmt};

/// The kind of thing at a path; links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Folder,
    /// A symbolic link.
    Link,
    /// A FIFO, socket or device: never opened.
    Special,
}

/// Permissions and identity of what stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Meta {
    /// File, folder, link or something else.
    pub kind: Kind,
    /// Who may do what with it.
    #[serde(flatten)]
    pub permissions: Permissions,
    /// Bytes.
    pub size: u64,
    /// Number of names (hard links).
    pub links: u64,
    /// Device, inode, and the times of the last change of content and of status, in nanoseconds:
    /// while these are the same, so is the content.
    pub identity: (u64, u64, i64, i64),
}

/// Who may do what with a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(from = "Written", into = "Written")]
pub enum Permissions {
    /// On Unix: its owner and its mode.
    Mode {
        /// The owner's number.
        uid: u32,
        /// The group's number.
        gid: u32,
        /// Permission bits, set-id and sticky included.
        mode: u32,
    },
    /// On Windows: an access list, which a look at a path does not read.
    Acl,
}

/// Permissions as documents hold them.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<u32>,
}

impl From<Written> for Permissions {
    fn from(written: Written) -> Self {
        /// What earlier versions wrote as the mode of what has an access list.
        const LISTED: u32 = u32::MAX;
        match (written.uid, written.gid, written.mode) {
            (Some(uid), Some(gid), Some(mode)) if mode != LISTED => Self::Mode { uid, gid, mode },
            _ => Self::Acl,
        }
    }
}

impl From<Permissions> for Written {
    fn from(permissions: Permissions) -> Self {
        match permissions {
            Permissions::Mode { uid, gid, mode } => {
                Self { uid: Some(uid), gid: Some(gid), mode: Some(mode) }
            }
            Permissions::Acl => Self { uid: None, gid: None, mode: None },
        }
    }
}

/// What an open handle shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Owner, mode and identity.
    pub meta: Meta,
    /// It is a folder with nothing in it.
    pub is_bare_folder: bool,
}

/// Some of the names in a folder.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// In no order.
    pub names: Vec<OsString>,
    /// How many names there are, as far as they were counted.
    pub count: usize,
    /// There are no more than these.
    pub is_whole: bool,
}

impl Meta {
    /// The numbers of the owner and the group, where it has any.
    pub fn owner(&self) -> Option<(u32, u32)> {
        match self.permissions {
            Permissions::Mode { uid, gid, .. } => Some((uid, gid)),
            Permissions::Acl => None,
        }
    }

    /// The owner's number, where it has one.
    pub fn uid(&self) -> Option<u32> {
        self.owner().map(|(uid, _)| uid)
    }

    /// The group's number, where it has one.
    pub fn gid(&self) -> Option<u32> {
        self.owner().map(|(_, gid)| gid)
    }

    /// The permission bits, where it has any.
    pub fn mode(&self) -> Option<u32> {
        match self.permissions {
            Permissions::Mode { mode, .. } => Some(mode),
            Permissions::Acl => None,
        }
    }

    /// Whether it belongs to the user with this number. What has an access list does not.
    pub fn is_of(&self, uid: u32) -> bool {
        self.uid() == Some(uid)
    }

    /// Whether it belongs to another user than the one with this number, by its number.
    pub fn is_of_another(&self, uid: u32) -> bool {
        self.uid().is_some_and(|owner| owner != uid)
    }

    /// Whether its mode has one of these bits. An access list has none.
    pub fn has_any(&self, bits: u32) -> bool {
        self.mode().is_some_and(|mode| mode & bits != 0)
    }

    /// Whether its mode has all of these bits. An access list has none.
    pub fn has_all(&self, bits: u32) -> bool {
        self.mode().is_some_and(|mode| mode & bits == bits)
    }

    /// Whether it has a mode, and that has none of these bits.
    pub fn has_none(&self, bits: u32) -> bool {
        self.mode().is_some_and(|mode| mode & bits == 0)
    }

    /// The same with these permission bits, where it has any.
    #[must_use]
    pub fn with_mode(self, mode: u32) -> Self {
        match self.permissions {
            Permissions::Mode { uid, gid, .. } => {
                Self { permissions: Permissions::Mode { uid, gid, mode }, ..self }
            }
            Permissions::Acl => self,
        }
    }

    /// The same with this owner and group, where it has any.
    #[must_use]
    pub fn with_owner(self, uid: u32, gid: u32) -> Self {
        match self.permissions {
            Permissions::Mode { mode, .. } => {
                Self { permissions: Permissions::Mode { uid, gid, mode }, ..self }
            }
            Permissions::Acl => self,
        }
    }

    /// Whether both are names of one file.
    pub fn is_same_file(&self, other: &Self) -> bool {
        (self.identity.0, self.identity.1) == (other.identity.0, other.identity.1)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a file",
            Self::Folder => "a folder",
            Self::Link => "a symbolic link",
            Self::Special => "a FIFO, socket or device",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(permissions: &str) -> Meta {
        let document =
            format!(r#"{{"kind":"file",{permissions}"size":1,"links":1,"identity":[1,1,1,1]}}"#);
        let meta = serde_json::from_str(&document).unwrap();
        let again = serde_json::from_str(&serde_json::to_string(&meta).unwrap()).unwrap();
        assert_eq!(meta, again);
        meta
    }

    #[test]
    fn what_has_an_access_list_is_nobodys_by_number_and_open_to_nobody_by_a_mode() {
        // The second is how earlier versions wrote it.
        for written in ["", r#""uid":0,"gid":0,"mode":4294967295,"#] {
            let meta = read(written);
            assert_eq!(meta.permissions, Permissions::Acl, "{written}");
            assert!(
                !meta.is_of(0)
                    && !meta.is_of_another(0)
                    && meta.owner().is_none()
                    && meta.mode().is_none()
            );
            assert!(!meta.has_any(0o7777) && !meta.has_none(0o022));
            assert_eq!(meta.with_mode(0o600).with_owner(0, 0), meta);
        }
    }

    #[test]
    fn on_unix_owner_and_mode_are_kept() {
        let meta = read(r#""uid":7,"gid":8,"mode":416,"#);
        assert_eq!(meta.permissions, Permissions::Mode { uid: 7, gid: 8, mode: 0o640 });
        assert!(meta.is_of(7) && meta.has_any(0o040) && meta.has_none(0o007));
    }
}
