//! Holds the rooms of `src/` to the README's table: each room stands in it, and every arrow
//! (`use crate::…`) goes down. Rooms of one row stand side by side: none imports another.

// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What `src/lib.rs` makes known by a shorter name, and the room that it stands in.
const SHORT: [(&str, &str); 6] = [
    ("Code", "error"),
    ("Command", "text"),
    ("Error", "error"),
    ("Foreign", "error"),
    ("Help", "error"),
    ("Result", "error"),
];

/// Whole installs by all rooms together: tests alone.
const TESTS: [&str; 1] = ["full_installs"];

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The row of each room in the README's table, from the top.
fn rows() -> BTreeMap<String, usize> {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let lines = readme.lines().filter_map(|line| line.strip_prefix("| `src/"));
    let mut rows = BTreeMap::new();
    for (row, line) in lines.enumerate() {
        let folders = line.split(" | ").next().unwrap();
        for folder in folders.split("`, `") {
            let name = folder.trim_start_matches("src/").trim_end_matches(['`', '/']);
            let name = name.trim_end_matches(".rs").to_owned();
            assert_eq!(rows.insert(name.clone(), row), None, "{name} stands twice in the README");
        }
    }
    rows
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The room of a source file.
fn room(path: &Path) -> String {
    let inner = path.strip_prefix(project().join("src")).unwrap();
    let first = inner.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// A file's code: without comments, and without its tests, which may look anywhere.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
    code.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Whether a whole file is of tests.
fn is_of_tests(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_string_lossy();
    ["tests", "bench", "fixtures", "saved"].contains(&name.as_ref())
        || TESTS.contains(&room(path).as_str())
}

/// The rooms that follow each `crate::` in a text.
fn used(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => names.extend(heads(group)),
            None => names.extend(word(rest)),
        }
    }
    let whole = |name: String| {
        SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, room)| (*room).to_owned())
    };
    names.into_iter().map(whole).collect()
}

/// The rooms that follow `super::super::` and its like, where those lead out of the file's own room.
fn used_by_super(code: &str, path: &Path) -> BTreeSet<String> {
    let inner = path.strip_prefix(project().join("src")).unwrap();
    let depth = inner.with_extension("").iter().filter(|part| *part != "mod").count();
    let up = "super::".repeat(depth);
    let is_whole = |before: &str| !before.ends_with("super::");
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(&up).filter(|(at, _)| is_whole(code.get(..*at).unwrap())) {
        let rest = code.get(at + up.len()..).unwrap();
        match rest.strip_prefix('{') {
            Some(group) => names.extend(heads(group)),
            None => names.extend(word(rest)),
        }
    }
    names
}

/// The first word of each path of a group, up to the brace that ends it.
fn heads(group: &str) -> Vec<String> {
    let (mut names, mut depth, mut is_head) = (Vec::new(), 0_usize, true);
    for (at, sign) in group.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_head = true,
            _ if is_head && !sign.is_whitespace() => {
                names.extend(word(group.get(at..).unwrap()));
                is_head = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|sign: char| !sign.is_alphanumeric() && sign != '_');
    let word = text.get(..end.unwrap_or(text.len())).unwrap();
    (!word.is_empty()).then(|| word.to_owned())
}

#[test]
fn every_room_stands_in_the_readme_and_nothing_else() {
    let mut files = Vec::new();
    sources(&project().join("src"), &mut files);
    let mut rooms: BTreeSet<String> = files.iter().map(|path| room(path)).collect();
    rooms.retain(|room| room != "lib" && !TESTS.contains(&room.as_str()));
    let told: BTreeSet<String> = rows().into_keys().collect();
    assert_eq!(rooms, told);
}

#[test]
fn every_arrow_goes_down() {
    let rows = rows();
    let mut files = Vec::new();
    sources(&project().join("src"), &mut files);
    let mut wrong = BTreeSet::new();
    let mut arrows = 0;
    for path in files.iter().filter(|path| !is_of_tests(path) && room(path) != "lib") {
        let from = room(path);
        let row = rows[&from];
        let code = code(path);
        let by_super = used_by_super(&code, path).into_iter().filter(|to| rows.contains_key(to));
        for to in used(&code).into_iter().chain(by_super).filter(|to| *to != from) {
            arrows += 1;
            match rows.get(&to) {
                Some(other) if *other > row => {}
                _ => drop(wrong.insert(format!("{} uses {to}", path.display()))),
            }
        }
    }
    assert!(arrows > 500, "{arrows} arrows were read");
    assert_eq!(wrong, BTreeSet::new());
}

#[test]
fn a_use_is_read_in_each_of_its_forms() {
    let read = |text: &str| used(text).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(read("use crate::plan::Plan;"), "plan");
    let up = |file: &str, text: &str| {
        let path = project().join("src").join(file);
        used_by_super(text, &path).into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(up("a/b.rs", "use super::super::{plan::Plan, cli};"), "cli plan");
    assert_eq!(up("a/b/mod.rs", "use super::{c, d}; super::super::plan::x()"), "plan");
    assert_eq!(up("a.rs", "super::plan::x()"), "plan");
    assert_eq!(up("a/b/c.rs", "use super::super::plan;"), "");
    assert_eq!(
        read("use crate::{\n    Code, a::{b, c},\n    d,\n};\ncrate::e::f()"),
        "a d e error"
    );
}

#[test]
fn texts_of_others_enter_the_model_by_one_file() {
    let mut files = Vec::new();
    sources(&project().join("src"), &mut files);
    let makes = |path: &&PathBuf| code(path).contains("after_scrub(");
    let mut makers: Vec<_> = files.iter().filter(makes).collect();
    makers.sort();
    let named = ["src/host/scrubbed.rs", "src/probe/scrubbed.rs"].map(|name| project().join(name));
    assert_eq!(makers, named.iter().collect::<Vec<_>>());
}

/// Where a service manager is named: in its homes, their tables, and what finds its definitions.
const HOMES: [&str; 5] =
    ["service/", "doctor/service/", "values/manager.rs", "probe/launchd.rs", "probe/tasks.rs"];

#[test]
fn a_service_manager_is_named_in_its_homes_alone() {
    let mut files = Vec::new();
    sources(&project().join("src"), &mut files);
    let inner = |path: &Path| path.strip_prefix(project().join("src")).unwrap().to_owned();
    let is_home = |path: &Path| HOMES.iter().any(|home| inner(path).starts_with(home));
    let names = ["Manager::Systemd", "Manager::Launchd", "Manager::TaskScheduler"];
    let strangers = files.iter().filter(|path| !is_of_tests(path) && !is_home(path));
    let named = strangers.filter(|path| names.iter().any(|name| code(path).contains(name)));
    assert_eq!(named.collect::<Vec<_>>(), [] as [&PathBuf; 0]);
}
