//! What goes wrong on Macs: each fault, what it is planted in, and the one check that finds it.

use super::{Mac, On, Plant, walk};
use serde_json::{Value, json};

pub(super) const FAULTS: &[(&str, On, Plant, &str)] = &[
    (
        "the documented hang",
        On::Ours,
        |mac| *mac.install("binary/trail/known/end/mode") = json!(0o644),
        "permissions/binary-executable",
    ),
    (
        "a closed folder on the way to the binary",
        On::Homebrew,
        |mac| *mac.install("binary/trail/known/passed/2/meta/mode") = json!(0o700),
        "permissions/binary-executable",
    ),
    (
        "quarantine",
        On::Ours,
        |mac| *mac.install("binary/quarantined") = json!(true),
        "permissions/quarantine",
    ),
    (
        "quarantine of the cask",
        On::Homebrew,
        |mac| *mac.install("binary/quarantined") = json!(true),
        "permissions/quarantine",
    ),
    (
        "Gatekeeper",
        On::Ours,
        |mac| *mac.install("binary/gatekeeper") = json!("rejected"),
        "permissions/gatekeeper",
    ),
    (
        "an Intel binary without Rosetta",
        On::Ours,
        |mac| {
            mac.program(json!({"kind": "native", "os": "darwin", "machines": ["amd64"]}));
            *mac.at("/host/mac/rosetta") = json!(false);
        },
        "permissions/binary-architecture",
    ),
    (
        "an Apple binary on Intel",
        On::Ours,
        |mac| *mac.at("/host/machine") = json!("x86_64"),
        "permissions/binary-architecture",
    ),
    (
        "a binary for Linux",
        On::Ours,
        |mac| mac.program(json!({"kind": "native", "os": "linux", "machines": ["arm64"]})),
        "permissions/binary-architecture",
    ),
    (
        "a page",
        On::Ours,
        |mac| mac.program(json!({"kind": "page"})),
        "permissions/binary-is-program",
    ),
    (
        "a binary that was not decoded",
        On::Ours,
        |mac| mac.program(json!({"kind": "gzip"})),
        "permissions/binary-is-program",
    ),
    (
        "another binary than was verified",
        On::Ours,
        |mac| *mac.install("binary/sha256/known") = json!("cd".repeat(32)),
        "permissions/binary-as-verified",
    ),
    (
        "a binary that everyone may change",
        On::Ours,
        |mac| *mac.install("binary/trail/known/end/mode") = json!(0o777),
        "permissions/binary-not-writable",
    ),
    (
        "a volume without programs",
        On::Ours,
        |mac| {
            let mounts = mac.at("/host/mounts").as_array_mut().unwrap();
            mounts.push(json!({"point": "/opt", "kind": "hfs", "options": ["noexec"]}));
        },
        "permissions/binary-filesystem",
    ),
    (
        "a prefix without --",
        On::Ours,
        |mac| mac.prefix(&["sudo", "-niHu", "ci"]),
        "config/prefix-ends-options",
    ),
    (
        "a wrapper that splits arguments",
        On::Ours,
        |mac| *mac.install("wrapper") = json!({"passes_arguments": false, "ends_in_exec": true}),
        "config/prefix-forwards",
    ),
    (
        "an open configuration",
        On::Ours,
        |mac| *mac.install("config/known/trail/end/mode") = json!(0o644),
        "permissions/config-private",
    ),
    (
        "a configuration of root's",
        On::Homebrew,
        |mac| *mac.install("config/known/trail/end/uid") = json!(0),
        "permissions/config-readable",
    ),
    (
        "a placeholder",
        On::Ours,
        |mac| *mac.install("config/known/token/unusable") = json!("a placeholder"),
        "config/token-set",
    ),
    (
        "a relative work folder",
        On::Ours,
        |mac| mac.set("runner.working_directory", "workdir"),
        "config/values-valid",
    ),
    (
        "a time in days",
        On::Ours,
        |mac| mac.set("runner.max_run_time", "5d"),
        "config/durations-valid",
    ),
    (
        "%s for machine runner 3",
        On::Homebrew,
        |mac| mac.set("runner.working_directory", "/Users/ci/Library/w/%s"),
        "config/workdir-per-job",
    ),
    (
        "a work folder in Documents",
        On::Ours,
        |mac| mac.path("the work folder")["path"] = json!("/Users/ci/Documents/work"),
        "permissions/privacy-folders",
    ),
    (
        "a configuration in Documents",
        On::Homebrew,
        |mac| mac.install("config/known/trail")["path"] = json!("/Users/ci/Documents/config.yaml"),
        "permissions/privacy-folders",
    ),
    (
        "a work folder of another's",
        On::Ours,
        |mac| mac.path("the work folder")["end"]["uid"] = json!(0),
        "permissions/workdir-usable",
    ),
    (
        "a log without its folder",
        On::Homebrew,
        |mac| {
            let log = mac.path("the log file");
            log["end"] = Value::Null;
            log["passed"].as_array_mut().unwrap().pop();
        },
        "permissions/log-writable",
    ),
    (
        "a shell that is none",
        On::Ours,
        |mac| mac.at("/host/accounts/1/shell")["path"] = json!("/usr/bin/false"),
        "permissions/home-usable",
    ),
    (
        "an administrator",
        On::Ours,
        |mac| mac.at("/host/accounts/1/groups").as_array_mut().unwrap().push(json!([80, "admin"])),
        "permissions/power-known",
    ),
    ("not loaded", On::Ours, |mac| mac.state("load", json!("not-found")), "service/loaded"),
    (
        "no plist",
        On::Ours,
        |mac| *mac.install("service/definitions/0/trouble") = json!("no plist: it ends early"),
        "service/loaded",
    ),
    ("stopped", On::Ours, |mac| mac.state("active", json!("inactive")), "service/running"),
    ("a disabled label", On::Ours, |mac| mac.state("enabled", json!(false)), "service/enabled"),
    (
        "a crash loop",
        On::Ours,
        |mac| {
            mac.state("restarts", json!(2400));
            *mac.install("processes/known/0/started") = json!(1_793_491_198);
        },
        "service/not-crash-looping",
    ),
    (
        "a minute for jobs of a desktop",
        On::Homebrew,
        |mac| mac.state("exit_timeout", json!(60)),
        "service/stop-waits",
    ),
    (
        "a time to stop in that launchd has not read",
        On::Ours,
        |mac| mac.state("exit_timeout", json!(20)),
        "service/stop-waits",
    ),
    (
        "a start after a good end alone",
        On::Ours,
        |mac| {
            mac.without("KeepAlive");
            mac.section("KeepAlive", "SuccessfulExit", "true");
        },
        "service/restarts",
    ),
    (
        "a start with the network, which macOS no longer has",
        On::Ours,
        |mac| {
            mac.without("KeepAlive");
            mac.section("KeepAlive", "NetworkState", "true");
        },
        "service/restarts",
    ),
    (
        "a start after a crash alone",
        On::Homebrew,
        |mac| {
            mac.without("KeepAlive");
            mac.section("KeepAlive", "Crashed", "true");
        },
        "service/restarts",
    ),
    (
        "a variable that is a number",
        On::Ours,
        |mac| mac.section("EnvironmentVariables", "RETRIES", ""),
        "service/directives-known",
    ),
    ("a stop that kills jobs", On::Ours, |mac| mac.key("ExitTimeOut", "600"), "service/stop-waits"),
    ("no time to stop in", On::Ours, |mac| mac.without("ExitTimeOut"), "service/stop-waits"),
    (
        "a time to stop in that is no number",
        On::Ours,
        |mac| mac.key("ExitTimeOut", "5h"),
        "service/stop-waits",
    ),
    ("no start after an end", On::Ours, |mac| mac.key("KeepAlive", "false"), "service/restarts"),
    (
        "no start after a good end",
        On::Ours,
        |mac| {
            mac.without("KeepAlive");
            mac.section("KeepAlive", "SuccessfulExit", "false");
        },
        "service/restarts",
    ),
    ("one start for ever", On::Ours, |mac| mac.key("LaunchOnlyOnce", "true"), "service/restarts"),
    (
        "a misspelt key",
        On::Ours,
        |mac| mac.key("ProcesType", "Interactive"),
        "service/directives-known",
    ),
    (
        "a text in place of a truth",
        On::Ours,
        |mac| mac.key("RunAtLoad", "YES"),
        "service/directives-known",
    ),
    (
        "an account that is not there",
        On::Ours,
        |mac| mac.key("UserName", "ghost"),
        "service/user-exists",
    ),
    (
        "a command that is unknown",
        On::Homebrew,
        |mac| mac.install("service/command")[1] = json!("start"),
        "service/command-right",
    ),
    (
        "a program without its folder",
        On::Ours,
        |mac| mac.install("service/command")[0] = json!("circleci-launch-agent"),
        "service/command-right",
    ),
    (
        "a daemon's plist that is not root's",
        On::Ours,
        |mac| *mac.install("service/definitions/0/trail/end/uid") = json!(502),
        "service/definition-mode",
    ),
    (
        "an agent's plist of another user's",
        On::Homebrew,
        |mac| *mac.install("service/definitions/0/trail/end/uid") = json!(502),
        "service/definition-mode",
    ),
    (
        "an executable plist",
        On::Ours,
        |mac| *mac.install("service/definitions/0/trail/end/mode") = json!(0o755),
        "service/definition-mode",
    ),
    (
        "a daemon for a desktop",
        On::Ours,
        |mac| mac.key("LimitLoadToSessionType", "Aqua"),
        "service/domain-right",
    ),
    (
        "a plist where launchd does not look",
        On::Ours,
        |mac| {
            *mac.install("service/definitions/0/trail") =
                walk("/opt/circleci/com.circleci.runner.plist", "file", 0, 0o644);
        },
        "service/domain-right",
    ),
    (
        "an agent of a user's who is not there",
        On::Homebrew,
        Mac::nobody_is_there,
        "service/domain-right",
    ),
    (
        "a key that an agent of a user's does not have",
        On::Homebrew,
        |mac| mac.key("UserName", "root"),
        "service/domain-right",
    ),
    (
        "words into the void",
        On::Ours,
        |mac| mac.key("StandardErrorPath", "/dev/null"),
        "service/output-kept",
    ),
    (
        "words into a folder that is not there",
        On::Ours,
        |mac| {
            let output = mac.path("the service's output");
            output["end"] = Value::Null;
            output["passed"].as_array_mut().unwrap().pop();
        },
        "service/output-kept",
    ),
    (
        "a job in the background",
        On::Ours,
        |mac| mac.key("ProcessType", "Background"),
        "service/not-throttled",
    ),
    (
        "an hour before a new start",
        On::Ours,
        |mac| mac.key("ThrottleInterval", "3600"),
        "service/not-throttled",
    ),
    (
        "few open files",
        On::Ours,
        |mac| mac.section("SoftResourceLimits", "NumberOfFiles", "64"),
        "service/limits-sensible",
    ),
    (
        "two agents with one label",
        On::Ours,
        |mac| {
            let mut other = Mac::homebrew().0["installs"][0].clone();
            other["name"] = json!("homebrew");
            other["config"]["known"]["token"]["mark"] = json!("9f8e7d6c");
            *other.pointer_mut("/binary/trail/known/end/uid").unwrap() = json!(0);
            mac.at("/installs").as_array_mut().unwrap().push(other);
        },
        "agent/label-free",
    ),
    (
        "a Mac that sleeps",
        On::Ours,
        |mac| *mac.at("/host/mac/sleeps_after") = json!(10),
        "host/stays-awake",
    ),
    (
        "a full disk",
        On::Ours,
        |mac| *mac.at("/host/volumes/0/bytes_free") = json!(1000),
        "host/disk-space",
    ),
    (
        "a clock that nobody keeps right",
        On::Ours,
        |mac| *mac.at("/host/clock/known") = json!({"synchronized": false, "by": null}),
        "host/clock-synchronized",
    ),
    ("no git", On::Ours, |mac| mac.tool("git"), "host/job-tools"),
];
