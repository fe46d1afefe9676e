//! Whether the next boot starts a unit: walked from `default.target` on, by the files that systemd
//! will read then. What exists until the next boot only, in `/run`, does not count.

mod conditions;
mod files;
mod order;
mod unit;

use crate::{
    host::{Boot, Provenance, Requirement, Seen, Wanter, WanterState},
    platform::fs::Root,
    text::nearest,
};
use files::{Files, is_volatile};
use std::{
    cell::{OnceCell, RefCell},
    collections::{BTreeMap, BTreeSet},
    path::Path,
    rc::Rc,
    time::Instant,
};
use unit::{Standing, Unit};

/// Most units that are read.
const UNITS: usize = 3000;

/// The next boot of a host.
struct NextBoot<'a> {
    files: Files<'a>,
    units: RefCell<BTreeMap<String, Rc<Unit>>>,
    target: String,
    /// What the boot leads to.
    reached: BTreeSet<String>,
    /// Of each unit of the boot those that say of themselves that they come before it.
    before: OnceCell<BTreeMap<String, Vec<String>>>,
}

/// What the next boot does with each of these units, which others than root may have written.
pub(super) fn examine(
    root: &Root,
    units: &[(String, Provenance)],
    until: Instant,
) -> Seen<BTreeMap<String, Boot>> {
    if units.is_empty() {
        return Seen::Known(BTreeMap::new());
    }
    let Some(boot) = NextBoot::foresee(root, until) else {
        return Seen::not("there is no default.target from which the next boot could be told");
    };
    if Instant::now() >= until {
        return Seen::broken("the units could not be read in time");
    }
    let of_unit = |(name, by): &(String, Provenance)| (name.clone(), boot.of(name, *by));
    Seen::Known(units.iter().map(of_unit).collect())
}

impl<'a> NextBoot<'a> {
    fn foresee(root: &'a Root, until: Instant) -> Option<Self> {
        let files = Files::list(root, until);
        files.place("default.target")?;
        let target = files.real_name("default.target");
        let (units, reached) = (RefCell::default(), BTreeSet::new());
        let before = OnceCell::new();
        let mut boot = Self { files, units, target: target.clone(), reached, before };
        boot.reach(&target);
        Some(boot)
    }

    /// Reads a unit once, by the name that its file has.
    fn unit(&self, name: &str) -> Rc<Unit> {
        let name = self.files.real_name(name);
        if let Some(unit) = self.units.borrow().get(&name) {
            return Rc::clone(unit);
        }
        let unit = Rc::new(Unit::read(&self.files, &name));
        self.units.borrow_mut().insert(name, Rc::clone(&unit));
        unit
    }

    fn reach(&mut self, from: &str) {
        let mut left = vec![from.to_owned()];
        while let Some(name) = left.pop() {
            if self.reached.len() > UNITS || Instant::now() >= self.files.until {
                return;
            }
            let unit = self.unit(&name);
            if unit.standing == Standing::There && self.reached.insert(unit.name.clone()) {
                left.extend(unit.starts());
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.reached.contains(&self.files.real_name(name))
    }

    fn of(&self, name: &str, named_by: Provenance) -> Boot {
        let unit = self.unit(name);
        let mut names = vec![name.to_owned(), unit.name.clone()];
        names.extend(self.files.other_names(name));
        let is_reached = names.iter().any(|name| self.has(name));
        let mut seen = BTreeSet::new();
        let mut missing = Vec::new();
        self.missing(&unit, &mut seen, &mut missing);
        Boot {
            target: self.target.clone(),
            is_multi_user: self.reached.contains("multi-user.target"),
            is_reached,
            wanters: self.wanters(&names),
            missing,
            tied: self.tied(&unit),
            conflicts: if is_reached { self.conflicts(&unit, &names) } else { Vec::new() },
            cycle: if is_reached { order::cycle(self, &unit.name) } else { Vec::new() },
            conditions: conditions::failing(self.files.root, &unit, named_by),
            unmounted: self.unmounted(&unit),
        }
    }

    fn wanters(&self, names: &[String]) -> Vec<Wanter> {
        let state = |name: &str, lasts: bool| match self.unit(name).standing {
            _ if !lasts => WanterState::UntilBoot,
            Standing::Missing => WanterState::Missing,
            Standing::Masked => WanterState::Masked,
            Standing::There if self.has(name) => WanterState::Reached,
            Standing::There => WanterState::NotReached,
        };
        let wanter = |(name, folder): (String, &Path)| {
            let state = state(&name, !is_volatile(folder));
            // Neither an administrator's nor of this boot alone.
            let by_package = !folder.starts_with("/etc") && !is_volatile(folder);
            let is_missing = state == WanterState::Missing;
            let meant = is_missing.then(|| nearest(&name, &self.files.targets())).flatten();
            Wanter { meant: meant.map(str::to_owned), name, state, by_package }
        };
        self.files.wanters(names).into_iter().map(wanter).collect()
    }

    /// What cannot be started and must be, of a unit and of all that it requires.
    fn missing(&self, unit: &Unit, seen: &mut BTreeSet<String>, found: &mut Vec<Requirement>) {
        if !seen.insert(unit.name.clone()) || seen.len() > 200 {
            return;
        }
        for (key, name) in unit.requirements() {
            let other = self.unit(name);
            match other.standing {
                Standing::There => self.missing(&other, seen, found),
                standing => found.push(Requirement {
                    key: key.to_owned(),
                    name: name.to_owned(),
                    by: unit.name.clone(),
                    is_masked: standing == Standing::Masked,
                }),
            }
        }
    }

    /// Services with which it is stopped, though its own Restart= would have it run.
    fn tied(&self, unit: &Unit) -> Vec<Requirement> {
        let keys = ["BindsTo", "PartOf"].into_iter();
        let names = keys.flat_map(|key| unit.names(key).map(move |name| (key, name)));
        let services = names.filter(|(_, name)| name.ends_with(".service"));
        services
            .filter(|(_, name)| self.unit(name).standing == Standing::There)
            .map(|(key, name)| Requirement {
                key: key.to_owned(),
                name: name.to_owned(),
                by: unit.name.clone(),
                is_masked: false,
            })
            .collect()
    }

    fn conflicts(&self, unit: &Unit, names: &[String]) -> Vec<String> {
        let own = unit.names("Conflicts").filter(|name| self.has(name)).map(str::to_owned);
        let others = self.reached.iter().filter(|name| {
            let other = self.unit(name);
            other.name != unit.name
                && other.names("Conflicts").any(|name| names.iter().any(|own| own == name))
        });
        let all: BTreeSet<String> = own.chain(others.cloned()).collect();
        all.into_iter().filter(|name| *name != unit.name).collect()
    }

    /// Mount points that the boot leaves alone, and that the unit does not ask for itself.
    fn unmounted(&self, unit: &Unit) -> Vec<std::path::PathBuf> {
        let is_manual = |options: &str| {
            let has = |option: &str| options.split(',').any(|own| own == option);
            has("noauto") && !has("x-systemd.automount")
        };
        let lines = unit.lines.iter().filter(|line| {
            matches!(
                line.key.as_str(),
                "RequiresMountsFor" | "WantsMountsFor" | "WorkingDirectory" | "RootDirectory"
            )
        });
        let asked: Vec<&Path> = lines
            .flat_map(|line| line.value.split_whitespace())
            .map(|word| Path::new(word.trim_start_matches('-')))
            .collect();
        let started: BTreeSet<_> = unit
            .starts()
            .into_iter()
            .chain(self.reached.iter().cloned())
            .filter(|name| name.ends_with(".mount"))
            .map(|name| files::mount_point(&name))
            .collect();
        let mounts = self.files.mounts.iter().filter(|(_, options)| is_manual(options));
        let points = mounts.map(|(point, _)| point);
        points
            .filter(|point| !started.contains(*point))
            .filter(|point| !asked.iter().any(|path| path.starts_with(point)))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
