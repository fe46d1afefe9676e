//! Programs that ask somebody else to end the host: a provider by its command line or by its API, the
//! service manager by D-Bus or by a signal.

use super::{of_action, of_target};
use crate::host::Ending;

/// Words by which a provider's tool acts on a machine.
const ENDS: &[&str] = &[
    "delete",
    "stop",
    "terminate",
    "destroy",
    "shutdown",
    "poweroff",
    "power-off",
    "power_off",
    "halt",
    "suspend",
    "deallocate",
    "delete-instances",
    "recreate-instances",
];

/// Command lines of providers, one of the words by which they name machines (none: any), and the
/// words by which they stop or delete one.
const PROVIDERS: &[(&str, &[&str], &[&str])] = &[
    (
        "aws",
        &[],
        &[
            "terminate-instances",
            "stop-instances",
            "terminate-instance-in-auto-scaling-group",
            // An auto scaling group replaces a host that says of itself that it is not healthy.
            "set-instance-health",
        ],
    ),
    ("gcloud", &["compute"], ENDS),
    ("az", &["vm", "vmss", "container"], ENDS),
    ("doctl", &["droplet", "droplet-action"], ENDS),
    ("hcloud", &["server"], ENDS),
    ("openstack", &["server"], ENDS),
    ("nova", &[], ENDS),
    ("oci", &["instance"], &["terminate", "STOP", "SOFTSTOP"]),
    ("linode-cli", &["linodes"], ENDS),
    ("vultr-cli", &["instance"], ENDS),
    ("scw", &["server"], ENDS),
    ("exo", &["instance"], ENDS),
    ("upctl", &["server"], ENDS),
    ("yc", &["instance"], ENDS),
    ("ibmcloud", &[], &["instance-delete", "instance-stop"]),
    ("aliyun", &["ecs"], &["DeleteInstance", "DeleteInstances", "StopInstance", "StopInstances"]),
    ("tccli", &["cvm"], &["TerminateInstances", "StopInstances"]),
    ("kubectl", &["node", "nodes", "no", "machine", "machines"], &["delete"]),
    ("virsh", &[], &["destroy", "shutdown"]),
    ("tart", &[], &["stop", "delete"]),
    ("orb", &[], &["stop", "delete"]),
    ("multipass", &[], &["stop", "delete"]),
    ("terraform", &[], &["destroy"]),
    ("tofu", &[], &["destroy"]),
    ("pulumi", &[], &["destroy"]),
];

/// Commands of PowerShell's modules for providers.
const CMDLETS: [&str; 8] = [
    "stop-azvm",
    "remove-azvm",
    "stop-ec2instance",
    "remove-ec2instance",
    "stop-gceinstance",
    "remove-gceinstance",
    "stop-vm",
    "remove-vm",
];

/// Parts of the addresses of providers' APIs.
const APIS: [&str; 14] = [
    "api.hetzner.cloud",
    "robot-ws.your-server.de",
    "compute.googleapis.com",
    "googleapis.com/compute",
    "ec2.",
    "autoscaling.",
    "management.azure.com",
    "api.digitalocean.com",
    "api.linode.com",
    "api.vultr.com",
    "api.scaleway.com",
    "api.equinix.com",
    "api.upcloud.com",
    "oraclecloud.com",
];

/// What is deleted there is no host: the agent's own service, and containers.
const OTHERS: [&str; 3] = ["circleci.com", "docker.sock", "podman.sock"];

/// Words of a request that ends a machine, by an API that is not known.
const CLEAR: [&str; 7] = [
    "terminate",
    "terminateinstances",
    "stopinstances",
    "shutdown",
    "poweroff",
    "power_off",
    "deallocate",
];

/// What a program does that asks for it by these words; [`Ending::Unread`] where it may end the host.
pub(super) fn ending(name: &str, rest: &[&str]) -> Option<Ending> {
    match name {
        "curl" | "wget" | "http" | "https" | "xh" | "invoke-restmethod" | "invoke-webrequest" => {
            request(rest)
        }
        "dbus-send" | "busctl" | "gdbus" | "qdbus" | "qdbus6" => bus(rest),
        "kill" => signal(rest),
        "kubectl"
            if rest.contains(&"delete") && rest.iter().any(|word| word.starts_with("node/")) =>
        {
            Some(Ending::Terminate)
        }
        // What runs elsewhere, or later.
        "ssh" | "at" | "batch" | "ansible" | "ansible-playbook" => Some(Ending::Unread),
        cmdlet if CMDLETS.contains(&cmdlet) => Some(Ending::Terminate),
        provider => {
            let (_, nouns, verbs) = PROVIDERS.iter().find(|(name, ..)| *name == provider)?;
            let has = |words: &[&str]| rest.iter().any(|word| words.contains(word));
            ((nouns.is_empty() || has(nouns)) && has(verbs)).then_some(Ending::Terminate)
        }
    }
}

/// A request over HTTP.
fn request(rest: &[&str]) -> Option<Ending> {
    let text = rest.join(" ").to_lowercase();
    if OTHERS.iter().any(|other| text.contains(other)) {
        return None;
    }
    let is_delete = rest.iter().any(|word| {
        let word = word.trim_start_matches("-X").trim_start_matches("--request=");
        word.trim_start_matches("--method=").eq_ignore_ascii_case("delete")
    });
    let is_part = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || sign == '-';
    let has = |text: &str, words: &[&str]| {
        text.split(|sign| !is_part(sign)).any(|part| words.contains(&part))
    };
    if APIS.iter().any(|api| text.contains(api)) {
        return (is_delete || has(&text, ENDS) || has(&text, &CLEAR)).then_some(Ending::Terminate);
    }
    // What else is sent may be a message that tells of an end.
    let is_clear = |word: &&str| word.contains("://") && has(&word.to_lowercase(), &CLEAR);
    (is_delete || rest.iter().any(is_clear)).then_some(Ending::Unread)
}

/// A call by D-Bus: `org.freedesktop.login1(5)`, `org.freedesktop.systemd1(5)`.
fn bus(rest: &[&str]) -> Option<Ending> {
    let is_of =
        |word: &&str| ["login1", "systemd1", "ConsoleKit"].iter().any(|to| word.contains(to));
    rest.iter().find(|word| is_of(word))?;
    let is_old = rest.iter().any(|word| word.contains("ConsoleKit"));
    rest.iter().find_map(|word| {
        let word = word.strip_prefix("string:").unwrap_or(word);
        let method = word.rsplit('.').next().unwrap_or(word);
        match method.strip_suffix("WithFlags").unwrap_or(method) {
            "PowerOff" | "Halt" => Some(Ending::PowerOff),
            "Reboot" | "KExec" | "SoftReboot" => Some(Ending::Reboot),
            "Suspend" | "Hibernate" | "HybridSleep" | "SuspendThenHibernate" => Some(Ending::Sleep),
            "Stop" if is_old => Some(Ending::PowerOff),
            "Restart" if is_old => Some(Ending::Reboot),
            _ => of_target(word),
        }
    })
}

/// The units that a call by D-Bus has started.
pub(super) fn units_by_bus(rest: &[&str]) -> Vec<String> {
    let starts = |word: &&&str| word.ends_with("StartUnit") || word.ends_with("RestartUnit");
    let is_unit = |word: &&str| word.ends_with(".service") || word.ends_with(".timer");
    let name = |word: &&str| word.strip_prefix("string:").unwrap_or(word).to_owned();
    match rest.iter().find(starts) {
        Some(_) => rest.iter().filter(|word| is_unit(word)).map(name).collect(),
        None => Vec::new(),
    }
}

/// A signal to the first process: `systemd(1)`, SIGNALS.
fn signal(rest: &[&str]) -> Option<Ending> {
    let named = rest.windows(2).find(|pair| matches!(pair[0], "-s" | "-n" | "--signal"));
    let to_first = rest.iter().skip(usize::from(named.is_some())).any(|word| *word == "1");
    let plain = || rest.iter().find_map(|word| word.strip_prefix('-'));
    let signal = named.map(|pair| pair[1]).or_else(plain)?;
    let signal = signal.trim_start_matches("-signal=").to_ascii_uppercase();
    let signal = signal.strip_prefix("SIG").unwrap_or(&signal);
    // Real-time signals begin at 34 for programs.
    let number = match signal.strip_prefix("RTMIN+") {
        Some(number) => number.parse::<u32>().ok(),
        None => signal.parse::<u32>().ok().and_then(|number| number.checked_sub(34)),
    };
    if !to_first {
        return None;
    }
    match (signal, number) {
        ("INT" | "2", _) | (_, Some(5..=7 | 15..=17)) => Some(Ending::Reboot),
        ("PWR" | "30", _) | (_, Some(3 | 4 | 13 | 14)) => Some(Ending::PowerOff),
        (_, Some(1 | 2)) => Some(Ending::Isolate),
        _ => None,
    }
}

/// What a command of `systemctl` or `loginctl` does by its verb.
pub(super) fn of_verb(rest: &[&str]) -> Option<Ending> {
    if let Some(ending) = rest.iter().find_map(|word| of_target(word)) {
        return Some(ending);
    }
    match *rest.iter().find(|word| !word.starts_with('-'))? {
        "isolate" | "rescue" | "emergency" | "default" => Some(Ending::Isolate),
        "suspend" | "hibernate" | "hybrid-sleep" | "suspend-then-hibernate" => Some(Ending::Sleep),
        verb => of_action(verb).filter(|_| verb != "exit" && !verb.contains('@')),
    }
}

/// The units that a command of `systemctl` starts.
pub(super) fn units(rest: &[&str]) -> Vec<String> {
    let mut words = rest.iter().filter(|word| !word.starts_with('-'));
    let starts = match words.next() {
        Some(&("start" | "restart" | "reload-or-restart")) => true,
        Some(&("enable" | "reenable")) => rest.contains(&"--now"),
        _ => false,
    };
    let kinds = [".service", ".timer", ".target", ".socket", ".path", ".mount", ".slice", ".scope"];
    let full = |word: &&str| match kinds.iter().any(|kind| word.ends_with(kind)) {
        true => (*word).to_owned(),
        false => [*word, ".service"].concat(),
    };
    words.filter(|_| starts).map(full).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<Ending> {
        let words: Vec<&str> = line.split_whitespace().collect();
        ending(words[0], &words[1..])
    }

    #[test]
    fn providers_are_known_by_command_and_by_address() {
        use Ending::{Terminate, Unread};
        for (line, expected) in [
            // Autoscalers' published scripts for runners at Hetzner, Google, Amazon and Azure.
            ("curl -sf -X DELETE -H x https://api.hetzner.cloud/v1/servers/$ID", Some(Terminate)),
            (
                "curl -XDELETE https://compute.googleapis.com/compute/v1/projects/p/zones/z/instances/i",
                Some(Terminate),
            ),
            (
                "curl https://ec2.eu-west-1.amazonaws.com/?Action=TerminateInstances&InstanceId.1=i",
                Some(Terminate),
            ),
            (
                "curl -X POST https://management.azure.com/subscriptions/s/virtualMachines/v/deallocate",
                Some(Terminate),
            ),
            ("wget --method=DELETE https://api.vultr.com/v2/instances/i", Some(Terminate)),
            ("curl -d {\"type\":\"shutdown\"} https://api.digitalocean.com/v2/x", Some(Terminate)),
            ("curl -X DELETE http://broker.internal/vms/7", Some(Unread)),
            ("curl -X POST http://broker.internal/vms/7/terminate", Some(Unread)),
            ("curl -X POST https://hooks.slack.com/services/T/B/x -d stopped", None),
            ("curl https://hooks.slack.com/services/T/B/x -d shutdown", None),
            ("curl -s https://compute.googleapis.com/compute/v1/projects", None),
            ("curl -X DELETE https://runner.circleci.com/api/v3/runner/x", None),
            ("curl --unix-socket /run/docker.sock -X DELETE http://d/containers/x", None),
            ("kubectl delete node build-1", Some(Terminate)),
            ("kubectl delete node/build-1", Some(Terminate)),
            ("kubectl delete pod job-1", None),
            ("gcloud storage objects delete gs://x", None),
            ("az storage blob delete -n x", None),
            ("az vmss delete-instances -n x", Some(Terminate)),
            ("aws autoscaling set-instance-health --health-status Unhealthy", Some(Terminate)),
            ("oci compute instance action --action SOFTSTOP", Some(Terminate)),
            ("scw instance server terminate $ID", Some(Terminate)),
            ("ssh broker retire $(hostname)", Some(Unread)),
        ] {
            assert_eq!(of(line), expected, "{line}");
        }
    }

    #[test]
    fn calls_and_signals_reach_the_manager() {
        use Ending::{Isolate, PowerOff, Reboot, Sleep};
        for (line, expected) in [
            (
                "dbus-send --system --dest=org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager.PowerOff boolean:true",
                Some(PowerOff),
            ),
            (
                "busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager RebootWithFlags t 0",
                Some(Reboot),
            ),
            (
                "gdbus call --system --dest org.freedesktop.login1 --object-path /x --method org.freedesktop.login1.Manager.Suspend true",
                Some(Sleep),
            ),
            (
                "busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartUnit ss poweroff.target replace",
                Some(PowerOff),
            ),
            ("busctl call org.freedesktop.NetworkManager /x y Reboot", None),
            ("busctl list", None),
            ("kill -s RTMIN+4 1", Some(PowerOff)),
            ("kill -SIGRTMIN+5 1", Some(Reboot)),
            ("kill -38 1", Some(PowerOff)),
            ("kill --signal RTMIN+1 1", Some(Isolate)),
            ("kill -INT 1", Some(Reboot)),
            ("kill -HUP 1", None),
            ("kill -1 1", None),
            ("kill -s RTMIN+4 $MAINPID", None),
            ("kill -TERM $MAINPID", None),
        ] {
            assert_eq!(of(line), expected, "{line}");
        }
    }
}
