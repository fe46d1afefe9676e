//! Where the token is besides the configuration, readable for every user of the host.

use super::Install;
use crate::{agent::token_variables, text::REDACTED};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A place that holds the token and that every user can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "in")]
pub enum TokenPlace {
    /// The service's command line.
    Command,
    /// An `Environment=` line of the service's definition.
    Definition {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The command line of the agent's process.
    Process,
}

impl Install {
    /// The places that hold the token and that every user can read.
    pub fn token_places(&self) -> Vec<TokenPlace> {
        self.token_in.clone().unwrap_or_else(|| self.token_shown())
    }

    /// In facts of older versions the token's place is where `***` stands for it.
    fn token_shown(&self) -> Vec<TokenPlace> {
        let is_in = |text: &str| {
            let shown = ["=", " "].map(|gap| format!("auth_token{gap}{REDACTED}"));
            shown.iter().any(|shown| text.contains(shown))
        };
        let mut places = Vec::new();
        if let Some(service) = &self.service {
            if is_in(&service.command.join(" ")) {
                places.push(TokenPlace::Command);
            }
            for line in service.directives("Service", "Environment") {
                let is_set = |name: &str| line.value.contains(&format!("{name}={REDACTED}"));
                if token_variables().any(is_set) {
                    let (file, line) = (line.file.clone(), line.line);
                    places.push(TokenPlace::Definition { file, line });
                }
            }
        }
        if self.main_process().is_some_and(|process| is_in(&process.command)) {
            places.push(TokenPlace::Process);
        }
        places
    }
}
