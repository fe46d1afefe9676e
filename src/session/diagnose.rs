//! What is wrong with a host, and what of it can be cured.

use super::{Cures, Session, cure::cures};
use crate::{
    Code, Command, Error, Help, Result,
    doctor::{Consent, Diagnosis, Selection, judge},
    host::{ProbeSet, Survey},
    platform::fs::Provenance,
    probe::{self, Examined, Request},
    record::{self, Unfinished},
    text::{Secrets, is_plain},
    values::InstanceName,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

/// A survey and what was found in it.
#[derive(Debug)]
pub struct Examination {
    /// What was seen.
    pub survey: Survey,
    /// What the checks say of it.
    pub diagnosis: Diagnosis,
    /// What was met on the way and must not be printed.
    pub secrets: Secrets,
}

impl Examination {
    /// Judges a survey that was begun at `begun`.
    pub fn of(survey: Survey, selection: &Selection, secrets: Secrets, begun: Instant) -> Self {
        let findings = judge(&survey, selection);
        let elapsed = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        Self { survey, diagnosis: Diagnosis::new(findings, elapsed), secrets }
    }
}

impl Session {
    /// Examines the host, and has these checks judge what was seen. For a survey that is saved all
    /// probes are made, whatever the checks read: it is for any check later.
    ///
    /// # Errors
    /// Only when no random number can be had, or when all of it hangs.
    pub fn diagnose(
        &self,
        selection: &Selection,
        is_saved: bool,
        request: Request,
    ) -> Result<Examination> {
        let begun = Instant::now();
        let probes = if is_saved { ProbeSet::ALL } else { selection.probes() };
        let Examined { survey, secrets } = probe::examine(&self.root, probes, request)?;
        Ok(Examination::of(survey, selection, secrets, begun))
    }

    /// Plans the cures of what was found, each into the receipt that it belongs to.
    ///
    /// # Errors
    /// When an earlier run did not come to its end, or its records cannot be read.
    pub fn plan_cures(&self, found: &Examination, allowed: &BTreeSet<Consent>) -> Result<Cures> {
        let known = record::read(&self.root, "doctor")?;
        if let Some(unfinished) = &known.unfinished {
            return Err(Error::new(
                Code::StateUnreadable,
                format!("{} did not come to its end, and was not undone", name_of(unfinished)),
            )
            .help(of("runnerup install", unfinished, "goes on from it"))
            .help(of("runnerup uninstall", unfinished, "takes back what it did")));
        }
        let receipts: BTreeMap<_, _> =
            known.into_receipts().map(|receipt| (receipt.instance.clone(), receipt)).collect();
        Ok(cures(&found.diagnosis.findings, &found.survey, &receipts, allowed))
    }
}

/// A command about the instance of an unfinished run.
fn of(command: &'static str, unfinished: &Unfinished, why: &'static str) -> Help {
    let command = Command::fixed(command);
    let command = match unfinished.instance.parse::<InstanceName>() {
        Ok(name) => command.then("--instance").trusted_value(name.as_str(), Provenance::Root),
        Err(_) => command,
    };
    Help::of_program(command, why)
}

/// What an unfinished run is called: by one of our own names, whatever a journal says.
fn name_of(unfinished: &Unfinished) -> String {
    let known = ["install", "uninstall", record::FIX].into_iter();
    let name = known.into_iter().find(|name| *name == unfinished.command);
    let name = name.map_or("a run".to_owned(), |name| format!("a run of `{name}`"));
    match is_plain(&unfinished.at) {
        true => format!("{name} that began {}", unfinished.at),
        false => name,
    }
}
