//! clap's errors in this program's form.

use crate::{Code, Error, Help};
use clap::error::{ContextKind, ErrorKind};

/// clap's rendering is text for people: `error: …`, then `tip: …` and `Usage: …` paragraphs.
pub(super) fn error(error: &clap::Error) -> Error {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Error::new(Code::Usage, "no command was given")
            .help("runnerup install   # asks what it needs to know")
            .help("runnerup --help");
    }
    let code = match error.kind() {
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => Code::ValueInvalid,
        // The same option twice is a conflict to clap, with itself.
        ErrorKind::ArgumentConflict
            if error.get(ContextKind::InvalidArg) != error.get(ContextKind::PriorArg) =>
        {
            Code::Contradiction
        }
        _ => Code::Usage,
    };
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let first = paragraphs.next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let mut error = Error::new(code, words(first));
    for line in paragraphs.flat_map(str::lines).map(str::trim) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            error = error.help(Help::words(tip));
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            let command: Vec<_> =
                usage.split(' ').take_while(|word| !word.starts_with(['-', '<', '['])).collect();
            error = error.help(Help::words(format!("{} --help", command.join(" "))));
        }
    }
    error
}

/// One line of what may be several.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use crate::{Code, cli::options::CommandLine};
    use clap::Parser;

    fn error(args: &[&str]) -> crate::Error {
        let args = ["runnerup"].iter().chain(args);
        super::error(&CommandLine::try_parse_from(args).unwrap_err())
    }

    #[test]
    fn a_slip_is_told_with_what_was_meant() {
        let error = error(&["install", "--workdri", "/x"]);
        assert_eq!(error.code(), Code::Usage);
        assert_eq!(error.message(), "unexpected argument '--workdri' found");
        assert_eq!(
            error.help_lines(),
            ["a similar argument exists: '--workdir'", "runnerup install --help"]
        );
    }

    #[test]
    fn the_kind_of_error_has_its_code() {
        assert_eq!(error(&["instal"]).code(), Code::Usage);
        assert_eq!(error(&["install", "--mode", "x"]).code(), Code::ValueInvalid);
        assert_eq!(error(&["-q", "-v", "man"]).code(), Code::Contradiction);
        assert!(error(&["completions"]).message().contains("<SHELL>"));
        let error = error(&["install", "--mode", "x"]);
        assert!(error.message().contains("continuous"), "{error}");
    }
}
