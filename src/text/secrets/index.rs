//! The forms of all secrets in an order in which one pass over a text finds them, however many
//! there are: who can have many searched for must not be able to make each search long.

use secrecy::{ExposeSecret, SecretString};
use std::{borrow::Cow, ops::Range};

/// Forms of secrets, sorted.
#[derive(Default)]
pub(super) struct Index {
    forms: Vec<SecretString>,
    /// For each form the longest other one that it begins with.
    shorter: Vec<Option<usize>>,
    /// Whether a form begins with this byte.
    begins: Vec<bool>,
}

impl Index {
    /// All of them.
    pub(super) fn forms(&self) -> &[SecretString] {
        &self.forms
    }

    /// Takes on more, with one sort for all.
    pub(super) fn extend(&mut self, more: impl Iterator<Item = SecretString>) {
        self.forms.extend(more.filter(|form| !form.expose_secret().is_empty()));
        self.forms.sort_unstable_by(|one, other| text(one).cmp(text(other)));
        self.forms.dedup_by(|one, other| text(one) == text(other));
        self.begins = vec![false; 256];
        self.shorter.clear();
        for (at, form) in self.forms.iter().enumerate() {
            // What a form begins with stands before it, and nothing between the two but what
            // begins so, too.
            let mut shorter = at.checked_sub(1);
            while let Some(other) = shorter.filter(|other| !is_begun(text(form), self.at(*other))) {
                shorter = self.shorter.get(other).copied().flatten();
            }
            self.shorter.push(shorter);
            let first = text(form).bytes().next().unwrap_or_default();
            self.begins.get_mut(usize::from(first)).into_iter().for_each(|begins| *begins = true);
        }
    }

    /// The text with `instead` in place of each row of characters that forms cover.
    pub(super) fn without<'a>(&self, whole: &'a str, instead: &str) -> Cow<'a, str> {
        let mut out = String::new();
        let mut kept = 0;
        let mut covered: Option<Range<usize>> = None;
        let begins = |byte: u8| self.begins.get(usize::from(byte)).copied().unwrap_or_default();
        let starts = whole.bytes().enumerate().filter(|(_, byte)| begins(*byte));
        for (at, _) in starts {
            let Some(length) = whole.get(at..).and_then(|rest| self.longest(rest)) else {
                continue;
            };
            let end = at + length;
            match &mut covered {
                Some(row) if at <= row.end => row.end = row.end.max(end),
                row => {
                    if let Some(row) = row.replace(at..end) {
                        out += whole.get(kept..row.start).unwrap_or_default();
                        out += instead;
                        kept = row.end;
                    }
                }
            }
        }
        let Some(row) = covered else { return Cow::Borrowed(whole) };
        out += whole.get(kept..row.start).unwrap_or_default();
        out += instead;
        out += whole.get(row.end..).unwrap_or_default();
        Cow::Owned(out)
    }

    /// The length of the longest form that a text begins with.
    fn longest(&self, rest: &str) -> Option<usize> {
        let after = self.forms.partition_point(|form| text(form) <= rest);
        let mut at = after.checked_sub(1);
        while let Some(form) = at {
            if is_begun(rest, self.at(form)) {
                return Some(self.at(form).len());
            }
            at = self.shorter.get(form).copied().flatten();
        }
        None
    }

    fn at(&self, index: usize) -> &str {
        self.forms.get(index).map(text).unwrap_or_default()
    }
}

fn text(form: &SecretString) -> &str {
    form.expose_secret()
}

fn is_begun(whole: &str, form: &str) -> bool {
    whole.as_bytes().starts_with(form.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(forms: &[String]) -> Index {
        let mut index = Index::default();
        index.extend(forms.iter().map(|form| SecretString::from(form.as_str())));
        index
    }

    fn without(forms: &[&str], whole: &str) -> String {
        let forms: Vec<String> = forms.iter().map(|form| (*form).to_owned()).collect();
        of(&forms).without(whole, "*").into_owned()
    }

    #[test]
    fn the_longest_form_counts_and_rows_are_blanked_whole() {
        assert_eq!(without(&["ab", "abcd", "abd"], "xabcdx abx abdx abcx"), "x*x *x *x *cx");
        assert_eq!(without(&["abc", "cde"], "abcdef"), "*f");
        assert_eq!(without(&["ö", "öß"], "aößb ö"), "a*b *");
        assert_eq!(without(&[], "abc"), "abc");
        assert_eq!(without(&["", "b"], "abc"), "a*c");
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_a_search_for_each_finds(
            forms in proptest::collection::vec("[abß]{1,5}", 0..12), whole in "[abßc]{0,40}",
        ) {
            let mut is_covered = vec![false; whole.len()];
            for form in &forms {
                for at in (0..whole.len()).filter(|at| whole[..].as_bytes()[*at..].starts_with(form.as_bytes())) {
                    is_covered[at..at + form.len()].fill(true);
                }
            }
            let shown = of(&forms).without(&whole, "*").into_owned();
            let bytes: Vec<u8> = whole.bytes().zip(&is_covered).filter(|(_, own)| !**own).map(|(byte, _)| byte).collect();
            prop_assert_eq!(shown.replace('*', ""), String::from_utf8(bytes).unwrap());
            prop_assert_eq!(shown.contains('*'), is_covered.contains(&true));
        }
    }
}
