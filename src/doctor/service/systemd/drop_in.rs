//! Fixes of a unit, each in its own drop-in, so that existing files do not change.

use super::{OnUnit, in_force::word, on_unit, unit};
use crate::{
    doctor::{Remedy, lookup::restarted, remedy::Text},
    host::{Install, Service},
    record::{Content, File, Folder, Owner, Step},
    service::systemd::drop_ins,
};

/// Name and content of the drop-in that makes a stop signal only the agent.
const DRAIN: (&str, &str) = ("kill", "[Service]\nKillMode=mixed\n");

/// Adds `lines` to the unit of an agent, in a drop-in with `what` in its name.
pub(super) fn drop_in(
    text: impl Into<Text>,
    install: &Install,
    what: &'static str,
    lines: impl Into<Text>,
) -> Remedy {
    let remedy = written_alone(text, install, what, lines);
    // Root does not start a unit that an account could have written.
    if install.named_by.is_root() { restarted(remedy, install) } else { remedy }
}

/// The same for lines that count as soon as systemd has read them: nothing is started again.
pub(super) fn written_alone(
    text: impl Into<Text>,
    install: &Install,
    what: &'static str,
    lines: impl Into<Text>,
) -> Remedy {
    let lines = lines.into();
    let shown = lines.clone().in_one_line();
    let text = text.into().then(" In a drop-in of the unit: ").then(shown).then(".");
    let remedy = Remedy::by_hand(text);
    // Root does not extend a unit that an account could have written.
    let Some(service) = unit(install).ok().filter(|_| install.named_by.is_root()) else {
        return remedy;
    };
    let remedy = remedy.command(on_unit(OnUnit::Edit, install, service));
    written(remedy, service, what, &lines)
}

/// Whether a stop of a unit sends TERM to the agent alone, which ends when its job has. systemd's
/// default sends it to the job at the same time.
pub(super) fn drains(service: &Service) -> bool {
    matches!(word(service, "KillMode", |unit| &unit.kill_mode), Some("mixed" | "process"))
}

/// Makes a stop of a unit wait for the running job.
pub(super) fn draining(remedy: Remedy, service: &Service) -> Remedy {
    if drains(service) {
        return remedy;
    }
    let (what, lines) = DRAIN;
    written(remedy, service, what, &Text::from(lines))
}

/// With the steps that write a drop-in.
fn written(remedy: Remedy, service: &Service, what: &'static str, lines: &Text) -> Remedy {
    let path = drop_ins::of_doctor(&service.name, what);
    let owner = || Some(Owner::user("root"));
    let folder = path.parent().unwrap_or(&path).to_owned();
    let folder = Folder { path: folder, owner: owner(), mode: 0o755, data: false, shared: true };
    let file = File {
        path,
        content: Content::public(format!("# Written by runnerup doctor.\n{}", lines.as_str())),
        owner: owner(),
        mode: 0o644,
        purpose: "a fix of the unit",
        definition: true,
        check: None,
        seed: false,
        replaces: false,
    };
    remedy.step(Step::Folder(folder)).step(Step::File(file))
}
