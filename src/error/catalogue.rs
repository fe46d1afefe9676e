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
        "The command line has an option that does not exist, that was given twice, or that lacks \
         its value. It is found before anything is looked at or changed. `runnerup help COMMAND` \
         shows what a command takes; the message names the option that was probably meant.";
    ValueInvalid = 2, "E2002", "a setting has a value it cannot have",
        "A setting was given a value that breaks the rule for it, such as `5d` where hours are \
         wanted. The value may come from an option, a variable, an answers file or an existing \
         install: the message names the setting and what its value must look like. Nothing was \
         changed. Correct the value; `runnerup plan` shows every setting with its source.";
    SettingMissing = 2, "E2003", "a setting that has no default was not given",
        "A setting that has no default was given nowhere, and without a terminal, or with --yes, \
         nothing is asked. The message names its option, its variable and its key in an answers \
         file. Give it in one of these ways and run again.";
    TokenPlaceholder = 2, "E2004", "the token is a placeholder, not a token",
        "The text given as the token is one that documentation and templates put where the token \
         goes, such as AUTH_TOKEN, <token> or $RUNNER_AUTH_TOKEN, or it is empty. An agent \
         started with it would be refused by CircleCI again and again. Make a token with \
         `circleci runner token create NAMESPACE/CLASS NICKNAME` and give it in a file, on \
         standard input or in RUNNERUP_TOKEN.";
    TokenSource = 2, "E2005", "the token comes from a place where others can see it",
        "The file with the token can be read or written by other accounts of this host, so it is \
         no secret. It is found by the mode of the open file before any of it is read. Make the \
         file yours alone with `chmod 600 FILE`; if others may have read it already, make a new \
         token and delete the old one.";
    AnswersInvalid = 2, "E2006", "the answers file cannot be used",
        "The answers file could not be read as settings. It must be YAML: one mapping, keys named \
         like the options without the dashes in front (`max-run-time: 5h`), values that are \
         texts, numbers, true, false or lists of texts. Aliases, tags, repeated keys and mappings \
         in the mapping are refused. The message gives line and column of the first fault.";
    UrlInsecure = 2, "E2007", "a URL is not https",
        "A URL does not start with https://, so what travels to and from it could be read and \
         changed on the way, the token included. Plain http is taken for this host only \
         (127.0.0.1, ::1, localhost), and for the release bucket when --sha256 says what must \
         arrive. Use the https URL, or give --sha256 for a mirror without TLS.";
    Contradiction = 2, "E2008", "two settings contradict each other",
        "Two settings exclude each other, and following either would ignore the other. The \
         message names both and where each came from. Leave one of them out.";
    CodeUnknown = 2, "E2009", "there is no such code or check",
        "`explain` was given a name that is neither an error code nor a check. Codes look like \
         E4006, checks like permissions/binary-executable. `runnerup explain --list` prints them \
         all.";
    FactsInvalid = 2, "E2010", "the file given as --facts cannot be used",
        "The file is not what `runnerup doctor --save-facts` writes, it was cut short, or another \
         version of this tool wrote it in another form. Nothing was examined. Have the facts saved \
         again on the host, with this version.";
    NeedsRoot = 3, "E3001", "this needs root",
        "Accounts, services and the documented folders belong to root, and the command is not run \
         by root. Nothing was changed. Run the exact command in the message, which goes through \
         sudo. `runnerup plan` needs no root, nor does `--root DIR` with a folder of your own.";
    PlatformUnsupported = 3, "E3002", "the agent is not published for this platform",
        "CircleCI publishes no agent for this operating system and processor. Launch-agent exists \
         for linux/amd64, linux/arm64, linux/ppc64le, linux/s390x, darwin/amd64, darwin/arm64 and \
         windows/amd64. To prepare an image of another platform than this host's, name it with \
         --platform.";
    ServiceManagerMissing = 3, "E3003", "the service manager asked for is not there",
        "The service manager that was asked for does not run on this host. For systemd the sign \
         is the folder /run/systemd/system, which exists where systemd is the init. In a \
         container or under another init use `--service none`: everything but the service is \
         installed, and the way to run the agent is printed.";
    ToolMissing = 3, "E3004", "a tool of the system is missing",
        "A tool of the system that a step needs is not installed. Tools are looked for in \
         /usr/sbin, /usr/bin, /sbin, /bin, /usr/local/sbin and /usr/local/bin only (the last two \
         not on macOS), because a PATH could have been prepared by someone else. A folder or \
         program that an account other than root can change is passed over; the message says \
         which. Install the package that the message names and run again.";
    Locked = 3, "E3005", "another run of runnerup is at work on this host",
        "Two runs that change a host at the same time would undo each other, so the first one \
         holds a lock. The message names the process that has it, or how to find it. Wait until it is done, or end \
         it: a lock does not outlive its process, and the next run goes on from what was done.";
    GroundUnsafe = 3, "E3006", "a path leads over ground that someone else can change",
        "A path leads through a link, a folder or a file that the account running jobs, or \
         another account, could put there or swap. Root does not follow such a path, because it \
         could be led to change any file of the host. The message names the place. Look at it, \
         remove what does not belong there, and run again.";
    InTheWay = 3, "E3007", "something else stands where a file or folder is to go",
        "Something else stands where a file or a folder must go, or in a folder that must be removed: \
         a folder in place of a file, a device, a mount, a service of another program. The message \
         names the path and what was found. It is neither removed nor overwritten. Move it away or \
         unmount it, or choose another place or another --instance.";
    StateUnreadable = 3, "E3008", "the receipt or the journal cannot be read",
        "The receipt (what was installed) or the journal (what was being done) is damaged or of a \
         newer runnerup; since it says what may be removed, it is never guessed at, and no option \
         makes runnerup go on without it. The message names the file and the line. Restore the \
         file from a copy, use the newer runnerup, or move the file away and remove by hand what \
         it told of.";
    HostUnfit = 3, "E3009", "the host lacks something the install needs",
        "The host lacks something that the install needs: space, a file system that can be \
         written, or a feature of the system. It is found before a step is taken where that is \
         possible. The message says what was found and what is needed. Provide it and run again.";
    ConfigInvalid = 3, "E3010", "the agent's config file cannot be read",
        "The agent's configuration of an existing install is not YAML, or has another shape than \
         the agent reads. It must be a mapping with the sections api, runner and logging, texts \
         where texts belong, true or false for switches, and a list for runner.command_prefix. \
         The message gives line and column, and never a value of the file. Correct the line, or \
         move the file away to have a new one written.";
    Resolve = 4, "E4001", "a host name cannot be resolved",
        "The name of a host in a URL could not be turned into an address: the resolver answered \
         that there is no such name, or did not answer. Check the spelling, and what `getent \
         hosts NAME` says on this host; the resolvers stand in /etc/resolv.conf. Where only a \
         proxy resolves names of the internet, give it with --proxy.";
    Connect = 4, "E4002", "a connection was refused or not answered",
        "The address is known, but a connection to it was refused or not answered. A firewall is \
         the usual reason: outgoing TCP to port 443 must be allowed to the release bucket and to \
         the runner API, and nothing inbound is needed. The message names the address and port. \
         Where a proxy is the only way out, give it with --proxy.";
    Tls = 4, "E4003", "a TLS connection could not be trusted",
        "The server, or something between, showed a certificate that this host does not trust: \
         expired, made for another name, or signed by an unknown authority, as by a proxy that \
         inspects traffic. Checking is never switched off. Compare the host's clock with the true \
         time, then add the authority to the system's trust store or give its certificate with \
         --ca-file.";
    Timeout = 4, "E4004", "the network was too slow or fell silent",
        "A connection stood, but nothing, or next to nothing, arrived within --timeout seconds, \
         in every attempt. The message says how far the transfer came. Try again, raise --timeout \
         for a slow line, or put a copy of the release bucket nearby and name it with \
         --release-url.";
    HttpStatus = 4, "E4005", "the server refused",
        "The server answered, but not with what was asked for. The message has the status and the \
         URL. 429 and 5xx were tried again before giving up and often pass with time; 401 and 403 \
         mean that the login or the address is wrong.";
    NoSuchVersion = 4, "E4006", "no such version or platform in the release bucket",
        "The release bucket has no such object; it answers 403, not 404, for a key that does not \
         exist. Either the version is misspelt, or it was not published for this platform. A \
         version is whole, commit included, such as 1.1.73189-8792751. The message lists versions \
         that could be meant; `--version latest` takes the newest.";
    Proxy = 4, "E4007", "the proxy refused",
        "The proxy was reached and did not pass the request on. 407 means that it wants a login: \
         write http://USER:PASSWORD@HOST:PORT in --proxy or HTTPS_PROXY, with % and two hex \
         digits for special characters. 403 usually means that it forbids the destination. The \
         message names where the proxy's address came from.";
    Redirect = 4, "E4008", "a redirect leads where it must not",
        "The server sent the request on to an address that is not https, or from one address to \
         the next too many times. Redirects are followed to https only, and ten at most, so that \
         nobody on the way can swap the file. Look at what --release-url points to, or whether a \
         portal wants a login first.";
    Broken = 4, "E4009", "the transfer broke off",
        "The connection ended before all bytes had arrived, in every attempt. Each attempt went \
         on where the last one ended if the server allows that. What had arrived was deleted. Try \
         again; where a proxy cuts long transfers, put a copy of the release bucket behind it and \
         name it with --release-url.";
    ChecksumMismatch = 5, "E5001", "the checksum does not match",
        "What arrived is not what checksums.txt or --sha256 promises, and it was deleted without \
         being run. A proxy that changes files, a broken mirror, a wrong --sha256 or an attack \
         can be the reason. Compare the two sums in the message with those of a download by \
         another way. Do not install until they agree.";
    ChecksumsInvalid = 5, "E5002", "checksums.txt cannot be used",
        "checksums.txt says not exactly one thing about this platform's file. It must have one \
         line for it: 64 hex digits and a path inside the version's folder. The message says what \
         was found instead; a web page means that a proxy or a portal answered. Correct the \
         mirror, or name the sum yourself with --sha256.";
    ReleaseInvalid = 5, "E5003", "release.txt does not hold a version",
        "release.txt in the bucket should hold one version, such as 1.1.73189-8792751, and holds \
         something else. A login page of a proxy or portal is the usual reason. `--version` names \
         a version and leaves release.txt out.";
    NotExecutable = 5, "E5004", "the file is not an executable of this platform",
        "The file starts with the bytes of something else than a program for this platform: a web \
         page, a script, an archive, or a program for another system or processor. It was deleted \
         without being run. Check --release-url and --platform.";
    EncodingBroken = 5, "E5005", "the encoding of what arrived is broken",
        "The server said that the file comes gzip-encoded, and the bytes are not gzip, are \
         damaged, or end too early. Objects in the bucket are stored that way. A mirror that lost \
         or doubled the encoding is the usual reason: copy the objects with their \
         Content-Encoding, or as plain files without it.";
    TooLarge = 5, "E5006", "more arrived than can be right",
        "More bytes arrived, or came out of the decoding, than such a file can have. Every \
         download has a limit, so that a hostile or broken server cannot fill the disk or the \
         memory. What had arrived was deleted. Check what --release-url points to.";
    StepFailed = 6, "E6001", "a step failed, and what was done before it was rolled back",
        "A step of the plan failed, and what was done before it was undone, and looked at again. \
         Processes that the run ended stay ended, which is said then; all else is as it was. \
         Remove the cause that the message names, and run the same command again.";
    CommandTimeout = 6, "E6002", "a command of the system did not end in time",
        "A command of the system, such as `systemctl` or PowerShell, did not end within its limit, and \
         was ended. The message names the command and the limit. Run it by hand to see what it waits \
         for, remove the cause, and run again.";
    RollbackIncomplete = 7, "E7001", "a step failed, and the roll-back is incomplete",
        "A step failed, and something done before it is not as it was: undoing it failed too, or it \
         cannot be undone, as the removal of an account or of the jobs' data. The message lists it, \
         and the journal keeps the record. Remove the cause, then run the command that the message \
         names: `runnerup uninstall` cleans up, `runnerup install` goes on from there.";
    RemovalIncomplete = 7, "E7002", "not everything could be removed",
        "All steps of `runnerup uninstall --purge` were done, but a folder or a file that was to go \
         stays: something is mounted in it, another program keeps adding to it, or it holds more than \
         can be removed in the time for it. Lines above the message say which. Remove the cause, then \
         run the command that the message names: it goes on from there.";
    Unhealthy = 8, "E8001", "installed, but the agent did not come up healthy",
        "Everything was installed, but the agent did not stay up, or its own health text says \
         Unhealthy. The last lines of its log are in the message; a refused token and a host that \
         cannot reach the API are the usual reasons. Everything stays in place: remove the cause, \
         and `systemctl restart` the service that the message names.";
    Interrupted = 130, "E130001", "interrupted",
        "Ctrl-C or a signal ended the run. What had been done until then was undone, and the \
         terminal is as it was. Run the command again when you are ready; nothing needs cleaning \
         up.";
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
    /// Two to four sentences: what it means, how it is found, how it is cured.
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
