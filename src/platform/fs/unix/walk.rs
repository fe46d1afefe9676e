//! Walks to a path and notes everything on the way.

use super::{
    Root, failure, is_trusted, link_target, meta, mount::MountId, names, open_folder,
    root::LINK_LIMIT,
};
use crate::{
    Result,
    platform::fs::{Kind, PathPart, PathWalk, Provenance, WalkEnd},
};
use rustix::{
    fs::{self, AtFlags},
    io::Errno,
};
use std::{
    ffi::OsString,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

/// The attribute that holds a POSIX access control list.
const ACCESS_LIST: &str = "system.posix_acl_access";

/// Whether an access control list says more of an open file than its mode does.
pub fn has_access_list(file: &std::fs::File) -> bool {
    fs::fgetxattr(file, ACCESS_LIST, &mut [0_u8; 0][..]).is_ok_and(|size| size > 0)
}

impl Root {
    /// The way to `path` (absolute, as seen inside the root), as far as it goes. A link is
    /// followed where nobody but root or the caller could have put it, the last one too.
    ///
    /// # Errors
    /// When a folder on the way cannot be looked into, or `path` goes up.
    pub fn walk(&self, path: &Path) -> Result<PathWalk> {
        let mut walk = self.follow(path)?;
        walk.note_provenance();
        Ok(walk)
    }

    fn follow(&self, path: &Path) -> Result<PathWalk> {
        let mut walk = PathWalk { path: path.to_owned(), ..PathWalk::default() };
        let mut ahead = names(path, Vec::new())?;
        let mut folder = self.duplicate(path)?;
        let mut trusted = is_trusted(&folder, path)?;
        let mut mount = MountId::of(&folder).ok();
        let mut walked: Vec<OsString> = Vec::new();
        let mut links = 0;
        self.pass(&mut walk, &folder, Path::new("/"))?;
        while let Some(next) = ahead.pop_front() {
            let here = walked.iter().fold(PathBuf::from("/"), |path, name| path.join(name));
            let here = here.join(&next);
            let stat = match fs::statat(&folder, &next, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => meta(&stat),
                Err(Errno::NOENT) => {
                    walk.stopped = Some(WalkEnd::missing(&here));
                    return Ok(walk);
                }
                Err(errno) => return Err(failure("look at", &here, errno)),
            };
            let is_last = ahead.is_empty();
            match stat.kind {
                Kind::Link if !trusted || links == LINK_LIMIT => {
                    let shown = here.display().to_string();
                    walk.stopped = Some(match trusted {
                        true => WalkEnd::LinkCircle(shown),
                        false => WalkEnd::LinkOfOthers(shown),
                    });
                    walk.end = is_last.then_some(stat);
                    walk.real = here;
                    return Ok(walk);
                }
                Kind::Link => {
                    links += 1;
                    walk.passed.push(PathPart {
                        path: here,
                        meta: stat,
                        has_list: false,
                        replaceable_by: Provenance::Anybody,
                    });
                    let target = link_target(&folder, &next, path)?;
                    let from = if target.is_absolute() { Vec::new() } else { walked.split_off(0) };
                    let mut whole = names(&target, from)?;
                    whole.append(&mut ahead);
                    ahead = whole;
                    walked.clear();
                    folder = self.duplicate(path)?;
                    trusted = is_trusted(&folder, path)?;
                    mount = MountId::of(&folder).ok();
                    if ahead.is_empty() {
                        // A link to the root.
                        walk.end = walk.passed.first().map(|passed| passed.meta);
                        walk.real = PathBuf::from("/");
                    }
                }
                _ if is_last => {
                    if !MountId::is_known_same(mount, MountId::at(&folder, &next).ok()) {
                        walk.mounts.push(here.clone());
                    }
                    walk.end = Some(stat);
                    walk.real = here;
                }
                Kind::Folder => {
                    let inner = open_folder(&folder, &next)
                        .map_err(|errno| failure("look into", &here, errno))?;
                    if let Err(error) = self.reach.admit(&inner, &here) {
                        walk.stopped = Some(WalkEnd::Other(error.sentence().to_owned()));
                        return Ok(walk);
                    }
                    self.pass(&mut walk, &inner, &here)?;
                    let inner_mount = MountId::of(&inner).ok();
                    if !MountId::is_known_same(mount, inner_mount) {
                        walk.mounts.push(here);
                    }
                    mount = inner_mount;
                    trusted = trusted && is_trusted(&inner, path)?;
                    folder = inner;
                    walked.push(next);
                }
                Kind::File | Kind::Special => {
                    let shown = here.display().to_string();
                    walk.stopped = Some(WalkEnd::NoFolder(shown, stat.kind));
                    return Ok(walk);
                }
            }
        }
        Ok(walk)
    }

    fn pass(&self, walk: &mut PathWalk, folder: &OwnedFd, path: &Path) -> Result<()> {
        let stat = fs::fstat(folder).map_err(|errno| failure("look at", path, errno))?;
        // A folder that may not be read says nothing of its list.
        let has_list =
            fs::fgetxattr(folder, ACCESS_LIST, &mut [0_u8; 0][..]).is_ok_and(|size| size > 0);
        let known = |passed: &PathPart| passed.path == path;
        if !walk.passed.iter().any(known) {
            walk.passed.push(PathPart {
                path: path.to_owned(),
                meta: meta(&stat),
                has_list,
                replaceable_by: Provenance::Anybody,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fs::empty_root as root;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_trail_names_every_folder_and_follows_a_link_of_ours() {
        let (folder, root) = root();
        std::fs::create_dir_all(folder.path().join("opt/real")).unwrap();
        std::fs::write(folder.path().join("opt/real/file"), "x").unwrap();
        symlink("real", folder.path().join("opt/link")).unwrap();
        let walk = root.walk(Path::new("/opt/link/file")).unwrap();
        let passed: Vec<_> =
            walk.passed.iter().map(|passed| passed.path.display().to_string()).collect();
        assert_eq!(passed, ["/", "/opt", "/opt/link", "/opt/real"]);
        assert_eq!(walk.real, Path::new("/opt/real/file"));
        assert!(walk.is(Kind::File) && walk.stopped.is_none());
    }

    #[test]
    fn a_link_on_ground_of_others_is_not_followed() {
        let (folder, root) = root();
        std::fs::create_dir(folder.path().join("open")).unwrap();
        std::fs::set_permissions(
            folder.path().join("open"),
            std::fs::Permissions::from_mode(0o777),
        )
        .unwrap();
        symlink("/etc", folder.path().join("open/way")).unwrap();
        let last = root.walk(Path::new("/open/way")).unwrap();
        assert!(last.is(Kind::Link) && last.stopped.is_some());
        let on = root.walk(Path::new("/open/way/passwd")).unwrap();
        assert!(on.end.is_none() && on.why().contains("not followed"));
    }

    #[test]
    fn a_circle_of_links_ends() {
        let (folder, root) = root();
        symlink("b", folder.path().join("a")).unwrap();
        symlink("a", folder.path().join("b")).unwrap();
        let walk = root.walk(Path::new("/a")).unwrap();
        assert!(walk.why().contains("circle"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_list_that_lets_another_account_write_shows_in_the_mode() {
        /// A list with an entry for account 12345, in the form of the kernel's attribute.
        fn list(granted: u16) -> Vec<u8> {
            let nobody = u32::MAX;
            // Owner, account 12345, group, mask, others.
            let entries: [(u16, u16, u32); 5] = [
                (0x01, 6, nobody),
                (0x02, granted, 12345),
                (0x04, 4, nobody),
                (0x10, granted, nobody),
                (0x20, 4, nobody),
            ];
            let mut bytes = 2_u32.to_le_bytes().to_vec();
            for (tag, rights, id) in entries {
                bytes.extend(tag.to_le_bytes());
                bytes.extend(rights.to_le_bytes());
                bytes.extend(id.to_le_bytes());
            }
            bytes
        }

        let (folder, root) = root();
        std::fs::write(folder.path().join("file"), "x").unwrap();
        let file = std::fs::File::open(folder.path().join("file")).unwrap();
        for (granted, expected) in [(4, true), (6, false)] {
            match fs::fsetxattr(&file, ACCESS_LIST, &list(granted), fs::XattrFlags::empty()) {
                Err(Errno::NOTSUP) => return,
                set => set.unwrap(),
            }
            let walk = root.walk(Path::new("/file")).unwrap();
            assert_eq!(walk.changed_by().is_root(), expected, "{granted}: {walk:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn another_mount_shows_on_the_way_and_at_the_end() {
        let mounts = |root: &Root, path: &str| root.walk(Path::new(path)).unwrap().mounts;
        let host = Root::open(Path::new("/")).unwrap();
        assert_eq!(mounts(&host, "/proc"), [Path::new("/proc")]);
        assert_eq!(mounts(&host, "/proc/version"), [Path::new("/proc")]);
        let walk = host.walk(Path::new("/proc/version")).unwrap();
        assert_eq!(walk.up_to(Path::new("/proc")).unwrap().mounts, [Path::new("/proc")]);
        assert!(walk.up_to(Path::new("/")).unwrap().mounts.is_empty());
        let (folder, root) = root();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        symlink("/a/b", folder.path().join("c")).unwrap();
        assert!(mounts(&root, "/a/b").is_empty() && mounts(&root, "/c").is_empty());
        assert!(!MountId::is_known_same(None, None), "what is not known is another mount");
    }

    #[test]
    fn what_is_missing_is_named() {
        let (folder, root) = root();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        let walk = root.walk(Path::new("/a/b/c")).unwrap();
        assert_eq!(walk.stopped, Some(WalkEnd::Missing("/a/b".to_owned())));
        assert_eq!(walk.passed.len(), 2);
    }
}
