//! What the documents promise of one another, and what comments promise of them.

// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder whose name ends so.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path, end)),
            false if path.extension().is_some_and(|extension| extension == end) => found.push(path),
            false => {}
        }
    }
    found
}

/// Sources and tests, but for this one, which has the patterns.
fn sources() -> Vec<PathBuf> {
    let all = ["src", "tests", "examples", "fuzz/fuzz_targets"];
    let all = all.iter().flat_map(|folder| files(&project().join(folder), "rs"));
    all.filter(|path| !path.ends_with("documents.rs")).collect()
}

/// A fact that a comment names stands in the repository, under the heading that is named.
#[test]
fn every_fact_that_is_cited_is_in_the_documents() {
    let facts = fs::read_to_string(project().join("docs/agents.md")).unwrap();
    let headings: BTreeSet<&str> =
        facts.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mut cited = 0;
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for rest in text.split("docs/agents.md,").skip(1) {
            let rest = rest.trim_start_matches([' ', '\n', '/']);
            let heading = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap();
            assert!(headings.contains(heading), "{}: {heading}", path.display());
            cited += 1;
        }
        let text = text.to_lowercase();
        // By number, as in a document that is elsewhere.
        let is_numbered = (0..10).any(|digit| text.contains(&format!("{digit} of the facts")));
        let old = ["facts, section", "facts, failure"].iter().any(|old| text.contains(old));
        assert!(!old && !is_numbered, "{} cites what is not here", path.display());
    }
    assert!(cited >= 10, "{cited}");
}

/// The rows of failures that no check finds have numbers; each is explained among the facts.
#[test]
fn every_failure_that_has_a_number_is_explained() {
    let numbers = |file: &str| -> BTreeSet<String> {
        let text = fs::read_to_string(project().join(file)).unwrap();
        let cells = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
        let is_number =
            |cell: &&str| matches!(cell.as_bytes(), [b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9']);
        cells.filter(is_number).map(str::to_owned).collect()
    };
    let published = numbers("docs/checks.md");
    assert!(published.len() > 20, "{published:?}");
    assert_eq!(published, numbers("docs/agents.md"));
}

/// A link of a document leads to a file, and to a heading where it names one.
#[test]
fn every_link_of_a_document_leads_somewhere() {
    let top = fs::read_dir(project()).unwrap().map(|entry| entry.unwrap().path());
    let top = top.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let below = ["docs", "ci"].iter().flat_map(|folder| files(&project().join(folder), "md"));
    let anchor = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        heading.replace(|c: char| !c.is_alphanumeric() && c != '-' && c != '_', "")
    };
    let mut links = 0;
    for path in top.chain(below) {
        let text = fs::read_to_string(&path).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let to = match file {
                "" => path.clone(),
                file => path.parent().unwrap().join(file),
            };
            assert!(to.exists(), "{}: {target}", path.display());
            let is_there = heading.is_empty() || {
                let text = fs::read_to_string(&to).unwrap();
                text.lines().any(|line| line.starts_with('#') && anchor(line) == heading)
            };
            assert!(is_there, "{}: {target}", path.display());
            links += 1;
        }
    }
    assert!(links > 20, "{links}");
}

/// A file of `docs/` that a comment or a message names is there.
#[test]
fn every_document_that_is_named_is_there() {
    let mut named = 0;
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for rest in text.split("docs/").skip(1) {
            let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            let name = rest.split(|c| !is_of_name(c)).next().unwrap();
            let is_file = [".md", ".json"].iter().any(|end| name.ends_with(end));
            if is_file {
                let to = project().join("docs").join(name);
                assert!(to.is_file(), "{}: docs/{name}", path.display());
                named += 1;
            }
        }
    }
    assert!(named >= 10, "{named}");
}

/// How many faults are planted, as the README says it of each system.
#[test]
fn the_readme_counts_the_planted_faults_as_they_are() {
    let count = |files: &[PathBuf], begins: &[&str]| {
        let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
        let is_fault = |line: &&str| begins.iter().any(|begin| line.starts_with(begin));
        texts.map(|text| text.lines().filter(is_fault).count()).sum::<usize>()
    };
    let tests = project().join("tests");
    let begins = ["    fault(", "    seen_by(", "    saying("];
    let field = tests.join("support/faults/field");
    let (kinds, all): (Vec<_>, Vec<_>) = files(&tests.join("support/faults"), "rs")
        .into_iter()
        .partition(|path| path.starts_with(&field));
    let forms = count(&kinds, &["    form(", "    Healthy {"]);
    let linux = [count(&all, &begins), count(&kinds, &begins), forms];
    let mac = count(&[tests.join("recorded_facts/mac/faults.rs")], &["    ("]);
    let windows = count(&[tests.join("recorded_facts/windows/faults.rs")], &["    Fault("]);
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let row = readme.lines().find(|line| line.starts_with("| doctor: agents, service, rights"));
    let cells: Vec<&str> = row.unwrap().split(" | ").collect();
    for (cell, numbers) in [(cells[1], &linux[..]), (cells[2], &[mac]), (cells[3], &[windows])] {
        let told = cell.split_whitespace().filter_map(|word| word.parse::<usize>().ok());
        assert_eq!(told.collect::<Vec<_>>(), numbers, "{cell}");
    }
}

/// What the README shows of an install is what `tests/snapshots/` has of one.
#[test]
fn the_readme_shows_an_install_as_it_is_told() {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let snapshot = fs::read_to_string(project().join("tests/snapshots/install.snap")).unwrap();
    let (_, shown) = readme.split_once("$ runnerup install --yes --root DIR").unwrap();
    let lines: Vec<&str> = shown.lines().skip(1).take_while(|line| !line.is_empty()).collect();
    assert!(lines.len() > 3, "{lines:?}");
    for line in lines {
        // Without the platform, the size and the time.
        let what = line.split("  ").next().unwrap().split(" for ").next().unwrap();
        assert!(snapshot.contains(what), "{what}");
    }
}

/// The same of a doctor's report, and of a fix.
#[test]
fn the_readme_shows_a_report_and_a_fix_as_they_are_told() {
    let file = |name: &str| fs::read_to_string(project().join(name)).unwrap();
    let told = file("tests/snapshots/doctor.snap") + &file("tests/snapshots/doctor-fix.snap");
    let told: BTreeSet<&str> = told.lines().collect();
    let readme = file("README.md");
    let (_, shown) = readme.split_once("$ runnerup doctor --root DIR\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let is_output = |line: &&str| !line.is_empty() && !line.starts_with('$');
    let lines: Vec<&str> = shown.lines().filter(is_output).collect();
    assert!(lines.len() > 8, "{lines:?}");
    for line in lines {
        let number = |word: &str| word.parse::<usize>().is_ok();
        let named = line.replace("DIR", "ROOT");
        let line = match named.split_once(", ").filter(|_| line.contains(" ms: ")) {
            Some((agents, checks)) => {
                let words = checks.split(' ').map(|word| if number(word) { "N" } else { word });
                format!("{agents}, {}", words.collect::<Vec<_>>().join(" "))
            }
            None => named,
        };
        assert!(told.contains(line.as_str()), "{line}");
    }
}
