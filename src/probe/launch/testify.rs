//! What a running agent tells of its own command line, where the text of its service does not tell
//! it for certain.

use crate::{
    agent::Kind,
    probe::{
        agent_settings::config_place, agent_words, candidate::Candidate, processes::RawRunning,
        task_action::program_name,
    },
};

impl Candidate {
    /// Takes in what the agent's process tells. Its account chose those words: what they name counts
    /// as named by that account, unless the text names the same.
    pub(in crate::probe) fn testify(&mut self) {
        let Some(running) = self.running.clone() else { return };
        if self.started.is_certain() || self.unit.is_none() {
            return;
        }
        let Some(words) = agents_words(&running) else { return };
        let folder = running.folder().or(self.folder.as_deref()).map(ToOwned::to_owned);
        let place = config_place(agent_words::kind(words), words, folder.as_deref());
        let is_default = place.as_ref().is_some_and(|place| place.is_default);
        let config = place.map(|place| place.path);
        self.agent = agent_words::kind(words);
        self.started.run.unread = None;
        let binary =
            running.program().map(ToOwned::to_owned).or_else(|| agent_words::binary(words));
        let is_known = binary == self.binary && config == self.config_path;
        self.command = words.to_vec();
        if !is_known {
            self.binary = binary;
            self.config_path = config;
            self.config_is_default = is_default;
            self.folder = folder;
            self.named_by = self.named_by.and(running.named_by());
        }
        if self.started.run.words.is_empty() {
            self.started.run.words = words.to_vec();
        }
    }
}

/// The command line of an agent's process, if it is one: a process may call itself anything.
fn agents_words(running: &RawRunning) -> Option<&[String]> {
    let words = running.read.words.as_slice();
    let is_agents = Kind::of_program(&program_name(words.first()?)).is_some();
    is_agents.then_some(words)
}
