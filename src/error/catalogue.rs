//! Every error code with its meaning: what `runnerup explain CODE` prints.
//!
//! The digits in front of the last three are the exit code, so `E4006` ends with 4 and `E13001`
//! with 130. A published code keeps its meaning.

/// One row of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The code itself.
    pub code: Code,
    /// Such as `E4006`.
    pub id: &'static str,
    /// One line without a full stop.
    pub title: &'static str,
    /// What it means, how it is found, how it is cured.
    pub text: &'static str,
}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident = $exit:literal, $id:literal, $title:literal, $text:literal;)+) => {
        /// The kinds of error. The exit code follows from the kind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $name,)+ }

        impl Code {
            /// Every code, in the catalogue's order.
            pub const ALL: &'static [Entry] = &[
                $(Entry { code: Code::$name, id: $id, title: $title, text: $text },)+
            ];

            /// The process's exit code.
            pub const fn exit(self) -> u8 {
                match self { $(Code::$name => $exit,)+ }
            }

            /// The name that users see, such as `E4006`.
            pub const fn id(self) -> &'static str {
                match self { $(Code::$name => $id,)+ }
            }
        }
    };
}

catalogue! {
    Usage = 2, "E2001", "the command line is not understood",
        "An option is unknown, given twice, or lacks its value. `runnerup help COMMAND` shows what a command takes.";
    ValueInvalid = 2, "E2002", "a setting has a value it cannot have",
        "The message names the setting, where its value came from, and what the value must look like. Nothing was changed. `runnerup plan` shows every setting with its source.";
    SettingMissing = 2, "E2003", "a setting that has no default was not given",
        "Without a terminal nothing is asked. The message names the option, its variable and its key in an answers file: give one of them.";
    TokenPlaceholder = 2, "E2004", "the token is a placeholder, not a token",
        "The text is one of those that documentation and package templates put where the token goes. Make a token with `circleci runner token create NAMESPACE/CLASS NICKNAME` and give it in a file or on standard input.";
    TokenSource = 2, "E2005", "the token comes from a place where others can see it",
        "Arguments are visible to every user of a host, and a file that others can read is no secret. Put the token into a file of its own: `install -m 600 /dev/stdin token`, then `--token-file token`.";
    AnswersInvalid = 2, "E2006", "the answers file cannot be used",
        "It must be YAML: one mapping, keys named like the options without the dashes in front (`max-run-time: 5h`). The message gives line and column.";
    UrlInsecure = 2, "E2007", "a URL is not https",
        "Plain http can be changed on the way. It is taken for loopback addresses only, or for the release bucket when --sha256 says what must arrive.";
    Contradiction = 2, "E2008", "two settings contradict each other",
        "The message names both and where they came from. Leave one of them out.";
    CodeUnknown = 2, "E2009", "there is no such code or check",
        "`runnerup explain --list` prints them all.";
    NeedsRoot = 3, "E3001", "this needs root",
        "Accounts, services and the documented folders belong to root. The message has the exact command. `runnerup plan` and `--root DIR` on a folder of your own need no root.";
    PlatformUnsupported = 3, "E3002", "the agent is not published for this platform",
        "Launch-agent exists for linux/amd64, linux/arm64, linux/ppc64le, linux/s390x, darwin/amd64, darwin/arm64 and windows/amd64. --platform names another one for a mounted image.";
    ServiceManagerMissing = 3, "E3003", "the service manager asked for is not there",
        "`--service systemd` needs a host that systemd started (the folder /run/systemd/system exists). In a container or under another init use `--service none`; the plan then says how to run the agent.";
    ToolMissing = 3, "E3004", "a tool of the system is missing",
        "Tools are looked for in /usr/local/sbin, /usr/local/bin, /usr/sbin, /usr/bin, /sbin and /bin only, never in a PATH that a user prepared. Install the package that the message names.";
    Locked = 3, "E3005", "another run of runnerup is at work on this host",
        "One change at a time: the lock is held by the process that the message names. Wait for it, or end it; a lock does not outlive its process.";
    GroundUnsafe = 3, "E3006", "a path leads over ground that someone else can change",
        "Root does not follow a link, or act on a file, that the account running jobs could have put there. Look at the path, remove what does not belong, and run again.";
    InTheWay = 3, "E3007", "something else stands where a file or folder is to go",
        "The message names the path and what it is. Nothing was changed. Move it away, or choose another place.";
    StateUnreadable = 3, "E3008", "the receipt or the journal cannot be read",
        "They stand in /var/lib/runnerup. A damaged one is never guessed at. The message says which line; `uninstall --force` works from what it can read.";
    HostUnfit = 3, "E3009", "the host lacks something the install needs",
        "Space, a file system that can be written, or a feature of the system. The message says what was found and what is needed.";
    ConfigInvalid = 3, "E3010", "the agent's config file cannot be read",
        "launch-agent-config.yaml must be YAML: a mapping with the sections api, runner and logging, texts where texts belong, true or false for switches, a list for runner.command_prefix.";
    Resolve = 4, "E4001", "a host name cannot be resolved",
        "The resolver answered that there is no such name, or did not answer. Check /etc/resolv.conf, or give --proxy when names are resolved by a proxy.";
    Connect = 4, "E4002", "a connection was refused or not answered",
        "Outgoing TCP to port 443 must be allowed to the release bucket and the runner API; nothing inbound is needed.";
    Tls = 4, "E4003", "a TLS connection could not be trusted",
        "The certificate is expired, for another name, or signed by an authority that this host does not know, as behind an intercepting proxy. Add the authority to the system's trust store or give it with --ca-file.";
    Timeout = 4, "E4004", "the network was too slow or fell silent",
        "Nothing, or next to nothing, arrived within --timeout seconds, in every attempt. The message says how far the transfer came.";
    HttpStatus = 4, "E4005", "the server refused",
        "The message has the status and the URL. 5xx and 429 were tried again before giving up.";
    NoSuchVersion = 4, "E4006", "no such version or platform in the release bucket",
        "The bucket answers 403 for a key that does not exist. A version is whole, commit included: 1.1.73189-8792751. The message lists the versions that could be meant.";
    Proxy = 4, "E4007", "the proxy refused",
        "407 means that it wants a login: http://USER:PASSWORD@HOST:PORT in --proxy or HTTPS_PROXY. The message names where the proxy's address came from.";
    Redirect = 4, "E4008", "a redirect leads where it must not",
        "Redirects are followed to https only, and ten at most.";
    Broken = 4, "E4009", "the transfer broke off",
        "The connection ended before all bytes had arrived, in every attempt.";
    ChecksumMismatch = 5, "E5001", "the checksum does not match",
        "What arrived is not what checksums.txt or --sha256 promises. It was deleted. A proxy that changes files, a broken mirror, or an attack: compare the two sums in the message.";
    ChecksumsInvalid = 5, "E5002", "checksums.txt cannot be used",
        "It must have exactly one line for the platform: 64 hex digits and a path inside the version's folder. The message says what was found instead.";
    ReleaseInvalid = 5, "E5003", "release.txt does not hold a version",
        "One line such as 1.1.73189-8792751 was expected. A proxy's login page is the usual reason for something else. --version names a version and leaves release.txt out.";
    NotExecutable = 5, "E5004", "the file is not an executable of this platform",
        "Its first bytes are those of something else: a web page, a script, an archive, or another system's or processor's program. It was deleted.";
    EncodingBroken = 5, "E5005", "the encoding of what arrived is broken",
        "The server said gzip, and the bytes are not, or end too early.";
    TooLarge = 5, "E5006", "more arrived than can be right",
        "Every download has a limit, before and after decoding, so that a hostile or broken server cannot fill the disk.";
    StepFailed = 6, "E6001", "a step failed, and everything was rolled back",
        "The host is as it was before. The message says which step failed and why.";
    RollbackIncomplete = 7, "E7001", "a step failed, and the roll-back is incomplete",
        "The message lists what could not be undone. `runnerup uninstall` cleans up from the journal; `runnerup install` goes on from it.";
    Unhealthy = 8, "E8001", "installed, but the agent did not come up healthy",
        "The service was started and did not stay up, or its health text says Unhealthy. The last lines of its log are in the message. Everything stays in place; `runnerup doctor` examines it.";
    Interrupted = 130, "E130001", "interrupted",
        "Ctrl-C or a signal ended the run. What had been done was undone.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_digits_of_a_code_are_its_exit_code() {
        for entry in Code::ALL {
            let digits = &entry.id[1..entry.id.len() - 3];
            assert_eq!(digits.parse::<u8>().unwrap(), entry.code.exit(), "{}", entry.id);
        }
    }

    #[test]
    fn ids_are_unique() {
        let ids: HashSet<_> = Code::ALL.iter().map(|entry| entry.id).collect();
        assert_eq!(ids.len(), Code::ALL.len());
    }
}
