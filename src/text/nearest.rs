//! What someone will have meant who misspelt a name.

/// The one of `known` that `word` is most like, if any is near enough to be meant. Case does not
/// count, nor does `_` for `-`.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = normalized(word);
    let most = 1.max(word.chars().count() / 3);
    known
        .iter()
        .map(|name| (strsim::osa_distance(&word, &normalized(name)), *name))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn normalized(word: &str) -> String {
    // The longest name is far shorter; the rest of a longer word only costs time.
    word.chars().take(64).map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_another_word_none() {
        let known = ["max-run-time", "mode", "name", "token-file", "url"];
        assert_eq!(nearest("max_run_time", &known), Some("max-run-time"));
        assert_eq!(nearest("max-runtime", &known), Some("max-run-time"));
        assert_eq!(nearest("Naem", &known), Some("name"));
        assert_eq!(nearest("uri", &known), Some("url"));
        assert_eq!(nearest("workdir", &known), None);
        assert_eq!(nearest("", &known), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
