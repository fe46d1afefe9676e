//! What stays between the service manager and the agent while the agent runs.

use super::rules;
use crate::{
    doctor::{Command, Problem, Remedy, remedy::Text},
    host::{Above, Install, Link, Provenance, Running, Service, Way},
    platform::paths::is_of_package,
    service::Verb,
};
use std::path::PathBuf;

/// A program that stays in front of the agent.
struct Standing {
    name: String,
    way: Way,
    /// The script that it runs, and the line of it that starts the agent.
    script: Option<PathBuf>,
    line: Option<usize>,
    /// That line starts it in the background.
    background: bool,
    /// Who could have named the script.
    named_by: Provenance,
    /// Its number, where it runs.
    pid: Option<u32>,
}

/// The problem of what stays in front of the agent. Where the agent runs, its process proves what
/// does; elsewhere the text of the service has to tell.
pub(super) fn problem(install: &Install, service: &Service) -> Option<Problem> {
    let standing = match install.running.ok() {
        Some(running) => of_process(running, service, install.named_by),
        None => {
            let of_text = |link| of_text(link, install.named_by);
            service.launch.links.iter().rev().find_map(of_text)
        }
    }?;
    let name = &standing.name;
    let stops = rules(service.manager).hears_main_process_alone(install, service);
    let file = standing.script.as_ref().and_then(|path| path.file_name());
    let who = file.map_or_else(|| name.clone(), |file| file.to_string_lossy().into_owned());
    let how = match standing.background {
        true => "starts the agent in the background",
        false => "runs the agent without exec",
    };
    let problem = match (standing.way, stops) {
        (Way::Forwards | Way::Unknown, false) | (Way::Replaces, _) => return None,
        (Way::Forwards | Way::Unknown, true) => Problem::warn(format!(
            "{who} stays in front of the agent: the health that the agent reports stops at {name}"
        )),
        (Way::Leaves, _) => Problem::warn(format!(
            "{who} {how}: {name} passes TERM on and does not wait, so that a stop kills the running job"
        )),
        (Way::Waits, true) => {
            Problem::warn(format!("{who} {how}: TERM and the agent's health stop at {name}"))
        }
        (Way::Waits, false) => Problem::warn(format!("{who} {how}: TERM stops at {name}")),
    };
    Some(problem.seen(standing.seen(install, service)).cure(standing.remedy(install, service)))
}

/// The lowest process above the agent's that does not pass a signal on, else the lowest.
fn of_process(running: &Running, service: &Service, named_by: Provenance) -> Option<Standing> {
    let of_above = |above| of_above(above, service, named_by, running.named_by);
    let mut all: Vec<Standing> = running.above.iter().map(of_above).collect();
    let ends = |standing: &Standing| matches!(standing.way, Way::Waits | Way::Leaves);
    let at = all.iter().position(ends).unwrap_or_default();
    (at < all.len()).then(|| all.swap_remove(at))
}

fn of_above(
    above: &Above,
    service: &Service,
    by_text: Provenance,
    by_process: Provenance,
) -> Standing {
    // The kernel cuts the names of processes.
    let name = above.program();
    let is_it = |link: &&Link| link.program.starts_with(name) && link.way != Way::Replaces;
    let link = service.launch.links.iter().find(is_it);
    let way = match above.hears_term {
        // It cannot pass on what ends it.
        Some(false) => Way::Waits,
        _ => link.map_or(Way::Unknown, |link| link.way),
    };
    let of_text = link.and_then(|link| link.script.clone());
    let script = above.script.as_ref().map(|script| PathBuf::from(script.as_str()));
    let named_by = if of_text.is_some() { by_text } else { by_text.and(by_process) };
    Standing {
        name: name.to_owned(),
        way,
        script: of_text.or(script),
        line: link.and_then(|link| link.line),
        background: link.is_some_and(|link| link.background),
        named_by,
        pid: Some(above.pid),
    }
}

fn of_text(link: &Link, named_by: Provenance) -> Option<Standing> {
    matches!(link.way, Way::Waits | Way::Leaves | Way::Forwards).then(|| Standing {
        name: link.program.clone(),
        way: link.way,
        script: link.script.clone(),
        line: link.line,
        background: link.background,
        named_by,
        pid: None,
    })
}

impl Standing {
    fn seen(&self, install: &Install, service: &Service) -> String {
        let place = self.script.as_ref().map(|script| match self.line {
            Some(line) => format!("{}:{line}", script.display()),
            None => script.display().to_string(),
        });
        let agent = install.running.ok().map(|running| running.pid);
        let processes = self.pid.zip(agent).map(|(pid, agent)| {
            format!("the agent is process {agent}, below process {pid} ({})", self.name)
        });
        let command = || format!("command of the service: {}", service.command.join(" "));
        let lines: Vec<String> = place.into_iter().chain(processes).collect();
        if lines.is_empty() { command() } else { lines.join("\n") }
    }

    fn remedy(&self, install: &Install, service: &Service) -> Remedy {
        if self.name == "flock" {
            return rules(service.manager).right_command(install, service).reworded(
                "Give flock the option --no-fork: it then holds the lock in the agent's own process.",
            );
        }
        let Some(script) = self.script.as_ref().filter(|script| !is_of_package(script)) else {
            let remedy = rules(service.manager).right_command(install, service);
            return match self.script {
                Some(_) => remedy.reworded(
                    "Start the agent itself, and what the program in front of it provides by a \
                     service of its own: its script belongs to a package.",
                ),
                None => remedy,
            };
        };
        let line = |before| match self.line.and_then(|line| u64::try_from(line).ok()) {
            Some(line) => Text::number(before, line, ""),
            None => Text::from("In the script"),
        };
        let text = match (self.background, self.way) {
            (true, Way::Waits) => line("In line ").then(
                " of the script, write exec in front of the agent's command and remove the & behind \
                 it; the agent is then the last that the script starts.",
            ),
            (true, Way::Leaves) => line("In line ").then(
                " of the script, start the agent with exec and without &, or wait for it twice: TERM \
                 ends the first wait.",
            ),
            (true, _) => line("In line ").then(
                " of the script, start the agent with exec and without &, where nothing needs the \
                 script to stay.",
            ),
            (false, _) => line("In line ").then(" of the script, write exec in front of the agent's command."),
        };
        let edit = Command::fixed("sudoedit").path(script, self.named_by);
        Remedy::by_hand(text).command(edit).afterwards(Verb::Restart, install, service)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Above, Link, Seen, Survey, Way},
    };

    /// A service whose command is `program`, by its text.
    fn text(program: &str, way: Way, script: Option<&str>) -> Survey {
        let mut survey = healthy();
        let link = Link {
            program: program.to_owned(),
            way,
            script: script.map(Into::into),
            line: script.map(|_| 4),
            background: false,
        };
        service_of(&mut survey).launch.links = vec![link];
        agent(&mut survey).running = Seen::not("it does not run");
        survey
    }

    /// The same while its agent runs, below these processes.
    fn runs(mut survey: Survey, above: &[&str]) -> Survey {
        let mut running = running(502);
        let process = |name: &&str| Above {
            pid: 500,
            uid: UID,
            name: "start.sh".to_owned(),
            program: Some((*name).to_owned()),
            script: None,
            hears_term: None,
        };
        running.above = above.iter().map(process).collect();
        agent(&mut survey).running = Seen::Known(running);
        survey
    }

    const SCRIPT: Option<&str> = Some("/opt/circleci/start.sh");

    #[test]
    fn a_shell_that_waits_is_told_with_its_script_and_line() {
        for survey in
            [text("bash", Way::Waits, SCRIPT), runs(text("bash", Way::Waits, SCRIPT), &["bash"])]
        {
            let found = finding(&survey, "service/command-right");
            let expected =
                "start.sh runs the agent without exec: TERM and the agent's health stop at bash";
            assert_eq!((found.status, found.summary.as_str()), (Status::Warn, expected));
            assert!(found.evidence.contains("/opt/circleci/start.sh:4"), "{}", found.evidence);
            let remedy = found.remedy.unwrap();
            assert!(remedy.text().contains("line 4") && !remedy.fixable, "{remedy:?}");
            assert_eq!(remedy.first_cure(), Some("sudoedit /opt/circleci/start.sh"));
        }
    }

    #[test]
    fn the_process_proves_what_the_text_does_not() {
        // The text was read wrong, or the shell has made way for its last command.
        let survey = runs(text("bash", Way::Waits, SCRIPT), &[]);
        assert_eq!(status(&survey, "service/command-right"), Status::Pass);
        let survey = runs(text("bash", Way::Replaces, None), &["bash"]);
        assert_eq!(status(&survey, "service/command-right"), Status::Warn);
        for way in [Way::Replaces, Way::Unknown] {
            let survey = text("env", way, None);
            assert_eq!(status(&survey, "service/command-right"), Status::Pass);
        }
    }

    fn standing(survey: &mut Survey) -> &mut Above {
        match &mut agent(survey).running {
            Seen::Known(running) => &mut running.above[0],
            Seen::Unseen(_) => unreachable!("it runs"),
        }
    }

    #[test]
    fn what_does_not_hear_a_signal_cannot_pass_it_on() {
        for (hears_term, says_term) in [(Some(false), true), (Some(true), false), (None, false)] {
            let mut survey = runs(text("op", Way::Unknown, None), &["op"]);
            standing(&mut survey).hears_term = hears_term;
            let found = finding(&survey, "service/command-right");
            assert_eq!(found.summary.contains("TERM"), says_term, "{}", found.summary);
        }
        // One that does not run tells nothing.
        let survey = text("op", Way::Unknown, None);
        assert_eq!(status(&survey, "service/command-right"), Status::Pass);
    }

    #[test]
    fn a_start_in_the_background_is_not_cured_by_exec_alone() {
        let mut survey = text("bash", Way::Waits, SCRIPT);
        service_of(&mut survey).launch.links[0].background = true;
        let found = finding(&survey, "service/command-right");
        assert!(found.summary.contains("in the background"), "{}", found.summary);
        let text = found.remedy.unwrap().text().to_owned();
        assert!(text.contains("In line 4") && text.contains("remove the &"), "{text}");
    }

    #[test]
    fn a_packages_script_is_left_as_it_is() {
        let mut survey = runs(text("xvfb-run", Way::Waits, None), &["dash"]);
        let above = standing(&mut survey);
        (above.script, above.hears_term) = (Some("/usr/bin/xvfb-run".into()), Some(false));
        let found = finding(&survey, "service/command-right");
        assert!(found.summary.starts_with("xvfb-run runs the agent"), "{}", found.summary);
        let remedy = found.remedy.unwrap();
        assert!(remedy.text().contains("belongs to a package"), "{}", remedy.text());
        assert_eq!(remedy.first_cure(), Some("sudo systemctl edit --full circleci.service"));
    }

    #[test]
    fn what_passes_signals_on_keeps_the_health_back() {
        let mut survey = runs(text("timeout", Way::Forwards, None), &["timeout"]);
        let found = finding(&survey, "service/command-right");
        assert!(found.summary.contains("health"), "{}", found.summary);
        assert!(!found.summary.contains("TERM"), "{}", found.summary);
        directive(&mut survey, "Service", "NotifyAccess", "all");
        assert_eq!(status(&survey, "service/command-right"), Status::Pass);
    }

    #[test]
    fn what_does_not_wait_at_term_loses_the_job() {
        let survey = runs(text("runuser", Way::Leaves, None), &["runuser"]);
        let found = finding(&survey, "service/command-right");
        assert!(found.summary.contains("a stop kills the running job"), "{}", found.summary);
        let mut survey = text("bash", Way::Leaves, SCRIPT);
        service_of(&mut survey).launch.links[0].background = true;
        let remedy = finding(&survey, "service/command-right").remedy.unwrap();
        assert!(remedy.text().contains("wait for it twice"), "{}", remedy.text());
    }

    #[test]
    fn flock_can_hold_its_lock_without_staying() {
        let found = finding(&text("flock", Way::Waits, None), "service/command-right");
        assert!(found.remedy.unwrap().text().contains("--no-fork"));
    }
}
