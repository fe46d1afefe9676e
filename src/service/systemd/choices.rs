//! Directives that take one word of a few: systemd ignores another one, and what an earlier line set
//! stays in force (`config_parse_enum` of its source; systemd.service(5), systemd 252).

const CHOICES: [(&str, &[&str]); 5] = [
    (
        "Restart",
        &["no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"],
    ),
    ("KillMode", &["control-group", "process", "mixed", "none"]),
    ("NotifyAccess", &["none", "main", "exec", "all"]),
    ("OOMPolicy", &["continue", "stop", "kill"]),
    ("Type", &["simple", "exec", "forking", "oneshot", "dbus", "notify", "notify-reload", "idle"]),
];

/// The words that a directive of `[Service]` takes; `None` of one that is not in the table.
pub(crate) fn choices(key: &str) -> Option<&'static [&'static str]> {
    CHOICES.iter().find(|(known, _)| *known == key).map(|(_, words)| *words)
}

/// Whether systemd takes this value; what is not in the table may be right.
pub(crate) fn may_take(key: &str, value: &str) -> bool {
    choices(key).is_none_or(|words| words.contains(&value))
}
