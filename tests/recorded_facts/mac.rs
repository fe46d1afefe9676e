//! A Mac: our own install, one made by hand from the documentation, machine runner 3 as Homebrew
//! sets it up; and what goes wrong with each of them.

#[path = "mac/faults.rs"]
mod faults;

use super::{judge, problems};
use faults::FAULTS;
use serde_json::{Value, json};

const MADE: &str = include_str!("../facts/macos-made.json");

/// What is told of an agent that never ran.
const NEVER_RAN: [&str; 2] = ["service/running", "service/not-crash-looping"];

/// What a fault does to the facts.
type Plant = fn(&mut Mac);

/// Facts of a Mac with one agent.
#[derive(Clone)]
struct Mac(Value);

/// Which of the healthy ones a fault is planted in.
#[derive(Clone, Copy)]
enum On {
    Ours,
    Homebrew,
}

impl Mac {
    /// As `runnerup install` makes it, with an account of its own.
    fn ours() -> Self {
        let mut mac = Self(serde_json::from_str(MADE).unwrap());
        *mac.install("receipt") = json!({"complete": true, "installed": true,
            "version": "1.1.73189-8792751", "sha256": "ab".repeat(32)});
        *mac.install("binary/sha256") = json!({"known": "ab".repeat(32)});
        mac.set("runner.disable_auto_update", "true");
        mac
    }

    /// Key by key as documented: docs/agents.md, Places.
    fn documented() -> Self {
        let mut mac = Self(serde_json::from_str(MADE).unwrap());
        mac.key("ExitTimeOut", "600");
        mac.key("StandardOutPath", "/dev/null");
        mac.key("StandardErrorPath", "/dev/null");
        mac.paths().retain(|own| own[0] != "the service's output");
        mac
    }

    /// Machine runner 3 of the Homebrew cask, in the session of its user.
    fn homebrew() -> Self {
        let mut mac = Self(serde_json::from_str(MADE).unwrap());
        let plist = "/Users/ci/Library/LaunchAgents/com.circleci.runner.plist";
        let config = "/Users/ci/Library/Preferences/com.circleci.runner/config.yaml";
        let log = "/Users/ci/Library/Logs/com.circleci.runner/runner.log";
        let binary = "/opt/homebrew/bin/circleci-runner";
        *mac.install("agent") = json!("machine-runner");
        *mac.install("user") = json!("ci");
        *mac.install("service/command") = json!([binary, "machine", "--config", config]);
        *mac.install("service/definitions/0/trail") = walk(plist, "file", 501, 0o644);
        *mac.install("service/state/known/domain") = json!("gui/501");
        *mac.install("binary/trail/known") = walk(binary, "file", 501, 0o755);
        *mac.install("config/known/trail") = walk(config, "file", 501, 0o600);
        *mac.install("processes/known/0/uid") = json!(501);
        for directive in mac.install("service/directives").as_array_mut().unwrap() {
            directive["file"] = json!(plist);
        }
        mac.key("Program", binary);
        mac.key("ExitTimeOut", "18300");
        mac.key("StandardErrorPath", log);
        mac.paths().retain(|own| own[0] != "the command prefix");
        *mac.path("the log file") = walk(log, "file", 501, 0o644);
        *mac.path("the service's output") = walk(log, "file", 501, 0o644);
        *mac.path("the work folder") =
            walk("/Users/ci/Library/com.circleci.runner/workdir", "folder", 501, 0o750);
        let settings = mac.install("config/known/settings").as_array_mut().unwrap();
        settings.retain(|own| own["path"] != "runner.command_prefix" && own["path"] != "api.url");
        mac.set("runner.working_directory", "/Users/ci/Library/com.circleci.runner/workdir");
        mac.set("logging.file", log);
        // Homebrew is the administrator's, and so is what it installs.
        let groups = mac.at("/host/accounts/1/groups").as_array_mut().unwrap();
        groups.push(json!([80, "admin"]));
        mac
    }

    fn on(on: On) -> Self {
        match on {
            On::Ours => Self::ours(),
            On::Homebrew => Self::homebrew(),
        }
    }

    fn at(&mut self, pointer: &str) -> &mut Value {
        self.0.pointer_mut(pointer).ok_or(pointer).unwrap()
    }

    fn install(&mut self, what: &str) -> &mut Value {
        self.at(&format!("/installs/0/{what}"))
    }

    fn state(&mut self, what: &str, value: Value) {
        self.install("service/state/known")[what] = value;
    }

    fn paths(&mut self) -> &mut Vec<Value> {
        self.install("paths").as_array_mut().unwrap()
    }

    fn path(&mut self, what: &str) -> &mut Value {
        let named = self.paths().iter_mut().find(|own| own[0] == what);
        &mut named.ok_or(what).unwrap()[1]["known"]
    }

    /// Sets a key of the definition, or adds it.
    fn key(&mut self, key: &str, value: &str) {
        self.section("", key, value);
    }

    fn section(&mut self, section: &str, key: &str, value: &str) {
        let all = self.install("service/directives").as_array_mut().unwrap();
        let file = all[0]["file"].clone();
        all.retain(|own| own["section"] != section || own["key"] != key);
        all.push(json!({"file": file, "line": 1, "section": section, "key": key, "value": value}));
    }

    fn without(&mut self, key: &str) {
        let all = self.install("service/directives").as_array_mut().unwrap();
        all.retain(|own| own["key"] != key);
    }

    /// Sets a key of the configuration, or adds it.
    fn set(&mut self, path: &str, text: &str) {
        let all = self.install("config/known/settings").as_array_mut().unwrap();
        all.retain(|own| own["path"] != path);
        all.push(json!({"path": path, "line": 20, "column": 3,
            "value": {"text": {"text": text, "plain": true}}}));
    }

    fn prefix(&mut self, words: &[&str]) {
        let all = self.install("config/known/settings").as_array_mut().unwrap();
        let own = all.iter_mut().find(|own| own["path"] == "runner.command_prefix");
        own.unwrap()["value"] = json!({"list": words});
    }

    fn tool(&mut self, name: &str) {
        let tools = self.install("tools/known").as_array_mut().unwrap();
        tools.iter_mut().find(|own| own["name"] == name).unwrap()["path"] = Value::Null;
    }

    fn program(&mut self, program: Value) {
        *self.install("binary/program/known") = program;
    }

    /// launchd starts it again and again, and macOS ends it before it runs.
    fn never_ran(&mut self, reason: &str) {
        self.state("active", json!("activating"));
        self.state("sub", json!("auto-restart"));
        self.state("result", json!(reason));
        self.state("exit_status", Value::Null);
        self.state("restarts", json!(2379));
        self.state("main_pid", Value::Null);
        *self.install("processes/known") = json!([]);
    }

    /// Nobody is at the screen, and launchd has not loaded what waits for that.
    fn nobody_is_there(&mut self) {
        *self.at("/host/mac/console_user") = Value::Null;
        self.state("load", json!("not-found"));
        self.state("domain", Value::Null);
        self.state("active", json!("inactive"));
        self.state("main_pid", Value::Null);
        *self.install("processes/known") = json!([]);
    }
}

/// A way through folders of root's; through a home, of its user's.
fn walk(path: &str, kind: &str, uid: u32, mode: u32) -> Value {
    let meta = |kind: &str, uid: u32, mode: u32| {
        json!({"kind": kind, "uid": uid, "gid": 20, "mode": mode, "size": 9000, "links": 1,
            "identity": [1, 1, 1, 1]})
    };
    let above = path.match_indices('/').map(|(at, _)| if at == 0 { "/" } else { &path[..at] });
    let passed = above.map(|folder| {
        let owner = if folder.starts_with("/Users/ci") { 501 } else { 0 };
        json!({"path": folder, "meta": meta("folder", owner, 0o755), "has_list": false})
    });
    json!({"path": path, "real": path, "passed": passed.collect::<Vec<_>>(),
        "end": meta(kind, uid, mode), "stopped": null})
}

#[test]
fn healthy_ones_have_no_finding() {
    assert_eq!(problems(&Mac::ours().0), (Vec::new(), 0));
}

/// Flaws that the documentation builds in, each of them worth a warning.
#[test]
fn one_made_by_hand_has_the_documentations_own_flaws() {
    let flaws = [
        // ExitTimeOut 600 beside jobs of up to five hours.
        "service/stop-waits",
        // What the agent says before its own log is open goes to /dev/null.
        "service/output-kept",
    ];
    let (mut found, code) = problems(&Mac::documented().0);
    found.sort();
    let mut flaws = flaws.to_vec();
    flaws.sort_unstable();
    assert_eq!((found, code), (flaws.iter().map(|own| (*own).to_owned()).collect(), 0));
}

#[test]
fn homebrews_has_homebrews_own_flaws() {
    let flaws = [
        // Homebrew's folders, and the binary in them, are the user's whose jobs run.
        "permissions/binary-not-writable",
        // That user is an administrator, or Homebrew could not be used.
        "permissions/power-known",
    ];
    let (found, code) = problems(&Mac::homebrew().0);
    assert_eq!((found, code), (flaws.map(str::to_owned).to_vec(), 0));
}

#[test]
fn each_fault_is_found_by_its_check_alone() {
    assert!(FAULTS.len() > 50, "{}", FAULTS.len());
    let mut wrong = Vec::new();
    for (what, on, plant, check) in FAULTS {
        let mut mac = Mac::on(*on);
        let (before, _) = problems(&mac.0);
        plant(&mut mac);
        let (found, _) = problems(&mac.0);
        let new: Vec<_> = found.into_iter().filter(|own| !before.contains(own)).collect();
        if new != [*check] {
            wrong.push(format!("{what}: {new:?} instead of {check}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A remedy for a Mac names no program of another system.
#[test]
fn cures_are_a_macs() {
    let strange = [
        "systemctl",
        "journalctl",
        "apt-get",
        "usermod",
        "useradd",
        "timedatectl",
        "schtasks",
        "getent",
    ];
    for (what, on, plant, _) in FAULTS {
        let mut mac = Mac::on(*on);
        plant(&mut mac);
        let (report, _) = judge(&mac.0);
        for finding in report["findings"].as_array().unwrap() {
            let remedy = finding["remedy"].to_string();
            let found = strange.iter().find(|own| remedy.contains(*own));
            assert!(found.is_none(), "{what}: {remedy}");
        }
    }
}

/// launchd starts such an agent for ever, and says "spawn scheduled" of it.
#[test]
fn an_agent_that_macos_ends_before_it_runs_is_told_with_the_reason() {
    for (reason, meaning, is_binarys) in [
        ("OS_REASON_CODESIGNING", "signature", true),
        ("OS_REASON_EXEC", "cannot execute", true),
        ("OS_REASON_TCC", "Privacy & Security", false),
        ("JETSAM_REASON_MEMORY_PERPROCESSLIMIT", "memory", false),
        ("abandoned", "gave up", false),
    ] {
        for mut mac in [Mac::ours(), Mac::homebrew()] {
            let (before, _) = problems(&mac.0);
            mac.never_ran(reason);
            let (found, code) = problems(&mac.0);
            let new: Vec<_> = found.into_iter().filter(|own| !before.contains(own)).collect();
            assert_eq!((new, code), (NEVER_RAN.map(str::to_owned).to_vec(), 1), "{reason}");
            let (report, _) = judge(&mac.0);
            let of = |own: &&Value| own["check"] == NEVER_RAN[0];
            let own = report["findings"].as_array().unwrap().iter().find(of).unwrap();
            let evidence = own["evidence"].as_str().unwrap();
            assert!(evidence.contains(reason) && evidence.contains(meaning), "{evidence}");
            let cure = own["remedy"]["commands"].to_string();
            assert_eq!(cure.contains("runnerup install"), is_binarys, "{reason}: {cure}");
        }
    }
}

/// The documented case first: what is told, and the commands that cure it.
#[test]
fn the_documented_hang_is_told_with_its_cure() {
    let mut mac = Mac::documented();
    *mac.install("binary/trail/known/end/mode") = json!(0o644);
    let (report, code) = judge(&mac.0);
    assert_eq!(code, 1);
    let findings = report["findings"].as_array().unwrap();
    let own = findings.iter().find(|own| own["status"] == "fail").unwrap();
    assert_eq!(own["check"], "permissions/binary-executable");
    let remedy = &own["remedy"];
    assert_eq!(remedy["commands"][0], "sudo chmod 755 /opt/circleci/circleci-launch-agent");
    // What launchd ends may drain for hours, and is loaded again only then.
    let again = [
        "sudo launchctl bootout system/com.circleci.runner",
        "while sudo launchctl print system/com.circleci.runner >/dev/null 2>&1; do sleep 5; done",
        "sudo launchctl bootstrap system /Library/LaunchDaemons/com.circleci.runner.plist",
    ];
    assert_eq!(remedy["commands"].as_array().unwrap()[1..], again);
    assert_eq!(remedy["fixable"], true);
}
