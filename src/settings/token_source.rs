//! Where a token may come from: a file that nobody else can read, or standard input. Never an
//! argument, which every user of the host can see.

use crate::{
    Code, Command, Error, Help, Result,
    agent::Token,
    platform::{
        exposure::others_can_use,
        fs::{PathWalk, Provenance, Root},
        input,
        paths::is_system,
    },
};
use secrecy::zeroize::Zeroizing;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most that a token's source may hold, in bytes.
const MAX_BYTES: usize = 4096;

/// Reads the token from `path`; `-` is standard input.
///
/// A file whose group or others can read or write it is refused. A pipe, as process substitution
/// makes one, is read until it ends.
pub fn token_from_file(path: &Path) -> Result<Token> {
    let (source, token) = if path == Path::new("-") {
        ("standard input".to_owned(), read(io::stdin().lock()))
    } else {
        let source = path.display().to_string();
        (source.clone(), open(path, &source).and_then(read))
    };
    token.map_err(|error| error.context(source))
}

fn open(path: &Path, source: &str) -> Result<File> {
    let file = input::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::new(Code::ValueInvalid, "the file does not exist")
            .help("write the token into it, or pipe it in with --token-file -"),
        _ => unreadable(&error),
    })?;
    // The open file is asked, not the path, so that what is judged is what is read.
    let meta = file.metadata().map_err(|error| unreadable(&error))?;
    if meta.is_dir() {
        return Err(Error::new(Code::ValueInvalid, "this is a folder, not a file with a token"));
    }
    if meta.is_file() && others_can_use(&meta) {
        return Err(Error::new(Code::TokenSource, "other users of this host can use this file")
            .help(closing(path, source)));
    }
    Ok(file)
}

/// A command by the path where nobody else can lead it to another file. None for a file of the
/// system, whose mode others rely on.
fn closing(path: &Path, source: &str) -> Help {
    let whole = std::path::absolute(path).and_then(|path| {
        let root = Root::open(Path::new("/")).map_err(io::Error::other)?;
        root.walk(&path).map_err(io::Error::other)
    });
    match whole {
        Ok(walk) if walk.replaceable_by.is_root() && !is_systems(&walk) => {
            Command::fixed("chmod 600").trusted_value(source, Provenance::Root).into()
        }
        Ok(walk) if is_systems(&walk) => {
            "give a file of its own, which root or you alone can read (mode 0600): this is a file of \
             the system"
                .into()
        }
        _ => "let its owner alone read and write it (mode 0600), in a folder that is yours".into(),
    }
}

/// Whether a file is the system's. What is in root's own home is root's.
fn is_systems(walk: &PathWalk) -> bool {
    [&walk.path, &walk.real].iter().any(|path| is_system(path) && !path.starts_with("/root"))
}

fn read(source: impl Read) -> Result<Token> {
    // Room for everything from the start: a buffer that grew would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MAX_BYTES));
    source
        .take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error))?;
    if bytes.len() > MAX_BYTES {
        return Err(Error::new(Code::ValueInvalid, "this is too large to be a token").help(
            Help::words(format!(
                "a token is about 80 characters; {MAX_BYTES} bytes are read at most"
            )),
        ));
    }
    Token::from_bytes(&bytes)
}

fn unreadable(error: &io::Error) -> Error {
    // sudo closes what a shell opened for `<(COMMAND)`.
    Error::new(Code::ValueInvalid, format!("the token cannot be read: {error}")).help(
        "give the file itself and no link to it, or have it read from standard input: `--token-file -`",
    )
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    fn file(folder: &Path, content: &[u8], mode: u32) -> PathBuf {
        let path = folder.join("to ken");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_file_of_ones_own_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o400, 0o700] {
            let path = file(folder.path(), b"abc123\n", mode);
            assert_eq!(token_from_file(&path).unwrap().expose(), "abc123");
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_file_that_others_can_use_is_refused_with_the_cure() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o644, 0o640, 0o620, 0o602] {
            let path = file(folder.path(), b"abc123", mode);
            let error = token_from_file(&path).unwrap_err();
            assert_eq!(error.code(), Code::TokenSource);
            assert_eq!(error.help_lines(), [format!("chmod 600 '{}'", path.display())]);
            assert!(!format!("{error:?}").contains("abc123"));
        }
    }

    #[test]
    fn the_mode_of_a_file_of_the_system_is_not_advised() {
        for path in ["/etc/passwd", "/etc/hosts", "/etc/shadow"] {
            let help = closing(Path::new(path), path);
            let error = Error::new(Code::TokenSource, "x").help(help);
            let help_text = error.help_lines().concat();
            assert!(
                !help_text.contains("chmod") && help_text.contains("the system"),
                "{path}: {help_text}"
            );
        }
    }

    #[test]
    fn what_holds_no_token_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let code = |path: &Path| token_from_file(path).unwrap_err().code();
        assert_eq!(code(folder.path()), Code::ValueInvalid);
        let missing = token_from_file(&folder.path().join("missing")).unwrap_err();
        assert_eq!(missing.code(), Code::ValueInvalid);
        assert!(missing.message().ends_with("missing: the file does not exist"), "{missing}");
        let help = missing.help_lines().concat();
        assert!(help.contains("--token-file -") && !help.contains("link"), "{help}");
        assert_eq!(code(&file(folder.path(), &[b'a'; 4097], 0o600)), Code::ValueInvalid);
        assert_eq!(code(&file(folder.path(), b"\n", 0o600)), Code::TokenPlaceholder);
        assert_eq!(code(Path::new("/dev/zero")), Code::ValueInvalid);
        assert_eq!(code(Path::new("/dev/null")), Code::TokenPlaceholder);
    }

    #[test]
    fn a_pipe_is_read_until_it_ends() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"abc123\n").unwrap();
        drop(writer);
        let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
        assert_eq!(token_from_file(&path).unwrap().expose(), "abc123");
    }
}
