//! What only Windows has.

use super::{AccountFacts, SYSTEM_SID, Seen, Unseen};
use serde::{Deserialize, Serialize};

/// What only Windows has. Of what is not known `unseen` says why.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Windows {
    /// Its build number.
    pub build: u32,
    /// The host is a domain controller.
    pub domain_controller: Option<bool>,
    /// Paths longer than 260 characters work.
    pub long_paths: Option<bool>,
    /// Remote Desktop is refused.
    pub remote_desktop_off: Option<bool>,
    /// Credential Guard runs: Remote Desktop does not use saved credentials then (Microsoft Learn,
    /// "Considerations and known issues when using Credential Guard").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_guard: Option<bool>,
    /// `TERMSRV/localhost` is among the saved credentials of the account; where only their
    /// number is known: there is one.
    pub saved_credential: Option<bool>,
    /// The proxy of WinHTTP.
    pub winhttp_proxy: Option<String>,
    /// Files of agents that Defender has put into quarantine.
    pub quarantined: Seen<Vec<String>>,
    /// The host's own accounts were listed, so that one that is not among them is none.
    pub lists_accounts: bool,
    /// Tasks of agents and of their sessions, as the scheduler sees them.
    pub tasks: Seen<Vec<TaskState>>,
    /// The access lists of files and folders that matter.
    pub rights: Seen<Vec<Rights>>,
    /// Why something of this is not known.
    pub unseen: Option<Unseen>,
}

/// A task as its scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskState {
    /// Its folder and name.
    pub name: String,
    /// `Ready`, `Running`, `Disabled`, `Queued` or `Unknown`.
    pub state: String,
    /// How its last run ended.
    pub result: u32,
    /// When it last began, in seconds since 1970.
    pub last_run: Option<i64>,
    /// When it is to begin again.
    pub next_run: Option<i64>,
}

/// Who may do what with a path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rights {
    /// The path.
    pub path: String,
    /// The number of its owner.
    pub owner: String,
    /// What it gives to whom; a rule that takes rights away from everyone it is for is followed.
    pub grants: Vec<Grant>,
}

/// What someone may do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Grant {
    /// The number.
    pub sid: String,
    /// The name, where there is one.
    pub name: Option<String>,
    /// Read the file, or list the folder.
    pub read: bool,
    /// Change it, its list, or what is in it.
    pub write: bool,
    /// The folder above gave it.
    pub inherited: bool,
}

/// Administrators, the system itself, and who installs its updates: they may do anything anyway.
/// The owner's own rules are judged by the owner.
const POWERS: [&str; 5] = [
    "S-1-5-32-544",
    SYSTEM_SID,
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
    "S-1-3-0",
    "S-1-3-4",
];

/// Everyone, and all who have logged on: with `BUILTIN\Users`.
const ALL: [&str; 4] = ["S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-4"];

impl Windows {
    /// A fact that may be missing.
    ///
    /// # Errors
    /// Why it is.
    pub fn known<'a, T>(&self, fact: Option<&'a T>) -> Result<&'a T, Unseen> {
        let not_asked =
            || Unseen::not_examined("not examined: these facts do not contain it".to_owned());
        fact.ok_or_else(|| self.unseen.clone().unwrap_or_else(not_asked))
    }

    /// A task by its name.
    pub fn task(&self, name: &str) -> Option<&TaskState> {
        self.tasks.ok()?.iter().find(|task| task.name.eq_ignore_ascii_case(name))
    }

    /// Who may do what with a path; `None` where its list was not read.
    ///
    /// # Errors
    /// Why no list was read.
    pub fn rights(&self, path: &std::path::Path) -> Result<Option<&Rights>, Unseen> {
        let path = same(&path.display().to_string());
        Ok(self.rights.known()?.iter().find(|right| same(&right.path) == path))
    }
}

impl Rights {
    /// Whom it gives something that an account's own agent needs nobody else to have.
    pub fn others<'a>(&'a self, account: &'a AccountFacts) -> impl Iterator<Item = &'a Grant> {
        let sid = account.sid.as_deref();
        self.grants.iter().filter(move |grant| {
            !POWERS.contains(&grant.sid.as_str()) && Some(grant.sid.as_str()) != sid
        })
    }

    /// Whether an account may read it, itself or as one of a group that it is in.
    pub fn may_read(&self, account: &AccountFacts) -> bool {
        let number = account.sid.as_deref().unwrap_or_default();
        let is_admin = account.administrator == Some(true);
        self.grants.iter().filter(|grant| grant.read).any(|grant| {
            let sid = grant.sid.as_str();
            sid == number || ALL.contains(&sid) || is_admin && sid == "S-1-5-32-544"
        })
    }
}

impl Grant {
    /// Who it is, in words.
    pub fn who(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.sid)
    }
}

/// A path of Windows in one form: its case means nothing, nor which way its slashes lean.
pub fn same(path: &str) -> String {
    path.replace('/', "\\").trim_end_matches('\\').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_the_same_whatever_their_case() {
        assert_eq!(same(r"C:\Program Files\X"), same("c:/program files/x/"));
        assert_ne!(same(r"C:\a"), same(r"C:\b"));
    }

    #[test]
    fn who_may_read_is_told_by_number() {
        let grant = |sid: &str, read| Grant { sid: sid.into(), read, ..Grant::default() };
        let rights = |grants| Rights { grants, ..Rights::default() };
        let account = |administrator| AccountFacts {
            sid: Some("S-1-5-21-7".into()),
            administrator: Some(administrator),
            ..AccountFacts::default()
        };
        let admins = rights(vec![grant("S-1-5-32-544", true), grant("S-1-5-18", true)]);
        assert!(admins.may_read(&account(true)) && !admins.may_read(&account(false)));
        assert_eq!(admins.others(&account(false)).count(), 0);
        let list = rights(vec![grant("S-1-5-21-7", true), grant("S-1-5-32-545", true)]);
        assert!(list.may_read(&account(false)));
        let agents = account(false);
        let others: Vec<_> = list.others(&agents).map(Grant::who).collect();
        assert_eq!(others, ["S-1-5-32-545"]);
    }
}
