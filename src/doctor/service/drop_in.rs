//! Cures of a unit, each in a drop-in of its own, so that what someone wrote stays as it is.

use crate::{
    apply::{Content, File, Owner, Step},
    doctor::{
        Remedy,
        lookup::{on_service, restarted},
        remedy::Text,
    },
    facts::survey::Install,
    platform::service::Manager,
};

/// Adds `lines` to the unit of an agent, in a drop-in that is called after `what`.
pub(super) fn drop_in(
    text: &'static str,
    install: &Install,
    what: &'static str,
    lines: impl Into<Text>,
) -> Remedy {
    let lines = lines.into();
    let service = install.service.as_ref().filter(|own| own.manager == Manager::Systemd);
    // Root adds nothing to what an account could have defined, and starts nothing of it.
    let Some(service) = service.filter(|_| install.named_by.is_root()) else {
        return Remedy::by_hand(text);
    };
    let unit = &service.name;
    let body = format!("# Written by runnerup doctor.\n{}", lines.as_str());
    // Read last, so that it wins over whatever else was dropped in.
    let path = format!("/etc/systemd/system/{unit}.d/zz-runnerup-{what}.conf");
    let folder = crate::apply::Folder {
        path: format!("/etc/systemd/system/{unit}.d").into(),
        owner: Some(Owner::user("root")),
        mode: 0o755,
        data: false,
        shared: true,
    };
    let file = File {
        path: path.clone().into(),
        content: Content::public(body),
        owner: Some(Owner::user("root")),
        mode: 0o644,
        purpose: "a cure of the unit",
        definition: true,
        check: None,
        seed: false,
    };
    let lines = lines.in_one_line();
    let remedy =
        Remedy::by_hand(Text::from([text, " In a drop-in of the unit: "]).then(lines).then("."))
            .command(on_service("systemctl edit", install, service))
            .step(Step::Folder(folder))
            .step(Step::File(file));
    restarted(remedy, install)
}
