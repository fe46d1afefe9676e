//! Paths of Windows in an image of it that another system looks into.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

/// Where a path with a drive is in an image: the image stands for the system's drive, so that
/// `C:\folder` is `/folder`, and `D:\folder` is `/D/folder`. Any other path stays as it is.
pub(super) fn inside(path: &Path) -> Cow<'_, Path> {
    let Some(text) = path.to_str() else { return Cow::Borrowed(path) };
    let [letter, b':', b'/' | b'\\', ..] = text.as_bytes() else { return Cow::Borrowed(path) };
    if !letter.is_ascii_alphabetic() {
        return Cow::Borrowed(path);
    }
    let mut inside = PathBuf::from("/");
    if !letter.eq_ignore_ascii_case(&b'c') {
        inside.push(text.split_at(1).0);
    }
    inside.extend(text[2..].split(['/', '\\']).filter(|name| !name.is_empty()));
    Cow::Owned(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_drive_is_the_image_itself() {
        for (path, within) in [
            (r"C:\Program Files\CircleCI\x.exe", "/Program Files/CircleCI/x.exe"),
            ("c:/x", "/x"),
            (r"D:\jobs\work", "/D/jobs/work"),
            ("/C:/x", "/C:/x"),
            ("C:", "C:"),
            ("/opt/circleci", "/opt/circleci"),
        ] {
            assert_eq!(inside(Path::new(path)), Path::new(within), "{path}");
        }
        assert!(inside(Path::new(r"C:\..\x")).ends_with("../x"), "who goes up is refused later");
    }
}
