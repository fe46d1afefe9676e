//! Where settings come from, and how their values are read.

use super::super::{Cure::Hand, Fault, Healthy, fault, form, saying, seen_by};

/// Each is found, and nothing else. A value is a person's to write: no command knows it.
pub const FAULTS: &[Fault] = &[
    // Public set-up scripts and templates: what stands where the token belongs.
    saying(
        &["JSON"],
        fault(
            "token that is the JSON of a secret store",
            "edit \"s/auth_token: .*/auth_token: '{\\\"token\\\":\\\"abc\\\"}'/\"",
            "config/token-set",
            Hand,
            "config",
        ),
    ),
    saying(
        &["where it had no value"],
        fault(
            "token that a program wrote as None",
            "edit 's/auth_token: .*/auth_token: None/'",
            "config/token-set",
            Hand,
            "config",
        ),
    ),
    saying(
        &["a template left"],
        fault(
            "token that a template asks for",
            "edit 's/auth_token: .*/auth_token: REPLACE_WITH_TOKEN/'",
            "config/token-set",
            Hand,
            "config",
        ),
    ),
    saying(
        &["reference to a secret store"],
        fault(
            "token that is a reference to Vault",
            "edit 's|auth_token: .*|auth_token: vault:secret/data/ci#token|'",
            "config/token-set",
            Hand,
            "config",
        ),
    ),
    saying(
        &["encrypted by SOPS"],
        fault(
            "token that SOPS encrypted",
            "edit 's|auth_token: .*|auth_token: ENC[AES256_GCM,data:x,type:str]|'",
            "config/token-set",
            Hand,
            "config",
        ),
    ),
    saying(
        &["the path of a file"],
        fault(
            "token that is the path of a secret",
            "edit 's|auth_token: .*|auth_token: /run/secrets/token|'",
            "config/token-set",
            Hand,
            "config",
        ),
    ),
    saying(
        &["personal or project API token"],
        fault(
            "token of a person",
            "edit 's/auth_token: .*/auth_token: CCIPAT_9f_2a1b0c/'",
            "config/token-set",
            Hand,
            "config",
        ),
    ),
    saying(
        &["line break"],
        fault(
            "token with a line break, by a block of YAML",
            "edit 's/auth_token: \"?([^\"]*)\"?/auth_token: |\\n    \\1/'",
            "config/token-set",
            Hand,
            "config",
        ),
    ),
    // The URL that a person sees in the browser.
    saying(
        &["web application", "runner.circleci.com"],
        fault(
            "URL of the web application",
            "edit 's#url: .*#url: https://app.circleci.com#'",
            "config/values-valid",
            Hand,
            "config",
        ),
    ),
    saying(
        &["has a path"],
        fault(
            "URL with the path of an API",
            "edit 's#(url: .*[0-9])/?$#\\1/api/v2#'",
            "config/values-valid",
            Hand,
            "config",
        ),
    ),
    // A flag or a variable gives the value.
    saying(
        &["90-fault.conf:3: --runner.name", "flag"],
        fault(
            "name with a blank, by a flag",
            "edit '/^  name:/d'
             drop \"[Service]\\nExecStart=\\nExecStart=$B --config $C '--runner.name=Big Mac'\\n\"
             systemctl restart circleci",
            "config/name-valid",
            Hand,
            "undrop; config; systemctl restart circleci",
        ),
    ),
    saying(
        &["/etc/circleci.env:2: LAUNCH_AGENT_RUNNER_IDLE_TIMEOUT", "variable"],
        fault(
            "duration in days, by a variable",
            "printf '# x\\nLAUNCH_AGENT_RUNNER_IDLE_TIMEOUT=5d\\n' >/etc/circleci.env
             drop '[Service]\\nEnvironmentFile=/etc/circleci.env\\n'
             systemctl restart circleci",
            "config/durations-valid",
            Hand,
            "undrop; rm /etc/circleci.env; systemctl restart circleci",
        ),
    ),
    saying(
        &["/etc/circleci.env:1: LAUNCH_AGENT_API_AUTH_TOKEN", "a template left"],
        fault(
            "placeholder in place of the token, by a variable",
            "edit '/auth_token:/d'
             printf 'LAUNCH_AGENT_API_AUTH_TOKEN=YOUR_TOKEN_GOES_HERE\\n' >/etc/circleci.env
             chmod 600 /etc/circleci.env
             drop '[Service]\\nEnvironmentFile=/etc/circleci.env\\n'
             systemctl restart circleci",
            "config/token-set",
            Hand,
            "undrop; rm /etc/circleci.env; config; systemctl restart circleci",
        ),
    ),
    seen_by(
        &["service/running", "service/not-crash-looping", "service/restarts"],
        saying(
            &["/opt/circleci/launch-agent-config.yaml does not exist"],
            fault(
                "no --config, and none in the working directory",
                "drop \"[Service]\\nExecStart=\\nExecStart=$B\\nWorkingDirectory=/opt/circleci\\n\"
                 systemctl restart circleci || true",
                "config/exists",
                Hand,
                "undrop; systemctl restart circleci",
            ),
        ),
    ),
];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[
    // The agent's help: `-c, --config="launch-agent-config.yaml"`.
    form(
        "no --config, and the configuration in the working directory",
        "drop \"[Service]\\nExecStart=\\nExecStart=$B\\nWorkingDirectory=/etc/opt/circleci\\n\"
         systemctl restart circleci",
        "undrop; systemctl restart circleci",
    ),
    form(
        "--config relative to the working directory",
        "drop \"[Service]\\nExecStart=\\nExecStart=$B -c ./launch-agent-config.yaml\\n\\
         WorkingDirectory=-/etc/opt/circleci\\n\"
         systemctl restart circleci",
        "undrop; systemctl restart circleci",
    ),
    // As the start script of CircleCI's container image configures it.
    Healthy {
        says: &["no configuration is needed"],
        ..form(
            "everything by variables, and no file",
            "value() { sed -n \"s/^  $1: *//p\" $C | tr -d \"\\\"'\"; }
             { echo LAUNCH_AGENT_API_AUTH_TOKEN=$(value auth_token)
               echo LAUNCH_AGENT_API_URL=$(value url)
               echo LAUNCH_AGENT_RUNNER_NAME=bar
               echo LAUNCH_AGENT_RUNNER_WORK_DIR=$W
               echo LAUNCH_AGENT_RUNNER_CLEANUP_WORK_DIR=true
               echo LAUNCH_AGENT_RUNNER_DISABLE_AUTO_UPDATE=1; } >/etc/circleci.env
             chmod 600 /etc/circleci.env
             drop \"[Service]\\nExecStart=\\nExecStart=$B\\nEnvironmentFile=/etc/circleci.env\\n\"
             systemctl restart circleci",
            "undrop; rm /etc/circleci.env; systemctl restart circleci",
        )
    },
    // As a public Terraform template starts it on a Mac.
    Healthy {
        says: &["lab-2, from", "--runner.name"],
        ..form(
            "name by a flag, and none in the file",
            "edit '/^  name:/d'
             drop \"[Service]\\nExecStart=\\nExecStart=$B --config $C --runner.name lab-2\\n\"
             systemctl restart circleci",
            "undrop; config; systemctl restart circleci",
        )
    },
    form(
        "an anchor for the name, and a merge key",
        "edit 's/^  name: .*/  name: *n/; s/^  cleanup_working_directory: .*/  <<: *shared/'
         edit '1i x: \\&n lab\\nx-shared: \\&shared\\n  cleanup_working_directory: true'",
        "config",
    ),
    form(
        "yes and no where true and false belong",
        "edit 's/(disable_auto_update|cleanup_working_directory): .*/\\1: yes/'",
        "config",
    ),
    form(
        "texts over several lines, in quotes and with tags",
        "edit 's/^  name: .*/  name: >-\\n    lab/; s/^  url: (.*)/  url: !!str \\1/'
         edit '1i %YAML 1.1\\n---'",
        "config",
    ),
];
