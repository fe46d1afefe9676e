//! Orders that lead back to where they began: `systemd.unit(5)`, `After=`.

use super::{NextBoot, unit::Unit};
use std::collections::{BTreeMap, VecDeque};

/// Units of the boot that are each started after the next one, from a unit back to itself; the
/// shortest such row.
pub(super) fn cycle(boot: &NextBoot<'_>, start: &str) -> Vec<String> {
    let before = boot.before.get_or_init(|| befores(boot));
    let mut from: BTreeMap<String, String> = BTreeMap::new();
    let mut left = VecDeque::from([start.to_owned()]);
    while let Some(name) = left.pop_front() {
        for next in waits_for(boot, before, &name) {
            if next == start {
                let mut row = vec![name.clone()];
                while let Some(last) = row.last().and_then(|name| from.get(name)) {
                    row.push(last.clone());
                }
                row.reverse();
                return row;
            }
            if !from.contains_key(&next) {
                from.insert(next.clone(), name.clone());
                left.push_back(next);
            }
        }
    }
    Vec::new()
}

/// Of each unit of the boot those that say of themselves that they come before it.
fn befores(boot: &NextBoot<'_>) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in &boot.reached {
        for later in boot.unit(name).names("Before") {
            all.entry(boot.files.real_name(later)).or_default().push(name.clone());
        }
    }
    all
}

/// The units of the boot that one is started after.
fn waits_for(
    boot: &NextBoot<'_>,
    before: &BTreeMap<String, Vec<String>>,
    name: &str,
) -> Vec<String> {
    let unit = boot.unit(name);
    let mut all: Vec<String> =
        unit.after().into_iter().map(|name| boot.files.real_name(name)).collect();
    all.extend(before.get(name).into_iter().flatten().cloned());
    if unit.kind() == "target" && unit.has_defaults() {
        all.extend(unit.starts().iter().map(|name| boot.unit(name)).filter_map(|started| {
            let is_ordered = started.has_defaults() && !comes_after(boot, &started, &unit);
            is_ordered.then(|| started.name.clone())
        }));
    }
    all.retain(|other| boot.reached.contains(other) && other != name);
    all
}

/// Whether a unit says of itself that it comes after a target: then the target does not wait.
fn comes_after(boot: &NextBoot<'_>, unit: &Unit, target: &Unit) -> bool {
    unit.after().iter().any(|name| boot.files.real_name(name) == target.name)
        || target.names("Before").any(|name| boot.files.real_name(name) == unit.name)
}
