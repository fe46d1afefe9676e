//! What the steps ask of a system besides its service manager.

use super::{
    accounts::{self, Account},
    command::{Call, Commands},
    fs::Root,
    linux,
    machine::hostname,
    macos, paths,
    processes::{self, Numbers, Process},
    windows,
};
use crate::{Code, Error, Help, Result, platform::Os};
use std::path::{Path, PathBuf};

/// Accounts, made and removed by the system's own tools, and what it wants of a program.
pub trait System {
    /// Creates an account, and a group of its name, with a home and no password.
    fn create_account(&self, name: &str, home: &Path, shell: &Path) -> Result<()>;
    /// Has the system forget which accounts it did not find. `false` where it keeps no such answers.
    ///
    /// # Errors
    /// When it cannot be told.
    fn forget_absent(&self) -> Result<bool> {
        Ok(false)
    }
    /// What to do where even root may not remove a home; that home goes before the record of the
    /// account then, so that another run can do both. `None` where root may.
    fn guards_homes(&self) -> Option<&'static str> {
        None
    }
    /// Removes an account. Its home stays, unless [`System::left_home`] says that the system
    /// removes it: then it goes where `with_home` is set.
    fn remove_account(&self, account: &Account, with_home: bool) -> Result<()>;
    /// Creates a group with a number of its own.
    fn create_group(&self, name: &str, gid: u32) -> Result<()>;
    /// Whether the tools that make and remove an account can do so without touching anything
    /// outside of the root. Asked again before they run.
    ///
    /// # Errors
    /// When an image would lead them out.
    fn admit_account(&self, _name: &str, _home: &Path) -> Result<()> {
        Ok(())
    }
    /// The home that [`System::create_account`] makes for an account of this name, where it stays
    /// when the account is removed; `None` where the system removes it itself.
    fn left_home(&self, name: &str) -> Option<PathBuf>;
    /// The processes that have one of an account's numbers; none of an image.
    fn processes(&self, numbers: &Numbers) -> Result<Vec<Process>>;
    /// Gives a file or folder the rights that a mode and an owner mean, where the file system
    /// knows no modes.
    fn set_acl(&self, path: &Path, account: Option<&str>, mode: u32, is_folder: bool)
    -> Result<()>;
    /// Takes away what an access list of before gives to others: what sets one replaces only the
    /// rights of those whom it names.
    fn reset_acl(&self, _path: &Path) -> Result<()> {
        Ok(())
    }
    /// Sees to it that only administrators can change the state folder, where owner and mode do
    /// not do so already. `is_new`: this run made it.
    ///
    /// # Errors
    /// When another account has made the folder, or this process may not close it.
    fn admit_state_folder(&self, _folder: &Path, _is_new: bool) -> Result<()> {
        Ok(())
    }
    /// Lets a binary be run that was verified; what the system says of it, if anything.
    fn clear_quarantine(&self, binary: &Path) -> Result<Option<String>>;
}

/// The tools of `os`, for the host or an image.
pub fn of<'a>(
    os: Os,
    commands: &'a dyn Commands,
    root: &'a Root,
    is_host: bool,
) -> Box<dyn System + 'a> {
    match os {
        Os::Darwin => Box::new(Mac { commands, is_host }),
        Os::Linux => Box::new(Linux { commands, root, is_host }),
        Os::Windows => Box::new(Windows { commands, is_host }),
    }
}

struct Linux<'a> {
    commands: &'a dyn Commands,
    root: &'a Root,
    is_host: bool,
}

impl Linux<'_> {
    fn image(&self) -> Option<&Path> {
        (!self.is_host).then(|| Path::new(linux::image::STARTED_THERE))
    }

    fn run(&self, call: Call) -> Result<()> {
        let call = if self.is_host { call } else { call.inside(self.root) };
        self.commands.run(&call).map(drop)
    }
}

impl System for Linux<'_> {
    fn create_account(&self, name: &str, home: &Path, shell: &Path) -> Result<()> {
        self.admit_account(name, home)?;
        let group = accounts::group(self.root, name)?.is_some();
        self.run(linux::account_tools::create(
            self.commands,
            name,
            home,
            shell,
            group,
            self.image(),
        )?)
    }

    fn remove_account(&self, account: &Account, _with_home: bool) -> Result<()> {
        self.admit_account(&account.name, &account.home)?;
        let call = linux::account_tools::remove(self.commands, &account.name, self.image())?;
        let call = if self.is_host { call } else { call.inside(self.root) };
        let answer = self.commands.answer(&call)?;
        match answer.code {
            Some(0) => Ok(()),
            Some(linux::account_tools::IS_BUSY) => Err(answer
                .failure(&call)
                .help(Help::command("look for what has one of its numbers", &processes::list()))
                .help("end it, and run this again")),
            _ => Err(answer.failure(&call)),
        }
    }

    fn create_group(&self, name: &str, gid: u32) -> Result<()> {
        self.run(linux::account_tools::create_group(self.commands, name, gid, self.image())?)
    }

    fn admit_account(&self, name: &str, home: &Path) -> Result<()> {
        if self.is_host {
            return Ok(());
        }
        linux::image::refuse_led_out(self.root, name, home)
    }

    fn left_home(&self, name: &str) -> Option<PathBuf> {
        Some(paths::home(Os::Linux, name))
    }

    fn processes(&self, numbers: &Numbers) -> Result<Vec<Process>> {
        if !self.is_host {
            return Ok(Vec::new());
        }
        processes::of_user(numbers)
    }

    fn set_acl(&self, _: &Path, _: Option<&str>, _: u32, _: bool) -> Result<()> {
        Ok(())
    }

    fn clear_quarantine(&self, _binary: &Path) -> Result<Option<String>> {
        Ok(None)
    }
}

struct Mac<'a> {
    commands: &'a dyn Commands,
    is_host: bool,
}

impl System for Mac<'_> {
    fn create_account(&self, name: &str, home: &Path, shell: &Path) -> Result<()> {
        if !self.is_host {
            return Err(Error::new(
                Code::HostUnfit,
                "accounts cannot be made in an image of macOS",
            )
            .help(Help::value(
                "make ",
                name,
                " at its first boot, and give --no-create-user",
            )));
        }
        macos::account_tools::create(self.commands, name, home, shell)
    }

    fn forget_absent(&self) -> Result<bool> {
        macos::account_tools::forget_absent(self.commands).map(|()| true)
    }

    /// Privacy & Security goes by the program that root was asked from.
    fn guards_homes(&self) -> Option<&'static str> {
        Some(macos::account_tools::FULL_DISK_ACCESS)
    }

    fn remove_account(&self, account: &Account, _with_home: bool) -> Result<()> {
        macos::account_tools::remove(self.commands, &account.name)
    }

    fn create_group(&self, name: &str, gid: u32) -> Result<()> {
        macos::account_tools::create_group(self.commands, name, gid)
    }

    fn left_home(&self, name: &str) -> Option<PathBuf> {
        Some(paths::home(Os::Darwin, name))
    }

    fn processes(&self, numbers: &Numbers) -> Result<Vec<Process>> {
        if !self.is_host {
            return Ok(Vec::new());
        }
        let columns = ["-A", "-o", "pid=", "-o", "ruid=", "-o", "state=", "-o", "comm="];
        let answer = self.commands.run(&Call::new("ps", columns))?;
        Ok(processes::listed(&answer.stdout, numbers))
    }

    fn set_acl(&self, _: &Path, _: Option<&str>, _: u32, _: bool) -> Result<()> {
        Ok(())
    }

    fn clear_quarantine(&self, binary: &Path) -> Result<Option<String>> {
        if !self.is_host {
            return Ok(None);
        }
        macos::gatekeeper::release(self.commands, binary)?;
        let verdict = macos::gatekeeper::verdict(self.commands, binary);
        Ok(verdict.map(|verdict| format!("Gatekeeper says of the agent: {verdict}")))
    }
}

struct Windows<'a> {
    commands: &'a dyn Commands,
    is_host: bool,
}

impl System for Windows<'_> {
    fn create_account(&self, name: &str, _home: &Path, _shell: &Path) -> Result<()> {
        windows::account_tools::create(self.commands, name)
    }

    fn remove_account(&self, account: &Account, with_home: bool) -> Result<()> {
        windows::account_tools::remove(self.commands, &account.name, with_home)
    }

    /// No group goes with an account here.
    fn create_group(&self, _name: &str, _gid: u32) -> Result<()> {
        Ok(())
    }

    fn left_home(&self, _name: &str) -> Option<PathBuf> {
        None
    }

    fn processes(&self, _numbers: &Numbers) -> Result<Vec<Process>> {
        Ok(Vec::new())
    }

    fn set_acl(
        &self,
        path: &Path,
        account: Option<&str>,
        mode: u32,
        is_folder: bool,
    ) -> Result<()> {
        if !self.is_host {
            return Ok(());
        }
        // Administrators have their rights in any case.
        let account = account.filter(|name| *name != "root");
        let account = account.map(|name| windows::rights::qualified(name, &hostname()));
        let call = windows::rights::set(path, account.as_deref(), mode, is_folder);
        self.commands.run(&call).map(drop)
    }

    fn reset_acl(&self, path: &Path) -> Result<()> {
        if !self.is_host {
            return Ok(());
        }
        self.commands.run(&windows::rights::reset(path)).map(drop)
    }

    fn admit_state_folder(&self, folder: &Path, is_new: bool) -> Result<()> {
        if !self.is_host {
            return Ok(());
        }
        windows::state_folder::restrict(self.commands, folder, is_new)
    }

    fn clear_quarantine(&self, _binary: &Path) -> Result<Option<String>> {
        Ok(None)
    }
}
