//! Settings with a few fixed values.

use super::serde_as_text;
use crate::{Code, Error, Help, Result};
use std::{fmt, str::FromStr};

/// `runner.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// The agent takes one job after another.
    #[default]
    Continuous,
    /// The agent ends after one job.
    SingleTask,
}

/// Reads `true` or `false`, and nothing else: YAML readers do not agree on `yes` and `on`.
pub fn truth(text: &str) -> Result<bool> {
    let meant = match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "1" => Some(true),
        "false" | "no" | "off" | "n" | "0" => Some(false),
        _ => None,
    };
    match (text, meant) {
        ("true" | "false", Some(meant)) => Ok(meant),
        (_, Some(meant)) => {
            Err(Error::new(Code::ValueInvalid, format!("{text:?} is neither true nor false"))
                .help(Help::value("use ", meant, "")))
        }
        (_, None) => {
            Err(Error::new(Code::ValueInvalid, format!("{text:?} is neither true nor false"))
                .help("use true or false"))
        }
    }
}

impl FromStr for Mode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "continuous" => Ok(Self::Continuous),
            "single-task" => Ok(Self::SingleTask),
            _ => Err(Error::new(Code::ValueInvalid, format!("there is no mode {text:?}"))
                .help("modes: continuous (job after job), single-task (one job, then end)")),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Continuous => "continuous",
            Self::SingleTask => "single-task",
        })
    }
}

serde_as_text!(Mode);

#[cfg(test)]
mod tests {
    use super::super::assert_round_trip;
    use super::*;

    #[test]
    fn modes_read_back() {
        for text in ["continuous", "single-task"] {
            assert_eq!(text.parse::<Mode>().unwrap().to_string(), text);
            assert_round_trip::<Mode>(text);
        }
        assert!("single_task".parse::<Mode>().is_err());
    }

    #[test]
    fn only_true_and_false_are_taken() {
        assert!(truth("true").unwrap());
        assert!(!truth("false").unwrap());
        assert_eq!(truth("yes").unwrap_err().help_lines(), ["use true"]);
        assert_eq!(truth("Off").unwrap_err().help_lines(), ["use false"]);
        assert_eq!(truth("maybe").unwrap_err().help_lines(), ["use true or false"]);
    }
}
