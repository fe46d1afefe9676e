//! The tools that make and remove accounts: `useradd` where there is one, else `adduser`, which
//! is BusyBox's own (Debian's `adduser` always comes with `useradd`).

use crate::{
    Code, Error, Result,
    platform::command::{Call, Commands},
    text::shown,
};
use std::path::Path;

/// The exit code of `userdel` for an account that a process still uses.
pub const IS_BUSY: i32 = 8;

/// The call that creates an account with a home, a real shell and no password.
///
/// `image` is the root of a mounted image; only `useradd` knows how to work in one. `group` is
/// set when a group of the account's name is there already.
pub fn create(
    commands: &dyn Commands,
    name: &str,
    home: &Path,
    shell: &Path,
    group: bool,
    image: Option<&Path>,
) -> Result<Call> {
    let (home, shell) = (shown(home), shown(shell));
    let mut args: Vec<String> = Vec::new();
    if commands.find("useradd").is_some() {
        if let Some(image) = image {
            args.extend(["--prefix".to_owned(), shown(image)]);
        }
        let own = if group { ["--gid", name] } else { ["--user-group", "--create-home"] };
        args.extend(own.map(str::to_owned));
        if group {
            args.push("--create-home".to_owned());
        }
        args.extend(["--home-dir".to_owned(), home, "--shell".to_owned(), shell]);
        args.extend(["--comment".to_owned(), "CircleCI runner".to_owned(), name.to_owned()]);
        return Ok(Call::new("useradd", args));
    }
    if image.is_none() && commands.find("adduser").is_some() {
        // BusyBox: -D sets no password, which its shadow file keeps as a locked account.
        args.extend(["-D", "-h"].map(str::to_owned));
        args.extend([home, "-s".to_owned(), shell]);
        if group {
            args.extend(["-G".to_owned(), name.to_owned()]);
        }
        args.push(name.to_owned());
        return Ok(Call::new("adduser", args));
    }
    Err(Error::new(Code::ToolMissing, format!("no tool can create the account {name}"))
        .help("install the package that has `useradd` (Debian: passwd; Fedora: shadow-utils)")
        .help("or create the account yourself and give --no-create-user"))
}

/// The call that removes an account, and never its home: the system's tools remove that with all
/// that is mounted in it.
pub fn remove(commands: &dyn Commands, name: &str, image: Option<&Path>) -> Result<Call> {
    let mut args: Vec<String> = Vec::new();
    if commands.find("userdel").is_some() {
        if let Some(image) = image {
            args.extend(["--prefix".to_owned(), shown(image)]);
        }
        args.push(name.to_owned());
        return Ok(Call::new("userdel", args));
    }
    // It knows nothing of images: it would remove the account of this host.
    if image.is_none() && commands.find("deluser").is_some() {
        args.push(name.to_owned());
        return Ok(Call::new("deluser", args));
    }
    Err(Error::new(Code::ToolMissing, format!("no tool can remove the account {name}"))
        .help("install the package that has `userdel` (Debian: passwd; Fedora: shadow-utils)"))
}

/// The call that creates a group with this number.
pub fn create_group(
    commands: &dyn Commands,
    name: &str,
    gid: u32,
    image: Option<&Path>,
) -> Result<Call> {
    let (gid, name) = (gid.to_string(), name.to_owned());
    if commands.find("groupadd").is_some() {
        let mut args = Vec::new();
        if let Some(image) = image {
            args.extend(["--prefix".to_owned(), shown(image)]);
        }
        args.extend(["--gid".to_owned(), gid, name]);
        return Ok(Call::new("groupadd", args));
    }
    if image.is_none() && commands.find("addgroup").is_some() {
        return Ok(Call::new("addgroup", ["-g".to_owned(), gid, name]));
    }
    Err(Error::new(Code::ToolMissing, format!("no tool can create the group {name}"))
        .help("install the package that has `groupadd` (Debian: passwd; Fedora: shadow-utils)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::{Answer, typed};
    use std::path::PathBuf;

    /// A host with just these programs.
    struct Has(&'static [&'static str]);

    impl Commands for Has {
        fn find(&self, program: &str) -> Option<PathBuf> {
            self.0.contains(&program).then(|| program.into())
        }

        fn answer(&self, _call: &Call) -> Result<Answer> {
            unreachable!("these tests only look at calls")
        }
    }

    fn made(has: &'static [&'static str], group: bool, image: Option<&Path>) -> Result<String> {
        let (home, shell) = (Path::new("/home/ci"), Path::new("/bin/bash"));
        create(&Has(has), "ci", home, shell, group, image).map(|call| typed(&call))
    }

    #[test]
    fn each_system_has_its_own_words() {
        assert_eq!(
            made(&["useradd", "adduser"], false, None).unwrap(),
            "useradd --user-group --create-home --home-dir /home/ci --shell /bin/bash \
             --comment 'CircleCI runner' ci"
        );
        assert_eq!(
            made(&["useradd"], true, Some(Path::new("/mnt"))).unwrap(),
            "useradd --prefix /mnt --gid ci --create-home --home-dir /home/ci --shell /bin/bash \
             --comment 'CircleCI runner' ci"
        );
        assert_eq!(
            made(&["adduser"], true, None).unwrap(),
            "adduser -D -h /home/ci -s /bin/bash -G ci ci"
        );
        assert_eq!(made(&[], false, None).unwrap_err().code(), Code::ToolMissing);
    }

    #[test]
    fn a_group_is_made_with_its_number() {
        let made = |has, image| typed(&create_group(&Has(has), "ci", 55, image).unwrap());
        assert_eq!(made(&["groupadd", "addgroup"], None), "groupadd --gid 55 ci");
        assert_eq!(
            made(&["groupadd"], Some(Path::new("/mnt"))),
            "groupadd --prefix /mnt --gid 55 ci"
        );
        assert_eq!(made(&["addgroup"], None), "addgroup -g 55 ci");
        let in_image = create_group(&Has(&["addgroup"]), "ci", 55, Some(Path::new("/mnt")));
        assert_eq!(in_image.unwrap_err().code(), Code::ToolMissing);
    }

    #[test]
    fn no_tool_is_told_to_remove_the_home() {
        let removed = |has, image| typed(&remove(&Has(has), "ci", image).unwrap());
        assert_eq!(removed(&["userdel"], None), "userdel ci");
        assert_eq!(removed(&["userdel"], Some(Path::new("/mnt"))), "userdel --prefix /mnt ci");
        assert_eq!(removed(&["deluser"], None), "deluser ci");
        let in_image = remove(&Has(&["deluser"]), "ci", Some(Path::new("/mnt")));
        assert_eq!(in_image.unwrap_err().code(), Code::ToolMissing);
    }
}
