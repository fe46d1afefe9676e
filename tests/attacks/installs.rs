//! Every source of a name against what an install, and an uninstall, does with it.

use super::{
    commands,
    fleet::Planted,
    sources::{Hostile, MARKED, SHARED, Source, mark, marks},
    stage::{Made, Stage},
    table::{Table, chosen},
    trap::Trap,
    trial::{self, Sink, Wrongs},
};
use crate::support::{
    certs::Authority,
    lab::{PROGRAM, TOKEN},
    loopback::Loopback,
};
use std::fs;

/// How long a stop of the service may wait at most, whatever an account asks for: a week.
const LONGEST_STOP: u64 = 7 * 24 * 3600 + 600;

/// What has to do with installs alone.
const LONG: Hostile = Hostile { what: "time of ten years", text: "87600h" };

/// How many of the names each key is tried with; which ones is another matter for each.
const NAMES: usize = 3;

/// Keys of which no hostile name is a value.
const REFUSED: [&str; 6] = [
    "api.url",
    "runner.working_directory",
    "runner.mode",
    "runner.max_run_time",
    "runner.ssh.advertise_addr",
    "logging.file",
];

/// Everything that a write may have ended in.
const KEPT: &str = "grep -rls MARK /etc/opt/circleci /opt/circleci /var/opt/circleci \
                    /var/lib/runnerup /etc/systemd/system | xargs -r grep -H MARK";

/// The definition as it is now, but for what the account wrote.
const UNIT: &str = "cd /etc/systemd/system; cat circleci.service; \
                    find circleci.service.d -name '*.conf' ! -name own.conf -exec cat {} +";

#[test]
fn keys_that_an_install_sees() {
    seen(|source| matches!(source, Source::Key(_) | Source::PrefixAccount));
}

#[test]
fn variables_and_files_that_an_install_sees() {
    seen(|source| !matches!(source, Source::Key(_) | Source::PrefixAccount));
}

fn seen(are: fn(&Source) -> bool) {
    let Some(stage) = Stage::new(Made::ByHand, "the table of installs") else { return };
    let sources: Vec<Source> = chosen().into_iter().filter(are).collect();
    let mut table = Table::new(sources.iter().map(|source| source.name()).collect(), &Sink::ALL);
    let numbered: Vec<_> = sources.iter().copied().enumerate().collect();
    let Some(authority) = Authority::new("the table of installs") else { return };
    // What runs has to be waited for.
    stage.script("systemctl stop circleci");
    Planted { stage: &stage, sources: &numbered }.prepare(&authority.pem());
    // A download of some kilobytes: there are hundreds of them.
    let agent = fs::read("/proc/self/exe").unwrap();
    let bucket = Loopback::on(stage.lab.host.listen(0), &agent[..64 << 10], TOKEN);
    let mut installed = vec![false; sources.len()];
    let trap = Trap::on(stage.lab.host.listen(0));
    for (sources, hostile) in rounds(&sources) {
        let planted = Planted { stage: &stage, sources: &sources };
        planted.plant(&|number| hostile.for_mark(&mark(number)));
        let (code, mut wrongs) =
            run(&stage, &["install", "--no-start", "--release-url", &bucket.url()]);
        wrongs.extend(defined(&stage));
        let (left, more) = run(&stage, &["uninstall"]);
        wrongs.extend(more);
        for (number, _) in &sources {
            installed[*number] |= code == 0;
        }
        // Refused before anything was done, or done and taken back.
        assert!(matches!((code, left), (0 | 2 | 3, 0)), "{}: {code}, {left}", hostile.what);
        stage.reset();
        match sources.as_slice() {
            [(only, _)] => table.all_of(*only, wrongs, hostile.what),
            _ => table.sort(wrongs, hostile),
        }
    }
    for group in groups(&sources) {
        let planted = Planted { stage: &stage, sources: &group };
        planted.plant(&|_| trap.url());
        let words =
            ["install", "--no-start", "--timeout=1", "--release-url=https://releases.invalid"];
        let (code, _) = run(&stage, &words);
        assert!(matches!(code, 2..=4), "an install from nowhere: {code}");
        let asked = trap.asked().into_iter().filter(|line| is_download(line));
        let wrongs: Wrongs = asked.map(|line| (Sink::Download, format!("asked: {line}"))).collect();
        for (number, _) in group {
            table.all_of(number, wrongs.clone(), "server of the account's");
        }
        stage.reset();
    }
    table.finish();
    for (source, was_installed) in sources.iter().zip(installed) {
        assert_eq!(was_installed, !is_refused(*source), "installed with {}", source.name());
    }
}

/// Whether an install takes none of the hostile names in a source: it says so and ends. With those
/// in the other sources it is made, and nothing of them is in it.
fn is_refused(source: Source) -> bool {
    match source {
        Source::Key(key) => REFUSED.contains(&key),
        Source::PrefixAccount | Source::Directive(_) | Source::Home => true,
        Source::Variable(_) => false,
    }
}

/// What is tried together with which name.
fn rounds(sources: &[Source]) -> Vec<(Vec<(usize, Source)>, &'static Hostile)> {
    let all: Vec<&Hostile> = MARKED.iter().chain(&SHARED).collect();
    let mut rounds = Vec::new();
    for (at, group) in groups(sources).into_iter().enumerate() {
        let names: Vec<_> = match group[..] {
            [(_, Source::Variable(name))] if name.starts_with("SSL_CERT") => all.clone(),
            // What an install would make, and give away.
            [(_, Source::Key("runner.working_directory"))] => all.clone(),
            [_] => (0..NAMES).map(|name| all[(at * NAMES + name) % all.len()]).collect(),
            _ => all.clone(),
        };
        rounds.extend(names.into_iter().chain([&LONG]).map(|hostile| (group.clone(), hostile)));
    }
    rounds
}

/// Keys one by one, since one that is wrong hides the others, and variables that have to do with
/// the network; all at once what an install has no use for.
fn groups(sources: &[Source]) -> Vec<Vec<(usize, Source)>> {
    let (mut groups, mut variables, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for (number, source) in sources.iter().copied().enumerate() {
        match source {
            Source::Variable(name) if !name.contains("PROXY") && !name.contains("SSL_CERT") => {
                variables.push((number, source));
            }
            Source::Directive(_) => lines.push((number, source)),
            _ => groups.push(vec![(number, source)]),
        }
    }
    groups.extend([variables, lines].into_iter().filter(|group| !group.is_empty()));
    groups
}

/// Runs a command; its exit code, what it did to others, and what it told of them.
fn run(stage: &Stage, args: &[&str]) -> (i32, Wrongs) {
    let mut words = vec![PROGRAM, args[0], "--yes"];
    if args[0] == "install" {
        words.extend(["--token-file", "/root/token", "--name", "lab", "--agent=launch-agent"]);
    }
    words.extend(&args[1..]);
    let output = stage.lab.host.run(&words);
    let code = output.status.code().unwrap_or(-1);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(!text.is_empty(), "{args:?} says nothing");
    let said = text.lines().map(str::trim).filter(|line| line.starts_with("sudo "));
    let mut said = commands::dangers(&said.map(str::to_owned).collect());
    said.extend(commands::dangers_of_help(&text));
    let printed = trial::printed(args[0], text);
    let mut wrongs = trial::shown(&printed);
    wrongs.extend(said.into_iter().map(|danger| (Sink::Command, danger)));
    wrongs.extend(trial::changed(stage, args[0]));
    (code, wrongs)
}

/// What an install made of a name.
fn defined(stage: &Stage) -> Wrongs {
    let host = &stage.lab.host;
    let told = host.run(&["sh", "-c", KEPT]).stdout;
    let told = String::from_utf8_lossy(&told).into_owned();
    let mut wrongs: Wrongs =
        told.lines().map(|line| (Sink::Echo, format!("install kept {line}"))).collect();
    let unit = host.run(&["sh", "-c", UNIT]).stdout;
    for line in String::from_utf8_lossy(&unit).lines() {
        let seconds = line.strip_prefix("TimeoutStopSec=").and_then(|text| text.parse().ok());
        let is_long = seconds.is_some_and(|seconds: u64| seconds > LONGEST_STOP);
        let is_named = !marks(line).is_empty() || line.contains("pwned");
        if is_long || is_named {
            wrongs.push((Sink::Service, format!("the unit says {line}")));
        }
    }
    wrongs
}

/// Whether a request is one for the agent.
fn is_download(line: &str) -> bool {
    line.contains("releases.invalid") || line.contains("/circleci-")
}
