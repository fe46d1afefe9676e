//! Whether root may change owner or mode of what stands at a place that other accounts can change.
//!
//! There an account may have put a file of someone else: by a second name for it, or by moving one
//! that root left in a folder of the account. No such file is given to anybody, or opened to others.

use crate::{
    Code, Error, Result,
    apply::target::{After, Record},
    platform::{
        fs::{Found, Kind, Meta, Spot},
        privilege::is_privileged,
    },
};

/// Refuses what was `found`, by its open handle, at `spot`, unless it belongs already to the
/// account with the number `to`, or is the very thing that this tool made there by its own record.
/// `to` is `None` where the owner stays: then it is the account that the folder belongs to.
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
        Some(uid) => uid,
        None => spot.folder_owner()?,
    };
    let is_theirs = found.uid == to && to != 0;
    let is_recorded = record
        .and_then(|record| record.after.as_ref())
        .is_some_and(|after| is_recorded(found, after));
    // An administrator prepared it, and nothing of root's is in it.
    let is_prepared = *is_bare_folder && found.uid == 0;
    if is_theirs || is_recorded || is_prepared {
        return Ok(());
    }
    let path = spot.path().display();
    let message = format!(
        "{path} belongs to the user with the number {} and stands where another account can put \
         things: it is given to nobody",
        found.uid
    );
    Err(Error::new(Code::GroundUnsafe, message)
        .help(format!("look at it: ls -ld {path}"))
        .help("if nothing needs it, move it away, and run again"))
}

/// A file with a second name may be one that who put it here has no right to.
pub(super) fn refuse_other_names(spot: &Spot, found: &Meta) -> Result<()> {
    if found.kind != Kind::File || found.links < 2 || spot.is_trusted() {
        return Ok(());
    }
    let path = spot.path().display();
    let message = format!("{path} has a second name (hard link)");
    let look = format!("look for it: find / -xdev -samefile {path}");
    Err(Error::new(Code::GroundUnsafe, message).help(look))
}

/// The same inode with the owner that it was given. Numbers of inodes are used again, so what is
/// root's must be unchanged besides: a file that root wrote since has another time.
fn is_recorded(found: &Meta, after: &After) -> bool {
    let recorded = &after.meta;
    let is_unchanged = found.size == recorded.size && found.identity.2 == recorded.identity.2;
    found.is_same_file(recorded)
        && found.uid == recorded.uid
        && (found.uid != 0 || found.kind == Kind::Folder || is_unchanged)
}
