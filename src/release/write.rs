//! The end of the pipeline: looks at the first bytes, hashes, writes, compares, syncs.

use super::Artifact;
use crate::{
    Code, Error, Result,
    platform::executable::{HEAD, check_executable},
    values::Sha256,
};
use sha2::Digest;
use std::{
    fs::File,
    io::{self, Seek, Write},
    sync::mpsc::{SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

/// Written bytes after which the disk is told to begin, so that the last sync has little to do.
const SYNC_EVERY: u64 = 16 << 20;

/// What stands in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub(super) bytes: u64,
    pub(super) sha256: Sha256,
}

/// Writes one file and knows what it must become.
pub(super) struct Writer {
    file: File,
    artifact: Artifact,
    sha: sha2::Sha256,
    head: Vec<u8>,
    written: u64,
    syncing: Option<Syncing>,
}

impl Writer {
    pub(super) fn new(file: File, artifact: &Artifact) -> Self {
        let (sha, head) = (sha2::Sha256::new(), Vec::new());
        Self { file, artifact: artifact.clone(), sha, head, written: 0, syncing: None }
    }

    /// Forgets what came before.
    pub(super) fn begin(&mut self) -> Result<()> {
        self.sha = sha2::Sha256::new();
        self.head.clear();
        self.written = 0;
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(cannot_write)
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// As soon as the head is there, when it is not that of an executable of the platform.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let missing = HEAD - self.head.len();
        if missing > 0 {
            self.head.extend(bytes.iter().take(missing));
            if self.head.len() == HEAD {
                check_executable(&self.head, self.artifact.platform)?;
            }
        }
        self.sha.update(bytes);
        self.file.write_all(bytes).map_err(cannot_write)?;
        let before = self.written;
        self.written += bytes.len() as u64;
        if before / SYNC_EVERY != self.written / SYNC_EVERY {
            if self.syncing.is_none() {
                self.syncing = Syncing::start(&self.file);
            }
            self.syncing.iter().for_each(Syncing::tell);
        }
        Ok(())
    }

    /// That was all: compares and syncs. A member of an archive is verified by that.
    pub(super) fn end(self) -> Result<Written> {
        if self.head.len() < HEAD {
            check_executable(&self.head, self.artifact.platform)?;
        }
        let sha256 = match self.artifact.member {
            None => refuse_other(self.sha, self.artifact.sha256, "file")?,
            Some(_) => Sha256::from_bytes(self.sha.finalize().into()),
        };
        self.syncing.map_or(Ok(()), Syncing::finish).map_err(cannot_write)?;
        self.file.sync_all().map_err(cannot_write)?;
        Ok(Written { bytes: self.written, sha256 })
    }
}

/// The checksum of what arrived, unless it is another one than it must be.
pub(super) fn refuse_other(arrived: sha2::Sha256, wanted: Sha256, what: &str) -> Result<Sha256> {
    let sum = Sha256::from_bytes(arrived.finalize().into());
    if sum == wanted {
        return Ok(sum);
    }
    let message = format!("the {what} that arrived hashes to {sum}, and not to {wanted}");
    Err(Error::new(Code::ChecksumMismatch, message)
        .help("nothing of it was kept; try again, and then look at what lies in between"))
}

/// Has the disk write while the transfer goes on.
struct Syncing {
    tell: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Syncing {
    /// `None` where the system has no thread to spare: then all is left to the last sync.
    fn start(file: &File) -> Option<Self> {
        let file = file.try_clone().ok()?;
        let (tell, told) = sync_channel(1);
        let sync = move || told.iter().try_for_each(|()| file.sync_data());
        let thread = thread::Builder::new().name("sync".to_owned()).spawn(sync).ok()?;
        Some(Self { tell, thread })
    }

    fn tell(&self) {
        // One that is still at work will sync again afterwards.
        let _ = self.tell.try_send(());
    }

    /// The first error, which the system tells once: the last sync would not say it again.
    fn finish(self) -> io::Result<()> {
        drop(self.tell);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread was lost")))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn cannot_write(error: io::Error) -> Error {
    Error::new(Code::HostUnfit, format!("the download cannot be written: {error}"))
        .help("df -h   # is there room?")
}
