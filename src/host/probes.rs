//! What can be asked of a host: the probes, by name. A command asks for those whose answers it uses,
//! and pays for no other.

use std::ops::BitOr;

macro_rules! probes {
    ($($name:ident: $what:literal, needs [$($need:ident),*];)*) => {
        /// A probe: it reads one thing, within a time of its own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProbeName {
            $(#[doc = concat!("Reads ", $what, ".")] $name,)*
        }

        impl ProbeName {
            /// Every probe.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What it reads, as a finding says of a probe that failed.
            pub fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)* }
            }

            /// The probes that it cannot do without.
            fn needs(self) -> &'static [Self] {
                match self { $(Self::$name => &[$(Self::$need),*],)* }
            }
        }
    };
}

probes! {
    // Which agents there are.
    Definitions: "the definitions of services", needs [];
    Receipts: "the receipts", needs [];
    Processes: "the processes", needs [];
    MachineEnvironment: "the machine's environment", needs [];
    Environments: "the agents' environments", needs [Definitions, Receipts, Processes, MachineEnvironment];
    Configuration: "a configuration", needs [Environments];

    // Each agent.
    ServiceState: "the state of a service", needs [Configuration];
    NextBoot: "the units of the next boot", needs [Configuration];
    UnitObjections: "what systemd objects to in the units", needs [Configuration];
    Windows: "what PowerShell says", needs [Configuration];
    AccountNumbers: "the accounts' numbers", needs [Configuration];
    Account: "an account", needs [Configuration];
    Binary: "the binary", needs [AccountNumbers];
    Path: "a path", needs [AccountNumbers];
    CommandPrefix: "the command prefix", needs [AccountNumbers];
    WorkFolder: "the work folder", needs [AccountNumbers];
    Log: "the log", needs [Configuration];
    Tools: "the tools of jobs", needs [AccountNumbers];

    // The host.
    Hostname: "the name of the host", needs [];
    SystemName: "the system's name", needs [];
    SystemdVersion: "systemd's version", needs [];
    KernelLog: "the kernel's log", needs [];
    Selinux: "SELinux", needs [];
    Packages: "the package manager", needs [Configuration];
    Mac: "what macOS says", needs [];
    Resolver: "the resolver's configuration", needs [];
    Mounts: "the mounts", needs [];
    Memory: "the memory", needs [];
    Sockets: "the listening sockets", needs [];
    Routes: "the routes", needs [];
    FileSystem: "a file system", needs [Path, WorkFolder];

    // The network.
    Connections: "the settings of connections", needs [Configuration];
    Network: "the network", needs [Connections];
    RunnerApi: "the runner API", needs [Configuration];
}

/// Some of the probes, each with those that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeSet(u64);

impl ProbeSet {
    /// Every probe.
    pub const ALL: Self = Self((1 << ProbeName::ALL.len()) - 1);

    /// These, and what they need.
    pub fn of(names: &[ProbeName]) -> Self {
        let whole = |name: &ProbeName| Self(1 << *name as u64) | Self::of(name.needs());
        names.iter().map(whole).fold(Self(0), BitOr::bitor)
    }

    /// All but these. What needs one of them is left, and says that it was not asked for.
    pub fn without(names: &[ProbeName]) -> Self {
        let left: u64 = names.iter().map(|name| 1 << *name as u64).sum();
        Self(Self::ALL.0 & !left)
    }

    /// Whether a probe is asked for.
    pub fn contains(self, name: ProbeName) -> bool {
        self.0 & (1 << name as u64) != 0
    }
}

impl BitOr for ProbeSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_its_probes_need() {
        let set = ProbeSet::of(&[ProbeName::Network]);
        for name in [ProbeName::Connections, ProbeName::Configuration, ProbeName::Receipts] {
            assert!(set.contains(name), "{name:?}");
        }
        assert!(!set.contains(ProbeName::Account) && !set.contains(ProbeName::RunnerApi));
        assert_eq!(ProbeSet::of(ProbeName::ALL), ProbeSet::ALL);
        assert!(!ProbeSet::without(&[ProbeName::Network]).contains(ProbeName::Network));
    }
}
