//! `doctor --watch`: examines again and again, and shows what changed.

use super::{code, examined, report};
use crate::{
    Result,
    cli::{Output, interrupt, options::DoctorArgs},
    doctor::{Diagnosis, Finding, Selection, Status},
};
use std::{
    collections::HashMap,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

/// Between the end of one examination and the beginning of the next.
const PAUSE: Duration = Duration::from_secs(5);

type Statuses = HashMap<(&'static str, Option<String>), (Status, String)>;

/// Runs until the person has seen enough.
pub(super) fn run(args: &DoctorArgs, selection: &Selection, out: &Output) -> Result<ExitCode> {
    let first = examined(args, selection, out)?;
    report::tell(&first.survey, &first.diagnosis, out)?;
    out.line("Watching; Ctrl-C ends it.");
    let mut before = statuses(&first.diagnosis);
    let mut last = first.diagnosis;
    interrupt::watching();
    loop {
        let begun = Instant::now();
        while begun.elapsed() < PAUSE {
            if interrupt::is_requested() {
                return Ok(code(&last, args.strict));
            }
            thread::sleep(Duration::from_millis(100));
        }
        let now = examined(args, selection, out)?;
        let after = statuses(&now.diagnosis);
        if out.is_json() && before != after {
            out.document(&now.diagnosis)?;
        } else if before != after {
            let time = jiff::Timestamp::now().strftime("%H:%M:%SZ");
            for finding in now.diagnosis.findings.iter().filter(|finding| changed(finding, &before))
            {
                out.result(report::head(finding, Some(format!("{time} "))))?;
            }
        }
        before = after;
        last = now.diagnosis;
    }
}

/// A changed sentence alone, as one with a time in it, is no change.
fn changed(finding: &Finding, before: &Statuses) -> bool {
    let key = (finding.check, finding.instance.clone());
    before.get(&key).is_none_or(|(status, _)| *status != finding.status)
}

fn statuses(diagnosis: &Diagnosis) -> Statuses {
    let one = |finding: &Finding| {
        let key = (finding.check, finding.instance.clone());
        (key, (finding.status, finding.status.word().to_owned()))
    };
    diagnosis.findings.iter().map(one).collect()
}
