//! Cures of a unit, each in a drop-in of its own, so that what someone wrote stays as it is.

use super::{on_unit, unit};
use crate::{
    doctor::{Remedy, lookup::restarted, remedy::Text},
    host::{Install, Service},
    record::{Content, File, Folder, Owner, Step},
};

/// The file of the drop-in that has a stop signal the agent alone, and what is in it.
const DRAIN: (&str, &str) = ("kill", "[Service]\nKillMode=mixed\n");

/// Adds `lines` to the unit of an agent, in a drop-in that is called after `what`.
pub(super) fn drop_in(
    text: &'static str,
    install: &Install,
    what: &'static str,
    lines: impl Into<Text>,
) -> Remedy {
    let lines = lines.into();
    // Root adds nothing to what an account could have defined, and starts nothing of it.
    let Some(service) = unit(install).ok().filter(|_| install.named_by.is_root()) else {
        return Remedy::by_hand(text);
    };
    let shown = lines.clone().in_one_line();
    let remedy =
        Remedy::by_hand(Text::from([text, " In a drop-in of the unit: "]).then(shown).then("."))
            .command(on_unit("systemctl edit", install, service));
    restarted(written(remedy, service, what, &lines), install)
}

/// Whether a stop of a unit sends TERM to the agent alone, which ends when its job has. systemd's
/// default sends it to the job at the same time.
pub(super) fn drains(service: &Service) -> bool {
    matches!(service.value("Service", "KillMode"), Some("mixed" | "process"))
}

/// Has a stop of a unit wait for the job that runs.
pub(super) fn draining(remedy: Remedy, service: &Service) -> Remedy {
    if drains(service) {
        return remedy;
    }
    let (what, lines) = DRAIN;
    written(remedy, service, what, &Text::from(lines))
}

/// With the steps that write a drop-in.
fn written(remedy: Remedy, service: &Service, what: &'static str, lines: &Text) -> Remedy {
    let folder = format!("/etc/systemd/system/{}.d", service.name);
    // Read last, so that it wins over whatever else was dropped in.
    let path = format!("{folder}/zz-runnerup-{what}.conf");
    let owner = || Some(Owner::user("root"));
    let folder =
        Folder { path: folder.into(), owner: owner(), mode: 0o755, data: false, shared: true };
    let file = File {
        path: path.into(),
        content: Content::public(format!("# Written by runnerup doctor.\n{}", lines.as_str())),
        owner: owner(),
        mode: 0o644,
        purpose: "a cure of the unit",
        definition: true,
        check: None,
        seed: false,
    };
    remedy.step(Step::Folder(folder)).step(Step::File(file))
}
