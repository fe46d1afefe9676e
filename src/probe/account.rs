//! Accounts of agents and jobs, with what they may do.

use crate::{
    Result,
    host::{AccountFacts, PathWalk, Tool},
    platform::{
        Os, accounts,
        fs::{Kind, Meta, Root, WalkEnd},
    },
    text::{inner, is_whole},
};
use std::path::{Path, PathBuf};

/// Most folders of a `PATH` that are looked into: an account may have named any number.
pub(super) const FOLDERS: usize = 64;

/// Programs that jobs need: docs/agents.md, Jobs.
const TOOLS: [&str; 5] = ["bash", "git", "gzip", "ssh", "tar"];

/// Where systemd has a service look for programs, unless it says otherwise.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is known of an account, but for what sudo lets it do; `None`: there is none of the name.
///
/// # Errors
/// When the accounts cannot be read.
pub(super) fn facts(root: &Root, name: &str) -> Result<Option<AccountFacts>> {
    let Some(account) = accounts::find(root, name)? else { return Ok(None) };
    let walk = |path: &Path| {
        root.walk(path).unwrap_or_else(|error| PathWalk {
            path: path.to_owned(),
            stopped: Some(WalkEnd::Other(error.message().to_owned())),
            ..PathWalk::default()
        })
    };
    Ok(Some(AccountFacts {
        name: name.to_owned(),
        id: account.id,
        groups: account.unix().map_or_else(Vec::new, |account| accounts::groups_of(root, &account)),
        home: walk(&account.home),
        shell: walk(&account.shell),
        ..AccountFacts::default()
    }))
}

/// Tells what stands at a path, as far as whoever named it could find out.
pub(super) type End<'a> = dyn Fn(&Path) -> Option<Meta> + 'a;

/// Where each program is found that jobs need.
pub(super) fn tools(end: &End<'_>, os: Os, path: Option<&str>) -> Vec<Tool> {
    if os == Os::Windows {
        return tools_of_windows(end, path.unwrap_or_default());
    }
    let folders: Vec<&str> = path
        .unwrap_or(PATH)
        .split(':')
        .filter(|part| part.starts_with('/'))
        .take(FOLDERS)
        .collect();
    let find = |folders: &[&str], name: &str| {
        folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| {
            end(path).is_some_and(|meta| meta.kind == Kind::File && meta.has_any(0o111))
        })
    };
    let usual: Vec<&str> = PATH.split(':').chain(OTHERS).collect();
    let tool = |name: &str| {
        let path = find(&folders, name);
        let elsewhere = if path.is_none() { find(&usual, name) } else { None };
        Tool { name: name.to_owned(), path, elsewhere }
    };
    TOOLS.into_iter().map(tool).collect()
}

/// Folders where programs are besides: of Homebrew and of snaps.
const OTHERS: [&str; 2] = ["/opt/homebrew/bin", "/snap/bin"];

/// The same where a path has drives and programs have endings; of what is documented there.
fn tools_of_windows(end: &End<'_>, path: &str) -> Vec<Tool> {
    let folders = path.split(';').map(|part| part.trim().trim_matches('"')).map(|folder| {
        match folder.get(..12).filter(|folder| folder.eq_ignore_ascii_case("%systemroot%")) {
            Some(_) => inner(&format!("C:\\Windows{}", folder.split_at(12).1)),
            None => inner(folder),
        }
    });
    let folders: Vec<_> = folders.filter(|folder| is_whole(folder)).take(FOLDERS).collect();
    let find = |name: &str| {
        let ends = ["exe", "cmd", "bat", "com"].map(|end| format!("{name}.{end}"));
        let all = folders.iter().flat_map(|folder| ends.iter().map(|name| folder.join(name)));
        let stands = |path: &PathBuf| end(path).is_some_and(|end| end.kind == Kind::File);
        all.into_iter().find(stands)
    };
    let tool = |name: &str| Tool { name: name.to_owned(), path: find(name), elsewhere: None };
    ["git", "gzip"].map(tool).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_of_windows_are_found_by_its_own_path() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        };
        write("Program Files/Git/cmd/git.exe");
        write("Windows/System32/gzip");
        let root = Root::open(folder.path()).unwrap();
        let path = r"%SystemRoot%\system32;C:\Program Files\Git\cmd;;relative";
        let end = |path: &Path| root.walk(path).ok()?.end;
        let found = tools(&end, Os::Windows, Some(path));
        let tools: Vec<_> =
            found.iter().map(|tool| (tool.name.as_str(), tool.path.is_some())).collect();
        assert_eq!(tools, [("git", true), ("gzip", false)]);
    }
}
