//! The way to a path, as it is found.

use super::{Kind, Meta, Provenance};
use serde::{Deserialize, Deserializer, Serialize};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Every folder on the way to a path, and what stands at its end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PathWalk {
    /// The path, as it was named.
    pub path: PathBuf,
    /// The folders and links that were passed, from the root on.
    pub passed: Vec<PathPart>,
    /// What stands at the end; `None`: nothing.
    pub end: Option<Meta>,
    /// Where it really is, links taken out.
    pub real: PathBuf,
    /// Why the walk ended before the path did.
    #[serde(default, deserialize_with = "saved")]
    pub stopped: Option<WalkEnd>,
    /// Who could have put another thing in the place of what stands at the end.
    #[serde(default)]
    #[serde(rename = "ground")]
    pub replaceable_by: Provenance,
    /// Where the walk came upon another mount: folders on the way, and the end. What could not be
    /// told counts as one.
    #[serde(default)]
    pub mounts: Vec<PathBuf>,
}

/// Why a walk ended before its path did. A place is the text of its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WalkEnd {
    /// Nothing is at this place.
    Missing(String),
    /// What is at this place is no folder.
    NoFolder(String, Kind),
    /// A link in a folder that others than root can change; it is not followed.
    LinkOfOthers(String),
    /// A link that leads back to itself.
    LinkCircle(String),
    /// A folder that whoever named the path may not enter.
    Closed(String),
    /// Another reason, and what older versions saved.
    #[serde(untagged)]
    Other(String),
}

impl WalkEnd {
    /// At the place `path`.
    pub(crate) fn missing(path: &Path) -> Self {
        Self::Missing(path.display().to_string())
    }

    /// Whether it is a link that was not followed.
    pub fn is_link(&self) -> bool {
        matches!(self, Self::LinkOfOthers(_) | Self::LinkCircle(_))
    }
}

impl fmt::Display for WalkEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "{path} is not there"),
            Self::NoFolder(path, kind) => write!(f, "{path} is {kind}, no folder"),
            Self::LinkOfOthers(path) => {
                write!(f, "{path} is a link in a folder that others can change; not followed")
            }
            Self::LinkCircle(path) => write!(f, "{path} is a link in a circle"),
            Self::Closed(path) => {
                write!(f, "{path} is closed to whoever named the path: not looked at further")
            }
            Self::Other(why) => f.write_str(why),
        }
    }
}

/// What is serialized now, and the sentences that older versions saved instead.
fn saved<'de, D: Deserializer<'de>>(from: D) -> Result<Option<WalkEnd>, D::Error> {
    let makers: [fn(String) -> WalkEnd; 6] = [
        WalkEnd::Missing,
        |path| WalkEnd::NoFolder(path, Kind::File),
        |path| WalkEnd::NoFolder(path, Kind::Special),
        WalkEnd::LinkOfOthers,
        WalkEnd::LinkCircle,
        WalkEnd::Closed,
    ];
    let end = Option::<WalkEnd>::deserialize(from)?;
    let Some(WalkEnd::Other(text)) = &end else { return Ok(end) };
    // Each sentence begins with the place.
    let of_text = |make: &fn(String) -> WalkEnd| {
        let rest = make(String::new()).to_string();
        text.strip_suffix(&rest).map(|path| make(path.to_owned()))
    };
    Ok(makers.iter().find_map(of_text).or(end))
}

impl PathWalk {
    /// Why the walk ended before the path did, for people; empty where it did not.
    pub fn why(&self) -> String {
        self.stopped.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// Whether it is a link to `/dev/null`, which an image may not have.
    pub fn leads_to_null(&self) -> bool {
        let is_missing = |place: &str| matches!(place, "/dev" | "/dev/null");
        self.real == Path::new("/dev/null")
            || matches!(&self.stopped, Some(WalkEnd::Missing(place)) if is_missing(place))
    }

    /// Computes who could have put another thing in the place of each thing on the way.
    ///
    /// The caller counts as root, so this is for a walk made just now.
    pub(crate) fn note_provenance(&mut self) {
        let provenances = Provenance::of_way(self);
        self.replaceable_by = provenances.last().copied().unwrap_or_default();
        for (passed, replaceable_by) in self.passed.iter_mut().zip(provenances) {
            passed.replaceable_by = replaceable_by;
        }
    }

    /// The walk as far as a folder on the way; `None` where it did not pass the folder.
    pub fn up_to(&self, folder: &Path) -> Option<Self> {
        let at = self.passed.iter().position(|passed| passed.path == folder)?;
        let passed = self.passed.get(at)?;
        Some(Self {
            path: folder.to_owned(),
            real: folder.to_owned(),
            passed: self.passed.get(..at)?.to_vec(),
            end: Some(passed.meta),
            stopped: None,
            replaceable_by: passed.replaceable_by,
            mounts: self.mounts.iter().filter(|mount| folder.starts_with(mount)).cloned().collect(),
        })
    }

    /// Who could have put what stands at the end there, or changed it since: a file's content, or
    /// what is in a folder.
    pub fn changed_by(&self) -> Provenance {
        match (self.end, &self.stopped) {
            (Some(end), None) => self.replaceable_by.and(Provenance::of_meta(&end)),
            _ => Provenance::Anybody,
        }
    }

    /// Who could have made or changed what stands at the end; where nothing does, who could make it:
    /// what leads to nothing today can lead to something at the next look.
    pub fn made_by(&self) -> Provenance {
        if self.end.is_some() { self.changed_by() } else { self.replaceable_by }
    }

    /// Whether owners and modes, as they are noted, let nobody but root change what stands at the
    /// end or on the way. This is for judging; what root does goes by who was found to be able to.
    pub fn is_roots(&self) -> bool {
        let way = Provenance::of_way(self).last().copied().unwrap_or_default();
        let end = self.end.as_ref().map_or(Provenance::Root, Provenance::of_meta);
        way.and(end).is_root()
    }

    /// Who could have written the content of the file at the end. A walk that did not reach a file
    /// proves nothing.
    pub fn written_by(&self) -> Provenance {
        let is_file = self.end.is_some_and(|end| end.kind == Kind::File);
        if is_file { self.changed_by() } else { Provenance::Anybody }
    }
}

/// A folder or link on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathPart {
    /// Its path.
    pub path: PathBuf,
    /// Its owner and mode.
    pub meta: Meta,
    /// An access control list says more than the mode does.
    pub has_list: bool,
    /// Who could have put another thing in its place.
    #[serde(default)]
    #[serde(rename = "ground")]
    pub replaceable_by: Provenance,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_walk_is_read_as_it_is_written_and_as_it_was_written_once() {
        let walk = |stopped: Option<WalkEnd>| PathWalk { stopped, ..PathWalk::default() };
        let path = || "/a/b".to_owned();
        for end in [
            WalkEnd::Missing(path()),
            WalkEnd::NoFolder(path(), Kind::Special),
            WalkEnd::LinkOfOthers(path()),
            WalkEnd::LinkCircle(path()),
            WalkEnd::Closed(path()),
            WalkEnd::Other("it hung".to_owned()),
        ] {
            let written = serde_json::to_value(walk(Some(end.clone()))).unwrap();
            let read: PathWalk = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(read.stopped.as_ref(), Some(&end), "{written}");
            let mut old = written;
            old["stopped"] = end.to_string().into();
            let read: PathWalk = serde_json::from_value(old).unwrap();
            assert_eq!(read.stopped, Some(end));
        }
        let mut none = serde_json::to_value(walk(None)).unwrap();
        assert_eq!(serde_json::from_value::<PathWalk>(none.clone()).unwrap(), walk(None));
        none.as_object_mut().unwrap().remove("stopped");
        assert_eq!(serde_json::from_value::<PathWalk>(none).unwrap(), walk(None));
    }
}
