//! Specifiers of units: `systemd.unit(5)`, "Specifiers".

use std::fmt;

/// What the letters behind a `%` stand for in one unit of the system's manager.
#[derive(Clone, Copy)]
pub(crate) struct Specifiers<'a> {
    /// The unit's full name.
    pub(crate) unit: &'a str,
    /// What a letter stands for that differs from host to host, such as `%H`; `None`: not known.
    pub(crate) of_host: &'a dyn Fn(char) -> Option<String>,
}

/// Why a text could not be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfilled {
    /// systemd has no such specifier: it passes over the line, or refuses the unit.
    NoSpecifier(char),
    /// It stands for something of the host that is not known here.
    NotKnown(char),
}

/// What stands for the same on every host: the system's manager runs as root, and `User=` changes
/// nothing of that.
const FIXED: [(char, &str); 13] = [
    ('%', "%"),
    ('t', "/run"),
    ('S', "/var/lib"),
    ('C', "/var/cache"),
    ('L', "/var/log"),
    ('E', "/etc"),
    ('T', "/tmp"),
    ('V', "/var/tmp"),
    ('u', "root"),
    ('U', "0"),
    ('g', "root"),
    ('G', "0"),
    ('h', "/root"),
];

/// Letters that stand for something of the host, the boot or the unit's files.
const OF_HOST: &str = "aAbBcdDHlmMoqsvwWyY";

impl Specifiers<'_> {
    /// A text with all of them filled in.
    ///
    /// # Errors
    /// The first that could not be.
    pub(crate) fn fill(&self, text: &str) -> Result<String, Unfilled> {
        let mut filled = String::with_capacity(text.len());
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let letter = characters.peek().copied();
            match letter.filter(|letter| letter.is_ascii_alphanumeric() || *letter == '%') {
                Some(letter) if character == '%' => {
                    characters.next();
                    filled.push_str(&self.value(letter)?);
                }
                _ => filled.push(character),
            }
        }
        Ok(filled)
    }

    fn value(&self, letter: char) -> Result<String, Unfilled> {
        if let Some((_, value)) = FIXED.iter().find(|(fixed, _)| *fixed == letter) {
            return Ok((*value).to_owned());
        }
        match name(self.unit, letter) {
            Some(value) => Ok(value),
            None if OF_HOST.contains(letter) => {
                (self.of_host)(letter).ok_or(Unfilled::NotKnown(letter))
            }
            None => Err(Unfilled::NoSpecifier(letter)),
        }
    }
}

/// Fills in what the name of an instance stands for, and leaves all other specifiers: the value that
/// the directive `key` would have if its template were written for this instance alone.
///
/// systemd splits and unquotes a value before it fills its words: what is filled in is no escape.
pub(crate) fn instantiated(key: &str, text: &str, unit: &str) -> String {
    let is_unquoted = is_unquoted(key);
    let mut filled = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        filled.push(character);
        if character != '%' {
            continue;
        }
        match characters.next() {
            Some(letter) if letter != '%' && name(unit, letter).is_some() => {
                filled.pop();
                let value = name(unit, letter).unwrap_or_default().replace('%', "%%");
                match is_unquoted {
                    true => value.chars().for_each(|sign| push_escaped(&mut filled, sign)),
                    false => filled.push_str(&value),
                }
            }
            Some(letter) => filled.push(letter),
            None => {}
        }
    }
    filled
}

/// Whether systemd takes quotes and escapes from the words of a directive.
fn is_unquoted(key: &str) -> bool {
    const LISTS: [&str; 3] = ["Environment", "PassEnvironment", "UnsetEnvironment"];
    let is_path = key.ends_with("Paths") || key.ends_with("Directory") && key != "WorkingDirectory";
    key.starts_with("Exec") || LISTS.contains(&key) || is_path && key != "RootDirectory"
}

/// Writes a sign so that it is itself in a word, in quotes or not.
fn push_escaped(text: &mut String, sign: char) {
    match sign {
        ' ' => text.push_str(r"\s"),
        '\t' => text.push_str(r"\t"),
        '\n' => text.push_str(r"\n"),
        '\\' | '"' | '\'' => text.extend(['\\', sign]),
        sign => text.push(sign),
    }
}

/// What a letter stands for by the name of a unit.
fn name(unit: &str, letter: char) -> Option<String> {
    let stem = unit.rsplit_once('.').map_or(unit, |(stem, _)| stem);
    let (prefix, instance) = stem.split_once('@').unwrap_or((stem, ""));
    let last = prefix.rsplit('-').next().unwrap_or_default();
    Some(match letter {
        'n' => unit.to_owned(),
        'N' => stem.to_owned(),
        'p' => prefix.to_owned(),
        'P' => unescaped(prefix),
        'i' => instance.to_owned(),
        'I' => unescaped(instance),
        'j' => last.to_owned(),
        'J' => unescaped(last),
        'f' => format!("/{}", unescaped(if instance.is_empty() { prefix } else { instance })),
        _ => return None,
    })
}

/// A part of a name with `-` read as `/`, and `\x2d` as what it stands for: `systemd-escape(1)`.
fn unescaped(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let escaped = more.strip_prefix(b"x").and_then(|more| more.split_at_checked(2));
        let digits = escaped.and_then(|(digits, more)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, more))
        });
        rest = more;
        match (first, digits) {
            (b'\\', Some((byte, more))) => {
                bytes.push(byte);
                rest = more;
            }
            (b'-', _) => bytes.push(b'/'),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Display for Unfilled {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSpecifier(letter) => write!(to, "systemd has no specifier %{letter}"),
            Self::NotKnown(letter) => write!(to, "what %{letter} stands for is not known"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(unit: &str, text: &str) -> Result<String, Unfilled> {
        let of_host = |letter| (letter == 'H').then(|| "build-1".to_owned());
        Specifiers { unit, of_host: &of_host }.fill(text)
    }

    /// As systemd 252 fills them: `systemctl show --property=Environment`.
    #[test]
    fn each_specifier_stands_for_what_systemd_says() {
        let unit = "ci-agent@web\\x2d1-a.service";
        for (text, expected) in [
            ("%i", "web\\x2d1-a"),
            ("%I", "web-1/a"),
            ("%n", unit),
            ("%N", "ci-agent@web\\x2d1-a"),
            ("%p %P", "ci-agent ci/agent"),
            ("%j", "agent"),
            ("%f", "/web-1/a"),
            ("%h/%u", "/root/root"),
            ("%H-%i%%i", "build-1-web\\x2d1-a%i"),
            ("100% %-x %", "100% %-x %"),
        ] {
            assert_eq!(filled(unit, text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(filled("a.service", "%p@%i"), Ok("a@".to_owned()));
        assert_eq!(filled("a.service", "p%40s"), Err(Unfilled::NoSpecifier('4')));
        assert_eq!(filled("a.service", "%m"), Err(Unfilled::NotKnown('m')));
    }

    #[test]
    fn a_text_of_a_template_is_written_for_one_instance() {
        let text = "/etc/opt/circleci-%i/%%i %H %I %";
        let of = |text| instantiated("ExecStart", text, "circleci@1.service");
        assert_eq!(of(text), "/etc/opt/circleci-1/%%i %H 1 %");
        assert_eq!(instantiated("User", "%i", "c@50%.service"), "50%%");
    }

    /// As systemd 252 runs them: it fills the words, and not the line. An instance for each resource
    /// class of an organization is named by `systemd-escape org/class`.
    #[test]
    fn what_stands_for_an_instance_is_no_escape_and_no_other_word() {
        let unit = r"circleci@org\x2fclass\x20\x22a\x27.service";
        for (text, expected) in [
            ("/a --config /etc/%i.yaml", r"/etc/org\x2fclass\x20\x22a\x27.yaml"),
            ("/a --name \"%i\"", r"org\x2fclass\x20\x22a\x27"),
            ("/a --name %I", "org/class \"a'"),
            ("/a --name '%I'", "org/class \"a'"),
        ] {
            let words = super::super::words::split(&instantiated("ExecStart", text, unit));
            assert_eq!((words.len(), words[2].as_str()), (3, expected), "{text}");
        }
        assert_eq!(instantiated("User", "%i", r"c@a\x2db.service"), r"a\x2db");
        assert_eq!(instantiated("Environment", "A=%i", r"c@a\x2db.service"), r"A=a\\x2db");
    }

    proptest! {
        #[test]
        fn any_text_is_filled_without_panic(unit in ".{0,20}", text in "([%a-zA-Z0-9é\\\\-]{0,30})") {
            let _ = filled(&unit, &text);
            let _ = instantiated("ExecStart", &text, &unit);
            unescaped(&unit);
        }
    }
}
