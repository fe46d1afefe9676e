//! Commands that write a line of a unit or of an environment file as it was meant.

use super::{OnUnit, on_unit, unit};
use crate::{
    Command,
    doctor::Remedy,
    host::{Directive, Install, Misread, Misreading, Provenance, Service},
    platform::{fs::Kind, paths::is_of_package},
    service::Verb,
    text::REDACTED,
};
use std::path::Path;

/// The remedy for a line: an edit of that line where what is written there leaves no doubt. With the
/// last of several lines the agent is started again.
pub(super) fn mended(
    misread: &Misread,
    install: &Install,
    service: &Service,
    is_last: bool,
) -> Remedy {
    let remedy = Remedy::by_hand("Write the line as the finding says; then start the agent again.");
    let file = misread.file.to_str().unwrap_or_default();
    let by = by(&misread.file, install, service);
    let line = |edit| Command::root("sed -i").in_line(misread.line, edit).trusted_value(file, by);
    let edited = line_edit(misread, service).map(line);
    match edited.filter(|line| line.line().is_some() && !is_of_package(&misread.file)) {
        None => remedy.typed(Verb::ShowDefinition, install, service),
        Some(line) if !is_last => remedy.command(line),
        Some(line) => {
            let remedy = remedy.command(line).typed(Verb::Reload, install, service);
            remedy.typed(Verb::Restart, install, service)
        }
    }
}

/// The remedy for a PATH that systemd takes otherwise than it is meant.
pub(in crate::doctor) fn path_as_meant(install: &Install) -> Option<Remedy> {
    let service = unit(install).ok()?;
    let of_path = |misread: &&Misread| misread.variable.as_deref() == Some("PATH");
    let misread = service.misread.iter().find(of_path)?;
    Some(mended(misread, install, service, true))
}

/// The remedy for a sign in front of the command of a unit, by which root runs it.
pub(super) fn without_sign(line: &Directive, install: &Install, service: &Service) -> Remedy {
    let remedy = Remedy::by_hand(
        "Remove the + or ! in front of the command in ExecStart=; then restart the agent.",
    );
    let file = line.file.to_str().unwrap_or_default();
    let edit = Command::root("sed -i")
        .in_line(line.line, "s/^\\([^=]*=[-@:|\"[:blank:]]*\\)[+!]/\\1/")
        .trusted_value(file, by(&line.file, install, service));
    match edit.line().is_some() && !is_of_package(&line.file) {
        true => {
            let remedy = remedy.command(edit).typed(Verb::Reload, install, service);
            remedy.typed(Verb::Restart, install, service)
        }
        false => remedy.command(on_unit(OnUnit::EditFull, install, service)),
    }
}

/// Who could have named or written the file.
fn by(file: &Path, install: &Install, service: &Service) -> Provenance {
    let definitions = service.definitions.iter().map(|definition| &definition.walk);
    let files = install.paths.iter().filter_map(|named| named.walk.ok());
    let walk = definitions.chain(files).find(|walk| walk.path == file);
    let is_file = walk.filter(|walk| walk.is(Kind::File));
    is_file.map_or(Provenance::Anybody, |walk| install.named_by.and(walk.written_by()))
}

/// The edit, in the language of sed.
fn line_edit(misread: &Misread, service: &Service) -> Option<&'static str> {
    let is_it = |line: &&Directive| {
        line.file == misread.file && line.line == misread.line && line.key == misread.key
    };
    let value = service.directives.iter().find(is_it).map(|line| line.value.as_str());
    let has = |signs: [char; 2]| value.is_some_and(|value| value.contains(signs));
    match &misread.what {
        Misreading::NoSpecifier(_) | Misreading::Specifier(_)
            if !has_other_specifier(misread, value?) =>
        {
            Some("s/%%/%/g;s/%/%%/g")
        }
        Misreading::NoAssignment(_) if value?.contains(" #") && !has(['"', '\'']) => {
            Some("s/[[:blank:]]#.*$//")
        }
        Misreading::NoAssignment(_)
            if misread.variable.is_some() && !has(['"', '\'']) && !has(['\\', ';']) =>
        {
            Some(
                "s/[[:blank:]]\\{1,\\}\\([A-Za-z_][A-Za-z0-9_]*=\\)/\" \"\\1/g;s/=\\(.*\\)$/=\"\\1\"/",
            )
        }
        Misreading::Keyword(_) => {
            Some("s/^[[:blank:]]*\\(export\\|set\\|env\\|declare -x\\)[[:blank:]]\\{1,\\}//")
        }
        Misreading::Comment if !has(['"', '\'']) => Some("s/[[:blank:]]\\{1,\\}[#;].*$//"),
        Misreading::Quoted if !value?.contains('\\') => Some("s/[\"'\\'']//g"),
        Misreading::NotExpanded(text) if text == "$PATH" || text == "${PATH}" => Some(
            "s|[$]{\\{0,1\\}PATH}\\{0,1\\}|/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|g",
        ),
        _ => None,
    }
}

/// Whether a specifier may be meant as one, so that not every percent sign may be doubled. What is not
/// shown is a login, in which none is.
fn has_other_specifier(misread: &Misread, value: &str) -> bool {
    let value = value.replace(REDACTED, "");
    let (Misreading::NoSpecifier(text) | Misreading::Specifier(text)) = &misread.what else {
        return true;
    };
    let mut signs = value.replace(text.as_str(), "").replace("%%", "");
    signs.retain(|sign| sign == '%');
    !signs.is_empty()
}
