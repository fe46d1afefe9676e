//! Commands that are printed for an image: whoever pastes them must not change the host.

use super::{
    commands,
    stage::{Made, Stage},
};
use crate::support::lab::UNIT;

/// An image with the same install as the host, and everything wrong with it.
const IMAGE: &str = "
mkdir -p /srv/img/etc/systemd/system /srv/img/etc/opt /srv/img/var/opt /srv/img/opt /srv/img/usr/bin
cp -a /etc/passwd /etc/group /etc/shadow /etc/os-release /srv/img/etc/
cp -a /etc/opt/circleci /srv/img/etc/opt/; cp -a /var/opt/circleci /srv/img/var/opt/; cp -a /opt/circleci /srv/img/opt/
cp -a $U /srv/img/etc/systemd/system/
cd /srv/img
chown -R root: var/opt/circleci; chmod 700 var/opt/circleci/workdir
chmod 644 etc/opt/circleci/launch-agent-config.yaml; chmod 600 opt/circleci/circleci-launch-agent
chmod 666 etc/systemd/system/circleci.service
printf 'logging:\\n  file: /etc/ssl/agent.log\\n' >>etc/opt/circleci/launch-agent-config.yaml
mkdir -m 700 etc/ssl
mkdir etc/systemd/system/circleci.service.d
printf '[Service]\\nEnvironment=TMPDIR=/no/such\\nEnvironmentFile=/etc/opt/circleci/environment\\n' >etc/systemd/system/circleci.service.d/x.conf
printf 'HTTPS_PROXY=http://me:hunter2hunter2@127.0.0.1:1\\n' >etc/opt/circleci/environment; chmod 666 etc/opt/circleci/environment
";

/// The host's own install, with the same things wrong: to put them right would be seen.
const HOST: &str = "
chown -R root: /var/opt/circleci; chmod 700 $W; chmod 644 $C; chmod 600 $B; chmod 666 $U
";

const LOOK: &str = "stat -c '%a %u %g %n' /opt/circleci /opt/circleci/* /etc/opt/circleci \
    /etc/opt/circleci/* /var/opt/circleci /var/opt/circleci/* \
    /etc/systemd/system/circleci.service*; \
    systemctl show --property InvocationID,UnitFileState circleci.service";

#[test]
fn a_command_for_an_image_leaves_the_host_alone() {
    let Some(stage) = Stage::new(Made::ByHand, "commands for an image") else { return };
    stage.script(IMAGE);
    stage.script(HOST);
    let metadata = || stage.lab.host.ok(&["sh", "-c", LOOK]);
    let (before, outside) = (metadata(), outside(&stage));
    let printed = stage.examined(&["--root=/srv/img"]);
    let bare: Vec<_> = printed.commands.iter().filter(|command| !carries_root(command)).collect();
    assert!(bare.is_empty(), "without the root: {bare:#?}");
    assert!(printed.findings.iter().filter(|own| own["status"] == "fail").count() > 2);

    for command in &printed.commands {
        stage.lab.host.run(&["timeout", "20", "sh", "-c", command]);
        assert_eq!(metadata(), before, "{command}");
        assert_eq!(self::outside(&stage), outside, "{command}");
    }
    stage.fixed(&["--root=/srv/img"]);
    assert_eq!(metadata(), before, "doctor --fix");
    assert_eq!(self::outside(&stage), outside, "doctor --fix");
    assert_eq!(stage.lab.property(UNIT, "ActiveState"), "active");
}

/// What was changed outside of install and image.
fn outside(stage: &Stage) -> Vec<String> {
    stage.changes().into_iter().filter(|line| !line.contains("/srv/img")).collect()
}

/// Whether each path of a command lies in the image, and our own commands are given the root.
fn carries_root(command: &str) -> bool {
    let Some(words) = commands::words(command) else { return false };
    let is_ours = words.iter().any(|word| word == "runnerup");
    if is_ours {
        // An explanation is the same everywhere.
        return words.iter().any(|word| word == "explain")
            || words.windows(2).any(|pair| pair == ["--root", "/srv/img"])
            || words.iter().any(|word| word == "--root=/srv/img");
    }
    let is_service = words.iter().any(|word| word == "systemctl" || word == "journalctl");
    let paths = words.iter().filter(|word| word.starts_with('/') && *word != "/dev/null");
    !is_service && paths.into_iter().all(|path| path.starts_with("/srv/img/"))
}
