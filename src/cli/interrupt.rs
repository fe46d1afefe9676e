//! Ctrl-C, TERM and HUP: at once while nothing was changed, at the next safe place afterwards.

use super::Output;
use crate::{Code, Error, Result, platform::terminal::Terminal};
use std::{
    process,
    sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

/// Nothing was changed so far.
const ASKING: u8 = 0;
/// The host is being changed.
const APPLYING: u8 = 1;
/// Another process is at work, which hears of Ctrl-C itself.
const DELEGATED: u8 = 2;

/// Nothing is changed, and the work ends with a result.
const WATCHING: u8 = 3;

/// Between a question's last look at the terminal's settings and its change of them.
const TAKEN: Duration = Duration::from_millis(50);

static PHASE: AtomicU8 = AtomicU8::new(ASKING);
static TIMES: AtomicUsize = AtomicUsize::new(0);
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// Listens from now on. The terminal is remembered as it is, to be put back.
pub(super) fn listen(out: &Output) -> Result<()> {
    PHASE.store(ASKING, Ordering::SeqCst);
    let (out, terminal) = (out.clone(), Terminal::found());
    match ctrlc::set_handler(move || heard(&out, terminal.as_ref())) {
        // A process that runs several commands one after another listens since the first.
        Ok(()) | Err(ctrlc::Error::MultipleHandlers) => Ok(()),
        Err(error) => {
            Err(Error::new(Code::HostUnfit, format!("signals cannot be listened to: {error}")))
        }
    }
}

/// The host is being changed from now on.
pub(super) fn applying() {
    PHASE.store(APPLYING, Ordering::SeqCst);
}

/// Nothing is changed from now on; whoever watches asks whether to end.
pub(super) fn watching() {
    PHASE.store(WATCHING, Ordering::SeqCst);
}

/// From now on another process does the work, in front of the same terminal.
pub(super) fn delegated() {
    PHASE.store(DELEGATED, Ordering::SeqCst);
}

/// Whether the person has asked to stop.
pub(super) fn is_requested() -> bool {
    TIMES.load(Ordering::SeqCst) > 0
}

/// Lets a signal that broke off a read end the process first.
pub(super) fn give_way() {
    thread::sleep(Duration::from_secs(1));
}

fn heard(out: &Output, terminal: Option<&Terminal>) {
    match PHASE.load(Ordering::SeqCst) {
        ASKING => end(out, terminal),
        WATCHING => drop(TIMES.fetch_add(1, Ordering::SeqCst)),
        APPLYING if TIMES.fetch_add(1, Ordering::SeqCst) == 0 => {
            out.line("\nStopping at the next safe place, then undoing what was done.");
        }
        APPLYING => out.line("\nIt is being undone. Please wait: the host is left as it was."),
        _ => {}
    }
}

fn end(out: &Output, terminal: Option<&Terminal>) {
    if IS_ENDING.swap(true, Ordering::SeqCst) {
        return;
    }
    if let Some(terminal) = terminal {
        terminal.restore();
        out.show_cursor();
        out.line("");
    }
    let error = Error::new(Code::Interrupted, "interrupted; nothing was changed");
    out.error(&error);
    if let Some(terminal) = terminal {
        // A question that was about to read a key may have taken the terminal once more.
        thread::sleep(TAKEN);
        terminal.restore();
        out.show_cursor();
    }
    process::exit(error.exit().into());
}
