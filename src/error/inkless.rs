//! Invisible characters that are not `White_Space`: a value of them looks empty, or fills a row like
//! blanks.
//!
//! From the Unicode Character Database, version 16.0: the general categories Cf, Zl and Zp
//! (`DerivedGeneralCategory.txt`), `Default_Ignorable_Code_Point` (`DerivedCoreProperties.txt`), and
//! what its own name calls blank, null or a filler (`UnicodeData.txt`).

/// First and last of each range, in order.
const INKLESS: [(char, char); 28] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    // Braille pattern blank.
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    // Egyptian joiners and blanks.
    ('\u{13430}', '\u{13446}'),
    // Khitan small script filler.
    ('\u{16fe4}', '\u{16fe4}'),
    ('\u{1bca0}', '\u{1bca3}'),
    // Musical symbol null notehead.
    ('\u{1d159}', '\u{1d159}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character is invisible, and not `White_Space`.
pub(crate) fn is_inkless(c: char) -> bool {
    let at = INKLESS.partition_point(|(_, last)| *last < c);
    INKLESS.get(at).is_some_and(|(first, _)| *first <= c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_stand_in_order() {
        assert!(INKLESS.iter().all(|(first, last)| first <= last));
        assert!(INKLESS.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }

    #[test]
    fn ink_and_blanks_are_told_apart() {
        for c in "\u{2800}\u{1d159}\u{16fe4}\u{13441}\u{13446}\u{1bca0}\u{34f}\u{e007f}".chars() {
            assert!(is_inkless(c), "{c:?}");
        }
        for c in "a \u{a0}\u{3000}é漢👍\u{301}\u{1d15a}\u{1d17b}".chars() {
            assert!(!is_inkless(c), "{c:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn the_table_holds_what_unicode_calls_so(
            c in "[\\p{Cf}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]"
        ) {
            prop_assert!(c.chars().all(is_inkless), "{:?}", c);
        }

        #[test]
        fn the_table_holds_no_letter_number_or_mark_besides(
            c in "[\\p{L}\\p{N}\\p{P}\\p{Zs}&&\\P{Default_Ignorable_Code_Point}&&\\P{Egyptian_Hieroglyphs}]"
        ) {
            prop_assert!(!c.chars().any(is_inkless), "{:?}", c);
        }
    }
}
