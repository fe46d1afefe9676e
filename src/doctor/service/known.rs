//! Directives that systemd knows, where it knows them.

use super::daemon;
use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict, lookup::service},
    host::{Directive, Install, Survey, Unseen},
    text::nearest,
    values::Manager,
};

/// `systemd.unit(5)` of version 257, without what conditions and assertions begin with.
const UNIT: &[&str] = &[
    "After",
    "AllowIsolate",
    "Before",
    "BindsTo",
    "CollectMode",
    "Conflicts",
    "DefaultDependencies",
    "Description",
    "Documentation",
    "FailureAction",
    "FailureActionExitStatus",
    "IgnoreOnIsolate",
    "JobRunningTimeoutSec",
    "JobTimeoutAction",
    "JobTimeoutRebootArgument",
    "JobTimeoutSec",
    "JoinsNamespaceOf",
    "OnFailure",
    "OnFailureJobMode",
    "OnSuccess",
    "OnSuccessJobMode",
    "PartOf",
    "PropagatesReloadTo",
    "PropagatesStopTo",
    "RebootArgument",
    "RefuseManualStart",
    "RefuseManualStop",
    "ReloadPropagatedFrom",
    "Requires",
    "RequiresMountsFor",
    "Requisite",
    "SourcePath",
    "StartLimitAction",
    "StartLimitBurst",
    "StartLimitInterval",
    "StartLimitIntervalSec",
    "StopPropagatedFrom",
    "StopWhenUnneeded",
    "SuccessAction",
    "SuccessActionExitStatus",
    "SurviveFinalKillSignal",
    "Upholds",
    "Wants",
    "WantsMountsFor",
];

/// `systemd.service(5)`, `.exec`, `.kill` and `.resource-control` of version 257.
const SERVICE: &[&str] = &[
    "AllowedCPUs",
    "AllowedMemoryNodes",
    "AmbientCapabilities",
    "AppArmorProfile",
    "BPFProgram",
    "BindLogSockets",
    "BindPaths",
    "BindReadOnlyPaths",
    "BlockIOAccounting",
    "BlockIOWeight",
    "BusName",
    "CPUAccounting",
    "CPUAffinity",
    "CPUQuota",
    "CPUQuotaPeriodSec",
    "CPUSchedulingPolicy",
    "CPUSchedulingPriority",
    "CPUSchedulingResetOnFork",
    "CPUShares",
    "CPUWeight",
    "CacheDirectory",
    "CacheDirectoryMode",
    "CapabilityBoundingSet",
    "ConfigurationDirectory",
    "ConfigurationDirectoryMode",
    "CoredumpFilter",
    "CoredumpReceive",
    "DefaultMemoryLow",
    "DefaultMemoryMin",
    "DefaultStartupMemoryLow",
    "Delegate",
    "DelegateSubgroup",
    "DeviceAllow",
    "DevicePolicy",
    "DisableControllers",
    "DynamicUser",
    "Environment",
    "EnvironmentFile",
    "ExecCondition",
    "ExecPaths",
    "ExecReload",
    "ExecSearchPath",
    "ExecStart",
    "ExecStartPost",
    "ExecStartPre",
    "ExecStop",
    "ExecStopPost",
    "ExitType",
    "ExtensionDirectories",
    "ExtensionImagePolicy",
    "ExtensionImages",
    "FileDescriptorStoreMax",
    "FileDescriptorStorePreserve",
    "FinalKillSignal",
    "Group",
    "GuessMainPID",
    "IOAccounting",
    "IODeviceLatencyTargetSec",
    "IODeviceWeight",
    "IOReadBandwidthMax",
    "IOReadIOPSMax",
    "IOSchedulingClass",
    "IOSchedulingPriority",
    "IOWeight",
    "IOWriteBandwidthMax",
    "IOWriteIOPSMax",
    "IPAccounting",
    "IPAddressAllow",
    "IPAddressDeny",
    "IPCNamespacePath",
    "IPEgressFilterPath",
    "IPIngressFilterPath",
    "IgnoreSIGPIPE",
    "ImportCredential",
    "InaccessiblePaths",
    "KeyringMode",
    "KillMode",
    "KillSignal",
    "LimitAS",
    "LimitCORE",
    "LimitCPU",
    "LimitDATA",
    "LimitFSIZE",
    "LimitLOCKS",
    "LimitMEMLOCK",
    "LimitMSGQUEUE",
    "LimitNICE",
    "LimitNOFILE",
    "LimitNPROC",
    "LimitRSS",
    "LimitRTPRIO",
    "LimitRTTIME",
    "LimitSIGPENDING",
    "LimitSTACK",
    "LoadCredential",
    "LoadCredentialEncrypted",
    "LockPersonality",
    "LogExtraFields",
    "LogFilterPatterns",
    "LogLevelMax",
    "LogNamespace",
    "LogRateLimitBurst",
    "LogRateLimitIntervalSec",
    "LogsDirectory",
    "LogsDirectoryMode",
    "ManagedOOMMemoryPressure",
    "ManagedOOMMemoryPressureDurationSec",
    "ManagedOOMMemoryPressureLimit",
    "ManagedOOMPreference",
    "ManagedOOMSwap",
    "MemoryAccounting",
    "MemoryDenyWriteExecute",
    "MemoryHigh",
    "MemoryKSM",
    "MemoryLimit",
    "MemoryLow",
    "MemoryMax",
    "MemoryMin",
    "MemoryPressureThresholdSec",
    "MemoryPressureWatch",
    "MemorySwapMax",
    "MemoryZSwapMax",
    "MemoryZSwapWriteback",
    "MountAPIVFS",
    "MountFlags",
    "MountImagePolicy",
    "MountImages",
    "NFTSet",
    "NUMAMask",
    "NUMAPolicy",
    "NetClass",
    "NetworkNamespacePath",
    "Nice",
    "NoExecPaths",
    "NoNewPrivileges",
    "NonBlocking",
    "NotifyAccess",
    "OOMPolicy",
    "OOMScoreAdjust",
    "OpenFile",
    "PAMName",
    "PIDFile",
    "PassEnvironment",
    "PermissionsStartOnly",
    "Personality",
    "PrivateDevices",
    "PrivateIPC",
    "PrivateMounts",
    "PrivateNetwork",
    "PrivatePIDs",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "ReloadSignal",
    "RemainAfterExit",
    "RemoveIPC",
    "Restart",
    "RestartForceExitStatus",
    "RestartKillSignal",
    "RestartMaxDelaySec",
    "RestartMode",
    "RestartPreventExitStatus",
    "RestartSec",
    "RestartSteps",
    "RestrictAddressFamilies",
    "RestrictFileSystems",
    "RestrictNamespaces",
    "RestrictNetworkInterfaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "RootDirectory",
    "RootDirectoryStartOnly",
    "RootEphemeral",
    "RootHash",
    "RootHashSignature",
    "RootImage",
    "RootImageOptions",
    "RootImagePolicy",
    "RootVerity",
    "RuntimeDirectory",
    "RuntimeDirectoryMode",
    "RuntimeDirectoryPreserve",
    "RuntimeMaxSec",
    "RuntimeRandomizedExtraSec",
    "SELinuxContext",
    "SecureBits",
    "SendSIGHUP",
    "SendSIGKILL",
    "SetCredential",
    "SetCredentialEncrypted",
    "SetLoginEnvironment",
    "Slice",
    "SmackProcessLabel",
    "SocketBindAllow",
    "SocketBindDeny",
    "Sockets",
    "StandardError",
    "StandardInput",
    "StandardInputData",
    "StandardInputText",
    "StandardOutput",
    "StartLimitAction",
    "StartLimitBurst",
    "StartLimitInterval",
    "StartupAllowedCPUs",
    "StartupAllowedMemoryNodes",
    "StartupBlockIOWeight",
    "StartupCPUShares",
    "StartupCPUWeight",
    "StartupIOWeight",
    "StartupMemoryHigh",
    "StartupMemoryLow",
    "StartupMemoryMax",
    "StartupMemorySwapMax",
    "StartupMemoryZSwapMax",
    "StateDirectory",
    "StateDirectoryMode",
    "SuccessExitStatus",
    "SupplementaryGroups",
    "SyslogFacility",
    "SyslogIdentifier",
    "SyslogLevel",
    "SyslogLevelPrefix",
    "SystemCallArchitectures",
    "SystemCallErrorNumber",
    "SystemCallFilter",
    "SystemCallLog",
    "TTYColumns",
    "TTYPath",
    "TTYReset",
    "TTYRows",
    "TTYVHangup",
    "TTYVTDisallocate",
    "TasksAccounting",
    "TasksMax",
    "TemporaryFileSystem",
    "TimeoutAbortSec",
    "TimeoutCleanSec",
    "TimeoutSec",
    "TimeoutStartFailureMode",
    "TimeoutStartSec",
    "TimeoutStopFailureMode",
    "TimeoutStopSec",
    "TimerSlackNSec",
    "Type",
    "UMask",
    "USBFunctionDescriptors",
    "USBFunctionStrings",
    "UnsetEnvironment",
    "User",
    "UtmpIdentifier",
    "UtmpMode",
    "WatchdogSec",
    "WatchdogSignal",
    "WorkingDirectory",
];

/// `[Install]` of `systemd.unit(5)`.
const INSTALL: &[&str] =
    &["Alias", "Also", "DefaultInstance", "RequiredBy", "UpheldBy", "WantedBy"];

pub(super) const DIRECTIVES: Check = Check {
    name: "service/directives-known",
    holds: "Every line of a unit, and every key of a plist, is a known one in its correct section",
    why: "A setting that systemd or launchd does not know has no effect, and they report it only \
          in a log.",
    found: "The doctor compares each line of the unit and its drop-ins with the directives of \
            systemd 257, and each key of a plist with launchd.plist(5).",
    cure: "Correct the name, or move the line to the section that the finding names.",
    after: &["service/loaded"],
    judge: Judge::Agent(directives),
};

fn directives(_: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    if let Some(daemon) = daemon::of(install)? {
        return daemon::keys(daemon);
    }
    if service.manager != Manager::Systemd {
        return Err(Unseen::not_applicable("it is not a unit of systemd"));
    }
    let problems: Vec<_> = service.directives.iter().filter_map(strange).collect();
    Ok(Verdict::of(problems, format!("all {} directives are known", service.directives.len())))
}

fn strange(line: &Directive) -> Option<Problem> {
    let (section, key) = (line.section.as_str(), line.key.as_str());
    let place = format!("{}:{}", line.file.display(), line.line);
    let sections = [("Unit", UNIT), ("Service", SERVICE), ("Install", INSTALL)];
    if section.starts_with("X-") || key.starts_with("X-") {
        return None;
    }
    if key.is_empty() {
        let problem = Problem::warn("a line of the unit is not a directive").seen(place);
        return Some(problem.cure(Remedy::by_hand("Write the directive as KEY=VALUE.")));
    }
    let Some((_, own)) = sections.iter().find(|(name, _)| *name == section) else {
        let names: Vec<_> = sections.iter().map(|(name, _)| *name).collect();
        let text = match nearest(section, &names) {
            Some(near) => ["Did you mean [", near, "]?"],
            None => ["A service has [Unit], [Service] and [Install].", "", ""],
        };
        let problem =
            Problem::warn(format!("{key} is in [{section}], a section that services do not have"));
        return Some(problem.seen(place).cure(Remedy::by_hand(text)));
    };
    let is_condition =
        section == "Unit" && (key.starts_with("Condition") || key.starts_with("Assert"));
    if own.contains(&key) || is_condition {
        return None;
    }
    let home = sections.iter().find(|(_, keys)| keys.contains(&key)).map(|(name, _)| *name);
    let text = match (home, nearest(key, own)) {
        (Some(home), _) => ["Move it to [", home, "]."],
        (None, Some(near)) => ["Did you mean ", near, "?"],
        (None, None) => ["Remove the line.", "", ""],
    };
    let problem = Problem::warn(format!("systemd does not know {key} in [{section}]"));
    Some(problem.seen(place).cure(Remedy::by_hand(text)))
}

#[cfg(test)]
mod tests {
    use crate::doctor::{Status, sample::*};

    #[test]
    fn misspelt_and_misplaced_directives_are_told() {
        for (section, key, text) in [
            ("Service", "TimeoutStopSecs", "TimeoutStopSec"),
            ("Service", "After", "[Unit]"),
            ("Unit", "Restart", "[Service]"),
            ("Sevice", "User", "[Service]"),
            ("Service", "", "KEY=VALUE"),
        ] {
            let mut survey = healthy();
            directive(&mut survey, section, key, "x");
            let found = finding(&survey, "service/directives-known");
            assert_eq!(found.status, Status::Warn, "{section} {key}");
            assert!(found.remedy.unwrap().text().contains(text), "{section} {key}");
        }
        let mut survey = healthy();
        directive(&mut survey, "Unit", "ConditionPathExists", "/x");
        assert_eq!(status(&survey, "service/directives-known"), Status::Pass);
    }
}
