//! Control groups of processes, as `/proc/PID/cgroup` lists them.

/// The paths in the two hierarchies that systemd uses: its own named one, and the unified one.
pub(crate) type Paths = [String; 2];

/// The paths of a process.
pub(crate) fn paths(cgroup: &[u8]) -> Paths {
    let text = String::from_utf8_lossy(cgroup);
    let mut paths = Paths::default();
    let [named, unified] = &mut paths;
    for line in text.lines() {
        let mut fields = line.splitn(3, ':');
        match (fields.next(), fields.next(), fields.next()) {
            (_, Some("name=systemd"), Some(path)) => path.clone_into(named),
            (Some("0"), Some(""), Some(path)) => path.clone_into(unified),
            _ => {}
        }
    }
    paths
}

/// Where the groups of the system's manager begin, by those of the first process: in a container
/// that is not at `/`.
pub(crate) fn tops(of_init: &[u8]) -> Paths {
    paths(of_init).map(|path| {
        let path = path.strip_suffix("/init.scope").unwrap_or(&path);
        path.trim_end_matches('/').to_owned()
    })
}
