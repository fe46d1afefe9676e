//! What `--json` prints, held against `docs/schemas/` by a reader of schemas that did not write them.
//! Their text itself is made from the types by a unit test in `src/cli/schemas.rs`.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};
use support::{
    loopback::Loopback,
    plans::{SYSTEMS, TOKEN, USUAL, fresh, planned},
};

/// A schema, or a part of one.
struct Form {
    name: String,
    schemas: Schemas,
    index: SchemaIndex,
}

impl Form {
    /// Of a file in `docs/schemas/`.
    fn new(name: &str) -> Self {
        Self::part(name, "#")
    }

    /// Of a part of it, such as `#/$defs/Record`. A key that is not named there is refused as well.
    fn part(name: &str, part: &str) -> Self {
        let path = support::repository().join(format!("docs/schemas/{name}.json"));
        let mut text: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let closed = text.pointer_mut(part.trim_start_matches('#')).unwrap();
        closed["unevaluatedProperties"] = json!(false);
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("file:///schema.json", text).unwrap();
        let index = compiler.compile(&format!("file:///schema.json{part}"), &mut schemas).unwrap();
        Self { name: format!("{name}{part}"), schemas, index }
    }

    fn refuses(&self, document: &Value) -> bool {
        self.schemas.validate(document, self.index).is_err()
    }

    /// That a document fits; and that it does not once any of its keys is missing, has another type,
    /// or is one too many: a schema that lets everything through holds nothing.
    fn holds(&self, document: &Value) {
        let name = &self.name;
        if let Err(error) = self.schemas.validate(document, self.index) {
            panic!("{name}: {error:#}\n{document:#}");
        }
        let mut more = document.clone();
        more["another"] = json!(1);
        assert!(self.refuses(&more), "{name}: one key too many");
        for key in document.as_object().unwrap().keys() {
            let mut less = document.clone();
            less.as_object_mut().unwrap().remove(key);
            // A step says what is done with a busy service only where that is not the usual.
            assert!(self.refuses(&less) || key == "if_busy", "{name}: without {key}");
            let mut other = document.clone();
            other[key] = json!([[document[key]]]);
            assert!(self.refuses(&other), "{name}: another type of {key}");
        }
    }
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_runnerup"))
        .args(args)
        .arg("--json")
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .unwrap()
}

/// The one document that a run prints, held against its schema.
fn printed(schema: &str, args: &[&str]) -> Value {
    let output = run(args);
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{args:?}: {error}: {output:?}"));
    Form::new(schema).holds(&document);
    document
}

#[test]
fn explanations_lists_and_errors() {
    printed("explain", &["explain", "E3008"]);
    printed("explain-check", &["explain", "config/parses"]);
    printed("explain-list", &["explain", "--list"]);
    printed("doctor-list", &["doctor", "--list"]);
    printed("error", &["explain", "E9999"]);
    printed("error", &["uninstall", "--no-such-option"]);
}

/// Reports on recorded and made hosts.
#[test]
fn reports() {
    let form = Form::part("doctor", "#/$defs/Finding");
    let mut seen = 0;
    for host in ["linux-recorded", "macos-made", "windows-made", "nothing-known"] {
        let path = support::repository().join(format!("tests/facts/{host}.json"));
        let report = printed("doctor", &["doctor", "--facts", path.to_str().unwrap()]);
        for finding in report["findings"].as_array().unwrap() {
            form.holds(finding);
            seen += usize::from(finding["remedy"].is_object());
        }
    }
    assert!(seen > 0, "no report has a remedy");
}

/// A whole life in a folder: plan, install, a second install, a fault and its cure, uninstall.
#[test]
fn a_life_in_a_folder() {
    // Any program of this platform will do: it is placed, not run.
    let bucket = Loopback::start(&fs::read("/bin/sh").unwrap(), TOKEN);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (root, token, url) = (path("root"), path("token"), bucket.url());
    fs::create_dir(&root).unwrap();
    fs::write(&token, TOKEN).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let within = |command: &[&'static str]| [command, &["--root"]].concat();
    let settings = ["--token-file", &token, "--release-url", &url, "--url", &url, "--name", "n"];
    let installed = |command: &[&'static str]| {
        [&within(command)[..], &[&root], &settings, &["--service", "systemd"]].concat()
    };
    let plan = printed("plan", &installed(&["plan"]));
    let step = Form::part("plan", "#/$defs/Described");
    plan["steps"].as_array().unwrap().iter().for_each(|document| step.holds(document));
    let install = printed("install", &installed(&["install", "--yes"]));
    assert_eq!(install["outcome"], "installed");
    Form::part("install", "#/$defs/Receipt").holds(&install["receipt"]);
    let form = Form::part("install", "#/$defs/Record");
    for record in install["receipt"]["records"].as_array().unwrap() {
        form.holds(record);
    }
    assert_eq!(printed("install", &installed(&["install", "--yes"]))["outcome"], "nothing to do");
    let binary = folder.path().join("root/opt/circleci/circleci-launch-agent");
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o644)).unwrap();
    let fix = [&within(&["doctor", "--fix", "--yes"])[..], &[&root]].concat();
    let dry = printed("plan", &[&fix[..], &["--dry-run"]].concat());
    assert_ne!(dry["steps"], json!([]));
    assert_ne!(printed("doctor-fix", &fix)["cured"], json!([]));
    printed("doctor", &[&within(&["doctor"])[..], &[&root]].concat());
    let uninstall = [&within(&["uninstall", "--yes", "--purge"])[..], &[&root]].concat();
    printed("plan", &[&uninstall[..], &["--dry-run"]].concat());
    assert_eq!(printed("uninstall", &uninstall)["outcome"], "uninstalled");
    assert_eq!(printed("uninstall", &uninstall)["outcome"], "nothing installed");
}

/// Steps of every kind of system, which no run here makes.
#[test]
fn steps_of_every_system() {
    let form = Form::part("plan", "#/$defs/Described");
    for system in SYSTEMS {
        let plan = planned(system, &USUAL, &fresh(system.0));
        for step in &plan.steps {
            let mut document = serde_json::to_value(step).unwrap();
            document["what"] = json!(step.to_string());
            form.holds(&document);
        }
    }
}
