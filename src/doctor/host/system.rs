//! Clock, tools, ports and packages.

use crate::{
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        packages::{self, Package},
        service::path_as_meant,
    },
    host::{Install, PackageFault, Survey},
    platform::Os,
};

/// 2026-01-01, when this program was written: an earlier clock is wrong.
const WRITTEN: i64 = 1_767_225_600;

/// The port of reruns with SSH, the same for every agent: docs/agents.md, Configuration.
const SSH: u16 = 54782;

pub(super) const CLOCK_RIGHT: Check = Check {
    name: "host/clock-right",
    holds: "The system clock does not show a date in the past",
    why: "With a wrong clock the host rejects every TLS certificate and cannot connect to any \
          server.",
    found: "The doctor compares the clock with the date on which this program was written.",
    cure: "Set the clock and enable time synchronization.",
    after: &[],
    judge: Judge::Host(clock_right),
};

fn clock_right(survey: &Survey) -> Judged {
    if survey.taken >= WRITTEN {
        return Ok(Verdict::Holds("the clock shows a date after 2026-01-01".to_owned()));
    }
    Ok(Problem::fail("the clock is years in the past")
        .seen(format!("the clock shows {} s since 1970-01-01", survey.taken))
        .cure(time_service(survey, "Set the clock, and enable time synchronization."))
        .into())
}

pub(super) const CLOCK_SYNCHRONIZED: Check = Check {
    name: "host/clock-synchronized",
    holds: "A time service synchronizes the clock",
    why: "A clock without synchronization drifts until servers reject requests and certificates, \
          and caches get dates in the future.",
    found: "The doctor looks for a running time service and for the file by which \
            systemd-timesyncd marks a synchronized clock.",
    cure: "Install and enable a time service.",
    after: &["host/clock-right"],
    judge: Judge::Host(clock_synchronized),
};

fn clock_synchronized(survey: &Survey) -> Judged {
    let clock = survey.host.clock.known()?;
    let by = clock.by.as_deref();
    if clock.synchronized {
        return Ok(Verdict::Holds(
            by.map_or("synchronized".to_owned(), |by| format!("synchronized by {by}")),
        ));
    }
    Ok(Problem::warn("no time service synchronizes the clock")
        .seen(by.map_or("no known time service is running".to_owned(), |by| {
            format!("{by} is running, but has not synchronized the clock")
        }))
        .cure(time_service(survey, "Synchronize the clock."))
        .into())
}

/// Has the host's own time service set the clock.
pub(in crate::doctor) fn time_service(survey: &Survey, text: &'static str) -> Remedy {
    let remedy = Remedy::by_hand(text);
    match survey.host.os {
        Os::Linux if survey.host.systemd.is_some() => remedy
            .and("If timedatectl answers \"NTP not supported\", install the package chrony first.")
            .command(Command::root("timedatectl set-ntp true"))
            .inspect(Command::fixed("timedatectl status")),
        Os::Linux => {
            let remedy = remedy.and("Install chrony, and have it start with the host.");
            packages::installed(remedy, survey, &[Package::CHRONY])
        }
        Os::Darwin => remedy
            .command(Command::root("systemsetup -setusingnetworktime on"))
            .command(Command::root("sntp -sS time.apple.com")),
        Os::Windows => remedy.command(Command::fixed("w32tm /resync")),
    }
}

pub(super) const TOOLS: Check = Check {
    name: "host/job-tools",
    holds: "The programs that every job needs are installed",
    why: "Without these programs jobs fail: checkout needs git and ssh, caches and workspaces need \
          tar and gzip, and steps need bash.",
    found: "The doctor looks for git, tar, gzip, ssh and bash in the PATH of the service.",
    cure: "Install the missing programs.",
    after: &[],
    judge: Judge::Agent(tools),
};

fn tools(survey: &Survey, install: &Install) -> Judged {
    let tools = install.tools.known()?;
    let missing: Vec<&str> =
        tools.iter().filter(|tool| tool.path.is_none()).map(|tool| tool.name.as_str()).collect();
    if missing.is_empty() {
        return Ok(Verdict::Holds("all of them are installed".to_owned()));
    }
    let elsewhere: Vec<_> = tools.iter().filter_map(|tool| tool.elsewhere.as_deref()).collect();
    let remedy = match survey.host.os {
        _ if elsewhere.len() == missing.len() => path_mended(install),
        Os::Linux => {
            let remedy = Remedy::by_hand(
                "Install the missing programs, or add their folder to the PATH of the service.",
            );
            // In saved facts a tool may have any name; those that jobs need are known.
            let absent =
                tools.iter().filter(|tool| tool.path.is_none() && tool.elsewhere.is_none());
            let known: Vec<_> = absent.filter_map(|tool| Package::of_tool(&tool.name)).collect();
            match known.as_slice() {
                [] => remedy,
                known => packages::installed(remedy, survey, known),
            }
        }
        Os::Darwin => Remedy::by_hand("Install the missing programs.")
            .command(Command::fixed("xcode-select --install")),
        Os::Windows => {
            Remedy::by_hand("Install Git for Windows, and add it to the PATH of the machine.")
        }
    };
    // Only jobs with a checkout need git and ssh; every job needs the others.
    let is_needed = missing
        .iter()
        .any(|name| matches!(*name, "bash" | "tar" | "gzip") && survey.host.os != Os::Windows);
    let what = format!("jobs do not find {}", missing.join(", "));
    let problem = if is_needed { Problem::fail(what) } else { Problem::warn(what) };
    let path = install.variable("PATH").map(|path| {
        let value = path.value.as_deref().unwrap_or("***");
        format!("; PATH={value} is set at {}", path.source)
    });
    let found = elsewhere.first().map(|tool| format!("; {} is there", tool.display()));
    let missing = missing.join(", ");
    let (found, path) = (found.unwrap_or_default(), path.unwrap_or_default());
    Ok(problem
        .seen(format!("missing in the PATH of the service: {missing}{found}{path}"))
        .cure(remedy)
        .into())
}

/// The remedy for programs that are installed, and are not in the PATH of the service.
fn path_mended(install: &Install) -> Remedy {
    path_as_meant(install).unwrap_or_else(|| {
        Remedy::by_hand(
            "Add the folders of the programs to the PATH of the service: they are installed.",
        )
    })
}

pub(super) const SSH_PORT: Check = Check {
    name: "host/ssh-rerun-port",
    holds: "At most one agent on the host accepts reruns with SSH",
    why: "A second agent cannot listen on the port for reruns with SSH, which is the same for all \
          agents, and a user who connects reaches a job of the other agent.",
    found: "The doctor counts the agents that set runner.ssh.advertise_addr and finds the process \
            that listens on the port.",
    cure: "Keep runner.ssh.advertise_addr in the configuration of one agent only.",
    after: &[],
    judge: Judge::Host(ssh_port),
};

fn ssh_port(survey: &Survey) -> Judged {
    let takes: Vec<&str> = survey
        .installs
        .iter()
        .filter(|install| install.settings().text("runner.ssh.advertise_addr").is_some())
        .map(|install| install.name.as_str())
        .collect();
    if takes.len() > 1 {
        return Ok(Problem::fail(format!(
            "{} agents accept reruns with SSH on port {SSH}",
            takes.len()
        ))
        .seen(format!("runner.ssh.advertise_addr is set for {}", takes.join(", ")))
        .cure(Remedy::by_hand("Remove runner.ssh.advertise_addr from all configurations but one."))
        .into());
    }
    let listens = survey.host.listening.ok().is_some_and(|ports| ports.contains(&SSH));
    let runs = survey.installs.iter().any(|install| install.main_process().is_some());
    if takes.len() == 1 && listens && !runs {
        return Ok(Problem::warn(format!("another program listens on port {SSH}"))
            .seen(format!("port {SSH} is in use, and no agent is running"))
            .cure(Remedy::by_hand("End the other program, or move it to another port.").inspect(
                match survey.host.os {
                    Os::Linux => Command::root("ss -ltnp sport = :54782 | cat -v"),
                    Os::Darwin => Command::root("lsof -nP -i tcp:54782 | cat -v"),
                    Os::Windows => Command::fixed("Get-NetTCPConnection -LocalPort 54782"),
                },
            ))
            .into());
    }
    if takes.is_empty() {
        for install in &survey.installs {
            install.settings().get("runner.ssh.advertise_addr")?;
        }
    }
    Ok(Verdict::Holds(match takes.as_slice() {
        [] => "no agent accepts reruns with SSH".to_owned(),
        names => format!("only {} accepts reruns with SSH", names.join(", ")),
    }))
}

pub(super) const PACKAGES: Check = Check {
    name: "host/packages-settled",
    holds: "No package upgrade is incomplete",
    why: "An interrupted upgrade, or a new configuration file that was not merged, leaves an agent \
          with settings that do not match its version.",
    found: "The doctor reads the package states of dpkg and looks for files such as *.dpkg-dist \
            beside a configuration.",
    cure: "Complete the upgrade and merge the configuration files.",
    after: &[],
    judge: Judge::Host(packages),
};

fn packages(survey: &Survey) -> Judged {
    let problem = |fault: &PackageFault| match fault {
        PackageFault::Interrupted => Problem::warn("an upgrade by dpkg was interrupted").cure(
            Remedy::by_hand("Complete the upgrade.")
                .inspect(Command::root("dpkg --audit"))
                .command(Command::root("dpkg --configure -a")),
        ),
        PackageFault::LeftFile(_) | PackageFault::Sentence(_) => {
            let text = "Compare the file with the configuration beside it, merge what is needed, \
                        and remove the file.";
            Problem::warn("an upgrade left a configuration file that was not merged")
                .cure(Remedy::by_hand(text))
        }
    };
    let faults = survey.host.packages.known()?;
    let problems = faults.iter().map(|fault| problem(fault).seen(fault.to_string())).collect();
    Ok(Verdict::of(problems, "no incomplete upgrade was found"))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Clock, PackageFault, Seen, Tool},
    };

    #[test]
    fn clock_tools_and_packages_are_told() {
        let mut survey = healthy();
        survey.taken = 1_000_000;
        assert_eq!(status(&survey, "host/clock-right"), Status::Fail);
        let mut survey = healthy();
        survey.host.clock = Seen::Known(Clock::default());
        assert_eq!(status(&survey, "host/clock-synchronized"), Status::Warn);
        let mut survey = healthy();
        for (fault, commands) in [
            (PackageFault::Interrupted, vec!["sudo dpkg --audit", "sudo dpkg --configure -a"]),
            // No command of dpkg helps with a file that rpm left.
            (PackageFault::LeftFile("/etc/opt/circleci/x.rpmnew".into()), Vec::new()),
        ] {
            survey.host.packages = Seen::Known(vec![fault]);
            let found = finding(&survey, "host/packages-settled");
            assert_eq!(found.status, Status::Warn);
            assert_eq!(found.remedy.unwrap().commands(), commands);
        }
        let mut survey = healthy();
        if let Seen::Known(tools) = &mut agent(&mut survey).tools {
            tools[4].path = None;
        }
        assert_eq!(status(&survey, "host/job-tools"), Status::Fail);
    }

    #[test]
    fn a_tool_of_another_name_hides_no_command_for_the_known_ones() {
        let mut survey = healthy();
        survey.is_saved = true;
        let tools = ["git", "x; reboot"].map(|name| Tool {
            name: name.into(),
            path: None,
            elsewhere: None,
        });
        agent(&mut survey).tools = Seen::Known(tools.to_vec());
        let remedy = finding(&survey, "host/job-tools").remedy.unwrap();
        assert_eq!(remedy.commands(), ["sudo apt-get install git"]);
    }

    #[test]
    fn what_is_installed_is_not_to_be_installed() {
        let mut survey = healthy();
        if let Seen::Known(tools) = &mut agent(&mut survey).tools {
            for tool in tools {
                tool.elsewhere = tool.path.take();
            }
        }
        let found = finding(&survey, "host/job-tools");
        assert_eq!(found.status, Status::Fail);
        let bash = std::path::Path::new("/usr/bin").join("bash");
        let told = format!("{} is there", bash.display());
        assert!(found.evidence.contains(&told), "{}", found.evidence);
        let remedy = found.remedy.unwrap();
        assert!(remedy.commands().is_empty(), "{:?}", remedy.commands());
        assert!(remedy.text().contains("PATH"), "{}", remedy.text());
        if let Seen::Known(tools) = &mut agent(&mut survey).tools {
            tools[1].elsewhere = None;
        }
        let remedy = finding(&survey, "host/job-tools").remedy.unwrap();
        assert!(remedy.commands().iter().all(|line| line.ends_with(" git")));
    }

    #[test]
    fn an_agent_of_unknown_settings_may_accept_reruns() {
        let mut survey = healthy();
        assert_eq!(status(&survey, "host/ssh-rerun-port"), Status::Pass);
        agent(&mut survey).config = Some(Seen::default());
        assert_eq!(status(&survey, "host/ssh-rerun-port"), Status::Skip);
    }

    #[test]
    fn two_agents_cannot_take_reruns() {
        let mut survey = healthy();
        set(&mut survey, "runner.ssh.advertise_addr", Some("h:54782"));
        let mut other = survey.installs[0].clone();
        other.name = "gpu".into();
        survey.installs.push(other);
        assert_eq!(status(&survey, "host/ssh-rerun-port"), Status::Fail);
    }
}
