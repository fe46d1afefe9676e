//! `checksums.txt`, in `sha256sum`'s form: 64 hex digits, a space, `*` or a second space, a path.

use super::text::description;
use crate::{Code, Error, Help, Result, agent::Kind, platform::Platform, values::Sha256};

/// The checksum of an agent for `platform`: that of the one line with exactly its path.
///
/// # Errors
/// [`Code::NoSuchVersion`] when the file is sound and has no line for the platform,
/// [`Code::ChecksumsInvalid`] when it is not sound.
pub fn checksum_for(bytes: &[u8], agent: Kind, platform: Platform) -> Result<Sha256> {
    let invalid =
        |what: String| Error::new(Code::ChecksumsInvalid, format!("checksums.txt {what}"));
    let text = std::str::from_utf8(bytes).map_err(|_| invalid("is not text".to_owned()))?;
    let wanted = path_of(agent, platform);
    let mut found: Option<Sha256> = None;
    let mut platforms = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let Some((sum, path)) = split(line) else {
            return Err(invalid(format!(
                "has no checksum and path on line {}: it holds {}",
                index + 1,
                description(line.as_bytes())
            )));
        };
        if leaves_folder(path) {
            return Err(invalid(format!("names a path outside its folder on line {}", index + 1)));
        }
        platforms.extend(path.rsplit_once('/').map(|(platform, _)| platform.to_owned()));
        if path != wanted {
            continue;
        }
        match found {
            Some(first) if first != sum => {
                return Err(invalid(format!("contradicts itself: {first} and {sum} for {wanted}")));
            }
            _ => found = Some(sum),
        }
    }
    match found {
        Some(sum) => Ok(sum),
        None if platforms.is_empty() => Err(invalid("is empty".to_owned())),
        None => Err(Error::new(
            Code::NoSuchVersion,
            format!("checksums.txt has no line for {wanted}: there is no agent for {platform}"),
        )
        .help(Help::words(format!("it has: {}", listed(platforms))))),
    }
}

/// Where a platform's binary is below the version's folder.
pub(super) fn path_of(agent: Kind, platform: Platform) -> String {
    format!("{platform}/{}", agent.profile().program_file(platform.os()))
}

fn split(line: &str) -> Option<(Sha256, &str)> {
    let (sum, rest) = line.split_once(' ')?;
    let path = rest.strip_prefix(['*', ' ']).unwrap_or(rest).trim_end();
    (!path.is_empty()).then_some((sum.parse().ok()?, path))
}

fn leaves_folder(path: &str) -> bool {
    path.starts_with('/')
        || path.contains(['\\', '%', '?', '#', ':'])
        || path.split('/').any(|name| matches!(name, "" | "." | ".."))
}

fn listed(mut platforms: Vec<String>) -> String {
    platforms.sort();
    platforms.dedup();
    platforms.truncate(10);
    platforms.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn read(text: &str) -> Result<Sha256> {
        checksum_for(text.as_bytes(), Kind::LaunchAgent, "linux/amd64".parse().unwrap())
    }

    #[test]
    fn the_exact_path_counts_and_a_longer_one_does_not() {
        let other = "0".repeat(64);
        let text = format!(
            "{other} *evil/linux/amd64/circleci-launch-agent\n{SUM} *linux/amd64/circleci-launch-agent\r\n\
             {other}  linux/amd64/circleci-launch-agent.sig\n"
        );
        assert_eq!(read(&text).unwrap().to_string(), SUM);
    }

    #[test]
    fn two_spaces_do_as_well_as_a_star() {
        assert!(read(&format!("{SUM}  linux/amd64/circleci-launch-agent")).is_ok());
    }

    #[test]
    fn windows_has_an_ending() {
        let text = format!("{SUM} *windows/amd64/circleci-launch-agent.exe\n");
        assert!(
            checksum_for(text.as_bytes(), Kind::LaunchAgent, "windows/amd64".parse().unwrap())
                .is_ok()
        );
    }

    #[test]
    fn lines_that_contradict_are_refused_and_ones_that_agree_are_not() {
        let line = |sum: &str| format!("{sum} *linux/amd64/circleci-launch-agent\n");
        assert!(read(&(line(SUM) + &line(SUM))).is_ok());
        let error = read(&(line(SUM) + &line(&"0".repeat(64)))).unwrap_err();
        assert_eq!(error.code(), Code::ChecksumsInvalid);
    }

    #[test]
    fn a_path_that_leaves_the_folder_is_refused() {
        for path in ["../x/circleci-launch-agent", "/linux/amd64/x", "linux/./amd64/x", "a\\b"] {
            let error = read(&format!("{SUM} *{path}\n")).unwrap_err();
            assert_eq!(error.code(), Code::ChecksumsInvalid, "{path}");
        }
    }

    #[test]
    fn a_platform_that_is_not_there_is_told_with_those_that_are() {
        let error = read(&format!("{SUM} *linux/arm64/circleci-launch-agent\n")).unwrap_err();
        assert_eq!(error.code(), Code::NoSuchVersion);
        assert!(error.help_lines()[0].contains("linux/arm64"));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes: Vec<u8>) {
            let _ = checksum_for(&bytes, Kind::LaunchAgent, "linux/amd64".parse().unwrap());
        }
    }
}
