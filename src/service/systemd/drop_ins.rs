//! Where systemd looks for units, and for what it adds to them.

use std::path::PathBuf;

/// Where systemd reads units, the one that counts first: `systemd.unit(5)`, and what `systemd-analyze
/// unit-paths` lists besides.
pub const FOLDERS: [&str; 13] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// What a folder for a unit ends in when the links in it name units that are started with that one.
pub const DEPENDENCIES: [&str; 3] = ["wants", "requires", "upholds"];

/// What the doctor's own drop-ins begin with: read last, so that they override others.
const OF_DOCTOR: &str = "zz-runnerup-";

/// The drop-in that holds one of the doctor's fixes of a unit.
pub fn of_doctor(unit: &str, what: &str) -> PathBuf {
    PathBuf::from(format!("/etc/systemd/system/{unit}.d/{OF_DOCTOR}{what}.conf"))
}

/// The name of the template that a unit is an instance of.
pub fn template_of(unit: &str) -> Option<String> {
    let (stem, kind) = unit.rsplit_once('.')?;
    let (template, instance) = stem.split_once('@')?;
    (!instance.is_empty()).then(|| format!("{template}@.{kind}"))
}

/// Whether documentation and packages give an agent's unit this name: nothing else has it.
pub fn is_documented(unit: &str) -> bool {
    ["circleci.service", "circleci-runner.service", "circleci-launch-agent.service"].contains(&unit)
        || unit.starts_with("circleci@")
}

/// Whether it is the name of a template, which nothing runs by itself.
pub fn is_template(unit: &str) -> bool {
    unit.rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with('@'))
}

/// The folders of drop-ins that are read for a unit, the one that counts first.
pub fn names(unit: &str) -> Vec<String> {
    folders_of(unit, "d").collect()
}

/// The folders whose links name units that are started with a unit.
pub fn dependencies(unit: &str) -> Vec<String> {
    DEPENDENCIES.iter().flat_map(|kind| folders_of(unit, kind)).collect()
}

/// A unit's own folder of a kind, that of its template, those of each beginning of its name, and that
/// of all units of its type: systemd looks for every kind in the same places.
fn folders_of<'a>(unit: &'a str, kind: &'a str) -> impl Iterator<Item = String> + 'a {
    let (stem, of) = unit.rsplit_once('.').unwrap_or((unit, "service"));
    let dashes = stem
        .rmatch_indices('-')
        .filter_map(move |(at, _)| Some(format!("{}.{of}.{kind}", stem.get(..=at)?)));
    let template = stem.split_once('@').map(|(template, _)| format!("{template}@.{of}.{kind}"));
    let full_names = [format!("{unit}.{kind}")].into_iter().chain(template);
    full_names.chain(dashes).chain([format!("{of}.{kind}")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_beginnings_are_read_too() {
        let full_names = ["circleci-a-b.service.d", "circleci-a-.service.d", "circleci-.service.d"];
        assert_eq!(names("circleci-a-b.service"), [&full_names[..], &["service.d"]].concat());
        assert_eq!(names("ci@a.service"), ["ci@a.service.d", "ci@.service.d", "service.d"]);
        assert_eq!(template_of("ci@a.service").as_deref(), Some("ci@.service"));
        assert_eq!((template_of("ci@.service"), template_of("ci.service")), (None, None));
        assert!(is_template("ci@.service") && !is_template("ci@a.service"));
        let all = dependencies("ci-a.service");
        for kind in DEPENDENCIES {
            for of in ["ci-a.service", "ci-.service", "service"] {
                assert!(all.contains(&format!("{of}.{kind}")), "{of}.{kind}");
            }
        }
    }
}
