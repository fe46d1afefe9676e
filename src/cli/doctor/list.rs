//! `doctor --list`: the catalogue.

use crate::{
    Result,
    cli::Output,
    doctor::{CHECKS, Check, page},
};
use serde::Serialize;
use std::fmt::Write;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct List {
    checks: Vec<Listed>,
}

/// A check as scripts read it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Listed {
    check: &'static str,
    holds: &'static str,
    why: &'static str,
    found: &'static str,
    cure: &'static str,
}

impl From<&Check> for Listed {
    fn from(check: &Check) -> Self {
        let Check { name, holds, why, found, cure, .. } = *check;
        Self { check: name, holds, why, found, cure }
    }
}

/// Prints every check.
pub(super) fn list(markdown: bool, out: &Output) -> Result<()> {
    if out.is_json() {
        let checks = CHECKS.iter().copied().map(Listed::from).collect();
        return out.document(&List { checks });
    }
    if markdown {
        return out.page(&page());
    }
    let width = CHECKS.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for check in CHECKS.iter() {
        let _ = writeln!(text, "{:width$}  {}", check.name, check.holds);
    }
    out.page(&text)
}
