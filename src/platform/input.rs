//! Opens a file that a person names to be read, without waiting for anybody else.

use std::{fs::File, io, path::Path};

/// Opens a file, a device, a pipe that this process was given, or a FIFO of the caller's or root's.
///
/// # Errors
/// As [`File::open`], and for a FIFO of another account: who opens it may wait for ever, and reads
/// what that account likes.
#[cfg(not(unix))]
pub(crate) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Opens a file, a device, a pipe that this process was given, or a FIFO of the caller's or root's.
///
/// # Errors
/// As [`File::open`], and for a FIFO of another account: who opens it may wait for ever, and reads
/// what that account likes.
#[cfg(unix)]
pub(crate) fn open(path: &Path) -> io::Result<File> {
    use crate::platform::privilege;
    use rustix::{
        event::{PollFd, PollFlags, poll},
        fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl},
    };
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let meta = file.metadata()?;
    if meta.file_type().is_fifo() {
        let is_ours = meta.uid() == 0 || meta.uid() == privilege::uid();
        if !is_ours && !is_inherited(path) {
            return Err(io::Error::other(format!(
                "it is a FIFO of the account with the number {}",
                meta.uid()
            )));
        }
        // A writer may be about to open it: without one a read would end at once.
        while poll(&mut [PollFd::new(&file, PollFlags::IN)], None) == Err(rustix::io::Errno::INTR) {
        }
    }
    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file)
}

/// Whether a path is a name of what this process had open from the start, such as the pipe that a
/// shell makes for `<(COMMAND)`: through `sudo` it belongs to the person.
#[cfg(unix)]
fn is_inherited(path: &Path) -> bool {
    let folders = ["/dev/fd", "/proc/self/fd"];
    path == Path::new("/dev/stdin")
        || folders.iter().any(|folder| path.parent() == Some(Path::new(folder)))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::platform::privilege;
    use std::{io::Read, io::Write, os::fd::AsRawFd, os::unix::fs::chown, process::Command};

    fn fifo() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        // By the system's tool: macOS has no `mknodat`.
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        (folder, path)
    }

    #[test]
    fn a_fifo_of_another_account_is_not_waited_at() {
        if !privilege::is_privileged() {
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
        assert!(is_inherited(Path::new(&path)) && is_inherited(Path::new("/dev/stdin")));
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
