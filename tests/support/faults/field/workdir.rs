//! What a cleaned work folder may be and hold. A person has to choose another folder: no cure by
//! command.

use super::super::{Cure, Fault, Healthy, fault, form, saying, seen_by};

const CHECK: &str = "permissions/workdir-apart";

/// Puts the configuration back, and has the agent read it.
const HEAL: &str = "config; systemctl restart circleci.service";

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[
    // As a public set-up script for CI accounts has it; homes were emptied so.
    saying(
        &["is emptied after each job, and holds the home /home/circleci"],
        fault(
            "work folder: the home",
            "edit 's#^(  working_directory: ).*#\\1/home/circleci#'; systemctl restart circleci.service",
            CHECK,
            Cure::Hand,
            HEAL,
        ),
    ),
    saying(
        &["is emptied after each job, and holds the agent's binary /opt/circleci/"],
        fault(
            "work folder: the folder of the binary",
            "edit 's#^(  working_directory: ).*#\\1/opt/circleci#'; systemctl restart circleci.service",
            CHECK,
            Cure::Hand,
            HEAL,
        ),
    ),
    saying(
        &["is emptied after each job, and holds the agent's configuration /etc/opt/circleci/"],
        fault(
            "work folder: the folder of the configuration",
            "edit 's#^(  working_directory: ).*#\\1/etc/opt/circleci#'; systemctl restart circleci.service",
            CHECK,
            Cure::Hand,
            HEAL,
        ),
    ),
    // As a public script for Macs has it.
    saying(
        &["/tmp, in which a folder is made for each job"],
        fault(
            "work folder: /tmp/%s",
            "edit 's#^(  working_directory: ).*#\\1/tmp/%s#'; systemctl restart circleci.service",
            CHECK,
            Cure::Hand,
            HEAL,
        ),
    ),
    // Behind a link, as an administrator moves data to another disk.
    saying(
        &["leads to /home/circleci"],
        fault(
            "work folder: a link to the home",
            "ln -s /home/circleci /srv/work; edit 's#^(  working_directory: ).*#\\1/srv/work#'; systemctl restart circleci.service",
            CHECK,
            Cure::Hand,
            "config; rm /srv/work; systemctl restart circleci.service",
        ),
    ),
    // By a variable of the service, which wins over the file.
    seen_by(
        &["config/environment-overrides"],
        saying(
            &["/home/circleci is emptied after each job"],
            fault(
                "work folder: the home, by a variable",
                "drop '[Service]\\nEnvironment=LAUNCH_AGENT_RUNNER_WORK_DIR=/home/circleci\\n'; systemctl restart circleci.service",
                CHECK,
                Cure::Hand,
                "undrop; systemctl restart circleci.service",
            ),
        ),
    ),
];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[
    form(
        "work folder: a folder for each job in the home",
        "edit 's#^(  working_directory: ).*#\\1/home/circleci/%s#'; systemctl restart circleci.service",
        HEAL,
    ),
    form(
        "work folder: a disk of its own",
        "install -d -o circleci -m 750 /data; edit 's#^(  working_directory: ).*#\\1/data#'; systemctl restart circleci.service",
        "config; rmdir /data; systemctl restart circleci.service",
    ),
    form(
        "work folder: beside the binary",
        "install -d -o circleci -m 750 /opt/circleci/work; edit 's#^(  working_directory: ).*#\\1/opt/circleci/work#'; systemctl restart circleci.service",
        "config; rmdir /opt/circleci/work; systemctl restart circleci.service",
    ),
];
