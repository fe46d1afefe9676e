//! What stands at the names that each job needs.

use super::account::End;
use crate::host::HeldName;
use std::path::Path;

/// Sockets that the task agent makes anew for each job, by its own fixed names in the temporary folder
/// (a public issue thread on four runners of one host names the first, a cache proxy's source the
/// other).
const SOCKETS: [&str; 2] = ["circleci-plugin.sock", "circleci-ts.sock"];

/// What stands at them in a temporary folder.
pub(super) fn at(end: &End<'_>, folder: &Path) -> Vec<HeldName> {
    let held = |name: &str| {
        let path = folder.join(name);
        let uid = end(&path)?.uid()?;
        Some(HeldName { path, uid })
    };
    SOCKETS.into_iter().filter_map(held).collect()
}
