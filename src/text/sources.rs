//! The sources of this program, for tests that read them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every file below a folder of `src`, with its text.
pub(crate) fn below(folder: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder)];
    let mut all = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => all.push((path.clone(), fs::read_to_string(&path).unwrap())),
            }
        }
    }
    assert!(!all.is_empty());
    all
}
