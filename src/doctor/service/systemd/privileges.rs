//! Directives of a unit below which no program becomes root: sudo, or any other that is setuid.
//!
//! Each of them was tried with sudo under systemd 247, 252 and 257.

use crate::{
    host::{Directive, Install, Service, StepTool},
    service::systemd::truth::{is_off, is_on},
};

/// From this version on systemd installs its filters while it is still root, so that they need no
/// `no_new_privs` any more (`exec-invoke.c`, `keep_seccomp_privileges`).
const NOT_IMPLIED_FROM: u32 = 255;

/// Directives with a truth that systemd makes with a filter of system calls.
const FILTERS: [&str; 10] = [
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "PrivateDevices",
    "ProtectClock",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "RestrictRealtime",
    "RestrictSUIDSGID",
];

/// Those with a list.
const LISTS: [&str; 5] = [
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "SystemCallArchitectures",
    "SystemCallFilter",
    "SystemCallLog",
];

/// What a unit's directive does to sudo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// It sets `no_new_privs`.
    NoNewPrivs,
    /// It implies the same, with an account other than root.
    Implied,
    /// The same before systemd 255; the version is not known.
    MayImply,
    /// It takes away the right to change accounts.
    Capabilities,
    /// It hides all other accounts.
    Namespace,
}

impl Block {
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::NoNewPrivs => "sudo of the command prefix cannot change the account",
            Self::Implied => {
                "sudo of the command prefix cannot change the account: the directive implies \
                 NoNewPrivileges"
            }
            Self::MayImply => {
                "sudo of the command prefix cannot change the account under a systemd before 255, \
                 where the directive implies NoNewPrivileges"
            }
            Self::Capabilities => {
                "the command prefix cannot change the account: CAP_SETUID or CAP_SETGID is taken \
                 from all programs"
            }
            Self::Namespace => {
                "the command prefix cannot change the account: the service sees no other account \
                 than its own and root"
            }
        }
    }
}

/// The directives of a unit that keep its command prefix from changing the account.
pub(super) fn blocks<'a>(
    install: &Install,
    service: &'a Service,
    systemd: Option<u32>,
) -> Vec<(&'a Directive, Block)> {
    let Some(step) = install.steps_down() else { return Vec::new() };
    let is_root = install.user.as_deref().is_none_or(|user| user == "root" || user == "0");
    let is_setuid = matches!(step.tool, StepTool::Sudo | StepTool::Doas | StepTool::Su);
    let mut found = Vec::new();
    let line = |key: &str| service.directive("Service", key);
    let on = |key: &'static str| line(key).filter(|line| is_on(&line.value));
    if is_setuid && !is_root {
        found.extend(on("NoNewPrivileges").map(|line| (line, Block::NoNewPrivs)));
        found.extend(on("DynamicUser").map(|line| (line, Block::Implied)));
        let implied = match systemd {
            Some(version) if version >= NOT_IMPLIED_FROM => None,
            Some(_) => Some(Block::Implied),
            None => Some(Block::MayImply),
        };
        if let Some(block) = implied {
            let filters = FILTERS.into_iter().filter_map(on);
            let is_list = |line: &&Directive| {
                !line.value.is_empty() && (line.key != "RestrictNamespaces" || !is_off(&line.value))
            };
            let lists = LISTS.into_iter().filter_map(line).filter(is_list);
            found.extend(filters.chain(lists).map(|line| (line, block)));
        }
    }
    let private = line("PrivateUsers").filter(|line| !is_off(&line.value));
    if (is_setuid || step.tool.needs_root()) && step.user.as_ref() != install.user.as_ref() {
        found.extend(private.map(|line| (line, Block::Namespace)));
        found.extend(capabilities(service).map(|line| (line, Block::Capabilities)));
    }
    found
}

/// The line by which `CapabilityBoundingSet=` lacks what a change of accounts needs.
///
/// Lists are put together; one behind `~` is taken away; an empty value leaves nothing.
fn capabilities(service: &Service) -> Option<&Directive> {
    let is_it =
        |line: &&Directive| line.section == "Service" && line.key == "CapabilityBoundingSet";
    let lines: Vec<&Directive> = service.directives.iter().filter(is_it).collect();
    let lacks = |capability: &str| {
        let mut has = true;
        let mut is_begun = false;
        for line in &lines {
            let (is_taken, names) = match line.value.strip_prefix('~') {
                Some(names) => (true, names),
                None => (false, line.value.as_str()),
            };
            let is_named =
                names.split_whitespace().any(|name| name.eq_ignore_ascii_case(capability));
            has = match (is_taken, names.trim().is_empty()) {
                (taken, true) => taken,
                (true, false) => has && !is_named,
                (false, false) => is_named || is_begun && has,
            };
            is_begun = true;
        }
        !has
    };
    let is_lacking = ["CAP_SETUID", "CAP_SETGID"].iter().any(|name| lacks(name));
    if is_lacking { lines.last().copied() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Setting, Survey, Written},
    };

    fn with(prefix: &str, lines: &[(&str, &str)]) -> Survey {
        let mut survey = healthy();
        let words = prefix.split(' ').map(Into::into).collect();
        let path = "runner.command_prefix".into();
        let value = Written::List(words);
        config_of(&mut survey).settings.push(Setting { path, line: 7, column: 3, value });
        for (key, value) in lines {
            directive(&mut survey, "Service", key, value);
        }
        survey
    }

    const SUDO: &str = "sudo -niHu builder --";

    fn found(survey: &Survey) -> Vec<Block> {
        let install = &survey.installs[0];
        let service = install.service.as_ref().unwrap();
        let all = blocks(install, service, survey.host.systemd);
        all.into_iter().map(|(_, block)| block).collect()
    }

    #[test]
    fn filters_imply_it_before_systemd_255() {
        for (key, value) in [
            ("ProtectClock", "yes"),
            ("PrivateDevices", "true"),
            ("RestrictSUIDSGID", "1"),
            ("SystemCallFilter", "@system-service"),
            ("SystemCallArchitectures", "native"),
            ("RestrictNamespaces", "user mnt"),
            ("RestrictAddressFamilies", "AF_INET AF_UNIX"),
            ("MemoryDenyWriteExecute", "yes"),
        ] {
            let mut survey = with(SUDO, &[(key, value)]);
            assert_eq!(found(&survey), [Block::Implied], "{key}");
            assert_eq!(status(&survey, "service/sandbox-allows-jobs"), Status::Fail, "{key}");
            survey.host.systemd = Some(257);
            assert!(found(&survey).is_empty(), "{key}");
            survey.host.systemd = None;
            assert_eq!(found(&survey), [Block::MayImply], "{key}");
        }
        for (key, value) in [
            ("ProtectClock", "no"),
            ("RestrictNamespaces", "no"),
            ("ProtectControlGroups", "yes"),
            ("PrivateTmp", "yes"),
            ("ProtectSystem", "full"),
            ("SystemCallFilter", ""),
        ] {
            assert!(found(&with(SUDO, &[(key, value)])).is_empty(), "{key}");
        }
    }

    #[test]
    fn root_needs_no_new_privileges_for_sudo() {
        let mut survey = with(SUDO, &[("NoNewPrivileges", "yes"), ("ProtectClock", "yes")]);
        assert_eq!(found(&survey), [Block::NoNewPrivs, Block::Implied]);
        agent(&mut survey).user = Some("root".into());
        assert!(found(&survey).is_empty());
        assert!(found(&with("nice -n 5", &[("NoNewPrivileges", "yes")])).is_empty());
    }

    #[test]
    fn capabilities_are_put_together_as_systemd_does() {
        for (lines, is_lacking) in [
            (&["CAP_NET_BIND_SERVICE"][..], true),
            (&[""], true),
            (&["~"], false),
            (&["CAP_SETUID CAP_SETGID"], false),
            (&["CAP_SETUID", "CAP_SETGID"], false),
            (&["CAP_SETUID CAP_SETGID", "CAP_CHOWN"], false),
            (&["~CAP_SYS_ADMIN"], false),
            (&["~CAP_SETGID"], true),
            (&["CAP_CHOWN", "", "~"], false),
        ] {
            let lines: Vec<_> =
                lines.iter().map(|value| ("CapabilityBoundingSet", *value)).collect();
            let all = found(&with(SUDO, &lines));
            assert_eq!(all == [Block::Capabilities], is_lacking, "{lines:?}");
        }
        assert_eq!(found(&with(SUDO, &[("PrivateUsers", "yes")])), [Block::Namespace]);
        let runuser = with("runuser -u builder --", &[("CapabilityBoundingSet", "CAP_CHOWN")]);
        assert_eq!(found(&runuser), [Block::Capabilities]);
    }
}
