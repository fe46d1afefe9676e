//! Walks to a path and notes everything on the way.

use super::{
    Root, is_trusted, link_target, meta, mount::MountId, names, open_folder, root::LINK_LIMIT,
    trouble,
};
use crate::{
    Result,
    platform::fs::{Kind, Passed, Provenance, Trail, WalkEnd},
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
    pub fn trail(&self, path: &Path) -> Result<Trail> {
        let mut trail = self.walk(path)?;
        trail.note_grounds();
        Ok(trail)
    }

    fn walk(&self, path: &Path) -> Result<Trail> {
        let mut trail = Trail { path: path.to_owned(), ..Trail::default() };
        let mut ahead = names(path, Vec::new())?;
        let mut folder = self.duplicate(path)?;
        let mut trusted = is_trusted(&folder, path)?;
        let mut mount = MountId::of(&folder).ok();
        let mut walked: Vec<OsString> = Vec::new();
        let mut links = 0;
        self.pass(&mut trail, &folder, Path::new("/"))?;
        while let Some(next) = ahead.pop_front() {
            let here = walked.iter().fold(PathBuf::from("/"), |path, name| path.join(name));
            let here = here.join(&next);
            let stat = match fs::statat(&folder, &next, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => meta(&stat),
                Err(Errno::NOENT) => {
                    trail.stopped = Some(WalkEnd::missing(&here));
                    return Ok(trail);
                }
                Err(errno) => return Err(trouble("look at", &here, errno)),
            };
            let is_last = ahead.is_empty();
            match stat.kind {
                Kind::Link if !trusted || links == LINK_LIMIT => {
                    let shown = here.display().to_string();
                    trail.stopped = Some(match trusted {
                        true => WalkEnd::LinkCircle(shown),
                        false => WalkEnd::LinkOfOthers(shown),
                    });
                    trail.end = is_last.then_some(stat);
                    trail.real = here;
                    return Ok(trail);
                }
                Kind::Link => {
                    links += 1;
                    trail.passed.push(Passed {
                        path: here,
                        meta: stat,
                        has_list: false,
                        ground: Provenance::Anybody,
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
                        trail.end = trail.passed.first().map(|passed| passed.meta);
                        trail.real = PathBuf::from("/");
                    }
                }
                _ if is_last => {
                    if !MountId::is_known_same(mount, MountId::at(&folder, &next).ok()) {
                        trail.mounts.push(here.clone());
                    }
                    trail.end = Some(stat);
                    trail.real = here;
                }
                Kind::Folder => {
                    let inner = open_folder(&folder, &next)
                        .map_err(|errno| trouble("look into", &here, errno))?;
                    if let Err(error) = self.reach.admit(&inner, &here) {
                        trail.stopped = Some(WalkEnd::Other(error.sentence().to_owned()));
                        return Ok(trail);
                    }
                    self.pass(&mut trail, &inner, &here)?;
                    let inner_mount = MountId::of(&inner).ok();
                    if !MountId::is_known_same(mount, inner_mount) {
                        trail.mounts.push(here);
                    }
                    mount = inner_mount;
                    trusted = trusted && is_trusted(&inner, path)?;
                    folder = inner;
                    walked.push(next);
                }
                Kind::File | Kind::Special => {
                    let shown = here.display().to_string();
                    trail.stopped = Some(WalkEnd::NoFolder(shown, stat.kind));
                    return Ok(trail);
                }
            }
        }
        Ok(trail)
    }

    fn pass(&self, trail: &mut Trail, folder: &OwnedFd, path: &Path) -> Result<()> {
        let stat = fs::fstat(folder).map_err(|errno| trouble("look at", path, errno))?;
        // A folder that may not be read says nothing of its list.
        let has_list =
            fs::fgetxattr(folder, ACCESS_LIST, &mut [0_u8; 0][..]).is_ok_and(|size| size > 0);
        let known = |passed: &Passed| passed.path == path;
        if !trail.passed.iter().any(known) {
            trail.passed.push(Passed {
                path: path.to_owned(),
                meta: meta(&stat),
                has_list,
                ground: Provenance::Anybody,
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
        let trail = root.trail(Path::new("/opt/link/file")).unwrap();
        let passed: Vec<_> =
            trail.passed.iter().map(|passed| passed.path.display().to_string()).collect();
        assert_eq!(passed, ["/", "/opt", "/opt/link", "/opt/real"]);
        assert_eq!(trail.real, Path::new("/opt/real/file"));
        assert!(trail.is(Kind::File) && trail.stopped.is_none());
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
        let last = root.trail(Path::new("/open/way")).unwrap();
        assert!(last.is(Kind::Link) && last.stopped.is_some());
        let on = root.trail(Path::new("/open/way/passwd")).unwrap();
        assert!(on.end.is_none() && on.why().contains("not followed"));
    }

    #[test]
    fn a_circle_of_links_ends() {
        let (folder, root) = root();
        symlink("b", folder.path().join("a")).unwrap();
        symlink("a", folder.path().join("b")).unwrap();
        let trail = root.trail(Path::new("/a")).unwrap();
        assert!(trail.why().contains("circle"));
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
            let trail = root.trail(Path::new("/file")).unwrap();
            assert_eq!(trail.changed_by().is_root(), expected, "{granted}: {trail:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn another_mount_shows_on_the_way_and_at_the_end() {
        let mounts = |root: &Root, path: &str| root.trail(Path::new(path)).unwrap().mounts;
        let host = Root::open(Path::new("/")).unwrap();
        assert_eq!(mounts(&host, "/proc"), [Path::new("/proc")]);
        assert_eq!(mounts(&host, "/proc/version"), [Path::new("/proc")]);
        let trail = host.trail(Path::new("/proc/version")).unwrap();
        assert_eq!(trail.up_to(Path::new("/proc")).unwrap().mounts, [Path::new("/proc")]);
        assert!(trail.up_to(Path::new("/")).unwrap().mounts.is_empty());
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
        let trail = root.trail(Path::new("/a/b/c")).unwrap();
        assert_eq!(trail.stopped, Some(WalkEnd::Missing("/a/b".to_owned())));
        assert_eq!(trail.passed.len(), 2);
    }
}
