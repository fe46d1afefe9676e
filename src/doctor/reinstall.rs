//! What keeps `runnerup install`, as a remedy names it, from acting on an agent.

use super::Remedy;
use crate::{
    agent::Layout,
    host::{ConfigState, Install, PathWalk, Seen, Service, Survey},
    platform::fs::Kind,
};

/// A reason for which it would be refused, or would change another service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hindrance {
    /// A drop-in has something else run: E3007.
    DropIn,
    /// The service is none that it writes.
    OtherService,
    /// A link stands in the place of the definition: E3007.
    Link,
    /// Something else than a file stands in the place of the configuration: E3007.
    NoFile,
    /// The receipt of an image names a bucket, which no download of this host goes by.
    Bucket,
    /// The configuration, and the token with it, is gone: E2003 where nobody can be asked.
    NoToken,
}

impl Hindrance {
    /// What to do before it, or with it.
    fn advice(self) -> &'static str {
        match self {
            Self::DropIn => {
                "First remove the drop-in that replaces the command: an install is refused while it is \
                 there."
            }
            Self::OtherService => {
                "An install does not change this service: correct its definition."
            }
            Self::Link => "First remove the link from the path of the unit.",
            Self::NoFile => "First move away what is at the path of the configuration.",
            Self::Bucket => {
                "Install again with --release-url: the bucket that the receipt of the image names is \
                 not taken over."
            }
            Self::NoToken => "Without a terminal give it the token: --token-file FILE.",
        }
    }

    fn of(survey: &Survey, install: &Install) -> Option<Self> {
        let service = install.service.as_ref();
        if service.is_some_and(is_replaced) {
            return Some(Self::DropIn);
        }
        let instance = install.receipt.as_ref().map(|_| install.name.as_str());
        let instance = instance.filter(|name| *name != "default");
        let layout = Layout::of(install.agent, survey.host.os, instance);
        let is_other = service.is_some_and(|service| {
            service.name.contains('@') || survey.host.image && service.name != layout.service
        });
        if is_other {
            return Some(Self::OtherService);
        }
        // Of a host the commands of the manager unmask a unit, and one moves a folder aside.
        if !survey.host.image {
            return None;
        }
        let config = install.config.as_ref().and_then(Seen::ok);
        let is_link = |walk: &PathWalk| {
            walk.passed.iter().any(|part| part.path == walk.path && part.meta.kind == Kind::Link)
        };
        if service.and_then(Service::file).is_some_and(is_link) {
            Some(Self::Link)
        } else if config.is_some_and(|config| config.state == ConfigState::NotAFile) {
            Some(Self::NoFile)
        } else if install.receipt.as_ref().is_some_and(|receipt| receipt.has_bucket) {
            Some(Self::Bucket)
        } else if config.is_some_and(|config| config.state == ConfigState::Missing) {
            Some(Self::NoToken)
        } else {
            None
        }
    }
}

/// Whether a drop-in has something else run than the unit says.
fn is_replaced(service: &Service) -> bool {
    let Some(unit) = service.file() else { return false };
    let keys = ["ExecStart", "RootDirectory", "RootImage"];
    service.directives.iter().any(|line| {
        line.file != unit.path
            && line.section == "Service"
            && keys.contains(&line.key.as_str())
            && line.file.extension().is_some_and(|extension| extension == "conf")
    })
}

/// The remedy, without an install that would change nothing.
pub(super) fn possible(remedy: Remedy, survey: &Survey, install: &Install) -> Remedy {
    match Hindrance::of(survey, install) {
        None => remedy,
        Some(hindrance @ Hindrance::NoToken) => remedy.of_install(false, hindrance.advice()),
        Some(hindrance) => remedy.of_install(true, hindrance.advice()),
    }
}

#[cfg(test)]
#[cfg(unix)] // Paths are whole only there.
mod tests {
    use super::*;
    use crate::{
        doctor::{Command, fixtures::*},
        platform::fs::PathPart,
    };

    /// The commands of a remedy that installs.
    fn installed(survey: &Survey) -> (Vec<String>, String) {
        let remedy = Remedy::by_hand("Install.").command(Command::install());
        let remedy = possible(remedy, survey, &survey.installs[0]);
        let commands = remedy.commands().into_iter().map(str::to_owned).collect();
        (commands, remedy.text().to_owned())
    }

    fn is_named(survey: &Survey) -> bool {
        !installed(survey).0.is_empty()
    }

    #[test]
    fn an_install_that_would_be_refused_is_not_named() {
        let mut survey = healthy();
        assert!(is_named(&survey));
        directive(&mut survey, "Service", "ExecStart", "/opt/run.sh");
        let line = service_of(&mut survey).directives.last_mut().unwrap();
        line.file = "/etc/systemd/system/circleci.service.d/o.conf".into();
        assert!(!is_named(&survey));
        let mut survey = healthy();
        service_of(&mut survey).name = "circleci@1.service".into();
        assert!(!is_named(&survey));
    }

    #[test]
    fn an_image_lacks_what_a_host_has() {
        type Change = fn(&mut Survey);
        let changes: [(Change, bool); 4] = [
            (|survey| service_of(survey).name = "ci.service".into(), false),
            (
                |survey| {
                    let walk = &mut service_of(survey).definitions[0].walk;
                    let mut meta = file(0, 0o777);
                    meta.kind = Kind::Link;
                    walk.passed.push(PathPart {
                        path: walk.path.clone(),
                        meta,
                        has_list: false,
                        replaceable_by: Default::default(),
                    });
                },
                false,
            ),
            (|survey| agent(survey).receipt.as_mut().unwrap().has_bucket = true, false),
            (|survey| config_of(survey).state = ConfigState::Missing, true),
        ];
        for (change, expected) in changes {
            let mut survey = healthy();
            change(&mut survey);
            assert!(is_named(&survey));
            survey.host.image = true;
            assert_eq!(is_named(&survey), expected);
            assert!(installed(&survey).1.len() > "Install.".len());
        }
    }
}
