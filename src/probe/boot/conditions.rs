//! Conditions and assertions of a unit that can be told from files.

use super::unit::Unit;
use crate::{
    host::{ConditionFault, Directive, Provenance, UnitCondition},
    platform::{
        fs::{Kind, Root, WalkEnd},
        machine::hostname,
    },
    probe::reader,
    service::systemd::truth::is_on,
};
use std::path::{Path, PathBuf};

/// Folders that are empty, or filled anew, when the unit starts.
const MADE_ANEW: [&str; 6] = ["/run", "/tmp", "/var/tmp", "/proc", "/sys", "/dev"];

/// What does not hold of a unit that `named_by` wrote. Of conditions with a bar one must hold.
pub(super) fn failing(root: &Root, unit: &Unit, named_by: Provenance) -> Vec<UnitCondition> {
    let is_condition = |line: &&Directive<String>| {
        line.section == "Unit"
            && (line.key.starts_with("Condition") || line.key.starts_with("Assert"))
    };
    let all: Vec<_> = unit.lines.iter().filter(is_condition).collect();
    let from = all.iter().rposition(|line| line.value.is_empty()).map_or(0, |at| at + 1);
    let lines = all.get(from..).unwrap_or_default();
    let (either, each): (Vec<&&Directive<String>>, Vec<_>) =
        lines.iter().partition(|line| line.value.starts_with('|'));
    let fault = |line: &&&Directive<String>| {
        let why = fault(root, line, named_by)?;
        Some(UnitCondition { file: line.file.clone(), line: line.line, key: line.key.clone(), why })
    };
    let mut found: Vec<UnitCondition> = each.iter().filter_map(fault).collect();
    let of_either: Vec<UnitCondition> = either.iter().filter_map(fault).collect();
    if of_either.len() == either.len() {
        found.extend(of_either.into_iter().take(1));
    }
    found
}

/// Why a condition does not hold; `None` where it does, or where that is not known.
fn fault(root: &Root, line: &Directive<String>, named_by: Provenance) -> Option<ConditionFault> {
    let value = line.value.trim_start_matches('|').trim();
    let (is_not, value) = match value.strip_prefix('!') {
        Some(value) => (true, value.trim()),
        None => (false, value),
    };
    let key = line.key.trim_start_matches("Condition").trim_start_matches("Assert");
    match key {
        "FirstBoot" => {
            let wants = is_on(value);
            return (wants != is_not).then_some(ConditionFault::FirstBoot);
        }
        "Host"
            if root.is_host()
                && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)) =>
        {
            let name = hostname();
            let is_id = value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
            let is_it = name.eq_ignore_ascii_case(value);
            return (!is_id && is_it == is_not).then_some(ConditionFault::Host);
        }
        _ => {}
    }
    if !value.starts_with('/')
        || value.contains('%')
        || MADE_ANEW.iter().any(|anew| Path::new(value).starts_with(anew))
    {
        return None;
    }
    let path = PathBuf::from(value);
    let walk = reader::walk(root, &path, named_by, None).ok()?;
    let is_missing = matches!(walk.stopped, Some(WalkEnd::Missing(_) | WalkEnd::NoFolder(..)));
    if walk.end.is_none() && !is_missing {
        return None;
    }
    let holds = match key {
        "PathExists" => walk.end.is_some(),
        "PathIsDirectory" => walk.is(Kind::Folder),
        "FileNotEmpty" => walk.is(Kind::File) && walk.end.is_some_and(|end| end.size > 0),
        "FileIsExecutable" => walk.is(Kind::File) && walk.end.is_some_and(|end| end.has_any(0o111)),
        "DirectoryNotEmpty" if walk.end.is_none() => false,
        _ => return None,
    };
    match (holds, is_not) {
        (true, true) => Some(ConditionFault::PathStands(path)),
        (false, false) => Some(ConditionFault::Path(path)),
        _ => None,
    }
}
