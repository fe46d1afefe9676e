//! What systemd adds to a unit, and another account than root could have written.

use crate::{
    Code, Error, Help, Result,
    platform::fs::{Kind, Root},
};
use std::path::{Path, PathBuf};

/// Where systemd reads units, the one that counts first: `systemd.unit(5)`, and what `systemd-analyze
/// unit-paths` lists besides.
pub const FOLDERS: [&str; 13] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// What a folder for a unit ends in when the links in it name units that are started with that one.
pub const DEPENDENCIES: [&str; 3] = ["wants", "requires", "upholds"];

/// Most files of a folder that are looked at; no unit has as many.
const LONGEST: usize = 1000;

/// The folders and files of drop-ins for `service` that somebody else than root could have written,
/// or could put another one in the place of.
///
/// # Errors
/// When a folder cannot be looked into.
pub fn strange(root: &Root, service: &str) -> Result<Vec<PathBuf>> {
    let mut strange = Vec::new();
    for folder in FOLDERS {
        for name in names(service).into_iter().chain(dependencies(service)) {
            let path = Path::new(folder).join(name);
            let trail = root.trail(&path)?;
            if trail.end.is_none() {
                continue;
            }
            if !trail.changed_by().is_root() {
                strange.push(path);
                continue;
            }
            if trail.is(Kind::Folder) {
                strange.extend(of_folder(root, &path)?);
            }
        }
    }
    Ok(strange)
}

fn of_folder(root: &Root, folder: &Path) -> Result<Vec<PathBuf>> {
    let Some(spot) = root.find(folder)? else { return Ok(Vec::new()) };
    let mut strange = Vec::new();
    for name in spot.list()?.into_iter().take(LONGEST) {
        let path = folder.join(name);
        if path.extension().is_some_and(|extension| extension == "conf")
            && !root.trail(&path)?.changed_by().is_root()
        {
            strange.push(path);
        }
    }
    Ok(strange)
}

/// The folders of drop-ins that are read for a unit, the one that counts first.
pub fn names(service: &str) -> Vec<String> {
    folders_of(service, "d").collect()
}

/// The folders whose links name units that are started with a service.
pub fn dependencies(service: &str) -> Vec<String> {
    DEPENDENCIES.iter().flat_map(|kind| folders_of(service, kind)).collect()
}

/// Whether a folder of this name is a part of services: of one, of some, or of all.
pub fn is_of_services(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(of, kind)| {
        let is_kind = kind == "d" || DEPENDENCIES.contains(&kind);
        is_kind && (of == "service" || of.ends_with(".service"))
    })
}

/// A unit's own folder of a kind, that of its template, those of each beginning of its name, and that
/// of all services: systemd looks for every kind in the same places.
fn folders_of<'a>(service: &'a str, kind: &'a str) -> impl Iterator<Item = String> + 'a {
    let stem = service.trim_end_matches(".service");
    let dashes = stem
        .rmatch_indices('-')
        .filter_map(move |(at, _)| Some(format!("{}.service.{kind}", stem.get(..=at)?)));
    let template = stem.split_once('@').map(|(template, _)| format!("{template}@.service.{kind}"));
    let own = [format!("{service}.{kind}")].into_iter().chain(template);
    own.chain(dashes).chain([format!("service.{kind}")])
}

/// Refuses to have systemd act by what defines `service` where another account can write a part of
/// it, or could put another part in its place.
///
/// # Errors
/// [`Code::GroundUnsafe`] with what is not root's alone.
pub fn refuse_strange(root: &Root, service: &str) -> Result<()> {
    let strange = strange(root, service)?;
    let Some(first) = strange.first() else { return Ok(()) };
    let message = format!(
        "{} is not root's alone, and is a part of what defines {service}: root neither starts it \
         nor has systemd read it",
        first.display()
    );
    Err(Error::new(Code::GroundUnsafe, message)
        .help(Help::look("ls -ld", first))
        .help("write what is meant to a file of root's, remove the other, and run again"))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::platform::fs::empty_root;
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt,
    };

    #[test]
    fn folders_of_beginnings_are_read_too() {
        let own = ["circleci-a-b.service.d", "circleci-a-.service.d", "circleci-.service.d"];
        assert_eq!(names("circleci-a-b.service"), [&own[..], &["service.d"]].concat());
        assert_eq!(names("ci@a.service"), ["ci@a.service.d", "ci@.service.d", "service.d"]);
        let all = dependencies("ci-a.service");
        for kind in DEPENDENCIES {
            for of in ["ci-a.service", "ci-.service", "service"] {
                assert!(all.contains(&format!("{of}.{kind}")), "{of}.{kind}");
            }
        }
        assert!(all.iter().all(|name| is_of_services(name)) && is_of_services("service.d"));
        assert!(["x.target.wants", "x.service", "my-service.d"].iter().all(|n| !is_of_services(n)));
    }

    #[test]
    fn what_others_could_have_written_is_found() {
        let (folder, root) = empty_root();
        let units = folder.path().join("etc/systemd/system");
        let place = |name: &str, mode: u32| {
            let path = units.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        };
        place("circleci.service.d/own.conf", 0o644);
        place("circleci.service.d/note.txt", 0o666);
        assert_eq!(strange(&root, "circleci.service").unwrap(), Vec::<PathBuf>::new());
        place("circleci.service.d/other.conf", 0o666);
        place("circleci.service.wants/x.service", 0o644);
        place("service.d/x.conf", 0o644);
        place("service.requires/x.service", 0o644);
        let wants = units.join("circleci.service.wants");
        fs::set_permissions(wants, Permissions::from_mode(0o777)).unwrap();
        for name in ["service.d", "service.requires"] {
            fs::set_permissions(units.join(name), Permissions::from_mode(0o777)).unwrap();
        }
        let found = strange(&root, "circleci.service").unwrap();
        let path = |name: &str| Path::new("/etc/systemd/system").join(name);
        let expected = [
            "circleci.service.d/other.conf",
            "service.d",
            "circleci.service.wants",
            "service.requires",
        ];
        assert_eq!(found, expected.map(path));
        assert!(refuse_strange(&root, "circleci.service").is_err());
        refuse_strange(&root, "other@a.service").unwrap_err();
    }
}
