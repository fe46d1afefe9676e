//! sudo in the command prefix: rules, answers, and cures.

use crate::{
    doctor::{Finding, Selection, Status, fixtures::*, judge},
    host::{Ignored, Mount, Refusal, Seen, Setting, Sudo, SudoAnswer, Survey, Written},
};

/// Jobs run as `builder`, by this rule.
fn stepping(rules: &[&str]) -> Survey {
    let mut survey = healthy();
    let words = ["sudo", "-niHu", "builder", "--"].map(Into::into).to_vec();
    let value = Written::List(words);
    let setting = Setting { path: "runner.command_prefix".into(), line: 7, column: 3, value };
    config_of(&mut survey).settings.push(setting);
    agent(&mut survey).task_user = Some("builder".into());
    survey.host.accounts.push(account("builder", 991));
    let rules = rules.iter().map(ToString::to_string).collect();
    let program = Some(walk("/usr/bin/sudo", file(0, 0o4755)));
    set_sudo(&mut survey, Sudo { installed: true, rules, program, ..Sudo::default() });
    survey
}

fn set_sudo(survey: &mut Survey, sudo: Sudo) {
    survey.host.accounts[1].sudo = Seen::Known(sudo);
}

fn sudo_of(survey: &mut Survey) -> &mut Sudo {
    match &mut survey.host.accounts[1].sudo {
        Seen::Known(sudo) => sudo,
        Seen::Unseen(_) => unreachable!("the sample has it"),
    }
}

fn found(survey: &Survey) -> Finding {
    finding(survey, "permissions/sudo-works")
}

#[test]
fn the_very_account_is_judged_by_the_last_rule() {
    for (rules, expected, words) in [
        (&["(ALL) NOPASSWD: ALL"][..], Status::Pass, "sudo rule: (ALL) NOPASSWD: ALL"),
        (&["(root) NOPASSWD: ALL"], Status::Fail, "no rule lets circleci use sudo as builder"),
        (&["(ALL) NOPASSWD: ALL", "(ALL) ALL"], Status::Fail, "the last rule that applies decides"),
        (&["(builder) NOPASSWD: /opt/circleci/circleci-agent"], Status::Fail, "only some commands"),
        (&["(ALL) ALL"], Status::Fail, "without a password"),
        (&[], Status::Fail, "without a password"),
        (&["(+netgroup) NOPASSWD: ALL"], Status::Skip, "not known"),
    ] {
        let found = found(&stepping(rules));
        assert!(found.status == expected && found.summary.contains(words), "{found:?}");
    }
}

#[test]
fn a_rule_for_one_command_is_judged_by_that_of_the_prefix() {
    let of = |rules: &[&str], user: &str, answer: Option<bool>| {
        let mut survey = stepping(rules);
        let words = ["sudo", "-nHu", user, "env", "CI=1"].map(Into::into).to_vec();
        config_of(&mut survey).settings.last_mut().unwrap().value = Written::List(words);
        if let Some(allowed) = answer {
            let answer = SudoAnswer { allowed, refusal: None, words: Vec::new() };
            agent(&mut survey).sudo = Seen::Known(answer);
        }
        found(&survey).status
    };
    let env = &["(builder) NOPASSWD: /usr/bin/env"][..];
    assert_eq!(of(env, "builder", Some(true)), Status::Pass);
    assert_eq!(of(env, "#991", Some(true)), Status::Pass);
    assert_eq!(of(env, "builder", Some(false)), Status::Fail);
    assert_eq!(of(env, "builder", None), Status::Skip);
    // The agent's own program may be one of its arguments.
    let arguments = &["(builder) NOPASSWD: /usr/bin/env CI=1 /var/opt/*"][..];
    assert_eq!(of(arguments, "builder", Some(false)), Status::Skip);
    assert_eq!(of(&["(builder) NOPASSWD: /bin/nice"], "builder", Some(false)), Status::Fail);
}

#[test]
fn a_file_that_sudo_leaves_out_is_named_with_its_cure() {
    let mut survey = stepping(&["(root) /bin/ls"]);
    let left_out = |name: &str, rule: &str| Ignored {
        walk: walk(format!("/etc/sudoers.d/{name}"), file(0, 0o440)),
        readable: "/etc/sudoers.d/ci-conf".into(),
        rules: vec![rule.into()],
    };
    sudo_of(&mut survey).ignored =
        vec![left_out("a~", "(root) NOPASSWD: ALL"), left_out("ci.conf", "(ALL) NOPASSWD: ALL")];
    let it = found(&survey);
    assert!(it.summary.contains("/etc/sudoers.d/ci.conf"), "{}", it.summary);
    assert_eq!(
        it.remedy.unwrap().commands(),
        ["sudo mv -n /etc/sudoers.d/ci.conf /etc/sudoers.d/ci-conf"]
    );
}

#[test]
fn no_cure_adds_a_rule_that_is_there() {
    for rules in [&["(ALL) NOPASSWD: ALL", "(ALL) ALL"][..], &["(ALL) NOEXEC: NOPASSWD: ALL"]] {
        let mut survey = stepping(rules);
        config_of(&mut survey).written_by = crate::host::Provenance::Root;
        let remedy = found(&survey).remedy.unwrap();
        assert_eq!(remedy.commands(), ["sudo visudo"]);
    }
    let mut survey = stepping(&["(ALL) NOPASSWD: ALL"]);
    sudo_of(&mut survey).wants_terminal = true;
    let remedy = found(&survey).remedy.unwrap();
    assert!(remedy.text().contains("!requiretty") && remedy.commands() == ["sudo visudo"]);
}

#[test]
fn sudo_itself_must_become_root() {
    for (meta, commands) in [
        (file(0, 0o755), &["sudo chmod 4755 /usr/bin/sudo"][..]),
        (file(7, 0o4755), &["sudo chown root:root /usr/bin/sudo", "sudo chmod 4755 /usr/bin/sudo"]),
    ] {
        let mut survey = stepping(&["(ALL) NOPASSWD: ALL"]);
        sudo_of(&mut survey).program.as_mut().unwrap().end = Some(meta);
        let it = found(&survey);
        assert_eq!(it.status, Status::Fail, "{it:?}");
        assert_eq!(it.remedy.unwrap().commands(), commands);
    }
    let mut survey = stepping(&["(ALL) NOPASSWD: ALL"]);
    let options = vec!["rw".into(), "nosuid".into()];
    survey.host.mounts.push(Mount {
        point: "/usr".into(),
        kind: "ext4".into(),
        options,
        order: None,
    });
    let it = found(&survey);
    assert_eq!(it.remedy.unwrap().commands(), ["sudo mount -o remount,bind,suid /usr"]);
}

#[test]
fn what_sudo_answers_counts_over_its_rules() {
    for (refusal, words) in [
        (Refusal::Account, "PAM does not admit circleci"),
        (Refusal::NotRoot, "does not become root"),
        (Refusal::Files, "refuses everybody"),
        (Refusal::UnknownUser, "does not exist"),
        (Refusal::Other, "sudo refuses circleci"),
    ] {
        let mut survey = stepping(&["(ALL) NOPASSWD: ALL"]);
        let refusal = Some(refusal);
        agent(&mut survey).sudo =
            Seen::Known(SudoAnswer { allowed: false, refusal, words: vec!["sudo: no".into()] });
        let it = found(&survey);
        assert!(it.status == Status::Fail && it.summary.contains(words), "{it:?}");
        assert_eq!(it.evidence, "sudo: no");
    }
    // A password is asked for where no rule is free of it; the rules say which one.
    let mut survey = stepping(&["(ALL) NOPASSWD: ALL"]);
    let refusal = Some(Refusal::Password);
    agent(&mut survey).sudo =
        Seen::Known(SudoAnswer { allowed: false, refusal, words: Vec::new() });
    assert_eq!(found(&survey).status, Status::Pass);
}

#[test]
fn files_that_do_not_parse_are_told() {
    let mut survey = stepping(&["(ALL) NOPASSWD: ALL"]);
    sudo_of(&mut survey).complaints = vec!["/etc/sudoers.d/x:3:9: syntax error".into()];
    let it = found(&survey);
    assert!(it.status == Status::Warn && it.evidence.contains("x:3:9"), "{it:?}");
    sudo_of(&mut survey).rules.clear();
    assert_eq!(found(&survey).status, Status::Fail);
}

#[test]
fn a_process_without_new_privileges_has_no_sudo() {
    let mut survey = stepping(&["(ALL) NOPASSWD: ALL"]);
    match &mut agent(&mut survey).running {
        Seen::Known(running) => running.no_new_privs = Some(true),
        Seen::Unseen(_) => unreachable!("the sample runs"),
    }
    assert_eq!(found(&survey).status, Status::Fail);
}

#[test]
fn an_account_that_the_prefix_alone_knows_is_missing() {
    let mut survey = stepping(&["(ALL) NOPASSWD: ALL"]);
    survey.host.accounts.pop();
    assert!(found(&survey).summary.contains("builder, an account that does not exist"));
}

#[test]
fn a_prefix_that_sudo_refuses_makes_no_job_root() {
    let mut survey = stepping(&[]);
    agent(&mut survey).task_user = Some("root".into());
    let all = judge(&survey, &Selection::default());
    let power = all.iter().find(|finding| finding.check == "permissions/power-known").unwrap();
    assert_eq!(power.because, Some("permissions/sudo-works"), "{}", power.summary);
}
