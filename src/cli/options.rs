//! What may stand on the command line. Precedence and meaning are the business of
//! [`super::inputs`] and of [`crate::settings`]; so nothing here has a default.

// The comments on options are their help, where `[x]` is a default and no link.
#![allow(rustdoc::broken_intra_doc_links)]

mod bundle;
mod doctor;
mod install;
mod uninstall;

pub use bundle::{BundleArgs, BundleCommand, BundleCreateArgs};
pub use doctor::DoctorArgs;
pub use install::InstallArgs;
pub use uninstall::UninstallArgs;

use crate::agent::Kind;
use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "runnerup",
    version,
    about = "Install, diagnose and remove CircleCI self-hosted runners",
    after_help = TOP_EXAMPLES,
    subcommand_required = true,
    disable_help_flag = true,
    max_term_width = 80
)]
pub struct CommandLine {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Global {
    /// Print one JSON document, also on failure
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print what is being done (-vv: more)
    ///
    /// Secrets are never printed.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print help (--help: more)
    #[arg(short, long, global = true, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
    /// Colour: auto, always or never
    ///
    /// auto: on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_name = "WHEN", hide_possible_values = true)]
    pub color: Option<When>,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Whatever the output is.
    Always,
    /// Not at all.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Install an agent, start it and check that it runs
    #[command(after_help = INSTALL_EXAMPLES)]
    Install(InstallArgs),
    /// Show what `install` would do, and change nothing
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(InstallArgs),
    /// Find out why a runner does not work, and fix it
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(DoctorArgs),
    /// Remove what was installed, and nothing else
    #[command(after_help = UNINSTALL_EXAMPLES)]
    Uninstall(UninstallArgs),
    /// Put agents into one file, for hosts without internet
    #[command(after_help = BUNDLE_EXAMPLES)]
    Bundle(BundleArgs),
    /// Explain an error code or a check
    Explain(ExplainArgs),
    /// Print shell completions
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

/// The options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Such as E4006, or config/token-set
    #[arg(required_unless_present = "list")]
    pub code: Option<String>,
    /// List all codes
    #[arg(long, conflicts_with = "code")]
    pub list: bool,
}

/// The options of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

const TOP_EXAMPLES: &str = "\
Examples:
  runnerup install          # asks, shows the plan, asks again, installs
  runnerup plan             # shows the plan and changes nothing
  sudo runnerup doctor      # what is wrong, and the command that removes it
  runnerup explain E4006    # an error code or a check, in full";

const INSTALL_EXAMPLES: &str = "\
Every option is also a variable (RUNNERUP_MAX_RUN_TIME) and a key of --answers.

Examples:
  runnerup install
  runnerup install --yes --token-file token --answers runner.yaml";

const PLAN_EXAMPLES: &str = "\
Options and token are those of install. Root is not needed.
Every option is also a variable (RUNNERUP_MAX_RUN_TIME) and a key of --answers.

Example:
  runnerup plan --json --token-file token --answers runner.yaml";

const DOCTOR_EXAMPLES: &str = "\
Exits with 1 when a check fails. All checks: runnerup doctor --list
Every option is also a variable (RUNNERUP_OFFLINE).
`runnerup uninstall --instance doctor` takes back what --fix did to an agent
that runnerup did not install.

Examples:
  sudo runnerup doctor
  sudo runnerup doctor --fix
  runnerup doctor --facts host.json";

const UNINSTALL_EXAMPLES: &str = "\
Every option is also a variable (RUNNERUP_INSTANCE).

Examples:
  runnerup uninstall --dry-run
  runnerup uninstall --instance gpu --purge";

const BUNDLE_EXAMPLES: &str = "\
Every option is also a variable (RUNNERUP_PLATFORM).

Examples:
  runnerup bundle create --out runners.tar --platform linux/amd64,linux/arm64
  sudo runnerup install --bundle runners.tar --token-file token --yes";

/// The agents that can be installed.
fn agents() -> PossibleValuesParser {
    PossibleValuesParser::new(Kind::installable().map(|kind| kind.profile().name))
}

fn choice<const N: usize>(values: [&'static str; N]) -> PossibleValuesParser {
    PossibleValuesParser::new(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::table::{Form, definition, names};
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    #[test]
    fn the_definition_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn install_and_plan_take_exactly_the_settings() {
        let command = CommandLine::command();
        let not_settings = ["help", "quiet", "verbose", "color"];
        for name in ["install", "plan"] {
            let sub = command.find_subcommand(name).unwrap();
            let options: BTreeSet<_> = sub
                .get_arguments()
                .chain(command.get_arguments().filter(|arg| arg.is_global_set()))
                .filter_map(clap::Arg::get_long)
                .filter(|long| !not_settings.contains(long))
                .collect();
            assert_eq!(options, names().collect::<BTreeSet<_>>(), "{name}");
            for option in sub.get_arguments() {
                let setting = option.get_long().and_then(definition);
                let is_switch = !option.get_action().takes_values();
                let is_told =
                    setting.is_none_or(|setting| (setting.form == Form::Switch) == is_switch);
                assert!(is_told, "{option}");
            }
        }
    }

    /// Whatever a text tells people to type is there: nothing is offered that is not built.
    #[test]
    fn no_text_offers_a_command_or_an_option_that_is_not_there() {
        let command = CommandLine::command();
        let subs: Vec<_> = command.get_subcommands().collect();
        let longs = |of: &clap::Command| {
            of.get_arguments().filter_map(clap::Arg::get_long).map(str::to_owned).collect()
        };
        let mut options: BTreeSet<String> = longs(&command);
        options.extend(subs.iter().flat_map(|sub| longs(sub)));
        // Commands of a command, such as `bundle create`.
        let below = subs.iter().flat_map(|sub| sub.get_subcommands());
        options.extend(below.flat_map(longs));
        options.insert("help".to_owned());
        let names: BTreeSet<&str> = subs.iter().map(|sub| sub.get_name()).collect();

        let entries = crate::Code::ALL.iter().map(|entry| entry.text.to_owned());
        let checks = crate::doctor::CHECKS.iter();
        let checks =
            checks.flat_map(|check| [check.why, check.found, check.cure]).map(str::to_owned);
        let helps = subs.iter().map(|sub| (*sub).clone().render_long_help().to_string());
        let (mut told, mut missing) = (0, BTreeSet::new());
        for text in entries.chain(checks).chain(helps) {
            for word in text.split("--").skip(1) {
                let is_end = |c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-';
                let option = word.split(is_end).next().unwrap().trim_end_matches('-');
                let is_there = options.contains(option) || FOREIGN.contains(&option);
                told += 1;
                missing.extend((!option.is_empty() && !is_there).then(|| option.to_owned()));
            }
            for rest in text.split("`runnerup ").skip(1) {
                let name = rest.split([' ', '`', '\n']).next().unwrap();
                let is_there = name == "help" || name.starts_with('-') || names.contains(name);
                told += 1;
                missing.extend((!is_there).then(|| name.to_owned()));
            }
        }
        assert_eq!(missing, BTreeSet::new());
        assert!(told > 50, "{told}");
    }

    /// Of other programs: docker.
    const FOREIGN: [&str; 1] = ["init"];
}
