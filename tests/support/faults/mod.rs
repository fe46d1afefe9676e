//! Faults to plant on a healthy host, each with the check that must find it.

mod config;
pub mod field;
mod files;
mod host;
mod service;

/// How a fault is cured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cure {
    /// `doctor --fix` does it.
    Fix,
    /// The commands of the remedy do it, pasted as they are.
    Paste,
    /// A person does it: the remedy has no command that could.
    Hand,
}

/// A line of the table.
#[derive(Clone, Copy)]
pub struct Fault {
    /// What is planted, in words.
    pub name: &'static str,
    /// How, as a shell script.
    pub plant: &'static str,
    /// What must find it.
    pub check: &'static str,
    /// What finds it too, because it is the same trouble seen from another side.
    pub also: &'static [&'static str],
    /// Words that its finding must have, such as the path that is missing.
    pub says: &'static [&'static str],
    /// How it is cured.
    pub cure: Cure,
    /// What puts the host back afterwards.
    pub heal: &'static str,
}

const fn fault(
    name: &'static str,
    plant: &'static str,
    check: &'static str,
    cure: Cure,
    heal: &'static str,
) -> Fault {
    Fault { name, plant, check, also: &[], says: &[], cure, heal }
}

const fn seen_by(also: &'static [&'static str], fault: Fault) -> Fault {
    Fault { also, ..fault }
}

const fn saying(says: &'static [&'static str], fault: Fault) -> Fault {
    Fault { says, ..fault }
}

/// A form that a healthy host may have, of which nothing bad may be said.
#[derive(Clone, Copy)]
pub struct Healthy {
    /// What it is, in words.
    pub name: &'static str,
    /// How it is made, as a shell script.
    pub plant: &'static str,
    /// What is true of it all the same, such as that a public script runs its agent as root.
    pub but: &'static [&'static str],
    /// Words that the report must have.
    pub says: &'static [&'static str],
    /// What puts the host back afterwards.
    pub heal: &'static str,
}

const fn form(name: &'static str, plant: &'static str, heal: &'static str) -> Healthy {
    Healthy { name, plant, but: &[], says: &[], heal }
}

/// What every script may use: `$B` binary, `$C` configuration, `$W` work folder, `$U` unit, `$D`
/// a drop-in; `edit SED` changes the configuration, `drop LINES` writes the drop-in.
pub const PRELUDE: &str = "
set -e
B=/opt/circleci/circleci-launch-agent
C=/etc/opt/circleci/launch-agent-config.yaml
W=/var/opt/circleci/workdir
U=/etc/systemd/system/circleci.service
D=$U.d/90-fault.conf
edit() { sed -i -E \"$1\" $C; chown circleci: $C; chmod 600 $C; }
drop() { mkdir -p $U.d; printf \"$1\" >$D; systemctl daemon-reload; }
undrop() { rm -f $U.d/*; systemctl daemon-reload; }
config() { cp -p /root/config.kept $C.new; mv -f $C.new $C; }
";

/// The table.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    [files::FAULTS, config::FAULTS, service::FAULTS, host::FAULTS].into_iter().flatten()
}
