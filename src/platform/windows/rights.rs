//! Rights by access list, in the words of a mode: the owner's bits are the account's rights, the
//! last three those of all users; administrators and the system always have all of them.

use crate::{platform::command::Call, text::shown};
use std::path::Path;

/// `BUILTIN\Administrators`, `NT AUTHORITY\SYSTEM` and `BUILTIN\Users`, whatever the system's
/// language calls them.
pub(super) const ADMINISTRATORS: &str = "*S-1-5-32-544";
pub(super) const SYSTEM: &str = "*S-1-5-18";
pub(super) const USERS: &str = "*S-1-5-32-545";

/// An account as a program of the system takes it without doubt: a name that is the host's too stands for
/// the host itself.
pub fn qualified(account: &str, hostname: &str) -> String {
    match account.eq_ignore_ascii_case(hostname) {
        true => format!(r"{hostname}\{account}"),
        false => account.to_owned(),
    }
}

/// The call that takes away every right that a path does not inherit: `/grant:r` leaves those of
/// accounts that it does not name (lists before and after it, in public issue threads).
pub fn reset(path: &Path) -> Call {
    Call::new("icacls", [shown(path).as_str(), "/reset", "/q"])
}

/// The call that gives a file or folder just these rights, and cuts what it would inherit.
pub fn set(path: &Path, account: Option<&str>, mode: u32, is_folder: bool) -> Call {
    // What is made in a folder later gets the folder's rights.
    let inherited = if is_folder { "(OI)(CI)" } else { "" };
    let mut args = vec![shown(path), "/inheritance:r".to_owned(), "/grant:r".to_owned()];
    let mut grant = |who: &str, what: &str| args.push(format!("{who}:{inherited}{what}"));
    grant(ADMINISTRATORS, "F");
    grant(SYSTEM, "F");
    let rights = |bits: u32| match bits & 0o7 {
        0 => None,
        bits if bits & 0o2 != 0 => Some("M"),
        _ => Some("RX"),
    };
    if let (Some(account), Some(right)) = (account, rights(mode >> 6)) {
        grant(account, right);
    }
    if let Some(right) = rights(mode) {
        grant(USERS, right);
    }
    args.push("/q".to_owned());
    Call::new("icacls", args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::typed;

    #[test]
    fn an_account_called_like_its_host_is_named_with_it() {
        assert_eq!(qualified("circleci", "CIRCLECI"), r"CIRCLECI\circleci");
        assert_eq!(qualified("circleci", "WIN-1"), "circleci");
        assert_eq!(typed(&reset(Path::new("C:/x"))), r"icacls 'C:\x' /reset /q");
    }

    #[test]
    fn a_mode_becomes_a_list() {
        let folder = Path::new("C:/Program Files/CircleCI");
        assert_eq!(
            typed(&set(folder, Some("circleci"), 0o500, true)),
            "icacls 'C:\\Program Files\\CircleCI' /inheritance:r /grant:r \
             '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' 'circleci:(OI)(CI)RX' /q"
        );
        assert_eq!(
            typed(&set(Path::new("C:/x"), Some("ci"), 0o600, false)),
            "icacls 'C:\\x' /inheritance:r /grant:r '*S-1-5-32-544:F' '*S-1-5-18:F' ci:M /q"
        );
        assert_eq!(
            typed(&set(Path::new("C:/x"), None, 0o755, false)),
            "icacls 'C:\\x' /inheritance:r /grant:r '*S-1-5-32-544:F' '*S-1-5-18:F' \
             '*S-1-5-32-545:RX' /q"
        );
    }
}
