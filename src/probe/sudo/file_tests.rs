//! sudo's files, and the rules that follow from them.

use super::{
    files::{Asker, read},
    *,
};
use crate::platform::accounts::AccountId;
use std::fs;

fn read_for(files: &[(&str, &str)], hostname: Option<&str>) -> Sudo {
    let (folder, root) = crate::platform::fs::empty_root();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let account = AccountFacts {
        name: "ci".into(),
        id: AccountId::Unix { uid: 990, gid: 991 },
        groups: vec![(991, "ci".into()), (27, "ops".into())],
        ..AccountFacts::default()
    };
    read(&root, &Asker { account: &account, hostname }).unwrap()
}

fn rules(text: &str) -> Vec<String> {
    read_for(&[("etc/sudoers", text)], Some("build-1.example")).rules
}

#[test]
fn rules_are_those_that_sudo_lists() {
    for (text, expected) in [
        ("ci ALL=(ALL) NOPASSWD: ALL", &["(ALL) NOPASSWD: ALL"][..]),
        ("ci ALL=NOPASSWD: ALL # x", &["(root) NOPASSWD: ALL"]),
        ("%ops ALL = (ALL:ALL) ALL", &["(ALL : ALL) ALL"]),
        ("#990 build-1=(ALL) ALL", &["(ALL) ALL"]),
        ("%#27 ALL=(ALL) ALL", &["(ALL) ALL"]),
        (
            "other, ci build-1, build-2=(b, c) NOPASSWD:/bin/a, PASSWD: /bin/b",
            &["(b, c) NOPASSWD: /bin/a, PASSWD: /bin/b"],
        ),
        ("ci build-9=(ALL) ALL", &[]),
        ("ALL, !ci ALL=(ALL) ALL", &[]),
        ("other ALL=(ALL) ALL", &[]),
        ("ci ALL=(ALL) ALL : build-9=(b) NOPASSWD: ALL", &["(ALL) ALL"]),
        ("ci build-9=(ALL) ALL : build-1=(b) NOPASSWD: ALL", &["(b) NOPASSWD: ALL"]),
        ("ci ALL=(a) /bin/x, (b) NOPASSWD: ALL", &["(a) /bin/x", "(b) NOPASSWD: ALL"]),
        ("ci ALL=\\\n  (ALL) \\\n  NOPASSWD: ALL", &["(ALL) NOPASSWD: ALL"]),
        (
            "User_Alias CI = ci, x : Y = z\nRunas_Alias B = b, c\nCmnd_Alias X = /bin/ls, /bin/cat\nCI ALL=(B) NOPASSWD: X, ALL",
            &["(b, c) NOPASSWD: /bin/ls, /bin/cat, ALL"],
        ),
        ("Defaults runas_default=ops\nci ALL=ALL", &["(ops) ALL"]),
        ("+admins ALL=(ALL) ALL", &["(+unknown) ALL"]),
        ("ci 192.0.2.0/24=(ALL) ALL", &["(+unknown) ALL"]),
        ("ci ALL=(b) CWD=/tmp NOPASSWD: ALL", &["(b) CWD=/tmp NOPASSWD: ALL"]),
        ("ci ALL=(ALL) sha224:0GomF8== /bin/ls", &["(ALL) sha224:0GomF8== /bin/ls"]),
    ] {
        assert_eq!(rules(text), expected, "{text}");
    }
}

#[test]
fn files_are_read_in_sudos_order_and_named() {
    let sudo = read_for(
        &[
            (
                "etc/sudoers",
                "Defaults requiretty\nci ALL=(a) ALL\n@includedir sudoers.d\n#include /etc/more\nci ALL=(z) ALL\n",
            ),
            ("etc/sudoers.d/20-b", "Defaults:ci !requiretty\n\nci ALL=(c) ALL\n"),
            ("etc/sudoers.d/10-a", "ci ALL=(b) ALL\n"),
            ("etc/sudoers.d/a.conf", "ci ALL=(x) ALL\n"),
            ("etc/sudoers.d/a~", "ci ALL=(x) ALL\n"),
            ("etc/more", "Defaults:other requiretty\nDefaults>b requiretty\nci ALL=(d) ALL\n"),
        ],
        None,
    );
    assert_eq!(sudo.rules, ["(a) ALL", "(b) ALL", "(c) ALL", "(d) ALL", "(z) ALL"]);
    assert_eq!(
        sudo.places,
        [
            "/etc/sudoers:2",
            "/etc/sudoers.d/10-a:1",
            "/etc/sudoers.d/20-b:3",
            "/etc/more:3",
            "/etc/sudoers:5",
        ]
    );
    assert!(!sudo.wants_terminal);
    let ignored: Vec<_> = sudo.ignored.iter().map(|file| file.readable.to_str().unwrap()).collect();
    assert_eq!(ignored, ["/etc/sudoers.d/a-conf", "/etc/sudoers.d/a"]);
    assert_eq!(sudo.ignored[0].rules, ["(x) ALL"]);
}

#[test]
fn settings_count_in_their_order() {
    let wants = |text: &str| read_for(&[("etc/sudoers", text)], None);
    assert!(wants("Defaults requiretty").wants_terminal);
    assert!(wants("Defaults:%ops requiretty, env_reset").wants_terminal);
    assert!(!wants("Defaults requiretty\nDefaults !requiretty").wants_terminal);
    assert!(!wants("Defaults!/bin/ls requiretty").wants_terminal);
    assert!(wants("Defaults:ci !authenticate").asks_nobody);
    let found = wants("Runas_Alias B = b, c\nDefaults>B !authenticate\nci ALL=(ALL) ALL");
    assert!(!found.asks_nobody && found.by_target.len() == 1);
    assert!(found.by_target[0].asks_nobody && found.by_target[0].accounts == "b,c");
}

#[test]
fn what_others_can_write_is_left_out_and_circles_end() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, root) = crate::platform::fs::empty_root();
    fs::create_dir_all(folder.path().join("etc")).unwrap();
    let write = |name: &str, text: &str, mode| {
        let path = folder.path().join("etc").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    write("open", "ci ALL=(ALL) NOPASSWD: ALL\n", 0o666);
    write("sudoers", "@include /etc/open\n@include /etc/sudoers\n", 0o440);
    let account = AccountFacts { name: "ci".into(), ..AccountFacts::default() };
    let sudo = read(&root, &Asker { account: &account, hostname: None }).unwrap();
    assert!(sudo.rules.is_empty() && sudo.complaints[0].starts_with("/etc/open: "));
}

#[test]
fn a_tag_without_its_colon_is_a_fault() {
    use super::rules::bare_tag;
    for (line, expected) in [
        ("ci ALL=(ALL) NOPASSWD ALL", Some("NOPASSWD")),
        ("ci ALL=(ALL) SETENV: NOPASSWD /bin/a", Some("NOPASSWD")),
        ("ci ALL=(ALL)NOPASSWD:ALL", None),
        ("ci ALL=(ALL) NOPASSWD : ALL", None),
        ("ci ALL=(ALL) NOPASSWD: SETENV: ALL", None),
        ("Defaults env_keep=EXEC", None),
        ("Cmnd_Alias A = /bin/a", None),
    ] {
        assert_eq!(bare_tag(line), expected, "{line}");
    }
}
