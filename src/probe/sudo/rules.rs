//! The lines of sudo's files, by the grammar in `sudoers(5)`.

use super::files::Line;
use crate::host::AccountFacts;
use std::collections::HashMap;

/// Most aliases within each other.
const DEPTH: usize = 16;

/// Whose rules are wanted, and of which host.
pub(super) struct Asker<'a> {
    pub(super) account: &'a AccountFacts,
    /// `None`: an image's, which has none yet.
    pub(super) hostname: Option<&'a str>,
}

/// A line without its comment; `#` and digits are the number of an account. `None`: nothing is left.
pub(super) fn without_comment(line: &str) -> Option<String> {
    let mut end = line.len();
    let mut before = ' ';
    let mut is_quoted = false;
    for (at, sign) in line.char_indices() {
        is_quoted ^= sign == '"' && before != '\\';
        let is_number =
            line.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let begins = matches!(before, ' ' | '\t' | ',' | '(' | '%' | '!' | ':');
        if sign == '#' && before != '\\' && !is_quoted && !(is_number && begins) {
            end = at;
            break;
        }
        before = sign;
    }
    let text = line.get(..end).unwrap_or_default().trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Items between commas that are neither quoted nor escaped.
pub(super) fn list(text: &str) -> Vec<String> {
    split(text, ',').into_iter().filter(|item| !item.is_empty()).collect()
}

fn split(text: &str, at: char) -> Vec<String> {
    let (mut found, mut item, mut before, mut is_quoted, mut depth) =
        (Vec::new(), String::new(), ' ', false, 0_usize);
    for sign in text.chars() {
        let is_escaped = before == '\\';
        is_quoted ^= sign == '"' && !is_escaped;
        match sign {
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if sign == at && !is_quoted && !is_escaped && depth == 0 {
            found.push(std::mem::take(&mut item).trim().to_owned());
        } else {
            item.push(sign);
        }
        before = sign;
    }
    found.push(item.trim().to_owned());
    found
}

/// A tag of a rule that no colon follows, for which sudo takes nothing of the rule.
pub(super) fn bare_tag(line: &str) -> Option<&'static str> {
    const TAGS: [&str; 8] =
        ["NOPASSWD", "PASSWD", "NOEXEC", "EXEC", "SETENV", "NOSETENV", "NOFOLLOW", "FOLLOW"];
    if defaults(line).is_some() || alias(line).is_some() {
        return None;
    }
    let (_, commands) = line.split_once('=')?;
    // Tags stand behind the accounts, behind other tags and in front of commands.
    let mut words =
        commands.split([' ', '\t', ',', ')']).filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        let tag = TAGS.into_iter().find(|tag| *tag == word);
        if let Some(tag) = tag.filter(|_| words.peek().is_none_or(|next| !next.starts_with(':'))) {
            return Some(tag);
        }
    }
    None
}

/// `Defaults`, what it is for, and its settings.
pub(super) fn defaults(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("Defaults")?;
    let (scope, settings) = rest.split_once([' ', '\t'])?;
    (scope.is_empty() || scope.starts_with(['@', ':', '>', '!'])).then_some((scope, settings))
}

/// The kind of an alias, and what is behind it.
pub(super) fn alias(line: &str) -> Option<(&str, &str)> {
    let (kind, rest) = line.split_once([' ', '\t'])?;
    ["User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias", "Cmd_Alias"]
        .contains(&kind)
        .then_some((kind.split('_').next().unwrap_or(kind), rest))
}

/// Aliases by kind and name.
pub(super) struct Aliases(HashMap<(char, String), Vec<String>>);

impl Aliases {
    pub(super) fn of(lines: &[Line]) -> Self {
        let mut all = HashMap::new();
        for (kind, rest) in lines.iter().filter_map(|line| alias(&line.text)) {
            for one in split(rest, ':') {
                let Some((name, items)) = one.split_once('=') else { continue };
                let kind = kind.chars().next().unwrap_or_default();
                all.insert((kind, name.trim().to_owned()), list(items));
            }
        }
        Self(all)
    }

    /// The items of a list with aliases put in; an alias of `!` gives each of its items one.
    pub(super) fn expand(&self, kind: char, items: &[String], depth: usize) -> Vec<String> {
        let mut found = Vec::new();
        for item in items {
            let bare = item.trim_start_matches('!').trim();
            let is_negated = (item.len() - item.trim_start_matches('!').len()) % 2 == 1;
            match self.0.get(&(kind, bare.to_owned())).filter(|_| depth < DEPTH) {
                Some(inner) => {
                    let inner = self.expand(kind, inner, depth + 1);
                    found.extend(inner.into_iter().map(|item| match is_negated {
                        true => format!("!{item}").trim_start_matches("!!").to_owned(),
                        false => item,
                    }));
                }
                None if is_negated => found.push(format!("!{bare}")),
                None => found.push(bare.to_owned()),
            }
        }
        found
    }
}

impl Asker<'_> {
    /// Whether settings hold for the account on this host: those for another account that a command
    /// runs as, or for a command, are none of it.
    pub(super) fn is_scope(&self, scope: &str, aliases: &Aliases) -> bool {
        let (Some(kind), Some(rest)) = (scope.chars().next(), scope.get(1..)) else { return true };
        match kind {
            ':' => self.is_user(&aliases.expand('U', &list(rest), 0)) == Some(true),
            '@' => self.is_host(&aliases.expand('H', &list(rest), 0)) == Some(true),
            _ => false,
        }
    }

    /// Whether a list of accounts has this one; the last item that fits counts.
    fn is_user(&self, items: &[String]) -> Option<bool> {
        let group = |wanted: &str| {
            let by_number = wanted.strip_prefix('#').map(str::parse::<u32>);
            self.account.groups.iter().any(|(gid, name)| match &by_number {
                Some(number) => number.as_ref() == Ok(gid),
                None => name == wanted,
            })
        };
        last(items, |item| {
            let item = item.trim_matches('"');
            if let Some(wanted) = item.strip_prefix('%') {
                // `%:` is a group that a plugin of sudo knows.
                return (!wanted.starts_with(':')).then(|| group(wanted.trim_matches('"')));
            }
            match item.strip_prefix('#') {
                Some(number) => Some(number.parse().ok() == self.account.uid()),
                None if item.starts_with('+') => None,
                None => Some(item == "ALL" || item == self.account.name),
            }
        })
    }

    fn is_host(&self, items: &[String]) -> Option<bool> {
        last(items, |item| {
            if item == "ALL" {
                return Some(true);
            }
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let is_address = item.chars().all(|c| c.is_ascii_digit() || ".:/".contains(c));
            let hostname = self.hostname.filter(|_| item.chars().all(is_name) && !is_address)?;
            let short =
                |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
            Some(short(item) == short(hostname))
        })
    }

    /// The rules of a line that hold for the account, as `sudo -l` writes them.
    pub(super) fn rules(
        &self,
        line: &str,
        aliases: &Aliases,
        default_account: &str,
    ) -> Vec<String> {
        let Some((left, right)) = line.split_once('=') else { return Vec::new() };
        // Blanks around a comma part nothing.
        let left = split(left, ',').join(",");
        let Some((users, hosts)) = left.split_once([' ', '\t']) else { return Vec::new() };
        let is_user = self.is_user(&aliases.expand('U', &list(users), 0));
        if is_user == Some(false) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (number, part) in
            split(right, ':').into_iter().fold(Vec::new(), joined).iter().enumerate()
        {
            // Behind a colon: other hosts and their commands.
            let (hosts, commands) = match part.split_once('=').filter(|_| number > 0) {
                Some(other) => other,
                None => (hosts, part.as_str()),
            };
            let is_host = self.is_host(&aliases.expand('H', &list(hosts), 0));
            if is_host != Some(false) {
                let is_sure = is_host.is_some() && is_user.is_some();
                found.extend(specs(commands, aliases, default_account, is_sure));
            }
        }
        found
    }
}

/// Tags of commands, by `sudoers(5)`.
const TAGS: [&str; 16] = [
    "PASSWD",
    "NOPASSWD",
    "EXEC",
    "NOEXEC",
    "SETENV",
    "NOSETENV",
    "LOG_INPUT",
    "NOLOG_INPUT",
    "LOG_OUTPUT",
    "NOLOG_OUTPUT",
    "FOLLOW",
    "NOFOLLOW",
    "MAIL",
    "NOMAIL",
    "INTERCEPT",
    "NOINTERCEPT",
];

/// Tags and digests have a colon too: what was split there is put together again.
fn joined(mut all: Vec<String>, part: String) -> Vec<String> {
    let goes_on = |text: &str| {
        let word = text.rsplit([' ', '\t', ',', ')', ':']).next().unwrap_or_default();
        TAGS.contains(&word) || word.starts_with("sha")
    };
    match all.last_mut().filter(|last| goes_on(last)) {
        Some(last) => {
            let between =
                if last.rsplit([' ', ',']).next().is_some_and(|word| word.starts_with("sha")) {
                    ":"
                } else {
                    ": "
                };
            last.push_str(between);
            last.push_str(&part);
        }
        None => all.push(part),
    }
    all
}

/// Commands with the accounts in front of them, which hold until others are named.
fn specs(text: &str, aliases: &Aliases, default_account: &str, is_sure: bool) -> Vec<String> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for item in list(text) {
        let (accounts, command) = match item.strip_prefix('(').and_then(|item| item.split_once(')'))
        {
            Some((accounts, command)) => {
                let mut halves = accounts.splitn(2, ':');
                let users = list(halves.next().unwrap_or_default());
                let users = match users.is_empty() {
                    true => vec![default_account.to_owned()],
                    false => aliases.expand('R', &users, 0),
                };
                let groups = halves.next().map(|groups| list(groups).join(", "));
                let groups = groups.filter(|groups| !groups.is_empty());
                let groups = groups.map_or_else(String::new, |groups| format!(" : {groups}"));
                (Some(users.join(", ") + &groups), command.trim().to_owned())
            }
            None => (None, item),
        };
        let accounts = accounts.or_else(|| found.is_empty().then(|| default_account.to_owned()));
        // Tags stand in front of the command, which may be an alias.
        let at = command.rfind([' ', '\t', ':']).map_or(0, |at| at + 1);
        let (tags, name) = command.split_at(at);
        let names = aliases.expand('C', &[name.to_owned()], 0);
        let mut commands = names.into_iter();
        let mut all: Vec<String> = commands
            .next()
            .map(|first| format!("{tags}{first}").trim().to_owned())
            .into_iter()
            .collect();
        all.extend(commands);
        match (accounts, found.last_mut()) {
            (None, Some((_, last))) => last.extend(all),
            (accounts, _) => found.push((accounts.unwrap_or_default(), all)),
        }
    }
    let account = |accounts: String| if is_sure { accounts } else { "+unknown".to_owned() };
    found
        .into_iter()
        .map(|(accounts, all)| format!("({}) {}", account(accounts), all.join(", ")))
        .collect()
}

/// The last item that fits decides; `None` where one that may fit is not known.
fn last(items: &[String], fits: impl Fn(&str) -> Option<bool>) -> Option<bool> {
    let mut found = Some(false);
    for item in items {
        let bare = item.trim_start_matches('!').trim();
        match fits(bare) {
            Some(true) => found = Some(!item.starts_with('!')),
            Some(false) => {}
            None => found = None,
        }
    }
    found
}
