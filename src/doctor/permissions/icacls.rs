//! Access lists of Windows closed to others, in commands.

use crate::{
    doctor::{Command, Remedy},
    host::{AccountFacts, Grant, Install, PathRole, Rights, SYSTEM_SID, same},
    platform::fs::Kind,
    text::{inner, shown},
};
use std::path::Path;

/// Administrators and the system, for a file and for what is in a folder. The quotes are for PowerShell, which
/// evaluates what stands in brackets.
const OWNERS: &str = "/inheritance:r /grant:r *S-1-5-32-544:F *S-1-5-18:F";
const FOLDER_OWNERS: &str =
    "/inheritance:r /grant:r \"*S-1-5-32-544:(OI)(CI)F\" \"*S-1-5-18:(OI)(CI)F\"";

/// A path whose list is to be closed.
#[derive(Clone, Copy)]
pub(super) struct Closing<'a> {
    pub(super) install: &'a Install,
    pub(super) account: &'a AccountFacts,
    pub(super) path: &'a Path,
    pub(super) rights: &'a Rights,
    pub(super) kind: Kind,
}

impl Closing<'_> {
    /// With the commands that leave the path to administrators, the system and the agent's account.
    ///
    /// What inherits from a folder has nothing left where the folder's own list gives nothing to inherit;
    /// and a grant replaces only those of whom it names, so that others' are taken away first.
    pub(super) fn cure(self, remedy: Remedy, others: &[&Grant]) -> Remedy {
        let by = self.install.named_by;
        let is_folder = self.kind == Kind::Folder;
        let mut explicit = others.iter().filter(|other| !other.inherited).peekable();
        let remedy = match explicit.peek() {
            None => remedy,
            Some(_) => {
                let take = Command::fixed("icacls").path(self.path, by).then("/remove:g");
                let take = explicit.fold(take, |take, grant| take.sid(&grant.sid, "", by));
                remedy.command(take)
            }
        };
        let close = Command::fixed("icacls").path(self.path, by);
        let close = close.then(if is_folder { FOLDER_OWNERS } else { OWNERS });
        let close = self.granted(close, self.keeps_writing());
        let remedy = remedy.command(close);
        if !is_folder || !self.needs_rights() {
            return remedy;
        }
        // What the agent writes below a folder that it may only read.
        let below = self.install.paths.iter().filter(|named| named.role.is_written());
        let below = below.filter_map(|named| named.walk.ok().map(|walk| (named, walk)));
        below.filter(|(_, walk)| self.holds(&walk.path)).fold(remedy, |remedy, (named, walk)| {
            let right = match named.role {
                PathRole::LogFile => ":M",
                _ => ":(OI)(CI)M",
            };
            let grant = Command::fixed("icacls").path(&walk.path, named.named_by).then("/grant");
            let grant = self.to_account(grant, right);
            remedy.command(grant)
        })
    }

    /// Whether the account may write here by a right of its own: an agent that updates itself.
    fn keeps_writing(self) -> bool {
        let sid = self.account.sid.as_deref();
        self.rights.grants.iter().any(|grant| grant.write && Some(grant.sid.as_str()) == sid)
    }

    fn granted(self, command: Command, writes: bool) -> Command {
        let right = match (self.kind == Kind::Folder, writes) {
            (true, true) => ":(OI)(CI)M",
            (true, false) => ":(OI)(CI)RX",
            (false, true) => ":M",
            (false, false) => ":RX",
        };
        if self.needs_rights() { self.to_account(command, right) } else { command }
    }

    fn needs_rights(self) -> bool {
        self.account.sid.as_deref() != Some(SYSTEM_SID)
    }

    fn to_account(self, command: Command, right: &'static str) -> Command {
        let by = self.install.account_by(self.account);
        match &self.account.sid {
            Some(sid) if by.is_root() => command.sid(sid, right, by),
            _ => command.windows_user(&self.account.name, right, by),
        }
    }

    fn holds(self, path: &Path) -> bool {
        let (folder, path) =
            (same(&shown(inner(&text(self.path)))), same(&shown(inner(&text(path)))));
        path.strip_prefix(&folder).is_some_and(|rest| rest.starts_with('\\'))
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::fixtures::*,
        host::{Grant, PathRole, Rights, Seen, Survey, Windows},
        platform::Os,
    };

    const USERS: &str = "S-1-5-32-545";
    const FOLDER: &str = r"C:\circleci";
    const BINARY: &str = r"C:\circleci\circleci-launch-agent.exe";
    const CONFIG: &str = r"C:\circleci\launch-agent-config.yaml";

    /// A hand-made install, in which users may write.
    fn open(inherited: bool) -> Survey {
        let mut survey = healthy();
        survey.host.os = Os::Windows;
        survey.host.accounts[1].sid = Some("S-1-5-21-1-2-3-1001".into());
        let grant = |sid: &str, write| Grant {
            sid: sid.into(),
            read: true,
            write,
            inherited,
            ..Grant::default()
        };
        let list = |path: &str| Rights {
            path: path.into(),
            owner: "S-1-5-32-544".into(),
            grants: vec![grant("S-1-5-18", true), grant(USERS, true)],
        };
        let rights = vec![list(FOLDER), list(BINARY), list(CONFIG)];
        survey.host.windows = Some(Windows { rights: Seen::Known(rights), ..Windows::default() });
        let install = agent(&mut survey);
        install.binary.as_mut().unwrap().walk = Seen::Known(walk(BINARY, file(0, 0)));
        if let Some(Seen::Known(config)) = &mut install.config {
            config.walk = walk(CONFIG, file(0, 0));
        }
        install.paths = vec![
            named(PathRole::WorkFolder, walk(r"C:\circleci\Workdir", folder(0, 0))),
            named(PathRole::LogFile, walk(r"C:\circleci\agent.log", file(0, 0))),
        ];
        survey
    }

    fn commands(survey: &Survey, check: &str) -> Vec<String> {
        let remedy = finding(survey, check).remedy.unwrap();
        remedy.commands().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_closed_folder_leaves_its_agent_what_it_needs() {
        let all = commands(&open(true), "permissions/binary-not-writable");
        let folder = format!(
            "icacls {FOLDER} /inheritance:r /grant:r \"*S-1-5-32-544:(OI)(CI)F\" \
             \"*S-1-5-18:(OI)(CI)F\" \"*S-1-5-21-1-2-3-1001:(OI)(CI)RX\""
        );
        assert!(all.contains(&folder), "{all:#?}");
        let work = format!("icacls {FOLDER}\\Workdir /grant \"*S-1-5-21-1-2-3-1001:(OI)(CI)M\"");
        assert!(all.contains(&work), "{all:#?}");
        let log = format!("icacls {FOLDER}\\agent.log /grant *S-1-5-21-1-2-3-1001:M");
        assert!(all.contains(&log), "{all:#?}");
        let file = format!(
            "icacls {BINARY} /inheritance:r /grant:r *S-1-5-32-544:F *S-1-5-18:F \
             *S-1-5-21-1-2-3-1001:RX"
        );
        assert!(all.contains(&file), "{all:#?}");
        assert!(!all.iter().any(|line| line.contains("/remove")), "inherited rights are cut");
    }

    #[test]
    fn a_right_of_others_own_is_taken_away_first() {
        for check in ["permissions/binary-not-writable", "permissions/config-private"] {
            let all = commands(&open(false), check);
            let take = |path: &str| format!("icacls {path} /remove:g *{USERS}");
            let is_taken = [FOLDER, BINARY, CONFIG].iter().any(|path| all.contains(&take(path)));
            assert!(is_taken && all[0].contains("/remove:g"), "{all:#?}");
        }
    }

    #[test]
    fn an_agent_that_may_change_its_folder_still_may() {
        let mut survey = open(true);
        let windows = survey.host.windows.as_mut().unwrap();
        let Seen::Known(rights) = &mut windows.rights else { unreachable!() };
        let own = Grant {
            sid: "S-1-5-21-1-2-3-1001".into(),
            read: true,
            write: true,
            ..Grant::default()
        };
        rights[0].grants.push(own);
        let all = commands(&survey, "permissions/binary-not-writable");
        assert!(all.iter().any(|line| line.contains("1001:(OI)(CI)M\"")), "{all:#?}");
    }
}
