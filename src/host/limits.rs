//! How long the lists are that checks pass over more than once. A survey holds no longer ones,
//! whoever has written what it is taken from; facts that do were made by someone else.

use super::Survey;

/// Most directives of one service.
pub const DIRECTIVES: usize = 2000;

/// Most settings of one configuration.
pub const SETTINGS: usize = 1000;

impl Survey {
    /// What is longer than in any survey that was taken, in words.
    pub fn excess(&self) -> Option<String> {
        let excess = |what: &str, count: usize, most: usize| {
            (count > most)
                .then(|| format!("an agent has {count} {what}, where {most} are the most"))
        };
        self.installs.iter().find_map(|install| {
            let service = install.service.as_ref();
            let directives = service.map_or(0, |service| service.directives.len());
            let config = install.config.as_ref().and_then(super::Seen::ok);
            let settings = config.map_or(0, |config| config.settings.len());
            excess("directives of its service", directives, DIRECTIVES)
                .or_else(|| excess("settings", settings, SETTINGS))
        })
    }
}
