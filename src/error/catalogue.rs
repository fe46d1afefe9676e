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
    /// What it means, how it is found, how it is fixed.
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
    Usage = 2, "E2001", "the command line is invalid",
        "The command line has an option that does not exist, that was given twice, or that lacks \
         its value. It is found before anything is examined or changed. `runnerup help COMMAND` \
         shows the options of a command; the message names the option that was probably meant.";
    ValueInvalid = 2, "E2002", "a setting has an invalid value",
        "A setting has a value that its rule does not allow, such as `5d` for a duration in hours. \
         The value may come from an option, a variable, an answers file or an existing install: \
         the message names the setting and the form of its value. Nothing was changed. Correct \
         the value; `runnerup plan` shows every setting with its source.";
    SettingMissing = 2, "E2003", "a setting that has no default was not given",
        "A setting without a default was not given, and without a terminal, or with --yes, \
         runnerup does not ask. The message names its option, its variable and its key in an \
         answers file. Give it in one of these ways and run again.";
    TokenPlaceholder = 2, "E2004", "the token is a placeholder, not a token",
        "The token is empty, or a placeholder of documentation and templates, such as AUTH_TOKEN, \
         <token> or $RUNNER_AUTH_TOKEN; or it is something else that is no token: JSON, a reference to \
         a secret store, the path of a file, the name of a variable, a personal API token. CircleCI \
         would refuse an agent with it again and again. Create a token with `circleci runner token create NAMESPACE/CLASS NICKNAME` and \
         give it in a file, on standard input or in RUNNERUP_TOKEN.";
    TokenSource = 2, "E2005", "other accounts can read the token",
        "Other accounts of this host can read or write the file with the token. The mode of the \
         open file shows this before its content is read. Remove access for others with `chmod 600 \
         FILE`; if others may have read the file, create a new token and delete the old one.";
    AnswersInvalid = 2, "E2006", "the answers file cannot be used",
        "The answers file does not contain valid settings. It must be YAML: one mapping, with the \
         names of options without their dashes as keys (`max-run-time: 5h`), and texts, numbers, \
         true, false or lists of texts as values. Repeated keys, further documents and nested \
         mappings are refused. The message gives line and column of the first error.";
    UrlInsecure = 2, "E2007", "a URL is not https",
        "A URL does not start with https://, so others on the network could read and change the \
         traffic, including the token. Plain http is accepted only for this host (127.0.0.1, ::1, \
         localhost), and for the release bucket if --sha256 gives the expected checksum. Use the \
         https URL, or give --sha256 for a mirror without TLS.";
    Contradiction = 2, "E2008", "two settings contradict each other",
        "Two settings exclude each other. The message names both, and the source of each. Remove \
         one of them.";
    CodeUnknown = 2, "E2009", "the code or check does not exist",
        "The name given to `explain` is neither an error code, such as E4006, nor a check, such as \
         permissions/binary-executable. `runnerup explain --list` prints all errors, `runnerup doctor --list` all checks.";
    FactsInvalid = 2, "E2010", "the file given as --facts cannot be used",
        "The file was not written by `runnerup doctor --save-facts`, it is incomplete, or another \
         version of runnerup wrote it in another format. Nothing was examined. Save the facts on \
         the host again, with this version.";
    NeedsRoot = 3, "E3001", "the command needs root",
        "Only root can change accounts, services and the documented folders, and the command was \
         not run as root. Nothing was changed. Run the command in the message, which uses sudo. \
         `runnerup plan`, and `--root DIR` with your own folder, do not need root.";
    PlatformUnsupported = 3, "E3002", "no agent is published for this platform",
        "CircleCI does not publish an agent for this operating system and processor. Launch-agent exists \
         for linux/amd64, linux/arm64, linux/ppc64le, linux/s390x, darwin/amd64, darwin/arm64 and \
         windows/amd64. To prepare an image of another platform than this host's, name it with \
         --platform.";
    ServiceManagerMissing = 3, "E3003", "the service manager does not run on this host",
        "The requested service manager does not run on this host. systemd is recognized by the \
         folder /run/systemd/system, which exists where systemd is the init system. In a container \
         or under another init system use `--service none`: this installs everything but the \
         service, and prints the command that runs the agent.";
    ToolMissing = 3, "E3004", "a tool of the system is missing",
        "A tool of the system that a step needs was not found. runnerup searches only /usr/sbin, \
         /usr/bin, /sbin, /bin, /usr/local/sbin and /usr/local/bin (the last two not on macOS), \
         because another account could have prepared the PATH. It ignores a folder or program that \
         an account other than root can change, and names it in the message. Install the package \
         that the message names and run again.";
    Locked = 3, "E3005", "another run of runnerup is changing this host",
        "Two runs at the same time would undo each other's changes, so the first one holds a lock. \
         The message names its process, or the command that finds it. Wait until that process \
         ends, or end it: the lock ends with the process, and the next run continues from there.";
    UntrustedPath = 3, "E3006", "another account can change a path",
        "A path contains a link, a folder or a file that the account of jobs, or another account, \
         could create or replace. Root does not follow such a path, because it could lead to any \
         file of the host. The message names the place. Examine it, remove what does not belong \
         there, and run again.";
    InTheWay = 3, "E3007", "something else is at the path of a file or folder",
        "Something else is at the path of a file or a folder, or in a folder that must be removed: a \
         folder instead of a file, a device, a mount, a service of another program. The message \
         names the path and what was found. It is neither removed nor overwritten. Move it away or \
         unmount it, or choose another path or another --instance.";
    StateUnreadable = 3, "E3008", "the receipt or the journal cannot be read",
        "The receipt (what was installed) or the journal (what a run was doing) is damaged, or a \
         newer runnerup wrote it. It decides what may be removed, so runnerup does not continue \
         without it. The message names the file and the line. Restore the file from a backup, use \
         the newer runnerup, or move the file away and remove by hand what it lists.";
    HostUnfit = 3, "E3009", "the host lacks something the install needs",
        "The host lacks something that the install needs: disk space, a writable file system, or a \
         feature of the system. Where possible this is found before the first step. The message \
         says what was found and what is needed. Provide it and run again.";
    ConfigInvalid = 3, "E3010", "the agent's configuration is invalid",
        "The configuration of an existing agent is not YAML, or not of the form that the agent \
         reads. It must be a mapping with the sections api, runner and logging, with texts, true or \
         false, and a list for runner.command_prefix. The message gives line and column, and never \
         a value of the file. Correct the line, or move the file away: runnerup then writes a new \
         one.";
    HostWouldEnd = 3, "E3011", "a stop of the service ends the host",
        "The service has to be stopped for this, and its definition ends the host when it stops: \
         ExecStopPost=poweroff, SuccessAction=, OnSuccess=, a script, as virtual machines have it that \
         are there for one job. The message names the file and the line. Remove that line, have the \
         service manager read its files again, and run again; or make a new host.";
    Resolve = 4, "E4001", "a host name cannot be resolved",
        "The host name of a URL has no address: the DNS resolver answered that the name does not \
         exist, or did not answer. Check the spelling, and the result of `getent hosts NAME` on \
         this host; /etc/resolv.conf lists the resolvers. If only a proxy resolves names of the \
         internet, give it with --proxy.";
    Connect = 4, "E4002", "a connection was refused, or there was no answer",
        "A connection to the address was refused, or there was no answer. The usual cause is a \
         firewall: it must allow outgoing TCP to port 443 of the release bucket and of the runner \
         API; nothing inbound is needed. The message names the address and port. If connections \
         need a proxy, give it with --proxy.";
    Tls = 4, "E4003", "a TLS certificate is not trusted",
        "The server, or a proxy that inspects TLS, presented a certificate that this host does not \
         trust: it has expired, is for another name, or is signed by an unknown authority. The \
         check cannot be disabled. Compare the host's clock with the correct time, then add the \
         authority to the system's trust store or give its certificate with --ca-file.";
    Timeout = 4, "E4004", "the network was too slow or stopped answering",
        "A connection was made, but nothing, or almost nothing, arrived within --timeout seconds, \
         in every attempt. The message says how much was transferred. Try again, increase --timeout \
         for a slow connection, or use a mirror of the release bucket with --release-url.";
    HttpStatus = 4, "E4005", "the server refused the request",
        "The server answered with an error. The message has the status and the URL. 429 and 5xx are \
         temporary, and were tried again before this error; 401 and 403 mean that the login or the \
         address is wrong.";
    NoSuchVersion = 4, "E4006", "no such version or platform in the release bucket",
        "The release bucket does not have the file; it answers 403, not 404, for a file that does \
         not exist. Either the version is misspelt, or it was not published for this platform. A \
         version includes the commit, such as 1.1.73189-8792751. The message lists versions that \
         could be meant; `--version latest` takes the newest.";
    Proxy = 4, "E4007", "the proxy refused the request",
        "The proxy did not forward the request. 407 means that it requires a login: write \
         http://USER:PASSWORD@HOST:PORT in --proxy or HTTPS_PROXY, with % and two hex digits for \
         special characters. 403 usually means that it forbids the destination. The message names \
         the source of the proxy's address.";
    Redirect = 4, "E4008", "a redirect leads to an address that is not allowed",
        "The server redirected the request to an address that is not https, or redirected it too \
         many times. runnerup follows at most ten redirects, and only to https, so that nobody on \
         the network can replace the file. Check --release-url, and whether a captive portal \
         requires a login.";
    Broken = 4, "E4009", "the transfer was interrupted",
        "The connection ended before all bytes had arrived, in every attempt. Each attempt \
         continued where the last one ended, if the server allows that. The incomplete file was \
         deleted. Try again; if a proxy ends long transfers, use a mirror of the release bucket \
         with --release-url.";
    ChecksumMismatch = 5, "E5001", "the checksum does not match",
        "The checksum of the downloaded file differs from checksums.txt or --sha256. The file was \
         deleted without being executed. The cause can be a proxy that changes files, a broken \
         mirror, a wrong --sha256 or an attack. Compare the two checksums in the message with \
         those of a download over another network, and do not install until they agree.";
    ChecksumsInvalid = 5, "E5002", "checksums.txt cannot be used",
        "checksums.txt must have exactly one line for the file of this platform: 64 hex digits and \
         a path inside the version's folder. The message says what was found instead; a web page \
         means that a proxy or a captive portal answered. Correct the mirror, or give the checksum \
         with --sha256.";
    ReleaseInvalid = 5, "E5003", "release.txt does not contain a version",
        "release.txt in the bucket must contain one version, such as 1.1.73189-8792751, but has \
         other content. The usual cause is a login page of a proxy or captive portal. With an exact \
         `--version` runnerup does not read release.txt.";
    NotExecutable = 5, "E5004", "the file is not an executable of this platform",
        "The first bytes of the file are not those of a program for this platform: it is a web page, \
         a script, an archive, or a program for another system or processor. It was deleted \
         without being executed. Check --release-url and --platform.";
    EncodingBroken = 5, "E5005", "the gzip encoding of the file is broken",
        "The server announced gzip encoding, but the bytes are not gzip, are damaged, or end too \
         early. Files in the bucket are stored with this encoding. The usual cause is a mirror that \
         lost or doubled it: copy the files with their Content-Encoding, or as plain files without \
         it.";
    TooLarge = 5, "E5006", "the download is too large",
        "The file, or its decoded content, is larger than its limit. Every download has a limit, so \
         that a hostile or broken server cannot fill the disk or the memory. The incomplete file \
         was deleted. Check --release-url.";
    ManifestInvalid = 5, "E5007", "manifest.json cannot be used",
        "manifest.json in the bucket must have, for each version and platform of machine runner 3, the \
         URL of an archive in the same bucket and its SHA-256. The message says what was found \
         instead; a web page means that a proxy or a captive portal answered. With --release-url the \
         archive is taken from the same path of that bucket.";
    ArchiveInvalid = 5, "E5008", "the archive of the release cannot be used",
        "A release of machine runner 3 is a .tar.gz with the agent at its top. The archive holds \
         something else, is damaged, or holds what could lead a reader astray, such as a link or a \
         path outside of it. Nothing of it was kept or executed. Check --release-url, or give \
         another --version.";
    BundleInvalid = 5, "E5009", "the bundle cannot be used",
        "The file of --bundle is not a bundle that `runnerup bundle create` has written, or a byte of \
         it is another one: it was cut off, changed on its way, or made by another version of \
         runnerup. Nothing of it was used. Copy it again, or make it anew.";
    StepFailed = 6, "E6001", "a step failed, and the steps before it were rolled back",
        "A step of the plan failed. The steps before it were undone, and the result was verified. \
         Processes that the run ended stay ended, as the message then says. Remove the cause that \
         the message names, and run the same command again.";
    CommandTimeout = 6, "E6002", "a command of the system did not end in time",
        "A command of the system, such as `systemctl` or PowerShell, did not end within its time \
         limit, and was killed. The message names the command and the limit. Run it by hand to see \
         what it waits for, remove the cause, and run again.";
    RollbackIncomplete = 7, "E7001", "a step failed, and the roll-back is incomplete",
        "A step failed, and an earlier step could not be undone: undoing it failed too, or is not \
         possible, as after the removal of an account or of the jobs' data. The message lists what \
         is left, and the journal records it. Remove the cause, then run the command that the \
         message names: `runnerup uninstall` cleans up, `runnerup install` continues.";
    RemovalIncomplete = 7, "E7002", "not everything could be removed",
        "All steps of `runnerup uninstall --purge` were done, but a folder or a file stays: something \
         is mounted in it, another program keeps adding files, or it contains more than can be \
         removed within the time limit. Lines above the message name it. Remove the cause, then \
         run the command that the message names, which continues from there.";
    Unhealthy = 8, "E8001", "installed, but the agent did not come up healthy",
        "Everything was installed, but the agent ended, or reports Unhealthy. The last lines of its \
         log are in the message; the usual causes are a refused token and a host that cannot reach \
         the API. The install stays in place: remove the cause, and restart the service that the \
         message names.";
    Interrupted = 130, "E130001", "interrupted",
        "Ctrl-C or a signal ended the run. The steps until then were undone, and the terminal was \
         restored. Run the command again when you are ready; no cleanup is needed.";
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
    /// Two to four sentences: what it means, how it is found, how it is fixed.
    #[test]
    fn texts_are_whole_and_short() {
        for entry in Code::ALL {
            let sentences = entry.text.split(". ").count();
            assert!((2..=4).contains(&sentences), "{}: {sentences}", entry.id);
            assert!(entry.text.ends_with('.') && !entry.text.contains("  "), "{}", entry.id);
            assert!(!entry.title.ends_with('.'), "{}", entry.id);
        }
    }
}
