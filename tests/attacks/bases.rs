//! The folder that is given as `--root`: another name of this host, a folder that another account
//! can swap, and an image in which parts of this host are mounted.

use crate::support::{
    host::Suite,
    lab::{Lab, PROGRAM, UNIT, said},
};

const PLACES: &str = "
useradd --create-home mallory
ln -s / /home/mallory/img
mkdir -p /mnt/disk /mnt/bound /srv/imgs; ln -s / /mnt/disk/rootfs
mount --bind / /mnt/bound
ln -s /home/mallory /srv/imgs/of-mallory; mkdir -p /home/mallory/true/etc; ln -s /srv /home/mallory/srv
mkdir -p /srv/imgs/own/etc
";

/// What leads to the host, or could be led there by another account.
const REFUSED: [&str; 7] = [
    "/home/mallory/img",
    "/home/mallory/img/.",
    "/mnt/disk/rootfs",
    "/mnt/bound",
    "/proc/1/root",
    "/srv/imgs/of-mallory",
    "/home/mallory/srv/imgs/own",
];

#[test]
fn a_run_for_an_image_leaves_the_host_alone() {
    let what = "names of the host that are given as an image";
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    lab.install(&[], 0);
    lab.wait_for(UNIT, "SubState", "running");
    lab.host.ok(&["sh", "-ec", PLACES]);
    let before = lab.state();
    for base in REFUSED {
        for words in [
            &["uninstall", "--purge", "--yes"][..],
            &["doctor", "--fix", "--yes"],
            &["doctor", "--offline"],
        ] {
            let words: Vec<&str> = words.iter().copied().chain(["--root", base]).collect();
            lab.runnerup(&words, 3);
        }
        lab.install(&["--root", base], 3);
    }
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());
    // A folder of another account: it may be looked at, and is not changed.
    let swapped = ["--root", "/home/mallory/true"];
    lab.runnerup(&[&["doctor", "--offline"][..], &swapped].concat(), 1);
    let told = lab.runnerup(&[&["uninstall", "--purge", "--yes"][..], &swapped].concat(), 3);
    assert!(told.contains("in a folder that other accounts can change"), "{told}");
    // A link of root's on the way.
    lab.host.ok(&["ln", "-s", "imgs", "/srv/link"]);
    lab.runnerup(&["doctor", "--offline", "--root", "/srv/link/own"], 1);
    assert_eq!(lab.property(UNIT, "ActiveState"), "active");
}

const IMAGE: &str = "
mkdir -p /srv/img/proc /srv/img/run /srv/img/etc/systemd/system /srv/img/var/opt /srv/img/home
cp -a /etc/passwd /etc/group /etc/os-release /srv/img/etc/
cp -a --parents /etc/opt/circleci /opt/circleci /etc/systemd/system/circleci.service /srv/img/
printf 'MARKrun\\n' >/run/secret
chown -R root: /srv/img/etc/opt /srv/img/opt
mount --bind /proc /srv/img/proc; mount --bind /run /srv/img/run
";

/// An image has what it names of itself read; what is mounted there is this host's.
#[test]
fn an_image_shows_nothing_of_the_hosts_processes() {
    let what = "an image with the host's /proc in it";
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    lab.install(&[], 0);
    lab.host.ok(&["sh", "-ec", IMAGE]);
    let config = "/srv/img/etc/opt/circleci/launch-agent-config.yaml";
    let unit = "/srv/img/etc/systemd/system/circleci.service";
    let examined = || {
        let doctor = [PROGRAM, "doctor", "-vv", "--root", "/srv/img", "--save-facts", "/run/f"];
        let words = ["env", "MARKname=MARKvalue"].into_iter().chain(doctor);
        let output = lab.host.run(&words.collect::<Vec<_>>());
        let code = output.status.code().unwrap();
        format!("{}{}", said(&output, code), lab.host.ok(&["cat", "/run/f"]))
    };
    for log in ["/proc/self/environ", "/proc/1/environ", "/run/secret", "/mnt/environ", "/far"] {
        let script = format!(
            "sed -i '/^logging:/,$d' {config}; printf 'logging:\\n  file: {log}\\n' >>{config}
             sed -i '/^EnvironmentFile/d; s,^.Service.$,&\\nEnvironmentFile={log},' {unit}
             mkdir -p /srv/img/mnt; touch /srv/img/mnt/environ
             umount -q /srv/img/mnt/environ || true
             mount --bind /proc/self/environ /srv/img/mnt/environ
             ln -sfn /proc/self/environ /srv/img/far"
        );
        lab.host.run_with(&["env", "MARKname=MARKvalue", "sh", "-ec", &script], &[], b"");
        let told = examined();
        assert!(told.contains(log), "{told}");
        assert!(!told.contains("MARK"), "{log}: {:?}", told.find("MARK"));
    }
    // A folder of this host's may be mounted there, as the home of a chroot often is.
    lab.host.ok(&[
        "sh",
        "-ec",
        &format!(
            "mkdir -p /srv/img/log /srv/log; echo MARKdisk >/srv/log/l
                  mount --bind /srv/log /srv/img/log
                  sed -i 's,file:.*,file: /log/l,' {config}"
        ),
    ]);
    let told = examined();
    assert!(told.contains("/log/l") && !told.contains("MARKdisk"), "{told}");
}
