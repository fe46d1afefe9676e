//! Linux: sudo's rule, and what an image's first boot makes of declarations.

use super::Desired;
use crate::{
    Code, Error, Result,
    platform::{Os, paths::home},
    record::{Check, Content, File, Step},
    text::shown,
};
use std::path::{Path, PathBuf};

impl Desired<'_> {
    pub(super) fn sudoers(&mut self) {
        let user = self.spec.user.as_str();
        let text = format!(
            "# Written by runnerup, as --passwordless-sudo asked: jobs can become root.\n\
             {user} ALL=(ALL) NOPASSWD:ALL\n"
        );
        let path = self.spec.sudoers();
        let purpose = "jobs can become root without a password";
        let owner = self.root();
        self.parents(&path);
        self.steps.push(Step::File(File {
            path,
            content: Content::public(text),
            owner,
            mode: 0o440,
            purpose,
            definition: false,
            check: Some(Check::Sudoers),
            seed: false,
            replaces: false,
        }));
    }

    /// # Errors
    /// When a path could mean something else to the programs that read the declarations.
    pub(super) fn declarations(&mut self) -> Result<()> {
        let (spec, layout) = (self.spec, &self.spec.layout);
        let user = spec.user.as_str();
        let name = layout.service.trim_end_matches(".service");
        let account = format!(
            "# Written by runnerup: the account that jobs run as.\n\
             u {user} - \"CircleCI runner\" {} /bin/bash\n",
            shown(home(Os::Linux, user))
        );
        let mut owned = format!(
            "# Written by runnerup: what the account owns.\nd {} 0700 {user} {user} -\n",
            shown(home(Os::Linux, user))
        );
        for step in &self.steps {
            let (path, mode) = match step {
                Step::Folder(folder) if folder.data => (&folder.path, folder.mode),
                Step::File(file) if file.path == layout.config || file.seed => {
                    (&file.path, file.mode)
                }
                Step::Binary(binary) if binary.updates_itself => (&binary.path, 0o755),
                _ => continue,
            };
            owned += &format!("z {} {mode:04o} {user} {user} -\n", field(path)?);
        }
        if let Some(folder) = layout.binary.parent().filter(|_| spec.auto_update) {
            owned += &format!("z {} 0755 {user} {user} -\n", field(folder)?);
        }
        let root = self.root();
        let path = PathBuf::from(format!("/etc/sysusers.d/{name}.conf"));
        self.file(
            &path,
            Content::public(account),
            root.clone(),
            0o644,
            "creates the account at the first boot",
        );
        let path = PathBuf::from(format!("/etc/tmpfiles.d/{name}.conf"));
        self.file(
            &path,
            Content::public(owned),
            root,
            0o644,
            "sets the owners of the account's files at boot",
        );
        Ok(())
    }
}

/// A path as a field of `tmpfiles.d(5)`. A path with a blank could add an owner and a mode of its own,
/// and versions of systemd read specifiers, patterns and quotes in different ways: such paths are refused.
fn field(path: &Path) -> Result<String> {
    let text = shown(path);
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@:,=".contains(c);
    if text.chars().all(is_plain) {
        return Ok(text);
    }
    Err(Error::new(
        Code::ValueInvalid,
        format!("the path {text:?} cannot be used in an image, where tmpfiles.d sets its owner"),
    )
    .help("use a path of letters, digits and the characters . _ - + @ : , ="))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_field_or_refused() {
        for path in ["/var/opt/circleci/a-b_c.d", "/srv/über/x@1,y=2"] {
            assert_eq!(field(Path::new(path)).unwrap(), path);
        }
        for sign in [" ", "\t", "\n", "%", "*", "?", "[", "]", "\"", "'", "\\", "#", "\u{202e}"] {
            let path = format!("/var/opt/circleci/x{sign}4777");
            assert!(field(Path::new(&path)).is_err(), "{path:?}");
        }
    }
}
