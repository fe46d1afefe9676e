//! Files that systemd never reads, because of their names.

use crate::{
    doctor::{Problem, Remedy, change::renamed},
    host::{Install, Service},
    service::systemd::{OnUnit, on_unit, reload},
    values::Manager,
};

/// The problem of a unit whose file has a name that systemd does not read.
pub(in crate::doctor::service) fn unread(install: &Install, service: &Service) -> Option<Problem> {
    let file = service.file().filter(|_| service.manager == Manager::Systemd)?;
    if file.path.extension().is_some_and(|end| end == "service") {
        return None;
    }
    let meant = file.path.with_file_name(&service.name);
    let name = file.path.file_name().unwrap_or_default().display();
    Some(
        Problem::fail(format!(
            "systemd reads files whose names end in .service only, and not {name}"
        ))
        .seen(file.path.display().to_string())
        .cure(
            Remedy::by_hand("Rename the file, and start the service.")
                .command(renamed(file, &meant, install.named_by))
                .command(reload(install, service))
                .command(on_unit(OnUnit::EnableNow, install, service)),
        ),
    )
}

#[cfg(test)]
mod tests {
    use crate::doctor::{Selection, Status, fixtures::*, judge};

    #[test]
    fn a_unit_by_another_name_is_one_finding_and_renamed() {
        for (path, expected) in [
            ("/etc/systemd/system/circleci.service", Status::Pass),
            ("/etc/systemd/system/circleci.service.txt", Status::Fail),
            ("/etc/systemd/system/circleci", Status::Fail),
        ] {
            let mut survey = healthy();
            service_of(&mut survey).definitions[0].walk = walk(path, file(0, 0o644));
            assert_eq!(status(&survey, "service/defined"), expected, "{path}");
            let findings = judge(&survey, &Selection::default());
            assert!(findings.iter().filter(|own| own.is_problem()).count() <= 1, "{path}");
        }
    }
}
