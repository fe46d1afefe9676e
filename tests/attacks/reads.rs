//! Which private files and folders of others are read, whoever reads them.

use crate::support::host::Host;
use rustix::{
    fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags},
    io::Errno,
};
use std::{
    collections::{BTreeSet, HashMap},
    mem::MaybeUninit,
    os::fd::OwnedFd,
};

/// Files and folders that nothing on the host reads, but what an attack has read them.
const PRIVATE: [&str; 9] = [
    "/etc/haproxy/site.pem",
    "/etc/private",
    "/etc/ssl/private",
    "/etc/ssl/private/site.key",
    "/home/mallory/diary",
    "/root/secret",
    "/root/secret/notes.yaml",
    "/srv/victim/secret.yaml",
    "/srv/victim/tool",
];

/// See the module.
pub struct Reads {
    kernel: OwnedFd,
    watched: HashMap<i32, String>,
}

impl Reads {
    /// Watches these files, and some more, from now on.
    pub fn of(host: &Host, more: &[String]) -> Self {
        let kernel = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        let paths = PRIVATE.into_iter().chain(more.iter().map(String::as_str));
        let watch = |path: &str| {
            let here = host.root().join(&path[1..]);
            (inotify::add_watch(&kernel, here, WatchFlags::ACCESS).unwrap(), path.to_owned())
        };
        let watched = paths.map(watch).collect();
        Self { kernel, watched }
    }

    /// What was read since this was asked last, as a line each.
    pub fn taken(&self) -> Vec<String> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.kernel, &mut buffer);
        let mut lines = BTreeSet::new();
        loop {
            let event = match events.next() {
                Ok(event) => event,
                Err(Errno::WOULDBLOCK) => break,
                Err(error) => panic!("cannot tell who reads: {error}"),
            };
            // A folder tells of the files in it too, which are watched by themselves.
            let is_itself = event.file_name().is_none();
            if event.events().contains(ReadFlags::ACCESS) && is_itself {
                lines.extend(self.watched.get(&event.wd()).map(|path| format!("read {path}")));
            }
        }
        lines.into_iter().collect()
    }
}
