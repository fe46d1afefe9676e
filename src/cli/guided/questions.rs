//! The questions of an install: when each is open, how it is put, what its answer becomes.

use super::ask::Prompt;
use crate::{
    Code, Error, Result,
    agent::{Kind, Layout, Token, VersionChoice, api_url},
    platform::Os,
    settings::{SettingValue, Settings, Source, agent_of},
    text::{shown, url::has_host},
    values::{AbsolutePath, AccountName, InstanceName, RunnerNameTemplate},
};
use std::collections::BTreeMap;
use url::Url;

/// The newest CircleCI server that launch-agent is for.
const NEWEST_SERVER: &str = "4.7";

const AN_ADDRESS: &str = "answer with the server's address, such as https://circleci.example.com";

/// What is known before anything is asked.
#[derive(Debug)]
pub(super) struct Known<'a> {
    /// What was given.
    pub(super) settings: &'a Settings,
    /// The host's name.
    pub(super) hostname: String,
    /// The system that the install is for.
    pub(super) os: Os,
    /// The instance that it is for.
    pub(super) instance: Option<InstanceName>,
    /// The agent that is installed here already.
    pub(super) installed: Option<Kind>,
    /// The token that was given or found.
    pub(super) token: Option<Token>,
    /// An earlier install answered everything once.
    pub(super) is_installed: bool,
    /// Something here will start the agent.
    pub(super) can_start: bool,
    /// A Mac: who is logged in at the screen.
    pub(super) console_user: Option<String>,
}

impl Known<'_> {
    /// The agent that the answers so far lead to.
    pub(super) fn agent(&self, draft: &Draft) -> Kind {
        let mut settings = self.settings.clone();
        for (name, value) in &draft.settings {
            // What is no setting leads to no other agent.
            let _ = settings.add(name, SettingValue::one(value.clone(), Source::Prompt));
        }
        // A setting that is wrong is refused by whoever needs it.
        agent_of(&settings, self.installed).unwrap_or_default()
    }

    /// Where things go by default.
    fn layout(&self, draft: &Draft) -> Layout {
        let instance = self.instance.as_ref().map(InstanceName::as_str);
        Layout::of(self.agent(draft), self.os, instance)
    }
}

/// What was answered so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    /// Settings by name.
    pub(super) settings: BTreeMap<&'static str, String>,
    /// The token.
    pub(super) token: Option<Token>,
    place: Option<Place>,
    /// Jobs need a user who is logged in.
    desktop: bool,
}

/// Where the jobs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Cloud,
    Server,
}

/// What an answer led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// On to the next question.
    Taken,
    /// Back to the one before.
    Back,
    /// The person does not want this install.
    Declined,
}

/// The questions, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Cloud or server.
    Place,
    /// Launch-agent on cloud, really.
    CloudAllTheSame,
    /// The server's URL.
    Url,
    /// The server's version.
    ServerVersion,
    /// The token.
    Token,
    /// A token of an unusual shape, really.
    OddToken,
    /// The runner's name.
    Name,
    /// A Mac: whether jobs need a desktop.
    Desktop,
    /// The account that runs jobs.
    User,
    /// The work folder.
    Workdir,
    /// Whether it is emptied after each job.
    Cleanup,
    /// Start now or later.
    Start,
}

impl Question {
    /// All of them.
    pub(super) const ALL: [Self; 12] = [
        Self::Place,
        Self::CloudAllTheSame,
        Self::Url,
        Self::ServerVersion,
        Self::Token,
        Self::OddToken,
        Self::Name,
        Self::Desktop,
        Self::User,
        Self::Workdir,
        Self::Cleanup,
        Self::Start,
    ];

    /// Whether the question needs an answer, with what is known and what was answered before.
    pub(super) fn is_open(self, known: &Known<'_>, draft: &Draft) -> bool {
        let has = |name| known.settings.has(name);
        let is_missing = |name| !known.is_installed && !has(name);
        let is_server = draft.place == Some(Place::Server);
        let is_detailed = draft.place != Some(Place::Cloud);
        match self {
            Self::Place => is_missing("url"),
            Self::CloudAllTheSame => {
                draft.place == Some(Place::Cloud)
                    && known.agent(draft).profile().end_on_cloud.is_some()
            }
            Self::Url => is_server,
            Self::ServerVersion => is_server && !has("version"),
            Self::Token => known.token.is_none(),
            Self::OddToken => shape_warning(draft).is_some(),
            Self::Name => is_missing("name"),
            Self::Desktop => known.os == Os::Darwin && is_missing("user"),
            Self::User => is_missing("user"),
            // On cloud the defaults do; the plan shows them.
            Self::Workdir => is_detailed && is_missing("workdir"),
            Self::Cleanup => is_detailed && is_missing("cleanup-workdir"),
            Self::Start => is_detailed && known.can_start && is_missing("no-start"),
        }
    }

    /// The question in words.
    pub(super) fn prompt(self, known: &Known<'_>, draft: &Draft) -> Prompt {
        match self {
            Self::Place => Prompt::new("Where do the jobs come from?")
                .choice("cloud", "CircleCI cloud, circleci.com")
                .choice("server", "a CircleCI server of your own")
                .preset("cloud"),
            Self::CloudAllTheSame => Prompt::yes_or_no("Go on with launch-agent on cloud?", false)
                .meaning("CircleCI cloud has not supported launch-agent since 2024-07-31: jobs may not be handed out, and nobody at CircleCI will help. Its successor is machine runner 3: --agent machine-runner."),
            Self::Url => Prompt::new("What is the server's URL?")
                .meaning("The address that you open in the browser, such as https://circleci.example.com. The agent asks it for jobs."),
            Self::ServerVersion => Prompt::new("Which version of CircleCI server is it?")
                .meaning("Up to 4.7 each release works with one launch-agent, which is installed and kept; from 4.8 on it works with machine runner 3. The version stands in the server's admin console.")
                .preset(NEWEST_SERVER),
            Self::Token => Prompt::new("What is the token of the resource class?")
                .meaning("Paste the token: it is not shown here. It is stored in a file that only root and the agent can read. CircleCI showed it once, when it was created. To create a new one: circleci runner token create NAMESPACE/CLASS NICKNAME")
                .hidden(),
            Self::OddToken => Prompt::yes_or_no("Use this token as it is?", false)
                .meaning(shape_warning(draft).as_deref().map(sentence).unwrap_or_default()),
            Self::Name => Prompt::new("What name should the runner have?")
                .meaning("CircleCI's inventory shows the name; each runner needs one of its own. {hostname} and {random} are filled in.")
                .preset(self.own_name(known)),
            Self::Desktop => Prompt::yes_or_no("Do jobs need a desktop?", false)
                .meaning("Simulators, apps with windows and keys of a login keychain are there only for a user who is logged in at the screen. Other jobs are better off with an account of their own, which can do less."),
            Self::User if draft.desktop => {
                let prompt = Prompt::new("Which user should run the jobs?")
                    .meaning("One who is logged in whenever jobs run: have that user logged in by itself after a start (System Settings, Users & Groups, Automatic login). Jobs can do whatever this user can.");
                match &known.console_user {
                    Some(user) => prompt
                        .meaning(format!("{user} is logged in at the screen now."))
                        .preset(user.clone()),
                    None => prompt.meaning("Nobody is logged in at the screen now."),
                }
            }
            Self::User => Prompt::new("Which account should run the jobs?")
                .meaning("Jobs can do whatever this account can: read its files, use its keys. In the docker group it is as good as root. It is created when it is missing.")
                .preset(known.layout(draft).user),
            Self::Workdir => Prompt::new("In which folder should jobs run?")
                .meaning(match known.agent(draft).profile().workdir_blank {
                    Some(blank) => format!("It needs room for checkouts and caches. {blank} in it gives each job a folder of its own."),
                    None => "It needs room for checkouts and caches.".to_owned(),
                })
                .preset(shown(&known.layout(draft).workdir)),
            Self::Cleanup => Prompt::yes_or_no("Empty that folder after each job?", true)
                .meaning("Otherwise a job finds what earlier jobs left: faster, but one job can break or read another's files."),
            Self::Start => Prompt::yes_or_no("Start the agent now?", true)
                .meaning("It takes jobs as soon as it runs, and starts with the host. Without, it is installed and left stopped."),
        }
    }

    /// Takes an answer into the draft.
    ///
    /// # Errors
    /// Why it cannot be taken.
    pub(super) fn take(
        self,
        answer: &str,
        known: &Known<'_>,
        draft: &mut Draft,
    ) -> Result<Verdict> {
        let prompt = self.prompt(known, draft);
        let choice = match prompt.choices.as_slice() {
            [] => "",
            choices => prompt.chosen(answer).ok_or_else(|| not_a_choice(choices))?,
        };
        let is_desktop = draft.desktop;
        let mut set = |name, value: String| draft.settings.insert(name, value);
        match self {
            Self::Place if choice == "cloud" => draft.place = Some(Place::Cloud),
            Self::Place => draft.place = Some(Place::Server),
            Self::CloudAllTheSame if choice == "n" => return Ok(Verdict::Declined),
            Self::OddToken if choice == "n" => return Ok(Verdict::Back),
            Self::CloudAllTheSame | Self::OddToken => {}
            Self::Url => {
                set("url", server_url(answer)?);
            }
            Self::ServerVersion => {
                let text = format!("server-{}", answer.trim_start_matches("server-"));
                let agents = Kind::installable();
                let mut refusals = agents.map(|agent| VersionChoice::of(agent, &text).err());
                // The one that most servers have had says what is wrong.
                match (refusals.next().flatten(), refusals.next().flatten()) {
                    (Some(error), Some(_)) => return Err(error),
                    _ => set("version", text),
                };
            }
            Self::Token => draft.token = Some(answer.parse()?),
            // What is the default anyway stays one: `plan` tells it as such.
            Self::Name if answer == self.own_name(known) => {}
            Self::Name => {
                answer.parse::<RunnerNameTemplate>()?.resolve(&known.hostname, "0")?;
                set("name", answer.to_owned());
            }
            Self::Desktop => draft.desktop = choice == "y",
            Self::User => {
                if is_desktop {
                    // A user who is to be logged in cannot be made here.
                    set("no-create-user", true.to_string());
                }
                set("user", AccountName::new(answer, known.os)?.to_string());
            }
            Self::Workdir => {
                set("workdir", AbsolutePath::new(answer, known.os)?.to_string());
            }
            Self::Cleanup => {
                set("cleanup-workdir", (choice == "y").to_string());
            }
            Self::Start => {
                set("no-start", (choice == "n").to_string());
            }
        }
        Ok(Verdict::Taken)
    }

    /// Why an answer that may be a secret is not taken, without a character of it.
    pub(super) fn misplaced(self) -> Error {
        let why = "that may be a token, so it is neither shown nor used here";
        let error = Error::new(Code::ValueInvalid, why);
        if self == Self::Url { error.help(AN_ADDRESS) } else { error }
    }

    fn own_name(self, known: &Known<'_>) -> String {
        let resolve = |template: RunnerNameTemplate| template.resolve(&known.hostname, "");
        let name = "{hostname}".parse().and_then(resolve);
        name.map_or_else(|_| known.hostname.clone(), |name| name.as_str().to_owned())
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

fn shape_warning(draft: &Draft) -> Option<String> {
    draft.token.as_ref().and_then(Token::shape_warning)
}

/// The URL that an answer means. What is none is told nowhere: it was perhaps pasted in the wrong
/// place.
fn server_url(answer: &str) -> Result<String> {
    let refused = |why: &str| Error::new(Code::ValueInvalid, why).help(AN_ADDRESS);
    if answer.is_empty() {
        return Err(refused("an address is needed"));
    }
    let text = if answer.contains("://") { answer.to_owned() } else { format!("https://{answer}") };
    match Url::parse(&text) {
        Ok(url) if has_host(&url) => api_url("the URL", &text).map(|_| text),
        _ => Err(refused("that is not the address of a server")),
    }
}

fn not_a_choice(choices: &[(&'static str, String)]) -> Error {
    let words: Vec<_> = choices.iter().map(|(choice, _)| *choice).collect();
    Error::new(Code::ValueInvalid, format!("Answer {}.", words.join(" or ")))
}
