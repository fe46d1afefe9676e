//! The keys of a plist that launchd takes, and the types that it takes for each: `launchd.plist(5)`,
//! and launchd's own table, which has more of them.

use crate::host::ValueKind;

/// Types that a key takes; of any other launchd says "Invalid type", and goes on without the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    Truth,
    Number,
    Text,
    List,
    Dictionary,
    TruthOrDictionary,
    TextOrList,
    TextOrNumber,
    ListOrDictionary,
    /// Of the system's own services, or of a type that was not looked up.
    Any,
}

use Wants::{
    Any, Dictionary, List, ListOrDictionary, Number, Text, TextOrList, TextOrNumber, Truth,
    TruthOrDictionary,
};

/// In the order of `launchd.plist(5)`; then those that it leaves out.
const KEYS: [(&str, Wants); 99] = [
    ("Label", Text),
    ("Disabled", Truth),
    ("UserName", Text),
    ("GroupName", Text),
    ("inetdCompatibility", Dictionary),
    ("LimitLoadToHosts", TextOrList),
    ("LimitLoadFromHosts", TextOrList),
    ("LimitLoadToSessionType", TextOrList),
    ("LimitLoadToHardware", Dictionary),
    ("LimitLoadFromHardware", Dictionary),
    ("Program", Text),
    ("BundleProgram", Text),
    ("ProgramArguments", List),
    ("EnableGlobbing", Truth),
    ("EnableTransactions", Truth),
    ("EnablePressuredExit", Truth),
    ("OnDemand", Truth),
    ("ServiceIPC", Truth),
    ("KeepAlive", TruthOrDictionary),
    ("RunAtLoad", Truth),
    ("RootDirectory", Text),
    ("WorkingDirectory", Text),
    ("EnvironmentVariables", Dictionary),
    ("Umask", TextOrNumber),
    ("TimeOut", Number),
    ("ExitTimeOut", Number),
    ("ThrottleInterval", Number),
    ("InitGroups", Truth),
    ("WatchPaths", List),
    ("QueueDirectories", List),
    ("StartOnMount", Truth),
    ("StartInterval", Number),
    ("StartCalendarInterval", ListOrDictionary),
    ("StandardInPath", Text),
    ("StandardOutPath", Text),
    ("StandardErrorPath", Text),
    ("Debug", Truth),
    ("WaitForDebugger", Truth),
    ("SoftResourceLimits", Dictionary),
    ("HardResourceLimits", Dictionary),
    ("Nice", Number),
    ("ProcessType", Text),
    ("AbandonProcessGroup", Truth),
    ("LowPriorityIO", Truth),
    ("LowPriorityBackgroundIO", Truth),
    ("MaterializeDatalessFiles", Truth),
    ("LaunchOnlyOnce", Truth),
    ("MachServices", Dictionary),
    ("Sockets", Dictionary),
    ("LaunchEvents", Dictionary),
    ("HopefullyExitsFirst", Any),
    ("HopefullyExitsLast", Truth),
    ("SessionCreate", Truth),
    ("LegacyTimers", Truth),
    ("AssociatedBundleIdentifiers", TextOrList),
    ("SpawnConstraint", Dictionary),
    ("POSIXSpawnType", Text),
    ("BinaryOrderPreference", List),
    ("UserEnvironmentVariables", Dictionary),
    ("IgnoreProcessGroupAtShutdown", Truth),
    ("AlwaysSIGTERMOnShutdown", Any),
    ("AuxiliaryBootstrapper", Truth),
    ("AuxiliaryBootstrapperAllowDemand", Truth),
    ("BootShell", Truth),
    ("CFBundleIdentifier", Text),
    ("ContainingBundleID", Any),
    ("CPUMonitorInterval", Number),
    ("CPUMonitorPercentage", Number),
    ("Datastores", Dictionary),
    ("DisableASLR", Truth),
    ("DisabledInSafeBoot", Truth),
    ("DisallowAllLookups", Truth),
    ("DrainMessagesOnFailedInit", Truth),
    ("EnableCheckedAllocations", Truth),
    ("EventMonitor", Truth),
    ("ExecuteAllowed", Any),
    ("InitialTaskRole", Number),
    ("JetsamMemoryLimit", Number),
    ("JetsamPriority", Number),
    ("JetsamProperties", Dictionary),
    ("LoginWindowUserName", Text),
    ("MachExceptionHandler", Any),
    ("MinimalBootProfile", Any),
    ("MultipleInstances", Any),
    ("PersonaEnterprise", Number),
    ("Platform", Number),
    ("Policies", Dictionary),
    ("PublishesEvents", Any),
    ("QuarantineData", Any),
    ("RemoteServices", Dictionary),
    ("ReslideSharedCache", Truth),
    ("ResolveProgramIdentifier", Truth),
    ("SandboxContainer", Text),
    ("SandboxFlags", Any),
    ("SandboxProfile", Text),
    ("SecuritySessionUUID", Any),
    ("ServiceDescription", Any),
    ("SHAuthorizationRight", Any),
    ("ShutdownMonitor", Truth),
];

/// How launchd's documentation writes a key, whose letters may be small or capital in a plist.
pub(crate) fn written(key: &str) -> Option<(&'static str, Wants)> {
    KEYS.iter().copied().find(|(name, _)| name.eq_ignore_ascii_case(key))
}

/// Whether launchd takes a key; the system's own begin with a low line.
pub(crate) fn is_known(key: &str) -> bool {
    key.starts_with('_') || written(key).is_some()
}

/// The key that was probably meant.
pub(crate) fn nearest(key: &str) -> Option<&'static str> {
    crate::text::nearest(key, &KEYS.map(|(name, _)| name))
}

impl Wants {
    /// Whether a value of this type is taken; one whose type is not known is.
    pub(crate) fn takes(self, kind: ValueKind) -> bool {
        use ValueKind as Kind;
        if kind == Kind::Unknown {
            return true;
        }
        let is_list = matches!(kind, Kind::Texts | Kind::List);
        match self {
            Truth => kind == Kind::Truth,
            Number => kind == Kind::Number,
            Text => kind == Kind::Text,
            List => is_list,
            Dictionary => kind == Kind::Dictionary,
            TruthOrDictionary => matches!(kind, Kind::Truth | Kind::Dictionary),
            TextOrList => kind == Kind::Text || is_list,
            TextOrNumber => matches!(kind, Kind::Text | Kind::Number),
            ListOrDictionary => kind == Kind::Dictionary || is_list,
            Any => true,
        }
    }

    /// What to write instead.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Truth => "<true/> or <false/>",
            Number => "an <integer>",
            Text => "a <string>",
            List => "an <array>",
            Dictionary => "a <dict>",
            TruthOrDictionary => "<true/>, <false/> or a <dict>",
            TextOrList => "a <string> or an <array>",
            TextOrNumber => "an <integer> or a <string>",
            ListOrDictionary => "a <dict> or an <array>",
            Any => "a value",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_once_and_is_found_in_any_case() {
        for (at, (key, _)) in KEYS.iter().enumerate() {
            let same = KEYS.iter().position(|(other, _)| other.eq_ignore_ascii_case(key));
            assert_eq!(same, Some(at), "{key}");
        }
        assert_eq!(written("keepalive"), Some(("KeepAlive", TruthOrDictionary)));
        assert!(is_known("_PanicOnCrash") && !is_known("KeepAlife"));
        assert_eq!(nearest("KeepAlife"), Some("KeepAlive"));
    }

    #[test]
    fn a_type_is_taken_by_its_own_keys() {
        assert!(Truth.takes(ValueKind::Truth) && !Truth.takes(ValueKind::Text));
        assert!(!Number.takes(ValueKind::Text) && TextOrNumber.takes(ValueKind::Text));
        assert!(TextOrList.takes(ValueKind::Texts) && List.takes(ValueKind::List));
        assert!(Number.takes(ValueKind::Unknown));
    }
}
