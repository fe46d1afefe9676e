//! Who can read and modify the configuration, which contains the token.

use super::{binary::closed_folder, rights, strange};
use crate::{
    doctor::{
        Check, Judge, Judged, Problem, Remedy, Verdict,
        change::{Change, Mode, Purpose, Site},
        lookup::{account, octal, owner_of, restarted_if_changed},
    },
    host::{Access, Install, Survey, Unseen},
    platform::fs::Kind,
};

pub(super) const READABLE: Check = Check {
    name: "permissions/config-readable",
    holds: "The service account can read the configuration",
    why: "An agent that cannot read its configuration ends at once. This happens after a change of \
          the account or with a strict umask: the file or a folder above it then belongs to root \
          alone.",
    found: "The doctor reads mode and owner of the file and of every folder above it; on Windows \
            it reads the access list.",
    cure: "Give the file to the service account with mode 0600, and let the account enter the \
           folders.",
    after: &["config/exists", "service/user-exists"],
    judge: Judge::Agent(readable),
};

fn readable(survey: &Survey, install: &Install) -> Judged {
    let config = install.config_file()?;
    let walk = &config.walk;
    if !walk.is(Kind::File) {
        return Err(Unseen::not_examined("the configuration is not a file"));
    }
    if rights::apply(survey) {
        return rights::readable(survey, install, &walk.path);
    }
    let account = account(survey, install)?;
    let Some(denied) = walk.denies(account, Access::Read) else {
        return Ok(Verdict::Holds(format!("{} can read {}", account.name, walk.path.display())));
    };
    let path = walk.path.display();
    let site = Site { walk, named_by: install.named_by, purpose: Purpose::Agent };
    let change = Change::new(survey, install);
    if denied.path != walk.path {
        return Ok(closed_folder(&change, &denied, site, account, install).into());
    }
    let remedy = Remedy::by_hand("Make the account the owner of the configuration.");
    let remedy = change.permissions(remedy, site, Some(account), Mode::Secret);
    Ok(Problem::fail(format!("{} cannot read {path}", account.name))
        .seen(format!(
            "{path} has mode {}, owner {}",
            octal(&denied.meta),
            owner_of(survey, &denied.meta)
        ))
        .cure(restarted_if_changed(remedy, install))
        .into())
}

pub(super) const PRIVATE: Check = Check {
    name: "permissions/config-private",
    holds: "Only the service account and root can read the configuration",
    why: "A user who reads the token in the configuration can claim the jobs of the resource class \
          and read their secrets.",
    found: "The doctor reads mode and owner of the file; on Windows it reads the access list.",
    cure: "Set the mode to 0600. If other users could read the file, create a new token.",
    after: &["config/exists", "service/user-exists"],
    judge: Judge::Agent(private),
};

fn private(survey: &Survey, install: &Install) -> Judged {
    let config = install.config_file()?;
    let meta = config.walk.end.filter(|meta| meta.kind == Kind::File);
    let meta = meta.ok_or_else(|| Unseen::not_examined("the configuration is not a file"))?;
    if config.token.is_none() {
        return Err(Unseen::not_applicable("the configuration contains no token"));
    }
    if rights::apply(survey) {
        return rights::private(survey, install, &config.walk.path);
    }
    let path = config.walk.path.display();
    let account = account(survey, install)?;
    let is_theirs = meta.is_of(0) || account.owns(&meta);
    if is_theirs && meta.has_none(0o077) {
        return Ok(Verdict::Holds(format!("{path} has mode {}", octal(&meta))));
    }
    let who = if meta.has_any(0o007) { "every user" } else { "a group" };
    let what = match is_theirs {
        true => format!("{who} can read {path}, which contains the token"),
        false => format!(
            "{path} belongs to {}, which is neither root nor the service account",
            owner_of(survey, &meta)
        ),
    };
    let remedy = Remedy::by_hand(
        "Remove access for others. If other people use this host, create a new token.",
    );
    // The account that must read the file owns it.
    let keep = is_theirs && (account.owns(&meta) || account.is_root());
    let owner = (!keep).then_some(account);
    let site = Site { walk: &config.walk, named_by: install.named_by, purpose: Purpose::Agent };
    Ok(Problem::fail(what)
        .seen(format!("{path} has mode {}, owner {}", octal(&meta), owner_of(survey, &meta)))
        .cure(Change::new(survey, install).permissions(remedy, site, owner, Mode::Secret))
        .into())
}

pub(super) const NOT_WRITABLE: Check = Check {
    name: "permissions/config-not-writable",
    holds: "Only root and the service account can modify or replace the configuration",
    why: "An account that can modify the configuration controls which server the agent takes jobs \
          from and how they run. The doctor does not examine the content of such a file.",
    found: "The doctor reads mode and owner of the file and of every folder above it.",
    cure: "Give the folder to root, remove write access for others, and install again.",
    after: &[
        "config/exists",
        "service/user-exists",
        "permissions/config-readable",
        "permissions/config-private",
    ],
    judge: Judge::Agent(not_writable),
};

fn not_writable(survey: &Survey, install: &Install) -> Judged {
    if rights::apply(survey) {
        return Err(Unseen::not_applicable("permissions/config-private judges this on Windows"));
    }
    let walk = &install.config_file()?.walk;
    let account = account(survey, install)?;
    Ok(match walk.strange_to(account) {
        Some(found) => {
            strange::problem(survey, install, ("the configuration", walk), &found).into()
        }
        None => Verdict::Holds("no other account can modify or replace it".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::{Status, fixtures::*};

    #[test]
    fn a_file_of_roots_alone_fails_and_so_does_a_closed_folder() {
        let mut survey = healthy();
        config_of(&mut survey).walk.end = Some(file(0, 0o600));
        let found = finding(&survey, "permissions/config-readable");
        assert_eq!(found.status, Status::Fail);
        assert!(found.remedy.unwrap().fixable);
        let mut survey = healthy();
        let passed = &mut config_of(&mut survey).walk.passed[1];
        passed.meta = passed.meta.with_mode(0o750);
        assert!(finding(&survey, "permissions/config-readable").summary.contains("/etc"));
    }

    #[test]
    fn a_folder_or_file_of_a_stranger_fails() {
        assert_eq!(status(&healthy(), "permissions/config-not-writable"), Status::Pass);
        for (meta, expected) in [
            (folder(4321, 0o755), Status::Fail),
            (folder(0, 0o757), Status::Fail),
            (folder(0, 0o1777), Status::Pass),
            (folder(UID, 0o775), Status::Pass),
            (folder(0, 0o775).with_owner(0, 4321), Status::Warn),
        ] {
            let mut survey = healthy();
            config_of(&mut survey).walk.passed.last_mut().unwrap().meta = meta;
            let found = finding(&survey, "permissions/config-not-writable");
            assert_eq!(found.status, expected, "{meta:?}");
            if expected != Status::Pass {
                let remedy = found.remedy.unwrap();
                assert!(remedy.commands()[0].contains("/etc/opt/circleci"), "{remedy:?}");
            }
        }
        let mut survey = healthy();
        config_of(&mut survey).walk.end = Some(file(4321, 0o600));
        assert_eq!(status(&survey, "permissions/config-not-writable"), Status::Fail);
    }

    #[test]
    fn a_file_that_others_read_fails() {
        for mode in [0o644, 0o640, 0o777, 0o604] {
            let mut survey = healthy();
            config_of(&mut survey).walk.end = Some(file(UID, mode));
            assert_eq!(status(&survey, "permissions/config-private"), Status::Fail, "{mode:o}");
        }
        let mut survey = healthy();
        config_of(&mut survey).walk.end = Some(file(4321, 0o600));
        assert_eq!(status(&survey, "permissions/config-private"), Status::Fail);
    }
}
