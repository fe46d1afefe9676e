//! The rules for a release's `.tar`: of all that is in it one member is taken, a file at its top.
//! What else a release holds is not evidenced, so other files are passed over; what could only be
//! there to lead a reader astray is refused.

use crate::{Code, Error, Result};
use std::io::{self, Read};
use tar::{Archive, Entry, EntryType, PaxExtensions};

/// An agent that is larger is none.
const MEMBER_LIMIT: u64 = 256 << 20;

/// Members of an archive; a release has a handful.
const MEMBERS: usize = 1000;

/// Bytes of a header that says more of the member behind it.
const EXTENSION_LIMIT: u64 = 64 << 10;

/// Keys of such a header that would have another name, size or form count than the member's own.
const OVERRIDES: [&str; 4] = ["path", "linkpath", "size", "GNU.sparse"];

/// Reads an archive to its end, and hands on the content of its member called `member`, in blocks of
/// `block`'s capacity. `pass_on` takes a block, and leaves an empty one of the same capacity.
///
/// # Errors
/// [`Code::ArchiveInvalid`]; the first error of `pass_on`.
pub(super) fn take(
    from: impl Read,
    member: &str,
    mut block: Vec<u8>,
    mut pass_on: impl FnMut(&mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    let mut archive = Archive::new(from);
    let mut found = false;
    // Raw: headers that say more of a member are not read into memory whatever their size.
    for (index, entry) in archive.entries().map_err(unreadable)?.raw(true).enumerate() {
        let mut entry = entry.map_err(unreadable)?;
        if index >= MEMBERS {
            return Err(invalid(&format!("has more than {MEMBERS} members")));
        }
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XHeader | EntryType::XGlobalHeader) {
            refuse_overrides(&mut entry)?;
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match kind {
            EntryType::Regular | EntryType::Directory => refuse_climbing(&name)?,
            EntryType::Symlink | EntryType::Link => {
                return Err(invalid(&format!("holds a link, {name:?}")));
            }
            _ => return Err(invalid("holds a member that is neither a file nor a folder")),
        }
        if kind == EntryType::Directory || name.strip_prefix("./").unwrap_or(&name) != member {
            continue;
        }
        if std::mem::replace(&mut found, true) {
            return Err(invalid(&format!("holds {member} twice")));
        }
        let size = entry.size();
        if size > MEMBER_LIMIT {
            let limit = MEMBER_LIMIT >> 20;
            let message = format!("{member} in the archive is larger than {limit} MiB");
            return Err(Error::new(Code::TooLarge, message));
        }
        copy(&mut entry, size, member, &mut block, &mut pass_on)?;
    }
    if !found {
        return Err(invalid(&format!("holds no file {member} at its top")));
    }
    // Up to its end, where its own checksum stands.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(unreadable)?;
    Ok(())
}

fn copy(
    entry: &mut Entry<'_, impl Read>,
    size: u64,
    member: &str,
    block: &mut Vec<u8>,
    pass_on: &mut impl FnMut(&mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    let mut copied = 0;
    loop {
        let room = block.capacity() - block.len();
        let read = entry.by_ref().take(room as u64).read_to_end(block).map_err(unreadable)?;
        copied += read as u64;
        if block.len() < block.capacity() {
            break;
        }
        pass_on(block)?;
    }
    pass_on(block)?;
    match copied == size {
        true => Ok(()),
        false => Err(invalid(&format!("ends within {member}"))),
    }
}

/// Refuses a header by which other readers would see another member than this one does.
fn refuse_overrides(entry: &mut Entry<'_, impl Read>) -> Result<()> {
    if entry.size() > EXTENSION_LIMIT {
        return Err(invalid(&format!("has a header of {} bytes", entry.size())));
    }
    let mut bytes = Vec::new();
    entry.take(EXTENSION_LIMIT).read_to_end(&mut bytes).map_err(unreadable)?;
    for extension in PaxExtensions::new(&bytes) {
        let extension = extension.map_err(unreadable)?;
        let key = String::from_utf8_lossy(extension.key_bytes()).into_owned();
        if OVERRIDES.iter().any(|name| key.starts_with(name)) {
            return Err(invalid(&format!("gives a member another {key} than its own header")));
        }
    }
    Ok(())
}

fn refuse_climbing(name: &str) -> Result<()> {
    let climbs = name.starts_with('/')
        || name.contains(['\\', ':', '\0'])
        || name.split('/').any(|part| part == "..");
    match climbs {
        true => Err(invalid(&format!("names a path outside of it, {name:?}"))),
        false => Ok(()),
    }
}

fn invalid(what: &str) -> Error {
    Error::new(Code::ArchiveInvalid, format!("the archive of the release {what}"))
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn unreadable(error: io::Error) -> Error {
    invalid(&format!("cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tar::{Builder, Header};

    const NAME: &str = "circleci-runner";

    /// A header with any name.
    fn header(name: &str, kind: EntryType, size: u64) -> Header {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        header
    }

    fn archive(members: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (name, kind, content) in members {
            builder.append(&header(name, *kind, content.len() as u64), *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn taken(bytes: &[u8], block: usize) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        take(bytes, NAME, Vec::with_capacity(block), |block| {
            content.append(block);
            Ok(())
        })?;
        Ok(content)
    }

    fn refusal(members: &[(&str, EntryType, &[u8])]) -> String {
        let error = taken(&archive(members), 4096).unwrap_err();
        assert_eq!(error.code(), Code::ArchiveInvalid, "{error}");
        error.message().to_owned()
    }

    #[test]
    fn the_one_member_is_taken_whatever_stands_beside_it() {
        let content: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        for name in [NAME, "./circleci-runner"] {
            let bytes = archive(&[
                ("LICENSE", EntryType::Regular, b"text"),
                ("./", EntryType::Directory, b""),
                ("x", EntryType::XHeader, b"20 mtime=1700000000\n"),
                (name, EntryType::Regular, &content),
                ("docs/circleci-runner", EntryType::Regular, b"other"),
            ]);
            for block in [1, 511, 4096, 1 << 20] {
                assert!(taken(&bytes, block).unwrap() == content, "{name} {block}");
            }
        }
    }

    #[test]
    fn what_leads_astray_is_refused() {
        let file = (NAME, EntryType::Regular, &b"x"[..]);
        for (member, why) in [
            (("link", EntryType::Symlink, &b""[..]), "a link"),
            (("link", EntryType::Link, b""), "a link"),
            (("../x", EntryType::Regular, b""), "outside"),
            (("a/../../x", EntryType::Directory, b""), "outside"),
            (("/etc/x", EntryType::Regular, b""), "outside"),
            (("C:\\x", EntryType::Regular, b""), "outside"),
            (("fifo", EntryType::Fifo, b""), "neither"),
            (("device", EntryType::Char, b""), "neither"),
            (("long", EntryType::GNULongName, b"circleci-runner\0"), "neither"),
            (("sparse", EntryType::GNUSparse, b""), "neither"),
            (("x", EntryType::XHeader, b"24 path=circleci-runner\n"), "another path"),
            (("x", EntryType::XGlobalHeader, b"11 size=10\n"), "another size"),
            (("x", EntryType::XHeader, b"nonsense"), "cannot be read"),
            (("x", EntryType::XHeader, &[b'a'; 70_000]), "header of 70000 bytes"),
            (file, "twice"),
        ] {
            let message = refusal(&[file, member]);
            assert!(message.contains(why), "{member:?}: {message}");
        }
        assert!(refusal(&[("bin/circleci-runner", EntryType::Regular, b"x")]).contains("no file"));
        assert!(refusal(&[(NAME, EntryType::Directory, b"")]).contains("no file"));
        assert!(refusal(&[(NAME, EntryType::Symlink, b"")]).contains("a link"));
        assert!(refusal(&[]).contains("no file"));
    }

    #[test]
    fn a_large_member_is_refused_before_it_is_read() {
        let mut bytes = header(NAME, EntryType::Regular, MEMBER_LIMIT + 1).as_bytes().to_vec();
        bytes.extend([0; 4096]);
        let error = take(bytes.as_slice(), NAME, Vec::with_capacity(1), |_| panic!("it is read"));
        assert_eq!(error.unwrap_err().code(), Code::TooLarge);
    }

    #[test]
    fn a_cut_archive_is_refused() {
        let whole = archive(&[(NAME, EntryType::Regular, &[7; 3000])]);
        for cut in [100, 512, 600, 3000] {
            let error = taken(&whole[..cut], 4096).unwrap_err();
            assert_eq!(error.code(), Code::ArchiveInvalid, "{cut}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes: Vec<u8>, at in 0_usize..600, byte: u8) {
            let _ = taken(&bytes, 64);
            let mut bytes = archive(&[(NAME, EntryType::Regular, b"content")]);
            bytes[at] = byte;
            let _ = taken(&bytes, 64);
        }
    }
}
