//! The variables that every task of Windows gets of the machine.

use super::environment::{Raw, matters};
use crate::{
    host::Provenance,
    platform::command::{Call, Commands},
};
use std::time::Duration;

/// Where the machine keeps them.
const VARIABLES: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment";

/// The variables that every task gets of the machine, of those that mean something to an agent.
pub(super) fn of_machine(commands: &dyn Commands, limit: Duration) -> Vec<Raw> {
    let call = Call::new("reg", ["query", VARIABLES]).within(limit);
    let output = commands.run(&call).map(|answer| answer.stdout).unwrap_or_default();
    let variable = |line: &str| {
        // `    NAME    REG_SZ    VALUE`
        let (name, rest) = line.strip_prefix("    ")?.split_once("    ")?;
        let (kind, value) = rest.split_once("    ")?;
        if !matches!(kind, "REG_SZ" | "REG_EXPAND_SZ") {
            return None;
        }
        // The system's own are written in any case.
        let upper = name.to_ascii_uppercase();
        let name = if upper == "PATH" { upper } else { name.to_owned() };
        matters(&name).then(|| Raw {
            name,
            value: value.trim_end().to_owned(),
            source: "the machine's environment".to_owned(),
            // Only administrators change the machine's part of the registry.
            written_by: Provenance::Root,
        })
    };
    output.lines().filter_map(variable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::Script;

    #[test]
    fn the_machines_variables_are_read_from_the_registry() {
        let output = "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\X\r\n    ComSpec    REG_EXPAND_SZ    %SystemRoot%\\cmd.exe\r\n    Path    REG_EXPAND_SZ    C:\\a b;C:\\c\r\n    HTTPS_PROXY    REG_SZ    http://p:1\r\n    LAUNCH_AGENT_RUNNER_NAME    REG_SZ    n\r\n";
        let call = format!("reg query '{VARIABLES}'");
        let script = Script::new(&[(&call, 0, output)]);
        let raw = of_machine(&script, Duration::from_secs(2));
        let variables: Vec<_> =
            raw.iter().map(|raw| (raw.name.as_str(), raw.value.as_str())).collect();
        assert_eq!(
            variables,
            [
                ("PATH", "C:\\a b;C:\\c"),
                ("HTTPS_PROXY", "http://p:1"),
                ("LAUNCH_AGENT_RUNNER_NAME", "n")
            ]
        );
    }
}
