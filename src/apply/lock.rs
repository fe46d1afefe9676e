//! The lock: only one run at a time may change the host.

use crate::{Code, Command, Error, Help, Result, platform::fs::Spot, text::shown};
use std::{
    fs::{File, TryLockError},
    io::{self, Read, Seek, Write},
};

/// Only for the owner: whoever can open the file, even for reading, can hold the lock.
const MODE: u32 = 0o600;

/// Locks the file at `spot`. Creates it if it is missing, and removes access for others if an earlier
/// version left it open.
///
/// # Errors
/// [`Code::Locked`] while another run holds it.
pub(super) fn take(spot: &Spot) -> Result<File> {
    let (mut file, was_closed) = match spot.create(MODE) {
        Ok(file) => (file, true),
        Err(_) => {
            let file = spot.open_for_lock()?;
            let was_closed = spot.metadata()?.is_some_and(|meta| meta.has_none(0o077));
            if !was_closed {
                spot.set_file_permissions(&file, None, MODE)?;
            }
            (file, was_closed)
        }
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(held(file, spot, was_closed)),
        Err(TryLockError::Error(error)) => {
            return Err(Error::new(Code::HostUnfit, format!("the lock cannot be taken: {error}")));
        }
    }
    write_number(&mut file).map_err(|error| {
        Error::new(Code::HostUnfit, format!("{} cannot be written: {error}", spot.path().display()))
    })?;
    Ok(file)
}

/// The error that names the holder of the lock. The file names the process only if no other account
/// could have opened it.
fn held(file: File, spot: &Spot, was_closed: bool) -> Error {
    let mut number = String::new();
    let _ = file.take(32).read_to_string(&mut number);
    match number.trim().parse::<u32>() {
        Ok(number) if was_closed => Error::new(
            Code::Locked,
            format!("another run of runnerup (process {number}) is changing this host"),
        )
        .help(Help::command(
            "wait until it ends, or examine it",
            &Command::fixed("ps -fp").number(number),
        )),
        _ => {
            let path = shown(spot.path());
            let error = Error::new(Code::Locked, format!("another process holds the lock {path}"))
                .help("end that process, and run again: from now on only root can take the lock");
            if cfg!(windows) {
                error
            } else {
                error.help(Command::shows("sudo fuser -v", spot.outside()))
            }
        }
    }
}

fn write_number(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::platform::fs::{Root, empty_root};
    use std::{fs, os::unix::fs::PermissionsExt, path::Path};

    fn take_in(root: &Root) -> Result<File> {
        take(&root.find(Path::new("/lock")).unwrap().unwrap())
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_lock_is_its_owners_alone_and_names_the_process_that_holds_it() {
        let (folder, root) = empty_root();
        let held = take_in(&root).unwrap();
        assert_eq!(mode(&folder.path().join("lock")), 0o600);
        let error = take_in(&root).unwrap_err();
        assert!(error.message().contains(&std::process::id().to_string()), "{error}");
        drop(held);
        take_in(&root).unwrap();
    }

    #[test]
    fn an_open_lock_is_closed_and_whoever_held_it_is_not_believed() {
        let (folder, root) = empty_root();
        let lock = folder.path().join("lock");
        fs::write(&lock, "36\n").unwrap();
        fs::set_permissions(&lock, fs::Permissions::from_mode(0o644)).unwrap();
        // As any account of the host could.
        let stranger = File::open(&lock).unwrap();
        stranger.lock().unwrap();
        let error = take_in(&root).unwrap_err();
        assert_eq!(error.code(), Code::Locked);
        assert!(!error.message().contains("36"), "{error}");
        let fuser = format!("fuser -v {}", lock.display());
        assert!(error.help_lines()[1].contains(&fuser), "{error:?}");
        assert_eq!(mode(&lock), 0o600);
        drop(stranger);
        take_in(&root).unwrap();
    }
}
