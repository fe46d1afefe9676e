//! What happens, as it happens.

use super::{Output, interrupt};
use crate::{apply::Report, release::Watch};
use std::cell::Cell;

/// Tells of steps and transfers on standard error.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    out: &'a Output,
    waiting: Cell<bool>,
}

impl<'a> Progress<'a> {
    /// Tells through `out`.
    pub(super) fn new(out: &'a Output) -> Self {
        Self { out, waiting: Cell::new(false) }
    }

    /// Nothing more will come.
    pub(super) fn finish(&self) {}
}

impl Report for Progress<'_> {
    fn begins(&self, number: usize, of: usize, what: &str) {
        self.waiting.set(false);
        self.out.line(&format!("[{number}/{of}] {what}"));
    }

    fn done(&self) {}

    fn waits(&self, what: &str) {
        if !self.waiting.replace(true) {
            self.out.line(&format!("waiting for {what}"));
        }
    }

    fn undoes(&self, what: &str) {
        self.out.line(&format!("undoing {what}"));
    }

    fn is_interrupted(&self) -> bool {
        interrupt::is_asked()
    }
}

/// Tells of one transfer.
#[derive(Debug, Default)]
pub(super) struct Transfer;

impl Watch for Transfer {
    fn started(&self, _total: Option<u64>) {}

    fn moved(&self, _total: u64) {}

    fn retrying(&self, _reason: &str, _pause: std::time::Duration) {}

    fn cancelled(&self) -> bool {
        interrupt::is_asked()
    }
}
