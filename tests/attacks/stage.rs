//! A booted host with an install on it, with files of others that no attack may touch or show, and
//! with everything that a person would run on it.

use super::{commands, outside::Outside, reads::Reads};
use crate::support::{
    self,
    faults::PRELUDE,
    host::{Host, Suite},
    lab::{Lab, PROGRAM, TOKEN, UNIT},
};
use serde_json::Value;
use std::{cell::RefCell, collections::BTreeSet, rc::Rc};

/// The configuration of the install.
pub const CONFIG: &str = "/etc/opt/circleci/launch-agent-config.yaml";

/// Where facts are saved: on no disk, so that the file is no change.
pub const FACTS: &str = "/run/facts.json";

/// What `--fix` says when there is no step.
const NOTHING: &str = "there is nothing that --fix can do";

/// A line of `/etc/shadow`.
const SHADOW: &str = "MARKshadowQ7:$1$MARKshadowQ7:19000:0:99999:7:::";

/// `variables LINES` writes the environment file of the account, which root's unit names.
const VARIABLES: &str = "
E=/etc/opt/circleci/environment
named() { drop '[Service]\\nEnvironmentFile=-/etc/opt/circleci/environment\\n'; }
variables() { printf \"$1\" >$E; chown circleci: $E; chmod 600 $E; named; }
";

/// Files of others. The folders that a host has are there already.
const VICTIMS: &str = "
umask 022
useradd --create-home --shell /bin/bash mallory; chmod 700 /home/mallory
mkdir -p /etc/cron.d /etc/sudoers.d /etc/ssl/private /etc/haproxy /etc/private /srv/victim/deep /root/secret
chmod 700 /etc/haproxy /etc/private /root/secret; chmod 710 /etc/ssl/private
printf 'MARKkeyX1: MARKkeyX1\\n' >/etc/ssl/private/site.key
printf -- '-----BEGIN CERTIFICATE-----\\nMARKkeyX1\\n-----END CERTIFICATE-----\\n-----BEGIN PRIVATE KEY-----\\nMARKkeyX1\\n-----END PRIVATE KEY-----\\n' >/etc/haproxy/site.pem
printf 'MARKrootJ9: MARKrootJ9\\napi:\\n  MARKrootJ9: x\\n' >/root/secret/notes.yaml
printf 'MARKsrvK3: MARKsrvK3\\nrunner:\\n  MARKsrvK3: x\\n' >/srv/victim/secret.yaml
printf 'MARKmalloryV5: x\\n' >/home/mallory/diary; chown mallory: /home/mallory/diary
printf 'x\\n' >/srv/victim/deep/open; printf 'ALL\\n' >/etc/cron.d/job
cp /bin/true /srv/victim/tool
chmod 600 /etc/ssl/private/site.key /etc/haproxy/site.pem /root/secret/notes.yaml /srv/victim/secret.yaml /srv/victim/tool /home/mallory/diary
";

/// `own FOLDER` lists the places of installs below a copy of the host, or below `/`, with all that
/// tells one state of them from another.
const OWN: &str = "
set -e
own() {
    cd $1
    find $(ls -d opt/circleci* etc/opt/circleci* var/opt/circleci* home/circleci var/lib/runnerup \\
        etc/systemd/system/circleci* etc/systemd/system/multi-user.target.wants/circleci* 2>/dev/null) \\
        -type d -printf '%H\\t%P %m %U %G\\n' -o -printf '%H\\t%P %y %m %U %G %s %T@ %l\\n' | sort
}
";

/// Copies all that may have to be put back.
const KEEP: &str = "
rm -rf /run/kept; mkdir -p /run/kept/var/lib
cp -a /etc /home /root /srv /opt /run/kept; cp -a /var/opt /run/kept/var
if [ -d /var/lib/runnerup ]; then cp -a /var/lib/runnerup /run/kept/var/lib; fi
own /run/kept >/run/kept.own
cd /etc/systemd/system
for unit in circleci*.service; do
    if systemctl -q is-active $unit; then echo $unit; fi
done >/run/kept.running
";

/// Puts back what is the installs' own, and has their services run again.
const RESET: &str = "
own / >/run/now.own
definitions=
for place in $(diff /run/kept.own /run/now.own | sed -n 's/^[<>] //p' | cut -f 1 | sort -u); do
    rm -rf /$place
    if [ -e /run/kept/$place ] || [ -L /run/kept/$place ]; then cp -a /run/kept/$place /$place; fi
    case $place in etc/systemd/*) definitions=changed;; esac
done
if [ -n \"$definitions\" ]; then systemctl daemon-reload; fi
units=$(cat /run/kept.running)
if [ -n \"$units\" ] && systemctl is-active $units | grep -qv '^active$'; then
    for unit in $units; do
        systemctl -q is-active $unit && continue
        systemctl reset-failed $unit || true
        systemctl restart $unit
    done
fi
";

/// Who made the install.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// A person, by the documentation: the account owns folder and file of the configuration.
    ByHand,
    /// `runnerup install`.
    ByUs,
}

/// See the module.
pub struct Stage {
    pub lab: Lab,
    outside: RefCell<Outside>,
    /// The last look at the host, and the number of commands that had been run on it.
    latest: RefCell<Option<(u64, Rc<Outside>)>>,
    reads: RefCell<Reads>,
    /// Of the last looks, not yet asked for.
    pending: RefCell<Vec<String>>,
    /// Commands that were pasted already, to no effect.
    harmless: RefCell<BTreeSet<String>>,
    /// More files that nobody may read.
    private: RefCell<Vec<String>>,
}

/// What was printed by everything that examines.
#[derive(Default)]
pub struct Printed {
    /// What was run, and all that it printed or wrote.
    pub outputs: Vec<(String, String)>,
    /// Commands for a person to paste.
    pub commands: BTreeSet<String>,
    /// The findings.
    pub findings: Vec<Value>,
}

impl Stage {
    /// Boots, installs, plants the victims; `None`, having said so, where that cannot be done.
    pub fn new(made: Made, what: &str) -> Option<Self> {
        let lab = Lab::new(Suite::Bookworm, what)?;
        for tool in ["git", "ssh"] {
            lab.host.write(&format!("/usr/local/bin/{tool}"), b"#!/bin/sh\n", 0o755);
        }
        lab.host.ok(&["useradd", "--create-home", "--shell", "/bin/bash", "circleci"]);
        match made {
            Made::ByUs => drop(lab.install(&[], 0)),
            Made::ByHand => by_hand(&lab, what)?,
        }
        lab.host.ok(&["sh", "-c", &format!("set -e\n{VICTIMS}echo '{SHADOW}' >>/etc/shadow")]);
        lab.wait_for(UNIT, "SubState", "running");
        // What a command's first run makes is no change by an attack.
        lab.host.run(&[PROGRAM, "doctor", "--fix", "--yes", "--offline"]);
        let (outside, reads) = watched(&lab.host, &[]);
        let (outside, reads) = (RefCell::new(outside), RefCell::new(reads));
        let (latest, pending, harmless) = <(RefCell<_>, RefCell<_>, RefCell<_>)>::default();
        let private = RefCell::default();
        Some(Self { lab, outside, latest, reads, pending, harmless, private })
    }

    /// Takes the host as it is now for what it must stay, with these private files more.
    pub fn keep(&self, private: Vec<String>) {
        let (outside, reads) = watched(&self.lab.host, &private);
        self.outside.replace(outside);
        self.reads.replace(reads);
        self.private.replace(private);
    }

    /// Runs a script as root, with the short names of [`PRELUDE`].
    pub fn script(&self, text: &str) {
        self.lab.host.ok(&["sh", "-c", &format!("{PRELUDE}{VARIABLES}\n{text}")]);
    }

    /// What became different outside of the install since the beginning, a line a thing.
    pub fn changes(&self) -> Vec<String> {
        self.outside.borrow().diff(&self.looked_at())
    }

    /// What of others was read since this was asked last, a line a thing.
    pub fn reads(&self) -> Vec<String> {
        let mut lines = self.pending.take();
        lines.extend(self.reads.borrow().taken());
        lines
    }

    /// The host as it is, or as it was after the last command that was run on it: what else is at
    /// work there the next look finds. To look at it is no reading that counts.
    fn looked_at(&self) -> Rc<Outside> {
        let commands = self.lab.host.commands();
        if let Some((when, outside)) = &*self.latest.borrow()
            && *when == commands
        {
            return Rc::clone(outside);
        }
        let kept = self.reads.borrow().taken();
        self.pending.borrow_mut().extend(kept);
        let outside = Rc::new(Outside::of(&self.lab.host));
        self.reads.borrow().taken();
        self.latest.replace(Some((commands, Rc::clone(&outside))));
        outside
    }

    /// Everything that examines and changes nothing, with these arguments more.
    pub fn examined(&self, more: &[&str]) -> Printed {
        let mut printed = Printed::default();
        printed.findings = self.found(more, &mut printed);
        let facts = self.lab.host.ok(&["cat", FACTS]);
        self.lab.host.ok(&["rm", FACTS]);
        printed.outputs.push(("--save-facts".to_owned(), facts));
        let report = self.printed(&["doctor", "-vv"], more, &mut printed);
        self.printed(&["doctor", "--fix", "--dry-run"], more, &mut printed);
        printed.commands = commands::of(&printed.findings, &report);
        printed
    }

    /// The findings, and the facts in [`FACTS`]: an attack that keeps the report from being made is
    /// no attack that failed.
    fn found(&self, more: &[&str], printed: &mut Printed) -> Vec<Value> {
        let json = self.printed(&["doctor", "--json", "--save-facts", FACTS], more, printed);
        let report: Value = serde_json::from_str(json.trim())
            .unwrap_or_else(|error| panic!("the report is not JSON: {error}: {json:?}"));
        let findings = report["findings"].as_array().cloned().unwrap_or_default();
        assert!(!findings.is_empty(), "a report without findings: {json}");
        findings
    }

    /// What a report says, without the numbers, which differ from one to the next.
    pub fn told(&self, more: &[&str]) -> BTreeSet<String> {
        let findings = self.found(more, &mut Printed::default());
        self.lab.host.ok(&["rm", FACTS]);
        told(&findings)
    }

    /// Lets the cures be made, as often as it takes until nothing more is offered.
    pub fn fixed(&self, more: &[&str]) -> Printed {
        let mut printed = Printed::default();
        for _ in 0..2 {
            self.printed(&["doctor", "--fix", "--yes"], more, &mut printed);
            if printed.outputs.iter().any(|(_, text)| text.contains(NOTHING)) {
                break;
            }
        }
        printed
    }

    /// Runs `runnerup` with these arguments, and keeps what it printed.
    fn printed(&self, args: &[&str], more: &[&str], printed: &mut Printed) -> String {
        let words: Vec<&str> =
            [PROGRAM].into_iter().chain(args.iter().copied()).chain(more.iter().copied()).collect();
        let output = self.lab.host.run(&words);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let is_examined = matches!(output.status.code(), Some(0 | 1));
        assert!(is_examined, "{words:?} ended with {}: {out}{err}", output.status);
        printed.outputs.push((args.join(" "), format!("{out}{err}")));
        out
    }

    /// Pastes each command into a shell of root's; the harm that they did. `again` plants the
    /// attack anew: one command can hide what the next one would do.
    pub fn paste(&self, commands: &BTreeSet<String>, again: &dyn Fn()) -> Vec<String> {
        let known = self.harmless.borrow().clone();
        let new: Vec<&String> = commands.difference(&known).collect();
        let mut harm = Vec::new();
        // Together first: that is as often as not all that has to be done.
        for some in new.chunks(20) {
            if self.pasted(some).is_empty() {
                self.harmless.borrow_mut().extend(some.iter().map(|command| (*command).clone()));
            } else {
                harm.extend(self.paste_each(some.iter().copied(), again));
                self.reset();
                again();
            }
        }
        harm
    }

    /// The same, each command by itself.
    pub fn paste_each<'a>(
        &self,
        commands: impl IntoIterator<Item = &'a String>,
        again: &dyn Fn(),
    ) -> Vec<String> {
        let mut harm = Vec::new();
        for command in commands {
            self.reset();
            again();
            let changes = self.pasted(&[command]);
            harm.extend(changes.iter().map(|change| format!("{command:?} does: {change}")));
        }
        harm
    }

    fn pasted(&self, commands: &[&String]) -> Vec<String> {
        let mut script = "export EDITOR=true VISUAL=true\n".to_owned();
        for command in commands {
            let word = commands::word(command);
            let line =
                format!("timeout --kill-after=1 20 sh -c {word} </dev/null >/dev/null 2>&1\n");
            script.push_str(&line);
        }
        self.lab.host.run_with(&["sh", "-s"], &[], script.as_bytes());
        self.changes()
    }

    /// Puts back what was changed outside of the install.
    pub fn repair(&self) {
        let script = self.outside.borrow().restoring(&self.looked_at(), "/run/kept");
        if script.is_empty() {
            return;
        }
        self.lab.host.run(&["sh", "-c", &script]);
        let now = self.looked_at();
        let left = self.outside.borrow().diff(&now);
        let left: Vec<_> = left.iter().filter(|line| !is_restored(line)).collect();
        assert!(left.is_empty(), "the host could not be put back: {left:?}");
        // What was put back is another file now.
        self.outside.replace(now.as_ref().clone());
        self.reads.replace(Reads::of(&self.lab.host, &self.private.borrow()));
    }

    /// Puts the install back as it was, so that the next attack finds what this one found.
    pub fn reset(&self) {
        self.repair();
        // All of these are the stranger's.
        self.lab.host.run(&["pkill", "-KILL", "-u", "mallory"]);
        self.lab.host.ok(&["sh", "-c", &format!("{OWN}{RESET}")]);
    }
}

/// What findings say, without numbers.
pub fn told(findings: &[Value]) -> BTreeSet<String> {
    // That files were put back after the agent was started is the stage's doing.
    let of_host = findings.iter().filter(|own| own["check"] != "service/runs-current");
    let said = of_host.map(|own| {
        let parts = ["check", "instance", "status", "summary", "evidence"];
        parts.map(|part| own[part].to_string()).concat()
    });
    said.map(|line| line.replace(|c: char| c.is_ascii_digit(), "")).collect()
}

/// What must stay, once it was copied.
fn watched(host: &Host, private: &[String]) -> (Outside, Reads) {
    host.ok(&["sh", "-c", &format!("{OWN}{KEEP}")]);
    (Outside::of(host), Reads::of(host, private))
}

/// Whether a change is what putting a file back leaves.
fn is_restored(line: &str) -> bool {
    line.starts_with("written ")
}

/// The documented install, made by hand; its service runs.
fn by_hand(lab: &Lab, what: &str) -> Option<()> {
    let agent = support::portable("stand-in-agent", what)?;
    let config = format!(
        "api:\n  auth_token: {TOKEN}\n  url: {}\nrunner:\n  name: lab\n  \
         working_directory: /var/opt/circleci/workdir\n  disable_auto_update: true\n",
        lab.api.url()
    );
    let unit = unit("circleci", "");
    lab.host.copy_in(&agent, "/opt/circleci/circleci-launch-agent", 0o755);
    lab.host.write(CONFIG, config.as_bytes(), 0o600);
    lab.host.write("/etc/systemd/system/circleci.service", unit.as_bytes(), 0o644);
    let script =
        "install -d -m 750 -o circleci -g circleci /var/opt/circleci /var/opt/circleci/workdir
                  chown -R circleci: /etc/opt/circleci; chmod 750 /etc/opt/circleci
                  chown -R circleci: /opt/circleci
                  systemctl enable -q --now circleci";
    lab.host.ok(&["sh", "-c", &format!("set -e\n{script}")]);
    Some(())
}

/// The unit of an install made by hand with nothing wrong in it, and some lines more.
pub fn unit(name: &str, more: &str) -> String {
    format!(
        "[Unit]\nAfter=network-online.target\nWants=network-online.target\n[Service]\n{more}\
         ExecStart=/opt/circleci/circleci-launch-agent --config /etc/opt/{name}/launch-agent-config.yaml\n\
         User=circleci\nNotifyAccess=exec\nRestart=always\nRestartSec=5\nTimeoutStopSec=18300\n\
         [Install]\nWantedBy=multi-user.target\n"
    )
}
