//! sudo's rules for one account, read from its files as `sudoers(5)` says: for an image, for an
//! account that sudo answers only at a terminal, and for the places of rules.
//!
//! What is not sure, such as a netgroup or a host of another name, is left out of the rules and makes
//! the whole unknown only where a rule hangs on it: such a rule gets an account that never fits.

pub(super) use super::rules::Asker;
use super::{
    Scrub,
    rules::{Aliases, alias, bare_tag, defaults, list, without_comment},
    set, set_for, told,
};
use crate::{
    Code, Error, Result,
    host::{Ignored, Provenance, Sudo},
    platform::fs::Root,
    probe::reader::{self, Part},
};
use std::path::{Path, PathBuf};

/// Where it begins.
const FILE: &str = "/etc/sudoers";

/// Most bytes of a file, and most files.
const LIMITS: (u64, usize) = (1 << 20, 128);

/// Most files that sudo leaves out and that are looked at.
const IGNORED: usize = 16;

/// A line, continued lines joined, and where it begins.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) place: String,
}

/// The rules that hold for an account.
///
/// # Errors
/// When the first file cannot be read.
pub(super) fn read(root: &Root, asker: &Asker<'_>) -> Result<Sudo> {
    let mut files =
        Files { root, lines: Vec::new(), unusable: Vec::new(), ignored: Vec::new(), seen: 0 };
    match files.file(Path::new(FILE)) {
        // sudo refuses everybody then.
        Err(error) if error.code() == Code::UntrustedPath && !files.unusable.is_empty() => {}
        other => other?,
    }
    let bare = files.lines.iter().filter_map(|line| Some((line, bare_tag(&line.text)?)));
    let bare = bare.map(|(line, tag)| format!("{}: no colon stands behind {tag}", line.place));
    let complaints: Vec<String> = files.unusable.iter().cloned().chain(bare).collect();
    let mut sudo = Sudo {
        complaints: told(complaints.iter().map(String::as_str), &Scrub::default()),
        ..Sudo::default()
    };
    let aliases = Aliases::of(&files.lines);
    let mut default_account = "root".to_owned();
    for Line { text, .. } in &files.lines {
        let Some((scope, settings)) = defaults(text) else { continue };
        if let Some(accounts) = scope.strip_prefix('>') {
            let accounts = aliases.expand('R', &list(accounts), 0).join(",");
            list(settings).iter().for_each(|word| set_for(&mut sudo, &accounts, word));
            continue;
        }
        if !asker.is_scope(scope, &aliases) {
            continue;
        }
        for word in list(settings) {
            if let Some((_, name)) =
                word.split_once('=').filter(|(key, _)| key.trim() == "runas_default")
            {
                name.trim().trim_matches('"').clone_into(&mut default_account);
            }
            set(&mut sudo, &word);
        }
    }
    for Line { text, place } in &files.lines {
        if defaults(text).is_some() || alias(text).is_some() {
            continue;
        }
        for rule in asker.rules(text, &aliases, &default_account) {
            sudo.rules.push(rule);
            sudo.places.push(place.clone());
        }
    }
    for (path, readable) in std::mem::take(&mut files.ignored) {
        let begin = files.lines.len();
        if files.file(&path).is_err() {
            continue;
        }
        let aliases = Aliases::of(&files.lines);
        let own = files
            .lines
            .drain(begin..)
            .filter(|line| defaults(&line.text).is_none() && alias(&line.text).is_none());
        let rules: Vec<String> =
            own.flat_map(|line| asker.rules(&line.text, &aliases, &default_account)).collect();
        if let Some(walk) = root.walk(&path).ok().filter(|_| !rules.is_empty()) {
            sudo.ignored.push(Ignored { walk, readable, rules });
        }
    }
    Ok(sudo)
}

/// The files, in the order in which sudo reads them.
struct Files<'a> {
    root: &'a Root,
    lines: Vec<Line>,
    unusable: Vec<String>,
    /// Files that are left out because of their names, each with a name that would be read.
    ignored: Vec<(PathBuf, PathBuf)>,
    seen: usize,
}

impl Files<'_> {
    fn file(&mut self, path: &Path) -> Result<()> {
        self.seen += 1;
        if self.seen > LIMITS.1 {
            return Ok(());
        }
        let part = Part::Head(LIMITS.0);
        let (walk, content) = reader::read_at(self.root, path, part, Provenance::Root)?;
        let shown = path.display();
        if !walk.written_by().is_root() {
            // As sudo does with a file that others can write.
            let why =
                format!("{shown}: an account other than root can write it, so sudo leaves it out");
            self.unusable.push(why.clone());
            return Err(Error::new(Code::UntrustedPath, why));
        }
        let text = String::from_utf8_lossy(&content.bytes).into_owned();
        let mut joined = String::new();
        let mut first = 0;
        for (number, line) in text.lines().enumerate() {
            if joined.is_empty() {
                first = number + 1;
            }
            match line.strip_suffix('\\') {
                Some(begun) => {
                    joined.push_str(begun);
                    joined.push(' ');
                    continue;
                }
                None => joined.push_str(line),
            }
            let line = std::mem::take(&mut joined);
            self.line(path, &line, first);
        }
        Ok(())
    }

    fn line(&mut self, file: &Path, line: &str, number: usize) {
        let line = line.trim();
        let include = |word: &str| {
            let rest = line.strip_prefix(['@', '#'])?.strip_prefix(word)?;
            let path = rest.strip_prefix([' ', '\t'])?.trim().trim_matches('"');
            Some(file.parent().unwrap_or(Path::new("/")).join(path))
        };
        if let Some(path) = include("include") {
            let _ = self.file(&path);
        } else if let Some(folder) = include("includedir") {
            for path in self.names(&folder) {
                let _ = self.file(&path);
            }
        } else if let Some(text) = without_comment(line) {
            let place = format!("{}:{number}", file.display());
            self.lines.push(Line { text, place });
        }
    }

    /// Files of a folder by name; sudo leaves out those with a dot and those that end in `~`.
    fn names(&mut self, folder: &Path) -> Vec<PathBuf> {
        let Ok(walk) = self.root.walk(folder) else { return Vec::new() };
        let names = self.root.find(&walk.real).ok().flatten().and_then(|spot| spot.list().ok());
        let names = names.unwrap_or_default().into_iter();
        let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
        let is_read = |name: &String| !name.contains('.') && !name.ends_with('~');
        let readable = |name: &String| name.trim_end_matches('~').replace('.', "-");
        // A leading dot hides a file, such as an editor's, on purpose.
        let is_meant = |name: &&String| !is_read(name) && !name.starts_with('.');
        names.sort();
        for name in names.iter().filter(is_meant).take(IGNORED) {
            let free = readable(name);
            if !free.is_empty() && !names.contains(&free) {
                self.ignored.push((folder.join(name), folder.join(free)));
            }
        }
        names.retain(is_read);
        names.into_iter().map(|name| folder.join(name)).collect()
    }
}
