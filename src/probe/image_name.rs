//! The name that an image has of its own.

use super::host::hostname_of_image;
use crate::platform::fs::Root;

/// Names that builders of images leave for the first boot to replace: `hostname(5)`, and what
/// Debian's and Fedora's tools write.
const PLACEHOLDERS: [&str; 8] = [
    "(none)",
    "localhost",
    "localhost.localdomain",
    "localhost4",
    "localhost6",
    "uninitialized",
    "unknown",
    "changeme",
];

/// The host name in `/etc/hostname`; empty where it has none, or one that stands for another.
pub(super) fn hostname(root: &Root) -> String {
    let name = hostname_of_image(root);
    let is_placeholder = |placeholder: &&str| name.eq_ignore_ascii_case(placeholder);
    if PLACEHOLDERS.iter().any(is_placeholder) {
        return String::new();
    }
    name
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_not_called_as_the_host_that_builds_it() {
        let (folder, root) = crate::platform::fs::empty_root();
        assert_eq!(hostname(&root), "");
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        for (text, name) in [
            ("golden-image\n", "golden-image"),
            ("# set by the builder\n\nbuild-7.example.com\n", "build-7.example.com"),
            ("localhost\n", ""),
            ("LOCALHOST.localdomain", ""),
            ("{{ hostname }}\n", ""),
            ("fedora-??????\n", ""),
            ("$(hostname)", ""),
        ] {
            std::fs::write(folder.path().join("etc/hostname"), text).unwrap();
            assert_eq!(hostname(&root), name, "{text:?}");
        }
    }
}
