//! What an install has a service run, and whether that is what runs.
//!
//! A service that runs is no proof: a drop-in that somebody left has another program run, or by
//! another account, and the manager calls that active too.

use super::host::Host;
use crate::{Result, host::Effective, service::Services, text::shown};
use std::path::PathBuf;

/// What an install has a service run.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The binary that was placed.
    pub binary: PathBuf,
    /// Its command line, the binary included.
    pub command: Vec<String>,
    /// The definition that was written.
    pub definition: PathBuf,
    /// The account that the agent runs as.
    pub user: String,
    /// What the agent reports once it is healthy; `None` where it reports nothing.
    pub healthy: Option<&'static str>,
    /// What the log that its manager knows has of a start, in place of its health.
    pub start_text: Option<&'static str>,
    /// Whether it may have replaced its own binary since.
    pub updates_itself: bool,
}

/// What runs in place of the planned agent.
pub(super) fn another(
    host: &Host<'_>,
    services: &dyn Services,
    service: &str,
    expected: &Expected,
    pid: u32,
) -> Result<Option<String>> {
    let effective = services.effective(service)?;
    let other = effective.as_ref().and_then(|effective| differs(effective, expected));
    Ok(other.or_else(|| match is_running(host, pid, expected) {
        Some(false) => {
            Some(format!("its main process {pid} does not run {}", shown(&expected.binary)))
        }
        _ => None,
    }))
}

/// What the manager has in force that is not as planned, and the files that may have set it.
fn differs(effective: &Effective<String>, expected: &Expected) -> Option<String> {
    let command = expected.command.join(" ");
    let is_command = match effective.exec_start.as_slice() {
        [exec] => exec.words == command,
        _ => false,
    };
    let is_user =
        effective.user == expected.user || effective.user.is_empty() && expected.user == "root";
    let is_definition =
        effective.fragment.as_ref().is_none_or(|fragment| *fragment == expected.definition);
    let what = if !is_definition {
        let other = effective.fragment.as_ref().map(shown).unwrap_or_default();
        return Some(format!("it is defined by {other}, not by {}", shown(&expected.definition)));
    } else if !is_command {
        "its ExecStart is not the planned one"
    } else if !is_user {
        "its User is not the planned one"
    } else {
        return None;
    };
    let files: Vec<String> = effective.drop_ins.iter().map(shown).collect();
    Some(match files.is_empty() {
        true => what.to_owned(),
        false => format!("{what}; what may have set it: {}", files.join(", ")),
    })
}

/// Whether a process runs the placed binary; `None` where that cannot be told.
#[cfg(target_os = "linux")]
fn is_running(host: &Host<'_>, pid: u32, expected: &Expected) -> Option<bool> {
    use std::os::unix::fs::MetadataExt as _;

    let link = PathBuf::from(format!("/proc/{pid}/exe"));
    let identity =
        |path: &std::path::Path| std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    let placed = host.root.outside(&expected.binary);
    let (runs, placed_as) = (identity(&link)?, identity(&placed)?);
    if runs == placed_as {
        return Some(true);
    }
    // The file that it was started from is gone: it replaced its own binary.
    let name = std::fs::read_link(&link).ok()?;
    let name = name.to_string_lossy().trim_end_matches(" (deleted)").to_owned();
    let real = std::fs::canonicalize(&placed).ok()?;
    Some(expected.updates_itself && real == std::path::Path::new(&name))
}

/// Elsewhere the manager tells which program it runs.
#[cfg(not(target_os = "linux"))]
fn is_running(_host: &Host<'_>, _pid: u32, _expected: &Expected) -> Option<bool> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Exec;

    fn expected() -> Expected {
        let binary = "/opt/circleci/circleci-launch-agent";
        Expected {
            binary: binary.into(),
            command: [binary, "--config", "/etc/c.yaml"].map(str::to_owned).to_vec(),
            definition: "/etc/systemd/system/circleci.service".into(),
            user: "circleci".into(),
            healthy: Some("Healthy"),
            start_text: None,
            updates_itself: false,
        }
    }

    fn effective() -> Effective<String> {
        let expected = expected();
        Effective {
            fragment: Some(expected.definition.clone()),
            drop_ins: vec!["/etc/systemd/system/circleci.service.d/override.conf".into()],
            user: expected.user.clone(),
            exec_start: vec![Exec {
                path: expected.binary.display().to_string(),
                words: expected.command.join(" "),
                ignores_failure: false,
                status: None,
            }],
            ..Effective::default()
        }
    }

    #[test]
    fn what_is_not_as_planned_is_told_with_the_drop_ins() {
        let with = |change: &dyn Fn(&mut Effective<String>)| {
            let mut effective = effective();
            change(&mut effective);
            differs(&effective, &expected())
        };
        assert_eq!(with(&|_| {}), None);
        type Unit = Effective<String>;
        type Change = (&'static dyn Fn(&mut Unit), &'static str);
        let changes: [Change; 5] = [
            (&|unit: &mut Unit| unit.user = "root".into(), "User"),
            (&|unit: &mut Unit| unit.user = String::new(), "User"),
            (&|unit: &mut Unit| unit.exec_start[0].words = "/bin/sleep 1000".into(), "ExecStart"),
            (&|unit: &mut Unit| unit.exec_start.push(unit.exec_start[0].clone()), "ExecStart"),
            (&|unit: &mut Unit| unit.exec_start.clear(), "ExecStart"),
        ];
        for (change, word) in changes {
            let told = with(change).unwrap();
            assert!(told.contains(word) && told.contains("override.conf"), "{told}");
        }
        let told = with(&|unit| unit.fragment = Some("/run/x.service".into())).unwrap();
        assert!(told.contains("/run/x.service"), "{told}");
    }
}
