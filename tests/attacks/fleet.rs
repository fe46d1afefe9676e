//! Many installs on one host, one for each source of names, so that one look examines them all.

use super::{
    commands::word,
    sources::{Source, mark, yaml},
    stage::{Printed, Stage, unit},
};
use crate::support::lab::TOKEN;
use serde_json::{Value, json};

/// See the module.
pub struct Fleet<'a> {
    stage: &'a Stage,
    pub sources: Vec<Source>,
}

impl<'a> Fleet<'a> {
    /// Makes an install and victims for each source.
    pub fn new(stage: &'a Stage, sources: Vec<Source>) -> Self {
        let fleet = Self { stage, sources };
        let mut script = String::from("set -e\numask 022\n");
        let mut private = Vec::new();
        for (number, source) in fleet.sources.iter().enumerate() {
            let name = instance(number);
            let (config, unit) =
                (word(&yaml(&harmless(stage, &name))), word(&unit_of(&name, *source)));
            script.push_str(&format!(
                "install -d -m 750 -o circleci -g circleci /etc/opt/{name} /var/opt/{name} /var/opt/{name}/workdir
                 printf %s {config} >/etc/opt/{name}/launch-agent-config.yaml
                 chown circleci: /etc/opt/{name}/*; chmod 600 /etc/opt/{name}/*
                 printf %s {unit} >/etc/systemd/system/{name}.service\n"
            ));
            private.extend(victims(&mut script, &mark(number), ""));
        }
        script.push_str("systemctl daemon-reload; systemctl enable -q --now $(cd /etc/systemd/system; ls -d circleci-s*.service)\n");
        fleet.run(&script);
        stage.keep(private);
        fleet
    }

    /// Writes to each source its own name.
    pub fn plant(&self, name: &dyn Fn(usize) -> String) {
        let mut script = String::from("set -e\n");
        for (number, source) in self.sources.iter().enumerate() {
            let harmless = harmless(self.stage, &instance(number));
            write(&mut script, &instance(number), *source, &name(number), &harmless);
        }
        self.run(&script);
    }

    /// Fails unless each install is in the report.
    pub fn assert_examined(&self, printed: &Printed) {
        for number in 0..self.sources.len() {
            let name = instance(number);
            let is_told = printed.findings.iter().any(|own| own["instance"] == *name);
            assert!(is_told, "nothing is said of {name}");
        }
    }

    fn run(&self, script: &str) {
        run(self.stage, script);
    }
}

/// Sources of the install that the stage has, each with its number.
pub struct Planted<'a> {
    pub stage: &'a Stage,
    pub sources: &'a [(usize, Source)],
}

impl Planted<'_> {
    /// Makes victims for each source, with a certificate in those that are of the kind.
    pub fn prepare(&self, certificate: &str) {
        let mut script = String::from("set -e\numask 022\n");
        let numbers = self.sources.iter().map(|(number, _)| mark(*number));
        let private = numbers.flat_map(|mark| victims(&mut script, &mark, certificate)).collect();
        run(self.stage, &script);
        self.stage.keep(private);
    }

    /// Writes to each source its own name.
    pub fn plant(&self, name: &dyn Fn(usize) -> String) {
        let harmless = harmless(self.stage, "circleci");
        let mut script = String::from("set -e\n");
        for (number, source) in self.sources {
            write(&mut script, "circleci", *source, &name(*number), &harmless);
        }
        if self.sources.iter().any(|(_, source)| matches!(source, Source::Directive(_))) {
            script.push_str("systemctl daemon-reload\n");
        }
        run(self.stage, &script);
    }
}

/// Adds to a script what writes a name to a source of an install, as the account could.
fn write(
    script: &mut String,
    install: &str,
    source: Source,
    value: &str,
    harmless: &[(&str, Value)],
) {
    let folder = format!("/etc/opt/{install}");
    match source {
        Source::Key(_) | Source::PrefixAccount => {}
        Source::Variable(variable) => {
            let line = word(&format!("{variable}={}\n", quoted(value)));
            script.push_str(&format!(
                "printf %s {line} >>{folder}/environment; chown circleci: {folder}/environment\n"
            ));
        }
        Source::Directive(directive) => {
            let value = match directive {
                "Environment" => format!("TMPDIR={}", value.replace(' ', "")),
                "StandardOutput" => format!("append:{value}"),
                _ => value.to_owned(),
            };
            let text = word(&format!("[Service]\n{directive}={value}\n"));
            let drop_in = format!("/etc/systemd/system/{install}.service.d");
            script.push_str(&format!(
                "mkdir -p {drop_in}; printf %s {text} >>{drop_in}/own.conf; chown -R circleci: {drop_in}\n"
            ));
        }
        Source::Home => {
            script.push_str(&format!("ln -sfn -- {} /home/circleci/way\n", word(value)));
        }
    }
    let config = word(&source.config(harmless, value));
    script.push_str(&format!("printf %s {config} >{folder}/launch-agent-config.yaml\n"));
}

pub fn run(stage: &Stage, script: &str) {
    let output = stage.lab.host.run_with(&["sh", "-s"], &[], script.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Adds to a script what makes the victims with a mark; the files that nobody else reads.
pub fn victims(script: &mut String, mark: &str, certificate: &str) -> Vec<String> {
    let pem = word(&format!(
        "{certificate}-----BEGIN PRIVATE KEY-----\nMARK{mark}\n-----END PRIVATE KEY-----\n"
    ));
    let folder = format!("/srv/victims/{mark}");
    let files = [
        format!("{folder}/site.pem"),
        format!("{folder}/secret.yaml"),
        format!("/root/secret/{mark}"),
        format!("/home/mallory/{mark}"),
    ];
    let all = files.join(" ");
    script.push_str(&format!(
        "mkdir -p {folder}/deep
         for file in {all}; do printf 'MARK{mark}: MARK{mark}\\nrunner:\\n  MARK{mark}: x\\n' >$file; done
         printf %s {pem} >{folder}/site.pem
         chmod 600 {all}; chown mallory: /home/mallory/{mark}\n"
    ));
    files.into()
}

/// The install of a source.
pub fn instance(number: usize) -> String {
    format!("circleci-s{number}")
}

/// A configuration with nothing wrong in it.
fn harmless(stage: &Stage, install: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("api.auth_token", json!(TOKEN)),
        ("api.url", json!(stage.lab.api.url())),
        ("runner.name", json!(format!("lab-{install}"))),
        ("runner.working_directory", json!(format!("/var/opt/{install}/workdir"))),
        ("runner.disable_auto_update", json!(true)),
    ]
}

/// The unit of a source's install; only where it has to does it name what the account can write.
fn unit_of(name: &str, source: Source) -> String {
    let file = match source {
        Source::Variable(_) => format!("EnvironmentFile=-/etc/opt/{name}/environment\n"),
        _ => String::new(),
    };
    unit(name, &file)
}

/// The value of a line of an environment file.
fn quoted(value: &str) -> String {
    let escaped: String = value
        .chars()
        .flat_map(|c| "\"\\$`".contains(c).then_some('\\').into_iter().chain([c]))
        .collect();
    format!("\"{escaped}\"")
}
