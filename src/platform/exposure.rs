//! Who else can use a file.

use std::fs::Metadata;

/// Whether the mode lets the file's group or everyone read or write it.
#[cfg(unix)]
pub fn others_can_use(meta: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    meta.mode() & 0o066 != 0
}

/// Whether the mode lets the file's group or everyone write it.
#[cfg(unix)]
pub fn others_can_write(meta: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    meta.mode() & 0o022 != 0
}

/// As for [`others_can_use`].
#[cfg(not(unix))]
pub fn others_can_write(_meta: &Metadata) -> bool {
    false
}

/// Windows has access lists instead of a mode; a file there inherits those of its folder.
#[cfg(not(unix))]
pub fn others_can_use(_meta: &Metadata) -> bool {
    false
}
