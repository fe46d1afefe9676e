//! The account's own question to sudo: would it run a command as another account?
//!
//! Asking runs no command and opens no session, but goes through all that a job goes through: the
//! setuid bit, `no_new_privs`, PAM's account stage, a terminal that is wanted. Root asks it with the
//! account's numbers. The two names come from a configuration, which the account itself may have
//! written: each is a plain name, and stands behind its option.

use super::{Scrub, refusal, told};
use crate::{
    host::{Seen, Starts, StepDown, StepTool, SudoAnswer, is_plain_user},
    platform::{
        accounts,
        command::{Call, Commands},
        fs::Root,
        privilege,
    },
    probe::{ProbeContext, procfs},
};
use std::time::Duration;

/// A program that every system has and that does nothing; it is not run. It stands for the agent's own.
const NOTHING: &str = "true";

/// Most arguments of a prefix's program, and the longest, in bytes.
const ARGUMENTS: (usize, usize) = (16, 256);

/// Asks for an agent's account what its command prefix asks of sudo.
pub(in crate::probe) fn answer(
    context: &ProbeContext,
    user: &str,
    step: &StepDown,
) -> Seen<SudoAnswer> {
    let ProbeContext { root, commands, limit, scrub, .. } = context;
    asked(root, commands, (user, step), *limit, scrub)
}

fn asked(
    root: &Root,
    commands: &dyn Commands,
    (user, step): (&str, &StepDown),
    limit: Duration,
    scrub: &Scrub,
) -> Seen<SudoAnswer> {
    let Some(target) = step.user.as_deref().filter(|_| step.tool == StepTool::Sudo) else {
        return Seen::not_applicable("the command prefix does not use sudo");
    };
    if !is_plain_user(target) {
        return Seen::not("the account that the command prefix names is no plain name");
    }
    if !privilege::is_privileged() || has_no_new_privs() {
        return Seen::not("only root can ask sudo for another account");
    }
    if commands.find("setpriv").is_none() || commands.find("sudo").is_none() {
        return Seen::not("setpriv or sudo is not there");
    }
    let account = match accounts::find(root, user) {
        Ok(account) => account.and_then(|account| account.unix()),
        Err(error) => return Seen::broken(error.message()),
    };
    let Some(account) = account.filter(|account| account.uid != 0) else {
        return Seen::not("root needs no rule of sudo");
    };
    let (uid, gid) = (account.uid.to_string(), account.gid.to_string());
    let words = ["--reuid", &uid, "--regid", &gid, "--init-groups", "--"];
    let question = ["sudo", "-n", "-l", "-u", target, "--"];
    let started = started(step, scrub);
    let words = words.into_iter().chain(question).chain(started);
    let call = Call::new("setpriv", words).within(limit);
    match commands.answer(&call) {
        Ok(answer) => Seen::Known(SudoAnswer {
            allowed: answer.code == Some(0),
            refusal: refusal(&answer.stderr),
            words: told(answer.stderr.lines(), scrub),
        }),
        Err(error) => Seen::broken(error.message()),
    }
}

/// The very command that sudo has to allow. sudo writes it to the system's log: arguments with a
/// secret among them are left out.
fn started<'a>(step: &'a StepDown, scrub: &Scrub) -> Vec<&'a str> {
    let Starts::Program(program) = &step.starts else { return vec![NOTHING] };
    let is_shown = |word: &String| word.len() <= ARGUMENTS.1 && scrub.text(word) == *word;
    let mut words = vec![program.as_str()];
    if step.arguments.len() <= ARGUMENTS.0 && step.arguments.iter().all(is_shown) {
        words.extend(step.arguments.iter().map(String::as_str));
        words.push(NOTHING);
    }
    words
}

/// Whether this process could not start sudo as an agent can.
fn has_no_new_privs() -> bool {
    let status = std::fs::read("/proc/self/status").unwrap_or_default();
    procfs::status(&status).no_new_privs == Some(true)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::platform::command::Recorded;

    fn answer_for(target: &str, uid: u32) -> (Seen<SudoAnswer>, Vec<String>) {
        answer_to(&["sudo", "-n", "-u", target, "--"], uid)
    }

    fn answer_to(prefix: &[&str], uid: u32) -> (Seen<SudoAnswer>, Vec<String>) {
        let (folder, root) = crate::platform::fs::empty_root();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        let line = format!("ci:x:{uid}:77::/home/ci:/bin/sh\n");
        std::fs::write(folder.path().join("etc/passwd"), line).unwrap();
        let commands =
            Recorded::answering(1, "sudo: PAM account management error: Permission denied\n");
        let step = StepDown::of(prefix).unwrap();
        let limit = Duration::from_secs(1);
        let answer = asked(&root, &commands, ("ci", &step), limit, &Scrub::default());
        (answer, commands.calls())
    }

    #[test]
    fn only_plain_names_are_asked_for() {
        if !privilege::is_privileged() || has_no_new_privs() {
            return;
        }
        let (_, calls) = answer_to(&["sudo", "-nHu", "builder", "env", "CI=1"], 990);
        assert!(calls[0].ends_with("sudo -n -l -u builder -- env CI=1 true"), "{calls:?}");
        let secret = format!("TOKEN={}", "a1b2c3d4".repeat(5));
        let (_, calls) = answer_to(&["sudo", "-nHu", "builder", "env", &secret], 990);
        assert!(calls[0].ends_with("-u builder -- env"), "{calls:?}");
        let (answer, calls) = answer_for("builder", 990);
        assert_eq!(
            calls,
            ["setpriv --reuid 990 --regid 77 --init-groups -- sudo -n -l -u builder -- true"]
        );
        let answer = answer.ok().unwrap();
        assert_eq!((answer.allowed, answer.refusal), (false, Some(crate::host::Refusal::Account)));
        for target in ["-builder", "a b", "$(id)", "/bin/sh", ""] {
            assert!(answer_for(target, 990).1.is_empty(), "{target}");
        }
        assert!(answer_for("builder", 0).1.is_empty());
    }
}
