//! Accounts and groups: by the host's own name service, or by the files of a mounted image.

use crate::{
    Code, Error, Help, Result,
    platform::fs::{Meta, Root},
};
use serde::{Deserialize, Serialize};
use std::{
    io::Read,
    ops::Range,
    path::{Path, PathBuf},
};

/// Most bytes of a list of accounts, groups or numbers that are read.
const SIZE_LIMIT: u64 = 4 << 20;

/// An account of the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What the system knows it by.
    #[serde(flatten)]
    pub id: AccountId,
    /// Its home.
    pub home: PathBuf,
    /// Its login shell.
    pub shell: PathBuf,
}

/// What a system knows an account by.
///
/// Without numbers nothing belongs to it, and it is not root: so is one of which nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AccountId {
    /// Its number, and that of its main group.
    Unix {
        /// Its number.
        uid: u32,
        /// Its main group's number.
        gid: u32,
    },
    /// Its name: Windows has no numbers, and a number of 0 would be root's.
    Windows {},
}

/// An account that has numbers: what belongs to it, and what acts as it, is found by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnixAccount {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its main group's number.
    pub gid: u32,
}

impl AccountId {
    /// Its number, where it has one.
    pub fn uid(self) -> Option<u32> {
        match self {
            Self::Unix { uid, .. } => Some(uid),
            Self::Windows {} => None,
        }
    }

    /// Its main group's number, where it has one.
    pub fn gid(self) -> Option<u32> {
        match self {
            Self::Unix { gid, .. } => Some(gid),
            Self::Windows {} => None,
        }
    }
}

impl Default for AccountId {
    fn default() -> Self {
        Self::Windows {}
    }
}

impl Account {
    /// The account with its numbers, where it has any.
    pub fn unix(&self) -> Option<UnixAccount> {
        match self.id {
            AccountId::Unix { uid, gid } => Some(UnixAccount { name: self.name.clone(), uid, gid }),
            AccountId::Windows {} => None,
        }
    }

    /// Its number, where it has one.
    pub fn uid(&self) -> Option<u32> {
        self.id.uid()
    }
}

/// Finds the account called `name`.
pub fn find(root: &Root, name: &str) -> Result<Option<Account>> {
    if root.is_host() {
        return Ok(of_host(name));
    }
    let text = read(root, Path::new("/etc/passwd"))?.unwrap_or_default();
    Ok(text.lines().filter_map(parse).find(|account| account.name == name))
}

/// Finds the account with a number.
pub fn by_number(root: &Root, uid: u32) -> Option<Account> {
    if root.is_host() {
        return find(root, &name_of(uid)?).ok().flatten();
    }
    let text = read(root, Path::new("/etc/passwd")).ok().flatten()?;
    text.lines().filter_map(parse).find(|account| account.uid() == Some(uid))
}

/// Whether an account has this number.
pub fn is_used(root: &Root, uid: u32) -> Result<bool> {
    if root.is_host() {
        return Ok(name_of(uid).is_some());
    }
    let text = read(root, Path::new("/etc/passwd"))?.unwrap_or_default();
    Ok(text.lines().filter_map(parse).any(|account| account.uid() == Some(uid)))
}

/// The name of another account with the number of `account`: what belongs to one belongs to both.
///
/// # Errors
/// When the list of accounts cannot be read.
pub fn twin(root: &Root, account: &UnixAccount) -> Result<Option<String>> {
    let is_twin = |other: &Account| other.uid() == Some(account.uid) && other.name != account.name;
    if let Some(first) = by_number(root, account.uid).filter(is_twin) {
        return Ok(Some(first.name));
    }
    // A look-up by number finds one of them, which may be the account itself.
    let text = read(root, Path::new("/etc/passwd"))?.unwrap_or_default();
    Ok(text.lines().filter_map(parse).find(is_twin).map(|other| other.name))
}

/// The number of the group called `name`.
pub fn group(root: &Root, name: &str) -> Result<Option<u32>> {
    if root.is_host() {
        return Ok(group_of_host(name));
    }
    let text = read(root, Path::new("/etc/group"))?.unwrap_or_default();
    Ok(text.lines().filter_map(Group::parse).find(|line| line.name == name).map(|line| line.gid))
}

/// Numbers and names of every group that an account is in.
pub fn groups_of(root: &Root, account: &UnixAccount) -> Vec<(u32, String)> {
    let UnixAccount { name, gid, .. } = account;
    if root.is_host() {
        return groups_of_host(name, *gid);
    }
    let text = read(root, Path::new("/etc/group")).ok().flatten().unwrap_or_default();
    let groups = text.lines().filter_map(Group::parse);
    let entry =
        groups.filter(|group| group.gid == *gid || group.members().any(|member| member == name));
    entry.map(|entry| (entry.gid, entry.name.to_owned())).collect()
}

/// Whether the main group of `account` is its own, and nobody else's: it has the account's name, and
/// no other account is in it.
///
/// # Errors
/// When the lists of accounts cannot be read.
pub fn has_own_group(root: &Root, account: &UnixAccount) -> Result<bool> {
    let text = read(root, Path::new("/etc/group"))?.unwrap_or_default();
    let is_own = |group: &Group<'_>| {
        group.name == account.name && group.members().all(|member| member == account.name)
    };
    let groups = text.lines().filter_map(Group::parse).filter(|group| group.gid == account.gid);
    let of_number: Vec<bool> = groups.map(|group| is_own(&group)).collect();
    let accounts = read(root, Path::new("/etc/passwd"))?.unwrap_or_default();
    let is_other = |other: UnixAccount| other.gid == account.gid && other.name != account.name;
    Ok(of_number == [true]
        && !accounts.lines().filter_map(|line| parse(line)?.unix()).any(is_other))
}

/// The numbers that `account` may give to processes in a user namespace: none where another than
/// root could have written the list.
///
/// # Errors
/// When the list cannot be read.
pub fn subordinate(root: &Root, account: &UnixAccount) -> Result<Vec<Range<u32>>> {
    let path = Path::new("/etc/subuid");
    let is_roots = |meta: Meta| meta.is_of(0) && meta.has_none(0o022);
    match root.find(path)? {
        Some(spot) if spot.is_trusted() && spot.metadata()?.is_some_and(is_roots) => {
            Ok(ranges(&read(root, path)?.unwrap_or_default(), account))
        }
        _ => Ok(Vec::new()),
    }
}

/// An entry names the account, or has its number.
fn ranges(list: &str, account: &UnixAccount) -> Vec<Range<u32>> {
    let uid = account.uid.to_string();
    let range = |line: &str| {
        let mut fields = line.split(':');
        fields.next().filter(|whose| *whose == account.name || *whose == uid)?;
        let start: u32 = fields.next()?.trim().parse().ok()?;
        let count: u32 = fields.next()?.trim().parse().ok()?;
        Some(start..start.saturating_add(count))
    };
    list.lines().filter_map(range).collect()
}

/// Whether the root can hold accounts: the host can, and an image with a `passwd` file.
pub fn are_kept(root: &Root) -> Result<bool> {
    Ok(root.is_host() || root.metadata(Path::new("/etc/passwd"))?.is_some())
}

#[cfg(unix)]
fn of_host(name: &str) -> Option<Account> {
    use uzers::os::unix::UserExt;
    let user = uzers::get_user_by_name(name)?;
    Some(Account {
        name: name.to_owned(),
        id: AccountId::Unix { uid: user.uid(), gid: user.primary_group_id() },
        home: user.home_dir().to_owned(),
        shell: user.shell().to_owned(),
    })
}

/// The name of the account with this number.
#[cfg(unix)]
pub fn name_of(uid: u32) -> Option<String> {
    uzers::get_user_by_uid(uid).map(|user| user.name().to_string_lossy().into_owned())
}

/// Accounts of Windows have no numbers.
#[cfg(windows)]
pub fn name_of(_uid: u32) -> Option<String> {
    None
}

#[cfg(unix)]
fn group_of_host(name: &str) -> Option<u32> {
    uzers::get_group_by_name(name).map(|group| group.gid())
}

#[cfg(unix)]
fn groups_of_host(name: &str, gid: u32) -> Vec<(u32, String)> {
    let groups = uzers::get_user_groups(name, gid).unwrap_or_default();
    groups.iter().map(|group| (group.gid(), group.name().to_string_lossy().into_owned())).collect()
}

/// Windows says by its exit code whether there is one of the name; numbers mean nothing there.
#[cfg(windows)]
fn of_host(name: &str) -> Option<Account> {
    use super::command::{Call, Commands, HostCommands};
    let answer = HostCommands.answer(&Call::new("net", ["user", name])).ok()?;
    (answer.code == Some(0)).then(|| Account {
        name: name.to_owned(),
        id: AccountId::Windows {},
        home: super::paths::home(crate::platform::Os::Windows, name),
        shell: PathBuf::from("C:/Windows/System32/cmd.exe"),
    })
}

#[cfg(windows)]
fn group_of_host(_name: &str) -> Option<u32> {
    None
}

#[cfg(windows)]
fn groups_of_host(_name: &str, _gid: u32) -> Vec<(u32, String)> {
    Vec::new()
}

/// A database of accounts; `None`: there is none.
///
/// # Errors
/// When it cannot be read whole: nothing is known then, and not that there is no account.
fn read(root: &Root, path: &Path) -> Result<Option<String>> {
    let spot = match root.find(path)? {
        Some(spot) if spot.metadata()?.is_some() => spot,
        _ => return Ok(None),
    };
    let refused = |why: String| {
        let outside = spot.outside().display();
        Err(Error::new(Code::StepFailed, format!("the accounts in {outside} are not known: {why}"))
            .help(Help::inspect("ls -l", spot.outside())))
    };
    let mut bytes = Vec::new();
    match spot.read()?.0.take(SIZE_LIMIT + 1).read_to_end(&mut bytes) {
        Err(error) => refused(error.to_string()),
        Ok(_) if bytes.len() as u64 > SIZE_LIMIT => {
            refused(format!("the file has more than {SIZE_LIMIT} bytes"))
        }
        Ok(_) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
    }
}

fn parse(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let mut next = || fields.next();
    let (name, _password) = (next()?, next()?);
    let id = match (next()?, next()?) {
        // A host of tests that stands for Windows keeps its accounts in such a file too.
        ("", "") if cfg!(test) => AccountId::Windows {},
        (uid, gid) => AccountId::Unix { uid: uid.parse().ok()?, gid: gid.parse().ok()? },
    };
    let (_comment, home, shell) = (next()?, next()?, next()?);
    Some(Account { name: name.to_owned(), id, home: home.into(), shell: shell.into() })
}

/// A line of the list of groups.
struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

impl<'a> Group<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let (name, _password) = (fields.next()?, fields.next()?);
        let gid = fields.next()?.parse().ok()?;
        Some(Self { name, gid, members: fields.next().unwrap_or_default() })
    }

    fn members(&self) -> impl Iterator<Item = &'a str> {
        self.members.split(',').map(str::trim).filter(|member| !member.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accounts_of_an_image_are_its_own() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        let passwd = "root:x:0:0::/root:/bin/sh\nbroken\nci:x:990:991:CI,,,:/home/ci:/bin/bash\n";
        std::fs::write(folder.path().join("etc/passwd"), passwd).unwrap();
        std::fs::write(folder.path().join("etc/group"), "docker:x:42:ci\n").unwrap();
        let root = Root::open(folder.path()).unwrap();
        let account = find(&root, "ci").unwrap().unwrap();
        assert_eq!(account.id, AccountId::Unix { uid: 990, gid: 991 });
        assert_eq!(account.home.to_str(), Some("/home/ci"));
        assert_eq!(find(&root, "broken").unwrap(), None);
        assert_eq!(group(&root, "docker").unwrap(), Some(42));
        assert_eq!(group(&root, "dock").unwrap(), None);
    }

    #[test]
    fn an_account_with_the_same_number_is_found_before_and_behind() {
        let (folder, root) = crate::platform::fs::empty_root();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        let line = |name: &str| format!("{name}:x:990:991::/home/{name}:/bin/sh\n");
        let twins =
            [("ci", "", None), ("first", "ci", Some("first")), ("ci", "other", Some("other"))];
        for (first, second, expected) in twins {
            let second = if second.is_empty() { String::new() } else { line(second) };
            std::fs::write(folder.path().join("etc/passwd"), line(first) + &second).unwrap();
            let account = find(&root, "ci").unwrap().unwrap();
            assert_eq!(twin(&root, &account.unix().unwrap()).unwrap().as_deref(), expected);
        }
    }

    #[test]
    #[cfg(unix)]
    fn accounts_that_cannot_be_read_are_not_none() {
        let (folder, root) = crate::platform::fs::empty_root();
        assert_eq!(find(&root, "ci").unwrap(), None, "there is no list");
        let etc = folder.path().join("etc");
        std::fs::create_dir(&etc).unwrap();
        let made = std::process::Command::new("mkfifo").arg(etc.join("passwd")).status();
        assert!(made.unwrap().success());
        find(&root, "ci").unwrap_err();
        std::fs::remove_file(etc.join("passwd")).unwrap();
        let file = std::fs::File::create(etc.join("passwd")).unwrap();
        file.set_len(SIZE_LIMIT).unwrap();
        assert_eq!(find(&root, "ci").unwrap(), None);
        file.set_len(8 << 30).unwrap();
        assert!(find(&root, "ci").unwrap_err().message().contains("not known"));
    }

    #[test]
    fn a_group_is_the_accounts_own_where_it_has_its_name_and_no_other_member() {
        let (folder, root) = crate::platform::fs::empty_root();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        let ci = "ci:x:990:991::/home/ci:/bin/sh\n";
        let is_own = |group: &str, more: &str| {
            std::fs::write(folder.path().join("etc/passwd"), format!("{ci}{more}")).unwrap();
            std::fs::write(folder.path().join("etc/group"), group).unwrap();
            has_own_group(&root, &parse(ci.trim()).unwrap().unix().unwrap()).unwrap()
        };
        assert!(is_own("x:x:1:ann\nci:x:991:\n", "") && is_own("ci:x:991:ci\n", ""));
        let other = "ann:x:1:991::/:/bin/sh\n";
        assert!(!is_own("ci:x:991:\n", other), "the main group of another account");
        for group in ["", "ci:x:992:\n", "users:x:991:\n", "ci:x:991:ci,ann\n"] {
            assert!(!is_own(group, ""), "{group}");
        }
        assert!(!is_own("ci:x:991:\nusers:x:991:\n", ""), "a second name");
    }

    #[test]
    fn subordinate_numbers_are_those_of_the_name_and_of_the_number() {
        let account = parse("ci:x:990:991::/home/ci:/bin/sh").unwrap().unix().unwrap();
        let list = "ci:165536:65536\ncid:1:9\n990:7:2\nci:x:1\nci:5\nci:4294967295:9\n:1:1\n";
        let expected = [165_536..231_072, 7..9, u32::MAX..u32::MAX];
        assert_eq!(ranges(list, &account), expected);
    }

    #[test]
    #[cfg(unix)]
    fn the_hosts_accounts_come_from_its_name_service() {
        let root = Root::open(Path::new("/")).unwrap();
        assert_eq!(find(&root, "root").unwrap().and_then(|account| account.uid()), Some(0));
        assert_eq!(find(&root, "no-such-account").unwrap(), None);
    }
}
