//! launchd, through `launchctl`.

pub mod definition;
mod end;
mod jobs;
pub(crate) mod keys;
mod on_job;
mod plist;
mod profile;
mod rival;
mod state;

pub(crate) use end::is_binarys;
pub(crate) use on_job::{OnJob, bootstrap, bootstrap_in, on_job, reload};
pub(crate) use plist::{Plist, VARIABLES};
pub(crate) use profile::{LaunchdProfile, domain};

use crate::{
    Code, Command, Error, Help, Result,
    host::ServiceState,
    platform::{
        command::{Answer, Call, Commands},
        fs::Provenance,
        macos::{DESKTOP, SYSTEM},
    },
    service::{Hints, Services},
    text::shown,
};
use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// Where an administrator's daemons are defined.
pub const DAEMONS: &str = "/Library/LaunchDaemons";

/// Where an administrator defines what runs for each user who logs in.
pub const AGENTS: &str = "/Library/LaunchAgents";

/// `launchctl print` of a label that is not loaded.
const NOT_FOUND: i32 = 113;

/// `launchctl bootout` of a job that takes its time to end: errno 36, `EINPROGRESS`.
const IN_PROGRESS: i32 = 36;

/// `launchctl bootstrap` of what launchd does not take: errno 5, "Input/output error".
const REFUSED: i32 = 5;

/// The same while the label's job is being taken out: errno 37, `EALREADY`.
const ALREADY: i32 = 37;

/// A subcommand that an older `launchctl` does not have: `EX_USAGE`.
const USAGE: i32 = 64;

/// How long launchd may take to forget a job that has ended: it may refuse the next one with "5:
/// Input/output error" or "37: Operation already in progress" though `print` no longer knows the first.
const SETTLE: Duration = Duration::from_secs(10);

/// The wait between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// The host's launchd, its system domain.
pub struct Launchd<'a> {
    commands: &'a dyn Commands,
    settle: Duration,
}

impl<'a> Launchd<'a> {
    /// launchd as reached through `commands`.
    pub fn new(commands: &'a dyn Commands) -> Self {
        Self { commands, settle: SETTLE }
    }

    /// Loads a definition, again and again as long as launchd may not have forgotten the job that
    /// had its label before.
    fn bootstrap(&self, call: &Call) -> Result<Answer> {
        let begun = Instant::now();
        loop {
            let answer = self.commands.answer(call)?;
            let is_busy = matches!(answer.code, Some(REFUSED | ALREADY));
            if !is_busy || begun.elapsed() >= self.settle {
                return Ok(answer);
            }
            thread::sleep(PAUSE);
        }
    }

    fn launchctl(&self, args: &[&str]) -> Result<Answer> {
        self.commands.answer(&call(args))
    }

    /// Whether the label is loaded.
    fn is_loaded(&self, label: &str) -> Result<bool> {
        Ok(self.printed(&target(label))?.is_some())
    }

    /// What launchd says of a label: the first of the domains, such as `system` or `gui/501`, that it
    /// is loaded in. A user who is not logged in has no domain.
    ///
    /// # Errors
    /// When launchd cannot be asked.
    pub fn state_in(&self, domains: &[String], label: &str) -> Result<ServiceState> {
        let mut is_enabled = true;
        for domain in domains {
            let is_disabled = self.is_disabled(domain, label)?;
            if let Some(printed) = self.printed(&format!("{domain}/{label}"))? {
                return Ok(state::loaded(&printed, domain, !is_disabled));
            }
            is_enabled &= !is_disabled;
        }
        Ok(state::not_loaded(is_enabled))
    }

    /// Whether a domain was told never to start a label.
    ///
    /// # Errors
    /// When launchd cannot be asked.
    fn is_disabled(&self, domain: &str, label: &str) -> Result<bool> {
        let answer = self.launchctl(&["print-disabled", domain])?;
        Ok(disabled(&answer.stdout).any(|disabled| disabled == label))
    }

    /// What launchd knows of a target; `None`: nothing.
    fn printed(&self, target: &str) -> Result<Option<String>> {
        let call = call(&["print", target]);
        let answer = self.commands.answer(&call)?;
        match answer.code {
            Some(0) => Ok(Some(answer.stdout)),
            Some(NOT_FOUND) => Ok(None),
            // Older systems say it in words alone; a user who is not logged in has no domain.
            _ if answer.stderr.contains("Could not find") => Ok(None),
            _ => Err(answer.failure(&call)),
        }
    }

    fn bootout(&self, label: &str) -> Result<()> {
        let call = call(&["bootout", &target(label)]);
        let answer = self.commands.answer(&call)?;
        match answer.code {
            // It drains: whoever asked looks at its status until it is gone.
            Some(0 | IN_PROGRESS | NOT_FOUND) => Ok(()),
            // 3: no such process. It was gone already.
            Some(3) => Ok(()),
            Some(USAGE) => self
                .commands
                .run(&Call::new("launchctl", ["unload", &shown(definition(label))]))
                .map(drop),
            _ => Err(answer.failure(&call)),
        }
    }
}

/// Whether a line by `ps -o ppid= -o stat=` is of a child of `parent` that has not ended.
fn is_living_child(line: &str, parent: u32) -> bool {
    let mut fields = line.split_whitespace();
    let is_child = fields.next().and_then(|field| field.parse().ok()) == Some(parent);
    is_child && fields.next().is_some_and(|state| !state.starts_with('Z'))
}

impl Services for Launchd<'_> {
    fn reload(&self) -> Result<()> {
        // A definition is read when it is bootstrapped, and only then.
        Ok(())
    }

    fn enable(&self, label: &str) -> Result<()> {
        self.commands.run(&call(&["enable", &target(label)])).map(drop)
    }

    fn disable(&self, label: &str) -> Result<()> {
        self.commands.run(&call(&["disable", &target(label)])).map(drop)
    }

    fn start(&self, label: &str) -> Result<()> {
        if self.is_loaded(label)? {
            // What is loaded may be an older definition.
            self.bootout(label)?;
            let begun = Instant::now();
            while self.is_loaded(label)? {
                if begun.elapsed() > self.settle {
                    return Err(Error::new(
                        Code::StepFailed,
                        format!("launchd still holds {label} after {} s", self.settle.as_secs()),
                    )
                    .help(Command::fixed("launchctl print").job(
                        SYSTEM,
                        label,
                        Provenance::Root,
                    )));
                }
                thread::sleep(Duration::from_millis(100));
            }
        }
        let path = shown(definition(label));
        let bootstrap = call(&["bootstrap", "system", &path]);
        let answer = self.bootstrap(&bootstrap)?;
        match answer.code {
            Some(0) => Ok(()),
            Some(USAGE) => {
                self.commands.run(&Call::new("launchctl", ["load", "-w", &path])).map(drop)
            }
            // "Input/output error": launchd's word for almost everything.
            Some(REFUSED | ALREADY) => Err(answer
                .failure(&bootstrap)
                .help(
                    "launchd refuses a plist that is not root's, that others may write to, or \
                     whose label another job has",
                )
                .help(Help::inspect("ls -l", &definition(label)))
                .help(Command::fixed("launchctl print").job(SYSTEM, label, Provenance::Root))),
            _ => Err(answer.failure(&bootstrap)),
        }
    }

    fn stop(&self, label: &str, _drain: Duration) -> Result<()> {
        // TERM, and KILL only after the definition's ExitTimeOut: a drain.
        self.bootout(label)
    }

    fn state(&self, label: &str) -> Result<ServiceState> {
        self.state_in(&[SYSTEM.to_owned()], label)
    }

    fn runs_job(&self, label: &str) -> Result<Option<bool>> {
        let Some(main) = self.state(label)?.main_pid else { return Ok(Some(false)) };
        let call = Call::new("ps", ["-A", "-o", "ppid=", "-o", "stat="]);
        let list = self.commands.run(&call)?.stdout;
        Ok(Some(list.lines().any(|line| is_living_child(line, main))))
    }

    fn last_lines(&self, label: &str, count: usize) -> Result<String> {
        let paths = [format!("/Library/Logs/{label}.log"), shown(start_log(label))];
        let args = [vec!["-q".to_owned(), "-n".to_owned(), count.to_string()], paths.to_vec()];
        // It is no error of the agent's that one of the two is not there yet.
        let call = Call::new("tail", args.concat()).within(Duration::from_secs(10));
        self.commands.answer(&call).map(|answer| answer.stdout)
    }

    fn is_running(&self) -> bool {
        cfg!(target_os = "macos")
    }

    fn hints(&self, label: &str) -> Hints {
        Hints {
            inspect: format!("sudo launchctl print {}", target(label)),
            follow: format!("tail -f /Library/Logs/{label}.log {}", shown(start_log(label))),
        }
    }
}

/// Where a label of ours is defined.
pub fn definition(label: &str) -> PathBuf {
    Path::new(DAEMONS).join(format!("{label}.plist"))
}

/// The domain that launchd loads a definition into, as a word of a shell; `None` where it is a
/// user's, whose number only the host knows.
pub fn domain_of(file: &Path) -> Option<&'static str> {
    match file.starts_with("/Users") {
        true => None,
        false if file.starts_with(AGENTS) => Some(DESKTOP),
        false => Some(SYSTEM),
    }
}

/// What the agent writes before its own log is open.
pub fn start_log(label: &str) -> PathBuf {
    Path::new("/Library/Logs").join(format!("{label}.start.log"))
}

fn target(label: &str) -> String {
    format!("{SYSTEM}/{label}")
}

fn call(args: &[&str]) -> Call {
    Call::new("launchctl", args.iter().copied())
}

/// The labels that `launchctl print-disabled` says are never started: `"com.example" =>
/// disabled`, or `=> true` on older systems.
pub fn disabled(shown: &str) -> impl Iterator<Item = &str> {
    shown.lines().filter_map(|line| {
        let (name, value) = line.split_once("=>")?;
        let is_off = matches!(value.trim(), "disabled" | "true");
        is_off.then(|| name.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::{state::tests::RUNNING, *};
    use crate::{host::Load, platform::command::Script};

    const LABEL: &str = "com.circleci.runner";

    #[test]
    fn a_users_domain_is_asked_and_may_not_be_there() {
        let script = Script::new(&[
            ("launchctl print-disabled gui/501", 0, "\t\"com.circleci.runner\" => disabled\n"),
            ("launchctl print gui/501/com.circleci.runner", 0, RUNNING),
            ("launchctl print-disabled gui/502", 125, ""),
            ("launchctl print gui/502/com.circleci.runner", 113, ""),
        ]);
        let launchd = Launchd::new(&script);
        let state = launchd.state_in(&["gui/501".to_owned()], LABEL).unwrap();
        assert!(state.load == Load::Loaded && !state.enabled);
        let state = launchd.state_in(&["gui/502".to_owned()], LABEL).unwrap();
        assert_eq!(state.load, Load::NotFound);
        script.assert_done();
    }

    #[test]
    fn a_disabled_label_is_known_old_and_new() {
        let shown =
            "disabled services = {\n\t\"a\" => disabled\n\t\"b\" => true\n\t\"c\" => enabled\n}\n";
        assert_eq!(disabled(shown).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_start_bootstraps_the_definition() {
        let script = Script::new(&[
            ("launchctl print system/com.circleci.runner", 113, ""),
            ("launchctl bootstrap system /Library/LaunchDaemons/com.circleci.runner.plist", 0, ""),
        ]);
        Launchd::new(&script).start(LABEL).unwrap();
        script.assert_done();
    }

    #[test]
    fn a_start_takes_an_older_definition_out_first() {
        let script = Script::new(&[
            ("launchctl print system/com.circleci.runner", 0, RUNNING),
            ("launchctl bootout system/com.circleci.runner", 36, ""),
            ("launchctl print system/com.circleci.runner", 0, RUNNING),
            ("launchctl print system/com.circleci.runner", 113, ""),
            ("launchctl bootstrap system /Library/LaunchDaemons/com.circleci.runner.plist", 0, ""),
        ]);
        Launchd::new(&script).start(LABEL).unwrap();
        script.assert_done();
    }

    /// openclaw and others see it: a second try goes well.
    #[test]
    fn a_refusal_right_after_an_end_is_tried_again() {
        const BOOTSTRAP: &str =
            "launchctl bootstrap system /Library/LaunchDaemons/com.circleci.runner.plist";
        let script = Script::new(&[
            ("launchctl print system/com.circleci.runner", 113, ""),
            (BOOTSTRAP, 5, "Bootstrap failed: 5: Input/output error"),
            (BOOTSTRAP, 37, "Bootstrap failed: 37: Operation already in progress"),
            (BOOTSTRAP, 0, ""),
        ]);
        Launchd::new(&script).start(LABEL).unwrap();
        script.assert_done();
    }

    #[test]
    fn an_older_launchctl_loads_and_unloads() {
        let script = Script::new(&[
            ("launchctl print system/com.circleci.runner", 113, ""),
            ("launchctl bootstrap system /Library/LaunchDaemons/com.circleci.runner.plist", 64, ""),
            ("launchctl load -w /Library/LaunchDaemons/com.circleci.runner.plist", 0, ""),
            ("launchctl bootout system/com.circleci.runner", 64, ""),
            ("launchctl unload /Library/LaunchDaemons/com.circleci.runner.plist", 0, ""),
        ]);
        let launchd = Launchd::new(&script);
        launchd.start(LABEL).unwrap();
        launchd.stop(LABEL, Duration::ZERO).unwrap();
        script.assert_done();
    }

    #[test]
    fn a_refused_plist_says_why_that_may_be() {
        let script = Script::new(&[
            ("launchctl print system/com.circleci.runner", 113, ""),
            (
                "launchctl bootstrap system /Library/LaunchDaemons/com.circleci.runner.plist",
                5,
                "Bootstrap failed: 5: Input/output error",
            ),
        ]);
        let launchd = Launchd { commands: &script, settle: Duration::ZERO };
        let error = launchd.start(LABEL).unwrap_err();
        assert!(error.message().contains("Bootstrap failed: 5"), "{error}");
        assert!(error.help_lines().join(" ").contains("launchctl print system/"), "{error:?}");
    }

    #[test]
    fn a_stop_of_what_is_gone_is_done() {
        for code in [0, 3, 36, 113] {
            let script = Script::new(&[("launchctl bootout system/com.circleci.runner", code, "")]);
            Launchd::new(&script).stop(LABEL, Duration::ZERO).unwrap();
        }
        let script = Script::new(&[("launchctl bootout system/com.circleci.runner", 1, "no")]);
        assert!(Launchd::new(&script).stop(LABEL, Duration::ZERO).is_err());
    }

    #[test]
    fn a_state_knows_what_is_not_loaded() {
        let script = Script::new(&[
            ("launchctl print-disabled system", 0, "\t\"com.circleci.runner\" => disabled\n"),
            ("launchctl print system/com.circleci.runner", 113, ""),
        ]);
        let state = Launchd::new(&script).state(LABEL).unwrap();
        assert!(!state.enabled && state.load == Load::NotFound && !state.is_held());
        script.assert_done();
    }
}
