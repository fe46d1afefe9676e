//! Opens a file that a person names to be read, without waiting for anybody else.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub(crate) use unix::open;

/// Opens a file.
///
/// # Errors
/// As [`std::fs::File::open`].
#[cfg(not(unix))]
pub(crate) fn open(path: &std::path::Path) -> std::io::Result<std::fs::File> {
    std::fs::File::open(path)
}
