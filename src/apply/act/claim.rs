//! Whether root may change owner or mode of a file or folder where other accounts can change paths.
//!
//! An account may have put a file of somebody else there: by a hard link, or by moving a file that root
//! left in a folder of the account. Owner and mode of such a file are not changed.

use crate::{
    Code, Command, Error, Help, Result,
    platform::{
        fs::{Found, Kind, Meta, Spot},
        privilege::is_privileged,
    },
    record::{After, Record},
};

/// Refuses what was `found`, by its open handle, at `spot`, unless it belongs already to the user ID
/// `to`, or this program created it by its own record. `to` is `None` where the owner does not change:
/// then the owner of the folder counts.
pub(super) fn check(
    spot: &Spot,
    found: &Found,
    to: Option<u32>,
    record: Option<&Record>,
) -> Result<()> {
    if spot.is_trusted() || !is_privileged() {
        return Ok(());
    }
    let Found { meta: found, is_bare_folder } = found;
    refuse_other_names(spot, found)?;
    let to = match to {
        Some(uid) => Some(uid),
        None => spot.folder_owner()?,
    };
    let is_theirs = to.is_some_and(|to| to != 0 && found.is_of(to));
    let is_recorded = record
        .and_then(|record| record.after.as_ref())
        .is_some_and(|after| is_recorded(found, after));
    // An administrator prepared it as an empty folder.
    let is_prepared = *is_bare_folder && !found.is_of_another(0);
    if is_theirs || is_recorded || is_prepared {
        return Ok(());
    }
    let path = spot.path().display();
    let whose = match found.uid() {
        Some(uid) => format!("user ID {uid}"),
        None => "an account of its access list".to_owned(),
    };
    let message = format!(
        "{path} belongs to {whose}, and another account can write to its folder: its owner and mode \
         are not changed"
    );
    Err(Error::new(Code::UntrustedPath, message)
        .help(Help::inspect("ls -ld", spot.outside()))
        .help("if it is not needed, move it away, and run again"))
}

/// Refuses another file or folder than the one that the step was decided on: an account can move
/// entries of its own folder, and put there a folder of root that serves another purpose.
pub(super) fn refuse_swapped(spot: &Spot, found: &Meta, judged: Option<&Meta>) -> Result<()> {
    if judged.is_none_or(|judged| judged.is_same_file(found)) {
        return Ok(());
    }
    let message = format!("{} was replaced after it was examined", spot.path().display());
    Err(Error::new(Code::UntrustedPath, message)
        .help(Help::inspect("ls -ld", spot.outside()))
        .help("find the processes of the account that owns the folder above it, and run again"))
}

/// Refuses a file or folder of root that is not empty.
pub(super) fn refuse_filled(spot: &Spot, found: &Found) -> Result<()> {
    let is_empty = match found.meta.kind {
        Kind::File => found.meta.size == 0,
        _ => found.is_bare_folder,
    };
    if is_empty || found.meta.is_of_another(0) {
        return Ok(());
    }
    let message = format!("{} belongs to root and is not empty", spot.path().display());
    Err(Error::new(Code::UntrustedPath, message)
        .help(Help::inspect("ls -ld", spot.outside()))
        .help("set another path in the configuration, or move its content away"))
}

/// Refuses a file with a hard link: whoever put it here may have no right to it.
pub(super) fn refuse_other_names(spot: &Spot, found: &Meta) -> Result<()> {
    if found.kind != Kind::File || found.links < 2 || spot.is_trusted() {
        return Ok(());
    }
    let path = spot.path().display();
    let message = format!("{path} has a second name (hard link)");
    let metadata = Command::shows("sudo find / -xdev -samefile", spot.outside()).then("| cat -v");
    Err(Error::new(Code::UntrustedPath, message).help(Help::command("find it", &metadata)))
}

/// The same inode with the recorded owner. Inode numbers are reused, so a file of root must also be
/// unchanged: a file that root wrote since has another time.
fn is_recorded(found: &Meta, after: &After) -> bool {
    let recorded = &after.meta;
    let is_unchanged = found.size == recorded.size && found.identity.2 == recorded.identity.2;
    found.is_same_file(recorded)
        && found.uid() == recorded.uid()
        && (found.is_of_another(0) || found.kind == Kind::Folder || is_unchanged)
}

/// Against accounts that are only numbers here; files of others take root.
#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::platform::left_out::needs_root;
    use crate::{
        apply::bench::{Bench, run},
        platform::fs::empty_root,
        record::{Folder, Owner, Receipt, SetPermissions, State, Step, Target},
    };
    use std::{
        fs,
        os::unix::fs::{MetadataExt, PermissionsExt, chown},
        path::Path,
    };

    /// The number of the account in [`Bench`].
    const ACCOUNT: u32 = 4242;

    fn about(path: &Path) -> (u32, u32) {
        let meta = fs::metadata(path).unwrap();
        (meta.uid(), meta.mode() & 0o7777)
    }

    fn set_permissions(path: &str, folder: bool, mode: u32) -> Step {
        let owner = Some(Owner::user("circleci"));
        let path = path.into();
        Step::SetPermissions(SetPermissions {
            path,
            folder,
            owner,
            mode,
            judged: None,
            only_if_empty: false,
        })
    }

    fn settle_as_it_is(path: &str, mode: u32) -> Step {
        let Step::SetPermissions(change) = set_permissions(path, false, mode) else {
            unreachable!()
        };
        Step::SetPermissions(SetPermissions { owner: None, ..change })
    }

    /// The account moves its folders while the step is on its way, so that another empty folder of
    /// root's, such as a volume that is mounted there, stands under the name that was judged.
    #[test]
    fn a_folder_that_was_swapped_since_it_was_judged_is_not_given_away() {
        if needs_root("a folder that was swapped since it was judged is not given away") {
            return;
        }
        let bench = Bench::new();
        let [own, volume] = ["ground/own", "ground/volume"].map(|path| bench.at(path));
        for folder in [&own, &volume] {
            fs::create_dir(folder).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let judged = bench.root.metadata(Path::new("/ground/own")).unwrap();
        let Step::SetPermissions(change) = set_permissions("/ground/own", true, 0o750) else {
            unreachable!()
        };
        let step = Step::SetPermissions(SetPermissions { judged, ..change });
        fs::rename(&own, bench.at("ground/aside")).unwrap();
        fs::rename(&volume, &own).unwrap();
        let steps = [step];
        let error = run(&bench, &steps, Receipt::new("default")).unwrap_err();
        assert!(error.message().contains("was replaced"), "{error}");
        assert_eq!(about(&own), (0, 0o755));
        fs::remove_dir(&own).unwrap();
        fs::rename(bench.at("ground/aside"), &own).unwrap();
        run(&bench, &steps, Receipt::new("default")).unwrap();
        assert_eq!(about(&own), (ACCOUNT, 0o750));
    }

    /// An old shadow file that the account has moved, or linked, into its own folder.
    #[test]
    fn what_is_roots_is_not_given_away_in_a_folder_of_the_account() {
        if needs_root("what is roots is not given away in a folder of the account") {
            return;
        }
        let bench = Bench::new();
        let [file, folder] = ["ground/shadow", "ground/private"].map(|path| bench.at(path));
        fs::write(&file, "root:$1$").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(folder.join("key"), "x").unwrap();
        let made = Folder {
            path: "/ground/private".into(),
            owner: Some(Owner::user("circleci")),
            mode: 0o750,
            data: true,
            shared: false,
        };
        let steps = [
            set_permissions("/ground/shadow", false, 0o600),
            set_permissions("/ground/private", true, 0o750),
            Step::Folder(made),
        ];
        for step in steps {
            let error = run(&bench, &[step], Receipt::new("default")).unwrap_err();
            assert!(error.message().contains("are not changed"), "{error}");
            assert_eq!(about(&file), (0, 0o640));
            assert_eq!(about(&folder), (0, 0o700));
        }
        // The owner stays, and the mode would open it to the account.
        let open = settle_as_it_is("/ground/shadow", 0o644);
        run(&bench, &[open], Receipt::new("default")).unwrap_err();
        assert_eq!(about(&file), (0, 0o640));
    }

    /// What root keeps where nobody else can change it, in a path that an account names.
    #[test]
    fn what_root_has_put_something_in_is_not_given_with_its_content() {
        if needs_root("what root has put something in is not given with its content") {
            return;
        }
        let bench = Bench::new();
        let [folder, file] = ["own", "key"].map(|path| bench.at(path));
        fs::create_dir(&folder).unwrap();
        fs::write(&file, "").unwrap();
        let steps = || {
            [("/own", true), ("/key", false)].map(|(path, is_folder)| {
                let Step::SetPermissions(own) = set_permissions(path, is_folder, 0o750) else {
                    unreachable!()
                };
                Step::SetPermissions(SetPermissions { only_if_empty: true, ..own })
            })
        };
        fs::write(folder.join("inner"), "").unwrap();
        fs::write(&file, "x").unwrap();
        for step in steps() {
            let error = run(&bench, &[step], Receipt::new("default")).unwrap_err();
            assert!(error.message().contains("is not empty"), "{error}");
        }
        assert_eq!((about(&folder).0, about(&file).0), (0, 0));
        fs::remove_file(folder.join("inner")).unwrap();
        fs::write(&file, "").unwrap();
        run(&bench, &steps(), Receipt::new("default")).unwrap();
        assert_eq!((about(&folder).0, about(&file).0), (ACCOUNT, ACCOUNT));
    }

    #[test]
    fn what_is_the_accounts_own_is_settled_and_put_back() {
        if needs_root("what is the accounts own is settled and put back") {
            return;
        }
        let bench = Bench::new();
        let file = bench.at("ground/log");
        fs::write(&file, "x").unwrap();
        chown(&file, Some(ACCOUNT), Some(ACCOUNT)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let mut receipt = Receipt::new("default");
        receipt.installed = true;
        let done =
            run(&bench, &[set_permissions("/ground/log", false, 0o600)], receipt).unwrap().unwrap();
        assert_eq!(about(&file), (ACCOUNT, 0o600));
        // Swapped since for a file of root's.
        fs::remove_file(&file).unwrap();
        fs::write(&file, "root").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let back = Step::restore(&done.records[0], false);
        let uninstalled = Receipt { written: done.written.clone(), ..Receipt::new("default") };
        let error = run(&bench, &[back], uninstalled).unwrap_err();
        assert!(error.message().contains("are not changed"), "{error}");
        assert_eq!(about(&file), (0, 0o600));
    }

    /// Bits that let a program run with its owner's rights go when others could have written it.
    #[test]
    fn a_program_that_the_account_has_had_does_not_become_roots() {
        if needs_root("a program that the account has had does not become roots") {
            return;
        }
        let bench = Bench::new();
        fs::create_dir(bench.at("own")).unwrap();
        let file = bench.at("own/program");
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o4755)).unwrap();
        let mut receipt = Receipt::new("default");
        receipt.installed = true;
        let done = run(&bench, &[set_permissions("/own/program", false, 0o700)], receipt)
            .unwrap()
            .unwrap();
        assert_eq!(about(&file), (ACCOUNT, 0o700));
        let back = Step::restore(&done.records[0], false);
        let uninstalled = Receipt { written: done.written.clone(), ..Receipt::new("default") };
        run(&bench, &[back], uninstalled).unwrap();
        assert_eq!(about(&file), (0, 0o755));
    }

    #[test]
    fn a_record_counts_for_the_very_file_alone() {
        if needs_root("a record counts for the very file alone") {
            return;
        }
        let (folder, root) = empty_root();
        let file = folder.path().join("file");
        fs::write(&file, "one").unwrap();
        chown(folder.path(), Some(ACCOUNT), Some(ACCOUNT)).unwrap();
        let spot = root.find(Path::new("/file")).unwrap().unwrap();
        let meta = spot.metadata().unwrap().unwrap();
        let record = Record {
            target: Target::File("/file".into()),
            before: State::Absent,
            after: Some(After { meta, digest: None, made_for: None }),
            data: false,
            cure: false,
        };
        let judged = |meta: Meta| {
            let found = Found { meta, is_bare_folder: false };
            check(&spot, &found, Some(ACCOUNT), Some(&record)).is_ok()
        };
        assert!(judged(meta));
        let (device, inode, written, changed) = meta.identity;
        // Its number was used again for what root wrote later.
        assert!(!judged(Meta { identity: (device, inode, written + 1, changed), ..meta }));
        assert!(!judged(Meta { identity: (device, inode + 1, written, changed), ..meta }));
        assert!(!judged(Meta { links: 2, ..meta }));
    }
}
