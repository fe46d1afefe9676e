//! All steps of an install, whether they are done already or not; what only one system has is in a file
//! of its name.

mod linux;
mod services;
mod windows;

use super::{config, real_path::real_path};
use crate::{
    Code, Error, Help, Result,
    agent::Token,
    host::Facts,
    platform::{
        Os,
        accounts::AccountId,
        fs::{Kind, Meta},
        paths::home,
    },
    record::{Binary, Content, File, Folder, NewAccount, Owner, Step, Target, ancestors},
    release::Artifact,
    service::environment,
    settings::Spec,
    text::shown,
    values::static_prefix,
};
use std::path::{Path, PathBuf};

/// Builds the list of steps.
pub(super) struct Desired<'a> {
    spec: &'a Spec,
    facts: &'a Facts,
    steps: Vec<Step>,
}

/// Whether the image's first boot creates the account from `sysusers.d` and sets owners by `tmpfiles.d`:
/// so it is in an empty folder, and without root.
pub(super) fn is_declared(facts: &Facts) -> bool {
    !facts.keeps_accounts || !facts.privileged && !facts.is_host
}

impl<'a> Desired<'a> {
    /// All steps of an install.
    ///
    /// # Errors
    /// When a setting cannot be had on this host.
    pub(super) fn steps(
        spec: &'a Spec,
        facts: &'a Facts,
        token: &Token,
        artifact: &Artifact,
    ) -> Result<Vec<Step>> {
        let mut desired = Self { spec, facts, steps: Vec::new() };
        desired.account()?;
        if desired.os() == Os::Windows {
            desired.program_folder(token, artifact)?;
            return Ok(desired.steps);
        }
        desired.binary(artifact);
        desired.configuration(token)?;
        desired.data();
        if spec.passwordless_sudo {
            desired.sudoers();
        }
        if is_declared(facts) && desired.os() == Os::Linux {
            desired.declarations()?;
        }
        desired.services()?;
        Ok(desired.steps)
    }

    fn account(&mut self) -> Result<()> {
        let name = self.spec.user.as_str();
        if is_declared(self.facts) {
            return Ok(());
        }
        if !self.spec.create_user {
            return match self.facts.account(name) {
                Some(_) => Ok(()),
                None => Err(Error::new(
                    Code::HostUnfit,
                    format!("the account {name} does not exist, and --no-create-user does not allow creating it"),
                )
                .help(Help::value(
                    "create the account ",
                    name,
                    ", or leave out --no-create-user",
                ))),
            };
        }
        if self.facts.account(name).is_none() && name.contains('.') && self.os() != Os::Windows {
            return Err(Error::new(
                Code::HostUnfit,
                format!("the account {name} does not exist, and no account is created with a dot in its name"),
            )
            .help("give the name of an account that exists, or one without a dot: --user NAME"));
        }
        self.steps.push(Step::Account(NewAccount {
            name: name.to_owned(),
            home: home(self.os(), name),
            shell: self.shell(),
            administrator: self.os() == Os::Windows,
        }));
        Ok(())
    }

    fn binary(&mut self, artifact: &Artifact) {
        let path = &self.spec.layout.binary;
        // The account may replace its own binary only where the agent is to update itself.
        let owner = if self.spec.auto_update { self.agent() } else { self.root() };
        if let Some(folder) = path.parent() {
            self.folder(folder, owner.clone(), 0o755, false);
        }
        self.steps.push(Step::Binary(Binary {
            path: path.clone(),
            artifact: artifact.clone(),
            owner,
            updates_itself: self.spec.auto_update,
        }));
    }

    fn configuration(&mut self, token: &Token) -> Result<()> {
        let layout = &self.spec.layout;
        let name = config::runner_name(self.spec, self.facts)?;
        if let Some(folder) = layout.config.parent() {
            let root = self.root();
            self.folder(folder, root, 0o755, false);
        }
        if let Some(ca) = self.facts.ca.as_deref() {
            let (content, owner) = (Content::public(ca), self.root());
            self.file(
                &layout.ca,
                content,
                owner,
                0o644,
                "a certificate authority that the agent trusts",
            );
        }
        if let Some(content) = environment::content(self.spec, layout)
            && self.os() == Os::Linux
        {
            let owner = self.root();
            self.file(
                &layout.environment,
                content,
                owner,
                0o600,
                "proxy and certificate authority of the service",
            );
        }
        let (content, owner) = (config::content(self.spec, token, &name), self.agent());
        self.file(
            &layout.config,
            content,
            owner,
            0o600,
            "the agent's configuration, with the token",
        );
        Ok(())
    }

    fn data(&mut self) {
        let layout = &self.spec.layout;
        let workdir = static_prefix(self.spec.workdir.as_str());
        let user = self.user();
        if workdir.starts_with(&layout.data) && !self.is_with_binary(&layout.data) {
            self.folder(&layout.data, user.clone(), 0o750, true);
        }
        if workdir != layout.data {
            self.folder(&workdir, user.clone(), 0o750, true);
        }
        if let Some(folder) = layout.task_agents.as_ref() {
            let owner = self.agent();
            self.folder(folder, owner, 0o755, true);
        }
        let log = self.spec.log_file.as_ref().map(|path| PathBuf::from(path.as_str()));
        let Some(log) = log.filter(|_| self.os() == Os::Linux) else { return };
        let Some(folder) = log.parent() else { return };
        let ours =
            self.facts.receipt.as_ref().is_some_and(|receipt| {
                receipt.record(&Target::Folder(folder.to_owned())).is_some()
            });
        if ours || self.facts.path(folder).meta.is_none() {
            self.folder(folder, user, 0o750, true);
        } else {
            // The account cannot create a file in a folder of others.
            self.log(log, user, "the agent's log");
        }
    }

    /// Whether the binary is in this folder too, by a link such as `/opt` of an image-based system
    /// (`/opt -> var/opt` of rpm-ostree): the folder is root's then, as that of any binary.
    fn is_with_binary(&self, folder: &Path) -> bool {
        let binary = real_path(&self.spec.layout.binary, self.facts);
        binary.starts_with(real_path(folder, self.facts))
    }

    /// A log file that exists before the agent writes it, and is removed with the jobs' data.
    fn log(&mut self, path: PathBuf, owner: Option<Owner>, purpose: &'static str) {
        self.parents(&path);
        self.steps.push(Step::File(File {
            path,
            content: Content::public(""),
            owner,
            mode: 0o640,
            purpose,
            definition: false,
            check: None,
            seed: true,
            replaces: false,
        }));
    }

    fn file(
        &mut self,
        path: &Path,
        content: Content,
        owner: Option<Owner>,
        mode: u32,
        purpose: &'static str,
    ) {
        self.parents(path);
        self.steps.push(Step::File(File {
            path: path.to_owned(),
            content,
            owner,
            mode,
            purpose,
            definition: false,
            check: None,
            seed: false,
            replaces: false,
        }));
    }

    fn folder(&mut self, path: &Path, owner: Option<Owner>, mode: u32, data: bool) {
        self.parents(path);
        let folder = Folder { path: path.to_owned(), owner, mode, data, shared: false };
        let known = self.steps.iter_mut().find_map(|step| match step {
            Step::Folder(known) if known.path == path => Some(known),
            _ => None,
        });
        match known {
            // An earlier step already creates it, as a parent or for another purpose.
            Some(known) if known.shared || *known == folder => *known = folder,
            _ => self.steps.push(Step::Folder(folder)),
        }
    }

    /// The folders above `path`: created where they are missing, otherwise not changed.
    fn parents(&mut self, path: &Path) {
        let mut above = ancestors(path);
        above.pop();
        for path in above {
            let listed =
                self.steps.iter().any(|step| matches!(step, Step::Folder(f) if f.path == path));
            if !listed {
                let owner = self.root();
                self.steps.push(Step::Folder(Folder {
                    path,
                    owner,
                    mode: 0o755,
                    data: false,
                    shared: true,
                }));
            }
        }
    }

    fn root(&self) -> Option<Owner> {
        self.facts.privileged.then(|| Owner::user("root"))
    }

    /// The account that the agent itself runs as: on macOS root, which starts each job as another account.
    fn agent(&self) -> Option<Owner> {
        if self.os() == Os::Darwin { self.root() } else { self.user() }
    }

    fn os(&self) -> Os {
        self.spec.platform.os()
    }

    /// The login shell of the account, which jobs use.
    fn shell(&self) -> PathBuf {
        let has_bash = || self.facts.path(Path::new("/bin/bash")).meta.is_some();
        PathBuf::from(match self.os() {
            Os::Windows => return windows::shell().to_owned(),
            Os::Darwin => "/bin/zsh",
            Os::Linux if !has_bash() => "/bin/sh",
            _ => "/bin/bash",
        })
    }

    fn user(&self) -> Option<Owner> {
        (self.facts.privileged && !is_declared(self.facts))
            .then(|| Owner::user(self.spec.user.as_str()))
    }
}

/// Refuses a work folder of another owner: a change of its owner could give access to the host.
pub(super) fn refuse_foreign_workdir(spec: &Spec, facts: &Facts) -> Result<()> {
    let workdir = static_prefix(spec.workdir.as_str());
    if workdir.starts_with(&spec.layout.data) {
        return Ok(());
    }
    let fact = facts.path(&workdir);
    let user = spec.user.as_str();
    let is_made = || {
        let target = Target::Folder(workdir.clone());
        facts.receipt.as_ref().is_some_and(|receipt| receipt.record(&target).is_some())
    };
    let owned = |meta: Meta| {
        facts.account(user).is_some_and(|account| match account.id {
            AccountId::Unix { uid, .. } => meta.is_of(uid),
            // Windows has no owners by number: the account owns a folder that this program created.
            AccountId::Windows {} => is_made(),
        })
    };
    match fact.meta {
        Some(meta) if meta.kind == Kind::Folder && owned(meta) => Ok(()),
        Some(_) if is_declared(facts) => Ok(()),
        Some(meta) => Err(Error::new(
            Code::InTheWay,
            format!(
                "the work folder {} is {} that does not belong to {user}",
                shown(&workdir),
                meta.kind
            ),
        )
        .help(match meta.kind {
            Kind::Folder => "choose a new folder inside it, which is created for the account",
            _ => "choose another work folder: --workdir PATH",
        })),
        None => Ok(()),
    }
}
