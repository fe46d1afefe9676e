//! What happens, as it happens: a bar at a terminal, one line an event elsewhere.

mod phase;

use super::{
    Output, interrupt,
    text::{Line, TAKEN, Tone},
};
use crate::{apply::StepReporter, record::Step, release::DownloadProgress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use phase::Phases;
use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A step: what is being done stands still, the spinner moves.
const STEP: &str = "  {spinner} {wide_msg}";

/// A transfer of known size, within 60 columns.
const TRANSFER: &str =
    "  {spinner} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}";

/// A transfer of unknown size.
const STREAM: &str = "  {spinner} {wide_msg} {decimal_bytes} {decimal_bytes_per_sec}";

/// Redraws a second; a spinner needs no more.
const TICK: Duration = Duration::from_millis(120);

/// Tells of steps and transfers on standard error.
pub(super) struct Progress<'a> {
    out: &'a Output,
    bar: Option<ProgressBar>,
    waiting_for: Mutex<String>,
    /// Steps that belong together are told as one; `None`: each is told.
    phases: Option<Mutex<Phases>>,
}

impl<'a> Progress<'a> {
    /// Tells through `out`. No bar where what is done is told in lines (`-v`), or not at all (`-q`).
    pub(super) fn new(out: &'a Output) -> Self {
        let options = out.options();
        let has_bar = out.has_reader() && !options.quiet && options.verbose == 0;
        let bar = has_bar.then(|| {
            // What it draws is its template and messages, which the exit has made harmless.
            #[expect(clippy::disallowed_methods)]
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(style(STEP));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { out, bar, waiting_for: Mutex::default(), phases: None }
    }

    /// Tells the phases of an install; each step where that was asked for (`-v`).
    pub(super) fn of_install(out: &'a Output) -> Self {
        let phases = (out.options().verbose == 0).then(Mutex::default);
        let mut progress = Self::new(out);
        progress.phases = phases;
        progress
    }

    /// Something that took this long has come to an end.
    pub(super) fn passed(&self, what: &str, time: Duration) {
        self.end_phase();
        self.tell_passed(what, time);
    }

    fn tell_passed(&self, what: &str, time: Duration) {
        let line = match self.bar.is_some() {
            true => Line::new().toned(Tone::Good, TAKEN.to_string()),
            false => Line::new(),
        };
        let time = format!("  {:.1} s", time.as_secs_f64());
        let line = line.text(what.to_owned()).toned(Tone::Dim, time).hang(2);
        let tell = || self.out.line(line);
        match &self.bar {
            Some(bar) => bar.suspend(tell),
            None => tell(),
        }
    }

    /// The phases, while nothing else may change them.
    fn phases(&self) -> Option<MutexGuard<'_, Phases>> {
        self.phases.as_ref().map(|phases| phases.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn end_phase(&self) {
        if let Some((what, time)) = self.phases().and_then(|mut phases| phases.end()) {
            self.tell_passed(&what, time);
        }
    }

    /// Nothing more will come.
    pub(super) fn finish(&self) {
        self.end_phase();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        let line = || self.out.line(text.to_owned());
        match &self.bar {
            // The bar steps aside for the line.
            Some(bar) => bar.suspend(line),
            None => line(),
        }
    }

    /// What the spinner says.
    fn message(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.out.row(text));
        }
    }

    /// Whether `what` is waited for since just now.
    fn is_new_wait(&self, what: &str) -> bool {
        let mut known = self.waiting_for.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *known != what;
        if is_new {
            what.clone_into(&mut known);
        }
        is_new
    }
}

impl StepReporter for Progress<'_> {
    fn begins(&self, number: usize, of: usize, step: &Step) {
        self.is_new_wait("");
        let what = step.to_string();
        match self.phases().map(|mut phases| phases.begin(step)) {
            Some(Some((ended, time))) => self.tell_passed(&ended, time),
            Some(None) => {}
            None => self.line(&format!("[{number}/{of}] {what}")),
        }
        self.message(&what);
    }

    fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.set_style(style(STEP));
            bar.unset_length();
            bar.set_position(0);
        }
    }

    fn waits(&self, what: &str) {
        if self.is_new_wait(what) {
            let text = format!("waiting for {what}");
            match &self.bar {
                Some(_) => self.message(&text),
                None => self.line(&text),
            }
        }
    }

    fn tells(&self, what: &str) {
        self.line(what);
    }

    fn leaves(&self, what: &str) {
        self.done();
        self.line(what);
    }

    fn undoes(&self, what: &str) {
        self.done();
        if let Some(mut phases) = self.phases() {
            phases.break_off();
        }
        let text = format!("undoing {what}");
        self.line(&text);
        self.message(&text);
    }

    fn is_interrupted(&self) -> bool {
        interrupt::is_requested()
    }
}

impl DownloadProgress for Progress<'_> {
    fn started(&self, total: Option<u64>) {
        if let Some(bar) = &self.bar {
            bar.set_position(0);
            match total {
                Some(total) => {
                    bar.set_length(total);
                    bar.set_style(style(TRANSFER));
                }
                None => bar.set_style(style(STREAM)),
            }
        }
    }

    fn moved(&self, position: u64) {
        if let Some(mut phases) = self.phases() {
            phases.transferred(position);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(position);
        }
    }

    fn retrying(&self, reason: &str, wait: Duration) {
        self.line(&format!("trying again in {:.1} s: {reason}", wait.as_secs_f64()));
    }

    fn cancelled(&self) -> bool {
        interrupt::is_requested()
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        // What was broken off has not passed.
        if let Some(mut phases) = self.phases() {
            phases.break_off();
        }
        self.finish();
    }
}

impl fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .progress_chars("=> ")
        .tick_chars("-\\|/ ")
}
