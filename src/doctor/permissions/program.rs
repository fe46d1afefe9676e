//! Whether the binary is the agent's program, and whether the system's policies let it run.

use super::binary::{binary, is_agents, updates_itself};
use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict, lookup::restarted},
    host::{Install, Program, Provenance, Survey, Unseen},
    platform::Os,
};
use std::path::Path;

pub(super) const IS_PROGRAM: Check = Check {
    name: "permissions/binary-is-program",
    holds: "The binary is an executable program",
    why: "The file cannot be executed: after a refused download it is an error page or a \
          compressed file.",
    found: "The doctor reads the first bytes of the file.",
    cure: "Download the agent again and verify its checksum; `runnerup install` does both.",
    after: &["permissions/binary-executable"],
    judge: Judge::Agent(is_program),
};

fn is_program(_: &Survey, install: &Install) -> Judged {
    let (binary, walk) = binary(install)?;
    let path = walk.path.display();
    let what = match binary.program.known()? {
        Program::Native { .. } => return Ok(Verdict::Holds(format!("{path} is a program"))),
        Program::Script { interpreter } => {
            return Ok(Problem::warn(format!("{path} is a script, not the agent itself"))
                .seen(format!("{path} begins with #!{interpreter}"))
                .cure(Remedy::by_hand("Start the agent with exec at the end of the script, so that signals reach the agent."))
                .into());
        }
        Program::Page => "a web page that a server or proxy sent instead of the binary",
        Program::Gzip => "still compressed with gzip",
        Program::Empty => "empty",
        Program::Other => "not a program",
    };
    let size = walk.end.map_or(0, |meta| meta.size);
    if !is_agents(install, walk) {
        let remedy = Remedy::by_hand(
            "Begin a script with #! and its interpreter, such as #!/bin/sh, or correct the command of \
             the service.",
        );
        return Ok(Problem::fail(format!("{path}, which the service starts, cannot be executed"))
            .seen(format!("first bytes of {path}, a file of {size} bytes: {what}"))
            .cure(remedy)
            .into());
    }
    let remedy =
        Remedy::by_hand("Download and verify the binary again.").command(Command::install());
    Ok(Problem::fail(format!("{path} is {what}"))
        .seen(format!("first bytes of {path}, a file of {size} bytes"))
        .cure(remedy)
        .into())
}

pub(super) const ARCHITECTURE: Check = Check {
    name: "permissions/binary-architecture",
    holds: "The binary is built for this operating system and processor",
    why: "A program for another processor fails with \"Exec format error\", and jobs hang.",
    found: "The doctor compares the header of the binary with the host's operating system and \
            processor.",
    cure: "Install the agent for this platform.",
    after: &["permissions/binary-is-program"],
    judge: Judge::Agent(architecture),
};

fn architecture(survey: &Survey, install: &Install) -> Judged {
    let (binary, walk) = binary(install)?;
    let Program::Native { os, machines } = binary.program.known()? else {
        return Err(Unseen::not_examined("the binary is not a program"));
    };
    let host = &survey.host;
    let machine = match host.machine.as_str() {
        "x86_64" | "AMD64" | "amd64" => "amd64",
        "aarch64" | "arm64" | "ARM64" => "arm64",
        other => other,
    };
    let runs = machine.is_empty() || machines.iter().any(|other| other == machine);
    let translated = host.os == Os::Darwin
        && machine == "arm64"
        && machines.iter().any(|machine| machine == "amd64")
        && host.mac.as_ref().is_some_and(|mac| mac.rosetta);
    let is_for = format!("{os}/{}", machines.join("+"));
    if *os == host.os.to_string() && (runs || translated) {
        return Ok(Verdict::Holds(format!("the binary is for {is_for}")));
    }
    let remedy =
        Remedy::by_hand("Install the agent for this platform.").command(Command::install());
    Ok(Problem::fail(format!(
        "{} is for {is_for}, but this host is {}/{machine}",
        walk.path.display(),
        host.os
    ))
    .seen(format!("header of the binary: {is_for}; processor of the host: {}", host.machine))
    .cure(remedy)
    .into())
}

pub(super) const AS_VERIFIED: Check = Check {
    name: "permissions/binary-as-verified",
    holds: "The binary is the one that was verified at install time",
    why: "A binary that differs from the published one can be damaged or replaced by an attacker.",
    found: "The doctor compares the SHA-256 of the binary with the one in the receipt.",
    cure: "Install the agent again. If nobody changed the file on purpose, find out who did.",
    after: &["permissions/binary-is-program", "permissions/binary-architecture"],
    judge: Judge::Agent(as_verified),
};

fn as_verified(_: &Survey, install: &Install) -> Judged {
    let (binary, walk) = binary(install)?;
    let expected = install.receipt.as_ref().and_then(|receipt| receipt.sha256.as_deref());
    let Some(expected) = expected else {
        return Err(Unseen::not_applicable("no receipt has the checksum of the binary"));
    };
    if !is_agents(install, walk) {
        return Err(Unseen::not_examined("the service starts a program of another name"));
    }
    let found = binary.sha256.known()?;
    if found == expected {
        return Ok(Verdict::Holds(format!("SHA-256 {expected}, as in the receipt")));
    }
    if updates_itself(install) {
        return Ok(Verdict::Holds("the agent has updated itself since the install".to_owned()));
    }
    let remedy = Remedy::by_hand("Install the binary again.").command(Command::install());
    Ok(Problem::fail(format!("{} is not the binary that was verified", walk.path.display()))
        .seen(format!("SHA-256 of the binary: {found}; in the receipt: {expected}"))
        .cure(remedy)
        .into())
}

pub(super) const SELINUX: Check = Check {
    name: "permissions/selinux-allows",
    holds: "SELinux allows the service to run the agent",
    why: "The agent ends with status 203 or accepts no job. An enforcing SELinux requires a policy \
          module for the agent, or a label that services can execute.",
    found: "The doctor reads the SELinux mode, the label of the binary and the policy modules of \
            agents.",
    cure: "Install the policy module of the agent, or restore the label.",
    after: &["permissions/binary-executable"],
    judge: Judge::Agent(selinux),
};

fn selinux(survey: &Survey, install: &Install) -> Judged {
    let Some(selinux) = &survey.host.selinux else {
        return Err(Unseen::not_applicable("this host does not have SELinux"));
    };
    if selinux.mode != "enforcing" {
        return Ok(Verdict::Holds(format!("SELinux is {}", selinux.mode)));
    }
    let (binary, walk) = binary(install)?;
    let module = install.agent.profile().selinux_module;
    let label = binary.label.clone().unwrap_or_default();
    let kind = label.split(':').nth(2).unwrap_or_default();
    let modules = selinux.modules.known()?;
    let is_own = kind.starts_with(module);
    let may_run = ["bin_t", "usr_t", "lib_t", "initrc_exec_t"].contains(&kind);
    if modules.iter().any(|other| other == module) && (is_own || may_run) || kind == "bin_t" {
        return Ok(Verdict::Holds(format!("the binary has the label {kind}")));
    }
    let relabel = || Command::root("restorecon -v").path(&walk.path, install.named_by);
    let remedy = match modules.iter().any(|other| other == module) {
        true => Remedy::by_hand("Restore the label of the binary.").command(relabel()),
        false => Remedy::by_hand(
            "Build and install a policy module: the first command writes its sources to /root, the \
             second one builds and installs it and restores the label. Both need the package \
             policycoreutils-devel, which Debian calls policycoreutils-dev.",
        )
        .in_turn([
            Command::root("sepolicy generate --path /root --name")
                .then(module)
                .then("--init")
                .path(&walk.path, install.named_by),
            Command::root("sh").path(Path::new(&format!("/root/{module}.sh")), Provenance::Root),
        ]),
    };
    let remedy = remedy.inspect(Command::root("ausearch -m avc -ts recent"));
    // What is started again before the module is there would fail again.
    let remedy = restarted(remedy, install).without_steps();
    Ok(Problem::fail("SELinux is enforcing and does not let the service run the agent")
        .seen(format!(
            "label of the binary: {label:?}; policy modules of agents: {}",
            if modules.is_empty() { "none".to_owned() } else { modules.join(", ") }
        ))
        .cure(remedy)
        .into())
}

pub(super) const QUARANTINE: Check = Check {
    name: "permissions/quarantine",
    holds: "The binary has no macOS quarantine attribute",
    why: "macOS kills a downloaded binary with the attribute com.apple.quarantine when it starts.",
    found: "The doctor reads the extended attributes of the binary.",
    cure: "Verify the checksum of the binary, then remove the attribute.",
    after: &["permissions/binary-executable"],
    judge: Judge::Agent(quarantine),
};

fn quarantine(survey: &Survey, install: &Install) -> Judged {
    if survey.host.os != Os::Darwin {
        return Err(Unseen::not_applicable("only macOS has a quarantine attribute"));
    }
    let (binary, walk) = binary(install)?;
    if !binary.quarantined {
        return Ok(Verdict::Holds("the binary has no quarantine attribute".to_owned()));
    }
    let off = Command::root("xattr -d com.apple.quarantine").path(&walk.path, install.named_by);
    let is_told = off.line().is_some();
    let remedy = Remedy::by_hand("Remove the attribute.").command(off);
    // `doctor --fix` leaves the attribute, so that a start alone would fail again.
    let remedy = if is_told { restarted(remedy, install).without_steps() } else { remedy };
    Ok(Problem::fail(format!("{} has the macOS quarantine attribute", walk.path.display()))
        .seen("extended attribute of the binary: com.apple.quarantine")
        .cure(remedy)
        .into())
}

pub(super) const GATEKEEPER: Check = Check {
    name: "permissions/gatekeeper",
    holds: "Gatekeeper accepts the binary",
    why: "macOS kills a downloaded binary that Gatekeeper rejects, with signal 9.",
    found: "The doctor asks spctl to assess the binary.",
    cure: "Install the notarized binary of the release.",
    after: &["permissions/quarantine"],
    judge: Judge::Agent(gatekeeper),
};

fn gatekeeper(survey: &Survey, install: &Install) -> Judged {
    if survey.host.os != Os::Darwin {
        return Err(Unseen::not_applicable("only macOS has Gatekeeper"));
    }
    let (binary, walk) = binary(install)?;
    match binary.gatekeeper.as_deref() {
        None => Err(Unseen::not_examined("spctl did not assess the binary")),
        Some(verdict) if verdict.contains("accepted") => {
            Ok(Verdict::Holds(format!("spctl: {verdict}")))
        }
        Some(verdict) => Ok(Problem::warn("Gatekeeper does not accept the binary")
            .seen(format!("spctl: {verdict}"))
            .cure(Remedy::by_hand("Install the notarized binary of the release.").inspect(
                Command::fixed("spctl -a -vvv -t install").path(&walk.path, install.named_by),
            ))
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Binary, Program, Seen, Selinux, Survey},
        platform::Os,
    };

    fn with(change: impl FnOnce(&mut Binary)) -> Survey {
        let mut survey = healthy();
        change(agent(&mut survey).binary.as_mut().unwrap());
        survey
    }

    #[test]
    fn what_is_no_program_fails() {
        for program in [Program::Page, Program::Gzip, Program::Empty, Program::Other] {
            let survey = with(|binary| binary.program = Seen::Known(program));
            assert_eq!(status(&survey, "permissions/binary-is-program"), Status::Fail);
        }
    }

    /// A wrapper or a drop-in's program is not the binary that was installed.
    #[test]
    fn a_program_of_another_name_is_not_called_the_agents_binary() {
        let other = |program| {
            with(|binary| {
                binary.walk = Seen::Known(walk("/opt/run.sh", file(0, 0o755)));
                binary.program = Seen::Known(program);
                binary.sha256 = Seen::Known("cd".repeat(32));
            })
        };
        let survey = other(Program::Other);
        let found = finding(&survey, "permissions/binary-is-program");
        assert_eq!(found.status, Status::Fail);
        let remedy = found.remedy.unwrap();
        assert!(remedy.commands().is_empty() && remedy.text().contains("#!/bin/sh"), "{remedy:?}");
        let script = other(Program::Script { interpreter: "/bin/sh".into() });
        assert_ne!(status(&script, "permissions/binary-as-verified"), Status::Fail);
        // One that an install placed is its own, by any name.
        let mut placed =
            other(Program::Native { os: "linux".into(), machines: vec!["amd64".into()] });
        agent(&mut placed).receipt.as_mut().unwrap().binary = Some("/opt/run.sh".into());
        assert_eq!(status(&placed, "permissions/binary-as-verified"), Status::Fail);
    }

    #[test]
    fn another_processor_or_another_checksum_fails() {
        let arm = Program::Native { os: "linux".into(), machines: vec!["arm64".into()] };
        let survey = with(|binary| binary.program = Seen::Known(arm));
        assert_eq!(status(&survey, "permissions/binary-architecture"), Status::Fail);
        let survey = with(|binary| binary.sha256 = Seen::Known("cd".repeat(32)));
        assert_eq!(status(&survey, "permissions/binary-as-verified"), Status::Fail);
    }

    #[test]
    fn selinux_without_a_module_fails() {
        let mut survey = with(|binary| binary.label = Some("u:object_r:user_home_t:s0".into()));
        let modules = Seen::Known(Vec::new());
        survey.host.selinux = Some(Selinux { mode: "enforcing".into(), modules });
        let found = finding(&survey, "permissions/selinux-allows");
        assert_eq!(found.status, Status::Fail);
        // Sources of a module change nothing until they are built and installed.
        let commands = [
            "sudo sepolicy generate --path /root --name circleci_launch_agent --init \
             /opt/circleci/circleci-launch-agent",
            "sudo sh /root/circleci_launch_agent.sh",
            "sudo ausearch -m avc -ts recent",
            "sudo systemctl restart circleci.service",
        ];
        let remedy = found.remedy.unwrap();
        assert_eq!(remedy.commands(), commands);
        assert!(!remedy.fixable);
        let module = vec!["circleci_launch_agent".to_owned()];
        survey.host.selinux.as_mut().unwrap().modules = Seen::Known(module);
        let remedy = finding(&survey, "permissions/selinux-allows").remedy.unwrap();
        assert!(remedy.commands()[0].starts_with("sudo restorecon -v /opt"), "{remedy:?}");
    }

    #[test]
    fn quarantine_and_gatekeeper_are_told_on_macos() {
        let mut survey = with(|binary| {
            binary.quarantined = true;
            binary.gatekeeper = Some("rejected".into());
        });
        survey.host.os = Os::Darwin;
        let found = finding(&survey, "permissions/quarantine");
        assert_eq!(found.status, Status::Fail);
        // No step takes the attribute off.
        assert!(!found.remedy.unwrap().fixable);
        assert_eq!(status(&survey, "permissions/gatekeeper"), Status::Warn);
    }
}
