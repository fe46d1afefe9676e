//! What a line of a unit or of an environment file was meant as, where systemd takes it otherwise.

use super::{
    environment_line::{escapes_sign, percent},
    specifiers::{Specifiers, Unfilled},
    unit_text::SIGNS,
    words::split,
};
use crate::{
    agent::is_agents_variable,
    host::{Directive, Misreading},
    text::may_be_secret,
};

/// Directives of one value, which systemd takes with the quotes around it.
const PLAIN: [&str; 22] = [
    "EnvironmentFile",
    "Group",
    "KillMode",
    "KillSignal",
    "LimitNOFILE",
    "LimitNPROC",
    "MemoryHigh",
    "MemoryMax",
    "NotifyAccess",
    "OOMPolicy",
    "Restart",
    "RestartSec",
    "Slice",
    "StandardError",
    "StandardOutput",
    "TasksMax",
    "TimeoutSec",
    "TimeoutStartSec",
    "TimeoutStopSec",
    "Type",
    "User",
    "WorkingDirectory",
];

/// Directives whose values are words for people.
const PROSE: [&str; 3] = ["Description", "Documentation", "StatusText"];

/// Signs of a shell that stand alone, or begin a redirection.
const OPERATORS: [&str; 6] = ["|", "||", "&", "&&", "<", "2>&1"];

/// Variables that hold a path, or several.
const PATHS: [&str; 5] = ["PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// How a directive is misread; the assignments of `Environment=` are read elsewhere.
pub(crate) fn of_directive(
    line: &Directive<String>,
    specifiers: &Specifiers<'_>,
) -> Option<Misreading> {
    let (key, value) = (line.key.as_str(), line.value.as_str());
    match key {
        "" | "Environment" => None,
        key if PROSE.contains(&key) => None,
        key if key.starts_with("Exec") => of_command(value, specifiers),
        key => {
            let is_plain = PLAIN.contains(&key);
            let quote = value.strip_prefix('-').unwrap_or(value).chars().next();
            match () {
                () if has_comment(value) => Some(Misreading::Comment),
                () if is_plain && matches!(quote, Some('"' | '\'')) => Some(Misreading::Quoted),
                () => None,
            }
        }
    }
}

/// Whether a line makes one before it count for nothing.
pub(crate) fn takes_back(later: &Directive<String>, line: &Directive<String>) -> bool {
    // Of these the last one counts; all others are lists, which an empty value ends.
    let is_single = PLAIN.contains(&line.key.as_str()) && line.key != "EnvironmentFile";
    (&later.section, &later.key) == (&line.section, &line.key)
        && (is_single || later.value.is_empty())
}

/// How a command is misread.
fn of_command(value: &str, specifiers: &Specifiers<'_>) -> Option<Misreading> {
    let words = split(value);
    if is_quoted_whole(value) {
        return Some(Misreading::Quoted);
    }
    let unfilled = words.iter().find_map(|word| match specifiers.fill(word) {
        Err(Unfilled::NoSpecifier(sign)) => Some(percent(word, sign)),
        _ => None,
    });
    if let Some(text) = unfilled {
        return Some(Misreading::NoSpecifier(text));
    }
    if words.iter().skip(1).any(|word| word == "#") {
        return Some(Misreading::Comment);
    }
    let is_operator = |word: &&String| {
        let redirects = word.trim_start_matches(|sign: char| sign.is_ascii_digit());
        OPERATORS.contains(&word.as_str())
            || redirects == ">"
            || redirects == ">>"
            || redirects.starts_with(">/")
            || redirects.starts_with(">>/")
            || redirects.starts_with(">&")
    };
    let operator = words.iter().skip(1).find(is_operator);
    let sign = |word: &String| word.split('/').next().unwrap_or_default().to_owned();
    operator.map(|word| Misreading::NotExpanded(sign(word)))
}

/// Whether quotes make one word of a whole command: a program and its options.
pub(crate) fn is_quoted_whole(value: &str) -> bool {
    let value = value.trim_start_matches(SIGNS);
    let words = split(value);
    let [only] = words.as_slice() else { return false };
    let rest = only.split_once([' ', '\t']).filter(|(program, _)| program.starts_with('/'));
    value.starts_with(['"', '\''])
        && rest.is_some_and(|(_, rest)| !rest.contains("/..") && !rest.is_empty())
}

/// Whether a value ends in what was meant as a comment.
fn has_comment(value: &str) -> bool {
    let mut words = value.split_whitespace().skip(1);
    // `;` in a list of conditions or of addresses means nothing either.
    words.any(|word| word == "#" || word == ";" || (word.starts_with('#') && word.len() > 1))
}

/// How the value of a variable is misread: as it is written in a unit, where specifiers are filled, or
/// in a file.
pub(crate) fn of_assignment(name: &str, written: &str, in_unit: bool) -> Option<Misreading> {
    let specifier = in_unit.then(|| odd_specifier(name, written)).flatten();
    specifier
        .map(Misreading::Specifier)
        .or_else(|| expansion(name, written).map(Misreading::NotExpanded))
        .or_else(|| (!in_unit && ends_in_comment(name, written)).then_some(Misreading::Comment))
}

/// Whether it means something to an agent, or holds a path.
fn matters(name: &str) -> bool {
    PATHS.contains(&name) || is_proxy(name) || is_agents_variable(name)
}

fn is_proxy(name: &str) -> bool {
    name.to_ascii_uppercase().ends_with("_PROXY")
}

/// In a file of variables, `#` begins a comment only where it begins the line: `systemd.exec(5)`.
fn ends_in_comment(name: &str, written: &str) -> bool {
    matters(name) && written.split_whitespace().skip(1).any(|word| word.starts_with('#'))
}

/// A specifier that was meant as something else: the agent's own `%s`, or a sign that a URL escapes.
fn odd_specifier(name: &str, written: &str) -> Option<String> {
    let is_url = written.contains("://");
    let mut signs = written.chars().peekable();
    while let Some(sign) = signs.next() {
        if sign != '%' {
            continue;
        }
        match (signs.next(), signs.peek()) {
            (Some('%'), _) => {}
            (Some('s'), _) if is_agents_variable(name) => return Some("%s".to_owned()),
            (Some(high), Some(low))
                if is_url && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                let shown = escapes_sign(high, *low).then_some(*low);
                return Some(
                    ["%".to_owned(), high.to_string()].concat()
                        + &shown.map(String::from).unwrap_or_default(),
                );
            }
            _ => {}
        }
    }
    None
}

/// What only a shell expands, in a variable that means something to an agent or holds a path. Any
/// other may have a dollar sign for a reason, as a password has.
fn expansion(name: &str, written: &str) -> Option<String> {
    let (is_path, is_proxy) = (PATHS.contains(&name), is_proxy(name));
    if !matters(name) {
        return None;
    }
    let is_home = |part: &str| part == "~" || part.starts_with("~/");
    if !is_proxy && (is_home(written) || is_path && written.split(':').any(is_home)) {
        return Some("~".to_owned());
    }
    // The login of a proxy may hold any sign.
    let all = written.match_indices('$').map(|(at, _)| at);
    let at = all.filter(|at| *at == 0 || !is_proxy).find_map(|at| {
        let rest = written.get(at + 1..)?;
        let braced = rest.strip_prefix('{');
        let variable = braced.unwrap_or(rest);
        let end = variable.find(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
        let variable = variable.get(..end.unwrap_or(variable.len()))?;
        match rest.chars().next()? {
            '(' => Some("$(…)".to_owned()),
            _ if variable.is_empty()
                || variable.starts_with(|sign: char| sign.is_ascii_digit()) =>
            {
                None
            }
            _ => Some(shown(variable, braced.is_some())),
        }
    });
    at.or_else(|| (!is_proxy && written.contains('`')).then(|| "`…`".to_owned()))
}

/// A reference to a variable, where its name looks like one.
fn shown(variable: &str, is_braced: bool) -> String {
    let is_name = variable.len() <= 32
        && variable.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        && !may_be_secret(variable);
    match (is_name, is_braced) {
        (true, false) => format!("${variable}"),
        (true, true) => format!("${{{variable}}}"),
        (false, _) => "$…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_taken_back_counts_for_nothing() {
        let text = "[Service]\nUser=a # b\nUser=a\nExecStart=/a | b\nExecStart=\nEnvironmentFile='/a'\nEnvironmentFile=/b\n";
        let lines = super::super::unit_text::parse(text, std::path::Path::new("/u"));
        for (later, line, expected) in
            [(1, 0, true), (3, 2, true), (5, 4, false), (3, 0, false), (2, 1, false)]
        {
            assert_eq!(takes_back(&lines[later], &lines[line]), expected, "{later} {line}");
        }
    }

    fn of(key: &str, value: &str) -> Option<Misreading> {
        let line = Directive {
            file: "/u".into(),
            line: 1,
            section: "Service".to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
            kind: crate::host::ValueKind::Unknown,
        };
        of_directive(&line, &Specifiers { unit: "a.service", of_host: &|_| None })
    }

    #[test]
    fn a_directive_is_what_it_says() {
        for (key, value, expected) in [
            ("User", "circleci # the jobs run as this", Some(Misreading::Comment)),
            ("TimeoutStopSec", "18300 ; five hours", Some(Misreading::Comment)),
            ("Restart", "always #keep it up", Some(Misreading::Comment)),
            ("ExecStart", "/opt/agent --config /c # agent", Some(Misreading::Comment)),
            ("User", "\"circleci\"", Some(Misreading::Quoted)),
            ("EnvironmentFile", "-'/etc/default/x'", Some(Misreading::Quoted)),
            ("ExecStart", "\"/opt/agent --config /c.yaml\"", Some(Misreading::Quoted)),
            ("ExecStart", "-'/opt/agent machine'", Some(Misreading::Quoted)),
            (
                "ExecStart",
                "/opt/agent >>/var/log/a 2>&1",
                Some(Misreading::NotExpanded(">>".into())),
            ),
            ("ExecStart", "/opt/agent | tee /x", Some(Misreading::NotExpanded("|".into()))),
            ("ExecStart", "/opt/agent --name 50%z", Some(Misreading::NoSpecifier("%z".into()))),
            ("ExecStart", "\"/opt/my agent\" --config \"/c d\"", None),
            ("ExecStart", "/bin/sh -c \"exec /opt/agent >/x 2>&1 # y\"", None),
            ("ExecStart", "/opt/agent --config /c ; /bin/true", None),
            ("Description", "CircleCI # 1", None),
            ("ReadWritePaths", "\"/a b\" /c", None),
            ("WorkingDirectory", "/srv/c#/x", None),
            ("After", "network-online.target docker.service", None),
        ] {
            assert_eq!(of(key, value), expected, "{key}={value}");
        }
    }

    #[test]
    fn a_variable_is_not_expanded() {
        let no = |name, value| assert_eq!(of_assignment(name, value, true), None, "{name}={value}");
        for (name, value) in [
            ("HTTPS_PROXY", "http://u:pa$word@h:1"),
            ("PATH", "/usr/bin:/opt/$"),
            ("MY_PASSWORD", "$ecret"),
            ("LAUNCH_AGENT_RUNNER_NAME", "100$"),
            ("LAUNCH_AGENT_RUNNER_WORK_DIR", "/w/%%s"),
            ("LAUNCH_AGENT_RUNNER_NAME", "%H"),
            ("HTTPS_PROXY", "http://u:p%%40@h"),
        ] {
            no(name, value);
        }
        for (name, value, text) in [
            ("PATH", "$PATH:/opt/bin", "$PATH"),
            ("PATH", "/a:${PATH}", "${PATH}"),
            ("PATH", "~/bin:/usr/bin", "~"),
            ("TMPDIR", "$HOME/tmp", "$HOME"),
            ("HTTPS_PROXY", "${http_proxy}", "$…"),
            ("LAUNCH_AGENT_RUNNER_NAME", "$(hostname)", "$(…)"),
            ("LAUNCH_AGENT_RUNNER_NAME", "x-`hostname`", "`…`"),
        ] {
            let expected = Some(Misreading::NotExpanded(text.to_owned()));
            assert_eq!(of_assignment(name, value, false), expected, "{name}={value}");
        }
        for (name, value, text) in [
            ("LAUNCH_AGENT_RUNNER_WORK_DIR", "/w/%s", "%s"),
            ("HTTPS_PROXY", "http://u:p%C3%A4@h", "%C"),
            ("HTTPS_PROXY", "http://u:p%b7@h", "%b"),
        ] {
            let expected = Some(Misreading::Specifier(text.to_owned()));
            assert_eq!(of_assignment(name, value, true), expected, "{name}={value}");
        }
        assert_eq!(of_assignment("LAUNCH_AGENT_RUNNER_WORK_DIR", "/w/%s", false), None);
        let comment = |name| of_assignment(name, "http://p:3128 # ours", false);
        assert_eq!(comment("HTTPS_PROXY"), Some(Misreading::Comment));
        assert_eq!(comment("MOTTO"), None);
    }
}
