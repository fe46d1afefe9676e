//! The modes that a remedy sets.

use crate::platform::fs::Meta;

/// A mode that a remedy sets: one of a fixed list. No bit of the old mode is kept: it could let others
/// write, or give a program the rights of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::doctor) enum Mode {
    /// 0600: a file with a secret.
    Secret,
    /// 0640: a log.
    Log,
    /// 0644: a definition of a service.
    Definition,
    /// 0750: a work folder.
    Work,
    /// 0711: a folder that others can enter, but not list.
    PathPart,
    /// 0751: the same, and its group can list it.
    PassedByGroup,
    /// 0755: a program, or a folder that everyone can list.
    Open,
    /// 1777: the temporary folder of the host.
    Temporary,
}

impl Mode {
    /// Of a folder that others must be able to enter; who could list it before still can. `None` where
    /// others can write to it, or it has a special bit: then somebody chose its mode.
    pub(in crate::doctor) fn of_way(there: &Meta) -> Option<Self> {
        there.has_none(0o7022).then(|| Self::closed(there))
    }

    /// The same mode without write access for others and without special bits.
    pub(in crate::doctor) fn closed(there: &Meta) -> Self {
        match there {
            _ if there.has_any(0o004) => Self::Open,
            _ if there.has_any(0o040) => Self::PassedByGroup,
            _ => Self::PathPart,
        }
    }

    /// As a number.
    pub(super) fn bits(self) -> u32 {
        match self {
            Self::Secret => 0o600,
            Self::Log => 0o640,
            Self::Definition => 0o644,
            Self::Work => 0o750,
            Self::PathPart => 0o711,
            Self::PassedByGroup => 0o751,
            Self::Open => 0o755,
            Self::Temporary => 0o1777,
        }
    }

    /// As a word of a command.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Secret => "600",
            Self::Log => "640",
            Self::Definition => "644",
            Self::Work => "750",
            Self::PathPart => "711",
            Self::PassedByGroup => "751",
            Self::Open => "755",
            Self::Temporary => "1777",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixtures::folder;

    const ALL: [Mode; 8] = [
        Mode::Secret,
        Mode::Log,
        Mode::Definition,
        Mode::Work,
        Mode::PathPart,
        Mode::PassedByGroup,
        Mode::Open,
        Mode::Temporary,
    ];

    #[test]
    fn only_the_hosts_temporary_folder_is_for_others_to_write() {
        for mode in ALL {
            assert_eq!(mode.text(), format!("{:o}", mode.bits()));
            assert_eq!(mode.bits() & 0o6022 != 0, mode == Mode::Temporary, "{mode:?}");
        }
    }

    #[test]
    fn whatever_is_there_no_bit_of_it_is_kept() {
        for there in 0..=0o7777 {
            let meta = folder(0, there);
            assert_eq!(Mode::closed(&meta).bits() & 0o7022, 0, "{there:o}");
            assert_eq!(Mode::of_way(&meta).is_none(), there & 0o7022 != 0, "{there:o}");
        }
    }
}
