//! The systemd unit, from its template.

use crate::{
    agent::Layout,
    record::Content,
    service::{description, drain},
    settings::{Hardening, Spec},
    text::shown,
};

const UNIT: &str = include_str!("../../../templates/agent.service");
const STRICT: &str = include_str!("../../../templates/hardening-strict.conf");
const STRICT_WITH_SUDO: &str = include_str!("../../../templates/hardening-strict-sudo.conf");

/// The unit file's content.
pub(crate) fn content(spec: &Spec, layout: &Layout, with_environment: bool) -> Content {
    let environment = if with_environment {
        format!("EnvironmentFile={}", path(&shown(&layout.environment)))
    } else {
        String::new()
    };
    let hardening = match spec.hardening {
        Hardening::Compatible => "",
        Hardening::Strict if jobs_use_sudo(spec) => STRICT_WITH_SUDO,
        Hardening::Strict => STRICT,
    };
    let profile = spec.agent.profile();
    let (binary, config) = (shown(&layout.binary), shown(&layout.config));
    let words = [binary.as_str()].into_iter().chain(profile.arguments(&config));
    let words: Vec<String> = words.map(argument).collect();
    let priority = || {
        "# A job that takes all processors can starve the agent, which then loses the job. Where that\n\
         # happens, write Nice=-5 into a drop-in."
            .to_owned()
    };
    let health = profile.health.map_or_else(priority, |health| {
        format!(
            "# The agent reports {} or {}; `systemctl status` shows it.\nNotifyAccess=exec",
            health.healthy, health.unhealthy
        )
    });
    Content::public(filled(
        UNIT,
        &[
            ("service", layout.service.as_str()),
            ("description", &description(spec).replace('%', "%%")),
            ("user", spec.user.as_str()),
            ("command", &words.join(" ")),
            ("environment", &environment),
            ("health", &health),
            ("signal", profile.drain.signal),
            ("drain", &drain(spec).as_secs().to_string()),
            ("max_run_time", &spec.max_run_time.to_string()),
            ("hardening", hardening.trim_end()),
        ],
    ))
}

fn jobs_use_sudo(spec: &Spec) -> bool {
    spec.passwordless_sudo || spec.prefix_has_sudo()
}

/// Fills the blanks of a template. A line that was only a blank goes when that is empty.
fn filled(template: &str, blanks: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for line in template.lines() {
        let mut filled = line.to_owned();
        for (name, value) in blanks {
            filled = filled.replace(&format!("{{{{{name}}}}}"), value);
        }
        if filled.is_empty() && !line.is_empty() {
            continue;
        }
        text.push_str(&filled);
        text.push('\n');
    }
    text
}

/// A word of a command line, by the rules of `systemd.service(5)`.
fn argument(word: &str) -> String {
    let escaped =
        word.replace('\\', r"\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    if escaped.contains([' ', '\t', '\'', ';']) { format!("\"{escaped}\"") } else { escaped }
}

/// A path that stands alone behind an equals sign: specifiers are read, quotes are not.
fn path(path: &str) -> String {
    path.replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blank_of_the_template_is_filled() {
        let names =
            ["service", "description", "user", "command", "environment", "health", "signal"];
        let more = ["drain", "max_run_time", "hardening"];
        let blanks: Vec<_> = names.iter().chain(&more).map(|name| (*name, "x")).collect();
        let text = filled(UNIT, &blanks);
        assert!(!text.contains("{{"), "{text}");
    }

    #[test]
    fn an_empty_blank_takes_its_line_along() {
        assert_eq!(filled("a\n{{b}}\n\nc {{b}}\n", &[("b", "")]), "a\n\nc \n");
    }

    #[test]
    fn words_survive_systemds_reading() {
        assert_eq!(argument("/opt/a b%c$d"), "\"/opt/a b%%c$$d\"");
    }
}
