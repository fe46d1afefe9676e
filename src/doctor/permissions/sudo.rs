//! sudo in the command prefix: the very account that it steps to, by sudo's rules and as sudo itself
//! answers.

use super::mounts::remount_suid;
use crate::{
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        change::{
            renamed,
            system::{roots_sudo, setuid_sudo},
        },
        lookup::{account, edit_config, owner_of},
    },
    host::{
        AccountFacts, At, Install, PathRole, PathWalk, Provenance, Refusal, Ruling, Starting,
        StepDown, StepTool, Sudo, Survey, Target, Unseen,
    },
    platform::fs::Kind,
};

pub(super) const SUDO: Check = Check {
    name: "permissions/sudo-works",
    holds: "sudo in the command prefix works for the account of the service",
    why: "Every job fails while it is prepared if sudo in the command prefix refuses, or asks for a \
          password or a terminal.",
    found: "The doctor reads sudo's rules for the account that the prefix names, of which the last \
            that applies decides, and sudo's setuid bit and mount. As root it also asks sudo, with \
            the rights of the service account, whether it would do it; nothing is run.",
    cure: "Change the rule or the setting that is named, or remove sudo from \
           runner.command_prefix. Where there is no rule, `runnerup install --passwordless-sudo` \
           adds one.",
    after: &[
        "config/types-right",
        "config/prefix-runs",
        "service/user-exists",
        "service/sandbox-allows-jobs",
    ],
    judge: Judge::Agent(sudo),
};

fn sudo(survey: &Survey, install: &Install) -> Judged {
    install.settings().get("runner.command_prefix")?;
    let step = install.steps_down().filter(|step| step.tool == StepTool::Sudo);
    let step =
        step.ok_or_else(|| Unseen::not_applicable("the command prefix does not use sudo"))?;
    let account = account(survey, install)?;
    if account.is_root() {
        return Ok(Verdict::Holds(
            "the service account is root, which needs no sudo rule".to_owned(),
        ));
    }
    let sudo = account.sudo.known()?;
    if !sudo.installed {
        return Ok(Problem::fail("the command prefix uses sudo, which is not installed")
            .cure(Remedy::by_hand(
                "Install the package sudo as root, or remove runner.command_prefix.",
            ))
            .into());
    }
    let found = program(survey, install, sudo)
        .or_else(|| of_process(install))
        .or_else(|| missing(survey, install, &step))
        .or_else(|| answered(install, account, Answered::First))
        .or_else(|| terminal(account, sudo));
    if let Some(problem) = found {
        return Ok(problem.into());
    }
    ruled(survey, install, account, (sudo, &step))
}

/// sudo itself: whether it becomes root when it is started.
fn program(survey: &Survey, install: &Install, sudo: &Sudo) -> Option<Problem> {
    let named = install.path(PathRole::CommandPrefix).and_then(|walk| walk.ok());
    let is_sudo = |walk: &&PathWalk| walk.path.file_name().is_some_and(|name| name == "sudo");
    let walk = named.filter(is_sudo).or(sudo.program.as_ref())?;
    let meta = walk.end.filter(|meta| meta.kind == Kind::File)?;
    let mode = meta.mode()?;
    let path = walk.real.display();
    let by = walk.replaceable_by;
    if !meta.is_of(0) || mode & 0o4000 == 0 {
        let owner = owner_of(survey, &meta);
        let remedy = Remedy::by_hand(
            "Give sudo back its owner and its setuid bit, in a shell of root: without the bit sudo \
             works for root alone. Or install the package sudo again.",
        );
        let remedy = if meta.is_of(0) {
            remedy.command(setuid_sudo(walk))
        } else {
            remedy.in_turn([roots_sudo(walk), setuid_sudo(walk)])
        };
        return Some(
            Problem::fail(format!(
                "{path} has lost its setuid bit, so that sudo refuses everybody but root"
            ))
            .seen(format!("{path} has mode {mode:04o}, owner {owner}; sudo needs 4755, root"))
            .cure(remedy),
        );
    }
    let mount = survey.host.mount_of(&walk.real).filter(|mount| mount.has("nosuid"))?;
    let remedy =
        Remedy::by_hand("Mount it without nosuid.").command(remount_suid(&mount.point, walk, by));
    Some(
        Problem::fail(format!("{path} is on a file system where no program becomes root"))
            .seen(format!("{} is mounted with nosuid", mount.point.display()))
            .cure(remedy),
    )
}

/// `no_new_privs`, where no directive of the unit explains it: such a directive is reported by
/// service/sandbox-allows-jobs.
fn of_process(install: &Install) -> Option<Problem> {
    let running = install.running.ok()?;
    (running.no_new_privs == Some(true) && running.uid != 0).then(|| {
        let text = "the agent runs with no-new-privileges, so that sudo cannot become root";
        let remedy = Remedy::by_hand(
            "Find what sets it: the service as it was when the agent was started, a program in \
             front of the agent such as setpriv, or the container, whose option is \
             no-new-privileges. Then start the agent again without it.",
        );
        Problem::fail(text)
            .seen(format!("/proc/{}/status: NoNewPrivs: 1", running.pid))
            .cure(remedy)
    })
}

/// The account that the prefix names.
fn missing(survey: &Survey, install: &Install, step: &StepDown) -> Option<Problem> {
    let user = step.user.as_deref().filter(|user| !user.starts_with('#'))?;
    let host = &survey.host;
    let is_known = survey.account(user).is_some() || host.accounts_unread.is_some() || host.image;
    (!is_known && install.task_user.as_deref() == Some(user)).then(|| {
        Problem::fail(format!(
            "the command prefix starts jobs as {user}, an account that does not exist"
        ))
        .seen(format!("runner.command_prefix: sudo to {user}"))
        .cure(
            Remedy::by_hand("Correct the account in runner.command_prefix, or create it.")
                .command(edit_config(survey, install)),
        )
    })
}

/// Which of sudo's answers to look at: those that hold whatever the rules are, or the others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answered {
    First,
    Last,
}

/// What sudo answered to the account's own question.
fn answered(install: &Install, account: &AccountFacts, which: Answered) -> Option<Problem> {
    let answer = install.sudo.ok()?;
    let name = &account.name;
    let seen =
        answer.words.iter().map(crate::host::Scrubbed::as_str).collect::<Vec<_>>().join("\n");
    let by = install.account_by(account);
    let check_files = || Command::root("visudo -c");
    let (text, remedy) = match (answer.refusal?, which) {
        (Refusal::NotRoot, Answered::First) => (
            format!("sudo does not become root when {name} starts it"),
            Remedy::by_hand("Remove what keeps it from that: see the words of sudo."),
        ),
        (Refusal::Account, Answered::First) => (
            format!("PAM does not admit {name} to sudo: the account is expired or locked, or a rule of PAM leaves it out"),
            Remedy::by_hand(
                "Look at the dates of the account and at the lines `account` in /etc/pam.d/sudo. If \
                 it has expired, the second command lets it never expire.",
            )
            .inspect(Command::root("chage --list").user(name, by))
            .command(Command::root("chage --expiredate -1").user(name, by)),
        ),
        (Refusal::Files, Answered::First) => (
            "sudo cannot use its files and refuses everybody".to_owned(),
            Remedy::by_hand(
                "Correct owner, mode or text of the file that is named, in a shell of root: sudo \
                 itself does not work meanwhile.",
            )
            .inspect(check_files()),
        ),
        (Refusal::UnknownUser, Answered::First) => (
            "the command prefix names an account for sudo that does not exist".to_owned(),
            Remedy::by_hand("Correct the account in runner.command_prefix, or create it."),
        ),
        (Refusal::Other, Answered::Last) => (
            format!("sudo refuses {name}"),
            Remedy::by_hand("See the words of sudo.").inspect(Command::root("-l -U").user(name, by)),
        ),
        _ => return None,
    };
    Some(Problem::fail(text).seen(seen).cure(remedy))
}

fn terminal(account: &AccountFacts, sudo: &Sudo) -> Option<Problem> {
    sudo.wants_terminal.then(|| {
        Problem::fail("sudo requires a terminal, which jobs do not have")
            .seen(format!("Defaults requiretty holds for {}", account.name))
            .cure(
                Remedy::by_hand(
                    "Add the line `Defaults:ACCOUNT !requiretty` to the end of sudo's rules, for the \
                     service account.",
                )
                .command(Command::fixed("sudo visudo")),
            )
    })
}

/// By the rules.
fn ruled(
    survey: &Survey,
    install: &Install,
    account: &AccountFacts,
    (sudo, step): (&Sudo, &StepDown),
) -> Judged {
    let name = &account.name;
    let Some(user) = step.user.as_deref() else {
        return Err(Unseen::not_examined("a script decides which account sudo starts jobs as"));
    };
    // A number has been looked up.
    let resolved = || install.task_user.as_deref().filter(|_| user.starts_with('#'));
    let runs_as = survey.account(user).or_else(|| survey.account(resolved()?));
    let shell = runs_as.map(|account| account.shell.path.as_path()).filter(|_| step.login);
    let starts = Starting::of(&step.starts, shell);
    let sets_variables = step.sets_variables;
    let target = Target { name: user, account: runs_as, sets_variables, starts };
    let lines = |rules: &[At<'_>]| rules.iter().map(At::to_string).collect::<Vec<_>>().join("\n");
    let has_free = sudo.rules.iter().any(|rule| rule.contains("NOPASSWD"));
    let visudo = || Command::fixed("sudo visudo");
    let by_hand = |text: &'static str| Remedy::by_hand(text).command(visudo());
    let by_config = install.settings().by("runner.command_prefix");
    let (text, seen, remedy) = match sudo.ruling(target) {
        Ruling::Allowed(at) => return allowed(install, account, sudo, at),
        Ruling::Perhaps(rules) => match install.sudo.ok().filter(|_| starts != Starting::Unknown) {
            Some(answer) if answer.allowed && shell.is_none() => {
                return Ok(Verdict::Holds(format!("sudo rule: {}", lines(&rules))));
            }
            Some(answer) if !answer.allowed && !has_arguments(&rules) => {
                (some_commands(name, user), lines(&rules), granted(by_config))
            }
            _ => {
                return Err(Unseen::not_examined(
                    "a rule of sudo is for one command, and whether for that of the prefix is not \
                     known",
                ));
            }
        },
        Ruling::Unknown if install.sudo.ok().is_some_and(|answer| answer.allowed) => {
            return Ok(Verdict::Holds(format!("sudo says that {name} may use it as {user}")));
        }
        Ruling::Unknown => {
            return Err(Unseen::not_examined("a rule of sudo depends on what is not known here"));
        }
        Ruling::Password(at) if has_free => (
            format!(
                "sudo as {user} wants a password of {name}: the last rule that applies decides, and has no NOPASSWD"
            ),
            at.to_string(),
            by_hand("Put the rule with NOPASSWD behind this one, or add NOPASSWD to it."),
        ),
        Ruling::Password(at) => (
            format!("{name} cannot use sudo without a password, which the command prefix requires"),
            at.to_string(),
            by_hand(
                "Remove sudo from runner.command_prefix. If jobs are meant to have this right, add \
                 NOPASSWD: to this rule, in front of its commands.",
            ),
        ),
        Ruling::Forbidden(at) => (
            format!("a rule of sudo forbids {name} the command of the prefix as {user}"),
            at.to_string(),
            by_hand(
                "Remove what stands behind the `!` from the rule, or remove sudo from \
                 runner.command_prefix.",
            ),
        ),
        Ruling::NoVariables(at) => (
            "the command prefix sets variables for sudo, and the rule has NOSETENV".to_owned(),
            at.to_string(),
            by_hand("Remove the variables from runner.command_prefix, or NOSETENV from the rule."),
        ),
        Ruling::NoExec(at) => (
            "jobs can start no program: the rule of sudo has NOEXEC".to_owned(),
            at.to_string(),
            by_hand("Remove NOEXEC from the rule, or `Defaults noexec`."),
        ),
        Ruling::Commands(rules) => (some_commands(name, user), lines(&rules), granted(by_config)),
        Ruling::OtherAccounts(rules) => (
            format!("no rule lets {name} use sudo as {user}"),
            lines(&rules),
            granted(by_config).and("Or name in the prefix the account that the rule is for."),
        ),
        Ruling::NoRule => (
            format!("{name} cannot use sudo without a password, which the command prefix requires"),
            format!("sudo rules of {name}: none"),
            granted(by_config),
        ),
    };
    // What sudo cannot read may be the very rule.
    let (text, remedy) = match sudo.complaints.is_empty() {
        true => (text, remedy),
        false => (
            format!(
                "sudo cannot read all of its files, and by those that it reads {name} may not start \
                 jobs as {user}"
            ),
            unparsed(),
        ),
    };
    if let Some(file) = sudo.would_allow(target) {
        // The names are those of a folder of root; `renamed` sees whether it is one.
        let by = Provenance::Root;
        let shown = file.walk.path.display();
        let text = format!(
            "sudo leaves out {shown}, which would allow it: it reads no file whose name has a dot or \
             ends in ~"
        );
        let seen = file.rules.iter().map(|rule| format!("{shown}: {rule}"));
        let seen = seen.collect::<Vec<_>>().join("\n");
        return Ok(Problem::fail(text)
            .seen(with_complaints(&seen, sudo))
            .cure(Remedy::by_hand("Give the file a name that sudo reads.").command(renamed(
                &file.walk,
                &file.readable,
                by,
            )))
            .into());
    }
    Ok(Problem::fail(text).seen(with_complaints(&seen, sudo)).cure(remedy).into())
}

fn some_commands(name: &str, user: &str) -> String {
    format!(
        "sudo lets {name} run only some commands as {user}, and not that with which the prefix \
         starts jobs"
    )
}

/// Whether one of the rules is for a command with arguments, the agent's own among them.
fn has_arguments(rules: &[At<'_>]) -> bool {
    let command =
        |at: &At<'_>| at.rule.rsplit([':', ')']).next().unwrap_or_default().trim().contains(' ');
    rules.iter().any(command)
}

/// The rules allow it: what sudo says of itself beside that.
fn allowed(install: &Install, account: &AccountFacts, sudo: &Sudo, at: At<'_>) -> Judged {
    if let Some(problem) = answered(install, account, Answered::Last) {
        return Ok(problem.into());
    }
    if sudo.complaints.is_empty() {
        return Ok(Verdict::Holds(format!("sudo rule: {at}")));
    }
    Ok(Problem::warn("sudo cannot read all of its files: a version before 1.9.3 refuses everybody then, a later one leaves out what is named")
        .seen(with_complaints("", sudo))
        .cure(unparsed())
        .into())
}

fn with_complaints(seen: &str, sudo: &Sudo) -> String {
    let words = sudo.complaints.iter().map(crate::host::Scrubbed::as_str);
    let lines: Vec<&str> =
        std::iter::once(seen).chain(words).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn unparsed() -> Remedy {
    Remedy::by_hand("Correct the file that sudo names; visudo checks it before it is kept.")
        .inspect(Command::root("visudo -c"))
        .command(Command::fixed("sudo visudo"))
}

/// No command gives this right because the configuration asks for it.
fn granted(by_config: Provenance) -> Remedy {
    Remedy::by_hand(
        "Remove sudo from runner.command_prefix. If jobs are meant to have this right, install the \
         agent with --passwordless-sudo.",
    )
    .command(Command::install().then("--passwordless-sudo").if_roots(by_config))
}

#[cfg(test)]
mod tests;
