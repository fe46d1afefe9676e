//! Where a path leads once the links on its way are followed, by what was looked at.

use crate::{host::Facts, platform::fs::Kind, record::ancestors};
use std::path::{Component, Path, PathBuf};

/// More links than a system follows.
const LINKS: usize = 40;

/// The path without the links that `facts` tell of; what was not looked at is no link.
pub(super) fn real_path(path: &Path, facts: &Facts) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let links = |above: &PathBuf| {
            let fact = facts.paths.get(above).filter(|fact| fact.is(Kind::Link))?;
            let rest = path.strip_prefix(above).ok()?;
            let from = above.parent()?;
            Some(lexical(&from.join(fact.link.as_ref()?)).join(rest))
        };
        match ancestors(&path).iter().find_map(links) {
            Some(next) => path = next,
            None => break,
        }
    }
    path
}

/// The path without `.` and `..`: the links in front of them were followed.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::{
        host::PathFact,
        platform::fs::{Meta, Permissions},
    };

    #[test]
    fn links_on_the_way_are_followed() {
        let mut facts = Facts::default();
        let permissions = Permissions::Mode { uid: 0, gid: 0, mode: 0o777 };
        let meta =
            Meta { kind: Kind::Link, permissions, size: 0, links: 1, identity: (1, 1, 1, 1) };
        for (path, to) in [("/opt", "var/opt"), ("/srv/a", "../data/./x"), ("/loop", "/loop")] {
            let fact = PathFact { meta: Some(meta), link: Some(to.into()), ..PathFact::default() };
            facts.paths.insert(path.into(), fact);
        }
        for (path, real) in [
            ("/opt/circleci/agent", "/var/opt/circleci/agent"),
            ("/srv/a/b", "/data/x/b"),
            ("/etc/opt", "/etc/opt"),
            ("/loop/x", "/loop/x"),
        ] {
            assert_eq!(real_path(Path::new(path), &facts), Path::new(real));
        }
    }
}
