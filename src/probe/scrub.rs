//! Takes secrets out of texts that come from elsewhere: logs, command lines, definitions.

use super::secret_words;
use crate::{
    host::Endpoint,
    text::{REDACTED, Secrets},
};

/// Knows this run's secrets, and what any secret looks like.
#[derive(Clone, Default)]
pub(super) struct Scrub(pub(super) Secrets);

impl Scrub {
    /// A text without secrets: the known ones, and what looks like one.
    pub(super) fn text(&self, text: &str) -> String {
        secret_words::without(&self.0.scrub(text))
    }

    /// The words of a command line without secrets.
    pub(super) fn words(&self, words: &[String]) -> Vec<String> {
        let mut is_led = false;
        let shown = words.iter().map(|word| {
            let shown = if is_led && !word.starts_with('-') {
                REDACTED.to_owned()
            } else {
                self.text(word)
            };
            is_led = secret_words::is_leading_option(word);
            shown
        });
        shown.collect()
    }

    /// Takes secrets out of what an account named and a server said.
    pub(super) fn endpoint(&self, endpoint: &mut Endpoint) {
        let take = |text: &mut String| *text = self.text(text);
        take(&mut endpoint.url);
        if let Some(proxy) = &mut endpoint.proxy {
            take(&mut proxy.url);
        }
        if let Some(Ok(tls)) = endpoint.tls.as_mut().map(|tls| &mut tls.outcome) {
            [&mut tls.subject, &mut tls.issuer, &mut tls.root_issuer].into_iter().for_each(take);
        }
        match endpoint.answer.as_mut().map(|answer| &mut answer.outcome) {
            Some(Ok(answer)) => {
                take(&mut answer.begins);
                let headers = [&mut answer.server, &mut answer.content_type, &mut answer.location];
                headers.into_iter().flatten().for_each(take);
            }
            Some(Err(why)) => take(why),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str =
        "7c1a09be42d85f63e0b7149ad3c85f26e1904b7dc3a86f25d0be91473c6a8f52d4e07b193ac5860f";

    fn scrubbed(text: &str) -> String {
        Scrub::default().text(text)
    }

    #[test]
    fn a_word_after_a_token_option_is_a_secret() {
        let words = ["agent", "--api.auth_token", "hunter2", "--config", "/x"].map(str::to_owned);
        let shown = Scrub::default().words(&words);
        assert_eq!(shown, ["agent", "--api.auth_token", "***", "--config", "/x"]);
    }

    proptest! {
        #[test]
        fn a_token_is_never_left(before in ".{0,30}", after in "[^a-zA-Z0-9_].{0,30}") {
            let text = format!("{before} {TOKEN}{after}");
            prop_assert!(!scrubbed(&text).contains(TOKEN));
        }
    }
}
