//! One unit as the next boot will read it.

use super::files::Files;
use crate::{
    host::Directive,
    service::systemd::{truth::is_off, unit_text::parse},
};
use std::path::Path;

/// What stands at a unit's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Missing,
    Masked,
    There,
}

/// A unit with its drop-ins and the links in its folders.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) standing: Standing,
    pub(super) lines: Vec<Directive<String>>,
    /// By links in `NAME.wants` and `NAME.upholds`.
    pub(super) wanted: Vec<String>,
    /// By links in `NAME.requires`.
    pub(super) required: Vec<String>,
}

impl Unit {
    /// Reads it; `name` is the name that the unit's file has.
    pub(super) fn read(files: &Files<'_>, name: &str) -> Self {
        let mut unit = Self {
            name: name.to_owned(),
            standing: files.standing(name),
            lines: Vec::new(),
            wanted: Vec::new(),
            required: Vec::new(),
        };
        if unit.standing == Standing::Masked {
            return unit;
        }
        if let Some(path) = files.place(name) {
            unit.add(files, path);
        }
        for path in files.drop_ins(name) {
            unit.add(files, &path);
        }
        unit.wanted.extend(files.linked(name, "wants"));
        unit.wanted.extend(files.linked(name, "upholds"));
        unit.required.extend(files.linked(name, "requires"));
        unit
    }

    fn add(&mut self, files: &Files<'_>, path: &Path) {
        let text = files.text(path);
        self.lines.extend(parse(&text, path));
    }

    /// The names behind a key of `[Unit]`; an empty value takes nothing back here.
    pub(super) fn names(&self, key: &str) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter();
        let lines = lines.filter(move |line| line.section == "Unit" && line.key == key);
        lines.flat_map(|line| line.value.split_whitespace()).filter(|name| !name.contains('%'))
    }

    /// The last value of a key.
    pub(super) fn value(&self, section: &str, key: &str) -> Option<&str> {
        let mut lines = self.lines.iter().rev();
        let line = lines.find(|line| line.section == section && line.key == key)?;
        Some(line.value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn kind(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(_, kind)| kind)
    }

    pub(super) fn has_defaults(&self) -> bool {
        let value = self.value("Unit", "DefaultDependencies").unwrap_or_default();
        value.is_empty() || !is_off(value)
    }

    /// The units that it cannot be started without, each with the directive.
    pub(super) fn requirements(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let keys = ["Requires", "BindsTo", "Requisite"].into_iter();
        let of_lines = keys.flat_map(|key| self.names(key).map(move |name| (key, name)));
        of_lines.chain(self.required.iter().map(|name| ("Requires", name.as_str())))
    }

    /// The units that are started with it.
    pub(super) fn starts(&self) -> Vec<String> {
        let wanted = ["Wants", "Upholds"].into_iter().flat_map(|key| self.names(key));
        let required = self.requirements().filter(|(key, _)| *key != "Requisite");
        let mut all: Vec<String> = wanted
            .chain(required.map(|(_, name)| name))
            .chain(self.wanted.iter().map(String::as_str))
            .map(str::to_owned)
            .collect();
        if self.has_defaults() && matches!(self.kind(), "service" | "socket" | "timer" | "path") {
            all.push("sysinit.target".to_owned());
        }
        all.extend(self.triggered());
        all
    }

    /// What a timer, a path or a socket starts in its time.
    fn triggered(&self) -> Option<String> {
        let (section, key) = match self.kind() {
            "timer" => ("Timer", "Unit"),
            "path" => ("Path", "Unit"),
            "socket" => ("Socket", "Service"),
            _ => return None,
        };
        let stem = self.name.rsplit_once('.')?.0;
        let named = self.value(section, key).map(str::to_owned);
        Some(named.unwrap_or_else(|| format!("{stem}.service")))
    }

    /// The units that it starts after, defaults included; `is_after`: whether the second starts
    /// after the first by its own word.
    pub(super) fn after(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.names("After").collect();
        if self.has_defaults() && self.kind() == "service" {
            all.extend(["sysinit.target", "basic.target"]);
        }
        all
    }
}
