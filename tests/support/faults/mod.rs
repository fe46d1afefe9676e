//! Faults to plant on a healthy host, each with the check that must find it.

mod config;
mod files;
mod host;
mod service;

/// How a fault is cured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cure {
    /// `doctor --fix` does it.
    Fix,
    /// A person does it, with the commands of the remedy.
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
    Fault { name, plant, check, also: &[], cure, heal }
}

const fn seen_by(also: &'static [&'static str], fault: Fault) -> Fault {
    Fault { also, ..fault }
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
