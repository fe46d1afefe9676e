//! Over how many connections one file is downloaded.

use super::serde_as_text;
use crate::{Code, Error, Result};
use std::{fmt, str::FromStr};

/// More than these would cost a server's patience, and bring nothing.
const MOST: u8 = 4;

/// A number of connections at once, from 1 to 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Connections(u8);

impl Connections {
    /// The largest number.
    pub const MOST: usize = MOST as usize;

    /// The number.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self(MOST)
    }
}

impl FromStr for Connections {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.parse() {
            Ok(number @ 1..=MOST) if text.len() == 1 => Ok(Self(number)),
            _ => {
                Err(Error::new(Code::ValueInvalid, format!("{text:?} is no number of connections"))
                    .help("from 1 (one stream, no ranges) to 4"))
            }
        }
    }
}

impl fmt::Display for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

serde_as_text!(Connections);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::assert_round_trip;
    use proptest::prelude::*;

    #[test]
    fn one_to_four_and_nothing_else() {
        assert_eq!(Connections::default().get(), 4);
        for (text, number) in [("1", Some(1)), ("4", Some(4)), ("3", Some(3))] {
            assert_eq!(text.parse().ok().map(Connections::get), number, "{text}");
        }
        for text in ["0", "5", "", "+2", "02", "two", "-1", "4.0", "256"] {
            let error = text.parse::<Connections>().unwrap_err();
            assert_eq!(error.code(), Code::ValueInvalid, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,3}") {
            assert_round_trip::<Connections>(&text);
        }
    }
}
