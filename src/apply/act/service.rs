//! Services: enable, start, drain, stop.

use super::Tools;
use crate::{
    Error, Result,
    host::Activity,
    record::{IfBusy, State, Target},
};
use std::time::Duration;

/// How long a roll-back waits for a stop: the new service has hardly begun a job.
const ROLLBACK_DRAIN: Duration = Duration::from_secs(60);

pub(super) fn before(tools: &Tools<'_>, target: &Target) -> Result<State> {
    let Some(services) = tools.host.services else { return Ok(State::Absent) };
    let is_done = match target {
        Target::Enabled(name) => services.state(name)?.registered,
        Target::Running(name) => services.state(name)?.is_held(),
        _ => false,
    };
    Ok(if is_done { State::Present } else { State::Absent })
}

pub(super) fn enable(tools: &Tools<'_>, name: &str) -> Result<()> {
    tools.host.services.map_or(Ok(()), |services| services.enable(name))
}

pub(super) fn start(tools: &Tools<'_>, name: &str, drain: Duration, if_busy: IfBusy) -> Result<()> {
    let Some(services) = tools.host.services else { return Ok(()) };
    services.refuse_strange(tools.host.root, name)?;
    let now = services.state(name)?;
    // Before the stop: the definition decides how a stop treats a job.
    if now.needs_reload {
        services.reload()?;
    }
    // Asked right before the stop: the agent may have claimed a job since the examination.
    let may_run_job = || Ok::<_, Error>(services.runs_job(name)? != Some(false));
    if if_busy == IfBusy::Leave && now.is_held() && may_run_job()? {
        tools.host.report.leaves(&format!(
            "{name} is not restarted, because it runs a job or may run one; `runnerup doctor --fix \
             --allow restart-busy` waits until the job has ended"
        ));
        return Ok(());
    }
    stop(tools, name, drain)?;
    services.start(name)
}

pub(super) fn stop(tools: &Tools<'_>, name: &str, drain: Duration) -> Result<()> {
    let Some(services) = tools.host.services else { return Ok(()) };
    let now = services.state(name)?;
    if !now.is_held() {
        return Ok(());
    }
    // What the plan judged is what was on disk: a line that was removed must not count any more.
    if now.needs_reload {
        services.reload()?;
    }
    services.stop(name, drain)?;
    let what = format!("{name} to finish its job (at most {} s)", drain.as_secs());
    tools.host.wait_until(&what, drain, || Ok(!services.state(name)?.is_held()))
}

pub(super) fn restore(tools: &Tools<'_>, target: &Target, name: &str, to: &State) -> Result<()> {
    let Some(services) = tools.host.services else { return Ok(()) };
    let state = services.state(name)?;
    match (target, to) {
        (Target::Enabled(_), State::Present) if !state.registered => services.enable(name),
        (Target::Enabled(_), State::Absent) if state.registered => services.disable(name),
        // A service that drains starts again afterwards.
        (Target::Running(_), State::Present)
            if !state.is_held() || state.active == Activity::Deactivating =>
        {
            // Root does not start a service that other accounts can change.
            if let Err(error) = services.refuse_strange(tools.host.root, name) {
                tools.host.report.leaves(&format!("{name} is not restarted: {error}"));
                return Ok(());
            }
            services.start(name)
        }
        (Target::Running(_), State::Absent) if state.is_held() => {
            services.stop(name, ROLLBACK_DRAIN)?;
            // An interruption does not end a roll-back.
            tools.host.wait_out("the service to stop (roll-back)", ROLLBACK_DRAIN, || {
                Ok(!services.state(name)?.is_held())
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::{
        apply::bench::{self, Bench},
        platform::command::Recorded,
        service::systemd::Systemd,
    };
    use std::{
        io::Read as _,
        process::{Child, Command, Stdio},
    };

    /// What is asked of systemd to start a service again whose agent is this process.
    fn calls(agent: &Child, if_busy: IfBusy) -> Vec<String> {
        let shown = format!("LoadState=loaded\nActiveState=active\nMainPID={}\n", agent.id());
        let systemd = Recorded::answering(0, &shown);
        let services = Systemd::new(&systemd);
        bench::tools_with(&Bench::new(), Some(&services), |tools| {
            // It stays active, so that the wait for its end comes to nothing.
            let _ = start(tools, "x.service", Duration::ZERO, if_busy);
        });
        systemd.calls()
    }

    /// What is left of it at the end holds no output of the test's open.
    fn shell(script: &str) -> Child {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// A shell that has written a line: what its script starts before that line is there.
    fn forked(script: &str) -> Child {
        let shell = Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn();
        let mut shell = shell.unwrap();
        shell.stdout.as_mut().unwrap().read_exact(&mut [0; 7]).unwrap();
        shell
    }

    #[test]
    fn a_job_that_has_begun_since_is_left_alone() {
        let stop = "systemctl stop --no-block x.service".to_owned();
        let mut idle = Command::new("sleep").arg("60").spawn().unwrap();
        let mut busy = shell("sleep 60 & wait");
        while crate::platform::processes::has_living_child(busy.id()) != Some(true) {}
        assert!(calls(&idle, IfBusy::Leave).contains(&stop));
        assert!(!calls(&busy, IfBusy::Leave).contains(&stop));
        assert!(calls(&busy, IfBusy::Drain).contains(&stop));
        // An ended process that nobody has fetched is no job.
        let mut over = forked("sleep 0 & echo forked; exec sleep 60");
        while crate::platform::processes::has_living_child(over.id()) != Some(false) {}
        assert!(calls(&over, IfBusy::Leave).contains(&stop));
        for agent in [&mut idle, &mut busy, &mut over] {
            let _ = agent.kill();
            let _ = agent.wait();
        }
    }
}
