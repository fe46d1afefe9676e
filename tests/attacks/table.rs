//! Every source of a name against every use of it. `ci/attacks` prints the table.

use super::{
    fleet::{self, Fleet, victims},
    sources::{Hostile, MARKED, SHARED, Source, mark, marks},
    stage::{Made, Printed, Stage},
    trial::{self, Sink},
};
use std::collections::{BTreeMap, BTreeSet};

/// The rows, and what went wrong in each.
pub struct Table {
    sources: Vec<String>,
    sinks: Vec<Sink>,
    wrongs: BTreeMap<(usize, Sink), Vec<String>>,
    /// The sources of which a mark was seen in what was printed or saved.
    seen: BTreeSet<usize>,
}

impl Table {
    /// With a row for each source and sink, and one more source for what cannot be told apart.
    pub fn new(mut sources: Vec<String>, sinks: &[Sink]) -> Self {
        sources.push("(any of these)".to_owned());
        Self { sources, sinks: sinks.to_vec(), wrongs: BTreeMap::new(), seen: BTreeSet::new() }
    }

    fn wrong(&mut self, source: usize, sink: Sink, what: String) {
        self.wrongs.entry((source, sink)).or_default().push(what);
    }

    /// Puts wrongs down to the sources whose marks are in them.
    pub fn sort(&mut self, wrongs: trial::Wrongs, hostile: &Hostile) {
        for (sink, what) in wrongs {
            let last = self.sources.len() - 1;
            let mut found: Vec<usize> = marks(&what);
            found.sort_unstable();
            found.dedup();
            // A line that has them all, as a list of folders has, is of none.
            if found.len() != 1 || found[0] >= last {
                found = vec![last];
            }
            for source in found {
                self.wrong(source, sink, format!("{}: {what}", hostile.what));
            }
        }
    }

    /// Puts wrongs down to a source.
    pub fn all_of(&mut self, source: usize, wrongs: trial::Wrongs, hostile: &str) {
        for (sink, what) in wrongs {
            self.wrong(source, sink, format!("{hostile}: {what}"));
        }
    }

    /// Notes the sources of whose names something is said.
    pub fn see(&mut self, printed: &Printed) {
        self.seen.extend(printed.outputs.iter().flat_map(|(_, text)| marks(text)));
    }

    /// Fails when a source was not seen even once, but for these: what a program does not look at
    /// it does nothing wrong with.
    pub fn assert_seen(&self, but: &[&str]) {
        let rows = self.sources.iter().enumerate().take(self.sources.len() - 1);
        let unseen = rows.filter(|(number, _)| !self.seen.contains(number));
        let unseen: Vec<_> = unseen.map(|(_, source)| source.as_str()).collect();
        let left = |source: &&&str| !but.contains(*source);
        let unseen: Vec<_> = unseen.iter().filter(left).collect();
        assert!(unseen.is_empty(), "never seen: {unseen:?}");
    }

    /// Prints the rows; fails with what is wrong in them.
    pub fn finish(self) {
        let mut all = String::new();
        for (number, source) in self.sources.iter().enumerate() {
            for sink in &self.sinks {
                let wrongs = self.wrongs.get(&(number, *sink)).map_or(&[][..], Vec::as_slice);
                let word = if wrongs.is_empty() { "ok" } else { "WRONG" };
                println!("{source:56} {sink:20} {word}");
                for wrong in wrongs.iter().take(5) {
                    all.push_str(&format!("{source}, {sink}: {}\n", wrong.escape_debug()));
                }
            }
        }
        assert!(self.wrongs.is_empty(), "{} of {}:\n{all}", self.wrongs.len(), self.rows());
    }

    fn rows(&self) -> usize {
        self.sources.len() * self.sinks.len()
    }
}

/// What the doctor, its cures and its commands do with a name.
const EXAMINED: [Sink; 8] = [
    Sink::Owner,
    Sink::Mode,
    Sink::Folder,
    Sink::Removal,
    Sink::Content,
    Sink::Read,
    Sink::Echo,
    Sink::Command,
];

/// Sources of which nothing is said: what is a secret, and where a link of the account's leads.
const UNSEEN: [&str; 4] = [
    "key api.auth_token",
    "variable LAUNCH_AGENT_API_AUTH_TOKEN",
    "variable CIRCLECI_RUNNER_API_AUTH_TOKEN",
    "link in the home",
];

/// All sources, or with the variable `RUNNERUP_SOURCE` those whose name has it.
pub fn chosen() -> Vec<Source> {
    let only = std::env::var("RUNNERUP_SOURCE").unwrap_or_default();
    Source::all().into_iter().filter(|source| source.name().contains(&only)).collect()
}

#[test]
fn names_that_the_doctor_sees() {
    let Some(stage) = Stage::new(Made::ByHand, "the table of names") else { return };
    let fleet = Fleet::new(&stage, chosen());
    // The host reaches nothing but itself.
    let here = format!("--endpoint=storage=none,vcs=none,releases={}", stage.lab.api.url());
    let names = fleet.sources.iter().map(|source| source.name()).collect();
    let mut table = Table::new(names, &EXAMINED);
    for hostile in MARKED.iter().chain(&SHARED) {
        let plant = || fleet.plant(&|number| hostile.for_mark(&mark(number)));
        let more = [&*here, "--timeout=1", trial::NO_RESTARTS];
        let (printed, wrongs) = trial::examined_and_cured(&stage, &plant, &more, "");
        fleet.assert_examined(&printed);
        table.see(&printed);
        table.sort(wrongs, hostile);
        stage.reset();
    }
    table.assert_seen(&UNSEEN);
    table.finish();
}

/// Starts a shell of the stranger's that looks like an agent; `$1` is what its arguments name, or
/// the file that it is mounted over, in mounts of its own.
const ARGUMENTS: &str = "
mkdir -p /run/mallory; cd /run/mallory; rm -rf *; cp /bin/dash circleci-runner
printf 'while :; do sleep 60; done\\n' >machine; chown -R mallory: .
setsid runuser -u mallory -- /run/mallory/circleci-runner machine --config \"$1\" </dev/null >/dev/null 2>&1 &
sleep 0.3; pgrep -u mallory . >/dev/null
";

const EXECUTABLE: &str = "
mkdir -p /run/mallory; cd /run/mallory; rm -rf *; cp /bin/dash shell
printf 'printf circleci-runner >/proc/self/comm; while :; do sleep 60; done\\n' >machine
setsid unshare --mount sh -c '
    case \"$1\" in
    # Nobody else gets into the real one.
    /root/*) mount -t tmpfs -o mode=755 none /root; mkdir -p ${1%/*}; : >\"$1\";;
    esac
    mount --bind shell \"$1\"; cd /run/mallory
    exec setpriv --reuid mallory --regid mallory --clear-groups \"$1\" machine' sh \"$1\" </dev/null >/dev/null 2>&1 &
sleep 0.3; pgrep -u mallory . >/dev/null
";

#[test]
fn processes_that_the_doctor_sees() {
    let Some(stage) = Stage::new(Made::ByHand, "the table of processes") else { return };
    let kinds = [("process arguments", ARGUMENTS), ("process executable", EXECUTABLE)];
    let mut script = String::from("set -e\n");
    let marks = || (0..kinds.len()).map(mark);
    let private = marks().flat_map(|mark| victims(&mut script, &mark, "")).collect();
    fleet::run(&stage, &script);
    stage.keep(private);
    let names = kinds.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut table = Table::new(names, &EXAMINED);
    for (number, (_, script)) in kinds.iter().enumerate() {
        for hostile in MARKED.iter().chain(&SHARED) {
            let value = hostile.for_mark(&mark(number));
            // A program can be put over a file alone.
            if *script == EXECUTABLE
                && !stage.lab.host.run(&["test", "-f", &value]).status.success()
            {
                continue;
            }
            let plant = || drop(stage.lab.host.ok(&["sh", "-c", script, "sh", &value]));
            for more in [&["--offline"][..], &["--offline", "--only=permissions"]] {
                let (printed, wrongs) = trial::examined_and_cured(&stage, &plant, more, "");
                table.see(&printed);
                table.all_of(number, wrongs, hostile.what);
                stage.reset();
            }
        }
    }
    table.assert_seen(&[]);
    table.finish();
}
