//! How the removal of a folder with all that is in it ends.

use std::path::PathBuf;

/// What is left of a folder after the removal of all that was in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// Nothing.
    Complete,
    /// The folder, because something is mounted at these places. It was not entered.
    Mounted(Vec<PathBuf>),
    /// The folder, because these in it belong to other accounts, or are too deep to be looked at
    /// beside them. It belongs to root alone then.
    Others(Vec<PathBuf>),
    /// The folder, because something kept adding files to it until the limit of passes or of
    /// time was reached.
    Refilled,
    /// The folder, because it held more than can be removed in the time for it. The next removal
    /// goes on from there.
    OutOfTime,
}

/// What became of the files of one account in a folder that others use too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    /// Something was removed.
    pub has_removed: bool,
    /// The whole folder was looked through in the time for it.
    pub is_whole: bool,
}

/// Asked again and again while a tree is removed; an error ends the removal at once.
pub type GoOn<'a> = dyn Fn() -> crate::Result<()> + 'a;
