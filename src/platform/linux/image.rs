//! Whether the account tools of this host stay inside a mounted image.
//!
//! `useradd --prefix DIR` writes `DIR/etc/passwd` by the host's rules: an absolute link or a `..`
//! in the image, harmless once it is booted, leads to files of this host. So every path that the
//! tools touch is walked first, and an image that leads out is refused, as is one that another
//! account could change between this walk and the tool.
//!
//! A tool of the image's own, run in a `chroot`, would not be led out, but is a program of whoever
//! made the image, may be for another processor, and as root is not kept in by `chroot` at all.

use crate::{
    Code, Error, Help, Result,
    platform::fs::{Kind, PathWalk, Root},
    text::shown,
};
use std::{
    io::Read,
    path::{Component, Path, PathBuf},
};

/// The image's own folder, as a tool sees it that was started there: bound to the folder that
/// was walked, whatever becomes of its name.
pub const STARTED_THERE: &str = "/proc/self/cwd";

/// Databases in `/etc`, which have copies, locks and temporaries beside them.
const DATABASES: [&str; 6] = ["passwd", "shadow", "group", "gshadow", "subuid", "subgid"];

/// Files in which the tools are told of further places, and folders of such files.
const SETTINGS: [&str; 4] =
    ["/etc/login.defs", "/etc/default/useradd", "/usr/etc/login.defs", "/usr/etc/default/useradd"];
const SETTINGS_FOLDERS: [&str; 2] = ["/etc/login.defs.d", "/usr/etc/login.defs.d"];

/// Keys there whose value is a folder that is copied from.
const COPIED: [&str; 2] = ["SKEL", "USRSKEL"];

/// The key there whose value is the folder of mailboxes.
const MAILBOXES: &str = "MAIL_DIR";

/// Most bytes of such a file; Debian's has 13,000.
const LIMIT: u64 = 256 * 1024;

/// Refuses an image in which the tools, making or removing this account, could be led out.
///
/// # Errors
/// [`Code::UntrustedPath`] with the place.
pub fn refuse_led_out(root: &Root, account: &str, home: &Path) -> Result<()> {
    let image = Image(root);
    root.admit_changes()?;
    if !is_one_name(account) {
        return Err(image.refused(home, &format!("{account:?} is no name of an account")));
    }
    image.stays_inside(home)?;
    for folder in ["/etc/skel", "/usr/etc/skel"] {
        image.can_be_copied(Path::new(folder))?;
    }
    for folder in ["/var/mail", "/var/spool/mail"] {
        image.stays_inside(Path::new(folder))?;
    }
    image.databases()?;
    image.settings()
}

/// A name that is neither a path nor an option.
fn is_one_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let is_one = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    is_one && !name.starts_with('-') && !name.ends_with('/')
}

struct Image<'a>(&'a Root);

impl Image<'_> {
    /// Walks to a path, as far as it goes; it must be the same way for the host.
    fn stays_inside(&self, path: &Path) -> Result<PathWalk> {
        if path.components().any(|part| part == Component::ParentDir) {
            return Err(self.refused(path, "a `..` in it would lead out of the image"));
        }
        let walk = self.0.walk(path)?;
        for link in walk.passed.iter().filter(|passed| passed.meta.kind == Kind::Link) {
            self.stays_inside_as_link(&link.path)?;
        }
        if let Some(why) =
            walk.stopped.as_ref().filter(|_| walk.end.is_some_and(|end| end.kind == Kind::Link))
        {
            return Err(self.refused(path, &why.to_string()));
        }
        if !walk.replaceable_by.is_root() {
            let why = "others than root can change a folder on the way to it";
            return Err(self.refused(path, why));
        }
        Ok(walk)
    }

    /// What is relative and does not go above the root, as the walk has seen, is the same for the
    /// host; an absolute target begins at the host's own root.
    fn stays_inside_as_link(&self, link: &Path) -> Result<()> {
        let Some(spot) = self.0.find(link)? else { return Ok(()) };
        let target = spot.link_target()?;
        match target.is_relative() {
            true => Ok(()),
            false => {
                Err(self.refused(link, &format!("it is a link to {} of this host", shown(target))))
            }
        }
    }

    /// A folder whose content becomes part of a home.
    fn can_be_copied(&self, path: &Path) -> Result<()> {
        let walk = self.stays_inside(path)?;
        match walk.end {
            Some(_) if !walk.changed_by().is_root() => {
                Err(self.refused(path, "others than root can change it"))
            }
            _ => Ok(()),
        }
    }

    /// The databases are files, and so is whatever stands where the tools make files beside them.
    fn databases(&self) -> Result<()> {
        let etc = Path::new("/etc");
        self.stays_inside(&etc.join("passwd"))?;
        let Some(spot) = self.0.find(etc)? else { return Ok(()) };
        for name in spot.list()? {
            let text = name.to_string_lossy();
            let is_beside = |database: &str| {
                let rest = text.strip_prefix(database);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '+', '.']))
            };
            if DATABASES.into_iter().any(is_beside) {
                self.is_plain_file(&etc.join(&name))?;
            }
        }
        Ok(())
    }

    fn is_plain_file(&self, path: &Path) -> Result<()> {
        match self.0.metadata(path)? {
            Some(meta) if meta.kind != Kind::File => {
                Err(self.refused(path, &format!("it is {}, not {}", meta.kind, Kind::File)))
            }
            // A lock is opened by its name, whatever else has the same content.
            Some(meta) if meta.links > 1 && path.extension().is_some() => {
                Err(self.refused(path, "it has a second name elsewhere"))
            }
            _ => Ok(()),
        }
    }

    fn settings(&self) -> Result<()> {
        let mut files: Vec<PathBuf> = SETTINGS.map(PathBuf::from).to_vec();
        for folder in SETTINGS_FOLDERS.map(Path::new) {
            let real = self.stays_inside(folder)?.real;
            if let Some(spot) = self.0.find(folder)?.filter(|_| real == folder) {
                files.extend(spot.list()?.into_iter().map(|name| folder.join(name)));
            }
        }
        for file in files {
            let walk = self.stays_inside(&file)?;
            if walk.end.is_none() {
                continue;
            }
            for (key, value) in assignments(&self.read(&walk)?) {
                if COPIED.contains(&key) {
                    self.can_be_copied(Path::new(value))?;
                } else if key == MAILBOXES {
                    self.stays_inside(Path::new(value))?;
                }
            }
        }
        Ok(())
    }

    fn read(&self, walk: &PathWalk) -> Result<String> {
        let Some(spot) = self.0.find(&walk.real)? else { return Ok(String::new()) };
        let mut bytes = Vec::new();
        let read = spot.read()?.0.take(LIMIT + 1).read_to_end(&mut bytes);
        match read {
            Ok(_) if bytes.len() as u64 <= LIMIT => {
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            Ok(_) => Err(self.refused(&walk.path, "it is too large to be looked through")),
            Err(error) => Err(self.refused(&walk.path, &error.to_string())),
        }
    }

    fn refused(&self, path: &Path, why: &str) -> Error {
        let outside = shown(self.0.outside(path));
        Error::new(
            Code::UntrustedPath,
            format!("the tools of this host cannot work safely in the image: {outside}: {why}"),
        )
        .help(Help::way(Path::new(&outside)))
        .help("or make the account in the image yourself, and give --no-create-user")
    }
}

/// `KEY value` and `KEY=value` of lines that are no comments.
fn assignments(text: &str) -> Vec<(&str, &str)> {
    let is_between = |c: char| c.is_whitespace() || c == '=';
    let quotes = |c: char| c.is_whitespace() || matches!(c, '=' | '"' | '\'');
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(is_between))
        .map(|(key, value)| (key, value.trim_matches(quotes)))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::platform::fs::empty_root;
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt, symlink},
    };

    /// As images of distributions are, with relative links where those have them.
    fn image() -> (tempfile::TempDir, Root) {
        let (folder, root) = empty_root();
        let at = |path: &str| folder.path().join(path);
        for made in ["etc/default", "etc/skel", "home", "var/mail", "var/spool", "usr/bin"] {
            fs::create_dir_all(at(made)).unwrap();
        }
        for database in DATABASES {
            fs::write(at("etc").join(database), "").unwrap();
        }
        fs::write(at("etc/login.defs"), "# SKEL ../x\nMAIL_DIR  /var/mail\nUMASK 022\n").unwrap();
        fs::write(at("etc/default/useradd"), "SHELL=/bin/sh\nSKEL=\"/etc/skel\"\n").unwrap();
        symlink("../mail", at("var/spool/mail")).unwrap();
        symlink("usr/bin", at("bin")).unwrap();
        (folder, root)
    }

    fn judged(root: &Root) -> Result<()> {
        refuse_led_out(root, "circleci", Path::new("/home/circleci"))
    }

    #[test]
    fn an_image_as_distributions_make_it_is_let_through() {
        let (folder, root) = image();
        judged(&root).unwrap();
        fs::rename(folder.path().join("home"), folder.path().join("var/home")).unwrap();
        symlink("var/home", folder.path().join("home")).unwrap();
        judged(&root).unwrap();
    }

    #[test]
    fn whatever_leads_out_is_refused() {
        type Change = fn(&Path);
        let changes: [(&str, Change); 12] = [
            ("etc", |at| {
                fs::create_dir_all(at.join("proc/self/root")).unwrap();
                fs::rename(at.join("etc"), at.join("proc/self/root/etc")).unwrap();
                symlink("/proc/self/root/etc", at.join("etc")).unwrap();
            }),
            ("home", |at| {
                fs::create_dir_all(at.join("proc/self/root/home")).unwrap();
                fs::remove_dir(at.join("home")).unwrap();
                symlink("/proc/self/root/home", at.join("home")).unwrap();
            }),
            ("home/circleci", |at| symlink("/root", at.join("home/circleci")).unwrap()),
            ("etc/shadow", |at| {
                fs::remove_file(at.join("etc/shadow")).unwrap();
                symlink("/etc/shadow", at.join("etc/shadow")).unwrap();
            }),
            ("etc/passwd.4711", |at| symlink("/etc/passwd", at.join("etc/passwd.4711")).unwrap()),
            ("etc/group.lock", |at| {
                fs::hard_link(at.join("etc/group"), at.join("etc/group.lock")).unwrap();
            }),
            ("etc/skel", |at| {
                fs::remove_dir(at.join("etc/skel")).unwrap();
                symlink("/root", at.join("etc/skel")).unwrap();
            }),
            ("etc/login.defs", |at| {
                fs::remove_file(at.join("etc/login.defs")).unwrap();
                symlink("/etc/login.defs", at.join("etc/login.defs")).unwrap();
            }),
            ("..", |at| {
                fs::write(at.join("etc/login.defs"), "MAIL_DIR\t/../../etc/cron.d\n").unwrap();
            }),
            ("..", |at| fs::write(at.join("etc/default/useradd"), "SKEL=/../../root\n").unwrap()),
            ("var/mail", |at| {
                fs::remove_dir(at.join("var/mail")).unwrap();
                symlink("/etc/cron.d", at.join("var/mail")).unwrap();
            }),
            ("home", |at| {
                fs::set_permissions(at.join("home"), Permissions::from_mode(0o777)).unwrap();
            }),
        ];
        for (place, change) in changes {
            let (folder, root) = image();
            change(folder.path());
            let error = judged(&root).unwrap_err();
            assert_eq!(error.code(), Code::UntrustedPath, "{place}: {error}");
            assert!(error.message().contains(place), "{place}: {error}");
        }
    }

    #[test]
    fn a_home_or_a_name_that_leads_out_is_refused() {
        let (_folder, root) = image();
        for (name, home) in [
            ("circleci", "/../../home/victim"),
            ("circleci", "/home/../../victim"),
            ("../victim", "/home/circleci"),
            ("--root=x", "/home/circleci"),
            ("", "/home/circleci"),
        ] {
            let error = refuse_led_out(&root, name, Path::new(home)).unwrap_err();
            assert_eq!(error.code(), Code::UntrustedPath, "{name} {home}: {error}");
        }
    }

    #[test]
    fn an_image_below_a_folder_of_others_is_refused() {
        let (folder, root) = image();
        let open = folder.path().join("home");
        for (mode, expected) in [(0o755, true), (0o1777, true), (0o777, false), (0o775, false)] {
            let inner = open.join("image");
            fs::create_dir_all(&inner).unwrap();
            fs::set_permissions(&open, Permissions::from_mode(mode)).unwrap();
            assert_eq!(
                Root::open(&inner).unwrap().is_closed_above().unwrap(),
                expected,
                "{mode:o}"
            );
        }
        drop(root);
    }
}
