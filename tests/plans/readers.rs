//! Definitions of services, by readers that are not ours.

use crate::support::{
    self,
    plans::{SYSTEMS, USUAL, fresh, planned},
};
use runnerup::record::Step;
use std::{fs, path::Path, process::Command};

/// What is written into a definition comes out again in readers that are not ours.
#[test]
fn independent_readers_read_the_property_list() {
    let system = SYSTEMS[1];
    let mut given = USUAL.to_vec();
    let proxy = "http://me:a%3C%26%22b@proxy.example.com:3128";
    given.extend([("proxy", proxy), ("no-proxy", "a.example,<&>\"'"), ("max-run-time", "7h")]);
    let plan = planned(system, &given, &fresh(system.0));
    let content = plan.steps.iter().find_map(|step| match step {
        Step::File(file) if file.definition => Some(file.content.expose().to_owned()),
        _ => None,
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made.plist");
    fs::write(&file, content.unwrap()).unwrap();
    let reader =
        "import plistlib, json, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
    let by_python = |file: &Path| -> Option<serde_json::Value> {
        let python = support::tool("python3", "a property list and Python")?;
        let output = Command::new(python).args(["-c", reader]).arg(file).output().unwrap();
        Some(serde_json::from_slice(&output.stdout).unwrap())
    };
    let Some(read) = by_python(&file) else { return };
    assert_eq!(read["Label"], "com.circleci.runner");
    assert_eq!(read["ExitTimeOut"], 7 * 3600 + 300);
    assert_eq!((&read["KeepAlive"], &read["RunAtLoad"]), (&true.into(), &true.into()));
    assert_eq!(read["ProgramArguments"][1], "--config");
    let variables = &read["EnvironmentVariables"];
    assert_eq!(
        (&variables["HTTPS_PROXY"], &variables["NO_PROXY"]),
        (&proxy.into(), &given[4].1.into())
    );
    // libplist reads it, and Python reads what libplist made of it.
    let Some(plistutil) = support::tool("plistutil", "a property list and libplist") else {
        return;
    };
    let binary = folder.path().join("made.bplist");
    let mut made = Command::new(plistutil);
    made.arg("-i").arg(&file).arg("-o").arg(&binary).args(["-f", "bin"]);
    assert!(made.status().unwrap().success());
    assert_eq!(by_python(&binary), Some(read));
}

/// The definition against the rules of the published task schema, version 1.2, as far as they
/// concern it: what is allowed where, in which order, and how durations are written.
#[test]
fn the_task_is_what_the_schema_wants() {
    let system = SYSTEMS[2];
    let definitions = |given: &[(&str, &str)]| -> Vec<Vec<u8>> {
        let plan = planned(system, given, &fresh(system.0));
        let content = |step: &Step| match step {
            Step::File(file) if file.definition => Some(file.content.bytes()),
            _ => None,
        };
        plan.steps.iter().filter_map(content).collect()
    };
    for bytes in definitions(&USUAL) {
        assert_eq!(bytes[..2], [0xFF, 0xFE], "a mark in front");
        assert!(bytes.len() % 2 == 0);
    }
    let Some(python) = support::tool("python3", "a task's definition and Python") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut given = USUAL.to_vec();
    given.extend([("no-proxy", "a.example,<&>"), ("instance", "gpu"), ("user", "ci")]);
    let desktop = [&given[..], &[("desktop-session", "true")]].concat();
    let all = [definitions(&USUAL), definitions(&given), definitions(&desktop)].concat();
    assert_eq!(all.len(), 4);
    for bytes in all {
        let file = folder.path().join("task.xml");
        fs::write(&file, bytes).unwrap();
        let checked = Command::new(&python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/task_schema.py"))
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{said}");
    }
}

/// What the scheduler itself says; under Wine it takes definitions in, and never starts any.
#[cfg(windows)]
#[test]
fn the_scheduler_takes_every_definition() {
    let system = SYSTEMS[2];
    let desktop = [&USUAL[..], &[("desktop-session", "true")]].concat();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("task.xml");
    let schtasks = |args: &[&str]| {
        let mut command = Command::new("schtasks");
        command.args(args).args(["/tn", "runnerup test"]);
        // No pipes: what it starts, such as Wine's desktop, would hold them open.
        let null = std::process::Stdio::null;
        command.stdin(null()).stdout(null()).stderr(null()).status().unwrap().success()
    };
    let create = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        schtasks(&["/create", "/f", "/xml", file.to_str().unwrap()])
    };
    let mut taken = 0;
    for given in [&USUAL[..], &desktop] {
        for step in planned(system, given, &fresh(system.0)).steps {
            let Step::File(content) = step else { continue };
            if !content.definition {
                continue;
            }
            assert!(create(&content.content.bytes()), "{}", content.content.shown());
            assert!(schtasks(&["/delete", "/f"]), "it was not there");
            assert!(!schtasks(&["/delete", "/f"]), "it is there still");
            taken += 1;
        }
    }
    assert_eq!(taken, 3);
    assert!(!create(b"<Task>"), "a definition that is none");
}
