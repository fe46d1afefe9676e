//! Opening a named file on Unix, where a name may be a link, a device or a FIFO of others.

use crate::platform::fs::{Kind, Meta, PathWalk, Root, WalkEnd};
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl},
};
use std::{fs::File, io, os::unix::fs::FileTypeExt, path::Path};

/// Opens a regular file, what this process was given open, or a FIFO of the caller's or root's.
///
/// # Errors
/// As [`File::open`]; for a link that another account could have made, which would choose what
/// root reads; for a device, which may act when it is opened; and for a FIFO that another account
/// can change: who opens it may wait for ever, and reads what that account likes.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if is_given(path) {
        return opened(path, OFlags::empty());
    }
    let root = Root::open(Path::new("/")).map_err(|error| refused(&error))?;
    let walk = root.walk(&std::path::absolute(path)?).map_err(|error| refused(&error))?;
    match (&walk.stopped, walk.end) {
        (Some(why @ WalkEnd::Missing(_)), _) => {
            Err(io::Error::new(io::ErrorKind::NotFound, why.to_string()))
        }
        (Some(why), _) => Err(io::Error::other(why.to_string())),
        (None, Some(end)) if end.kind == Kind::Special => fifo(&walk, &end),
        _ => {
            let spot = root.find(&walk.real).map_err(|error| refused(&error))?;
            let spot = spot.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
            Ok(spot.read().map_err(|error| refused(&error))?.0)
        }
    }
}

/// Whether a path is a name of what this process had open from the start, such as the pipe that a
/// shell makes for `<(COMMAND)`: through `sudo` it belongs to the person. The empty device is the
/// same for everybody.
fn is_given(path: &Path) -> bool {
    let folders = ["/dev/fd", "/proc/self/fd"];
    ["/dev/stdin", "/dev/null"].iter().any(|own| path == Path::new(own))
        || folders.iter().any(|folder| path.parent() == Some(Path::new(folder)))
}

/// Opens a FIFO where nobody but root and the caller can put another thing in its place.
fn fifo(walk: &PathWalk, end: &Meta) -> io::Result<File> {
    if !walk.changed_by().is_root() {
        return Err(io::Error::other(format!(
            "it is no regular file, and not root's or yours alone: its owner has the number {}",
            end.uid().unwrap_or_default()
        )));
    }
    if !std::fs::symlink_metadata(&walk.real)?.file_type().is_fifo() {
        return Err(io::Error::other("it is a device or a socket, not a file"));
    }
    opened(&walk.real, OFlags::NOFOLLOW)
}

fn opened(path: &Path, more: OFlags) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY | more;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.file_type().is_fifo() {
        // A writer may be about to open it: without one a read would end at once.
        while poll(&mut [PollFd::new(&file, PollFlags::IN)], None) == Err(rustix::io::Errno::INTR) {
        }
    }
    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file)
}

fn refused(error: &crate::Error) -> io::Error {
    io::Error::other(error.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::left_out::needs_root;
    use std::{
        fs::Permissions,
        io::{Read, Write},
        os::{
            fd::AsRawFd,
            unix::fs::{PermissionsExt, chown, symlink},
        },
        process::Command,
    };

    fn fifo() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        // By the system's tool: macOS has no `mknodat`.
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        (folder, path)
    }

    #[test]
    fn a_fifo_of_another_account_is_not_waited_at() {
        if needs_root("a fifo of another account is not waited at") {
            return;
        }
        let (_folder, path) = fifo();
        chown(&path, Some(7_000_001), None).unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        let of_thread = path.clone();
        // A thread that waits for a writer would hold up the test for ever.
        std::thread::spawn(move || tell.send(open(&of_thread).map(drop)));
        let opened = told.recv_timeout(std::time::Duration::from_secs(10));
        assert!(opened.unwrap().unwrap_err().to_string().contains("7000001"));
    }

    /// Whoever makes the link would choose what root reads.
    #[test]
    fn a_link_in_a_folder_of_others_is_not_followed() {
        let (folder, path) = fifo();
        let shared = folder.path().join("shared");
        std::fs::create_dir(&shared).unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "hush").unwrap();
        for (name, target) in [("fifo", &path), ("secret", &secret)] {
            symlink(target, shared.join(name)).unwrap();
        }
        std::fs::set_permissions(&shared, Permissions::from_mode(0o777)).unwrap();
        for name in ["fifo", "secret"] {
            let (tell, told) = std::sync::mpsc::channel();
            let link = shared.join(name);
            std::thread::spawn(move || tell.send(open(&link).map(drop)));
            let opened = told.recv_timeout(std::time::Duration::from_secs(10));
            let why = opened.expect("no wait").unwrap_err().to_string();
            assert!(why.contains("not followed"), "{why}");
        }
    }

    #[test]
    fn a_device_is_read_only_where_it_was_given() {
        for path in ["/dev/zero", "/dev/tty"] {
            let why = open(Path::new(path)).unwrap_err().to_string();
            assert!(why.contains("device") || why.contains("no regular file"), "{path}: {why}");
        }
        open(Path::new("/dev/null")).unwrap();
    }

    #[test]
    fn a_fifo_of_ones_own_is_read_though_its_writer_comes_later() {
        let (_folder, path) = fifo();
        let of_writer = path.clone();
        let writer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let mut file = File::options().write(true).open(of_writer).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(50));
            file.write_all(b"abc").unwrap();
        });
        let mut text = String::new();
        open(&path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
        writer.join().unwrap();
    }

    #[test]
    fn a_pipe_that_was_given_is_read_to_its_end() {
        let (reader, mut writer) = io::pipe().unwrap();
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        assert!(is_given(Path::new(&path)) && is_given(Path::new("/dev/stdin")));
        let write = std::thread::spawn(move || {
            for part in [&b"abc"[..], b"def"] {
                writer.write_all(part).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        });
        let mut text = String::new();
        open(Path::new(&path)).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcdef");
        write.join().unwrap();
    }
}
