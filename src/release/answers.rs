//! What the headers of an answer say of ranges: which file it is of, and which bytes they are.

use super::decode::Encoding;
use reqwest::{
    StatusCode,
    header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap},
};
use std::ops::Range;

/// One file as a server has it, of which parts can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// A strong one: every part must be of the same file.
    pub(super) etag: String,
    pub(super) encoding: Encoding,
    pub(super) total: u64,
}

/// `Content-Range` of one range.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContentRange {
    pub(super) range: Range<u64>,
    /// Of the whole file, where it is told.
    pub(super) total: Option<u64>,
}

impl Stored {
    /// Whether an answer brings exactly this range of exactly this file.
    pub(super) fn is_brought(
        &self,
        range: &Range<u64>,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> bool {
        let length = headers.get(CONTENT_LENGTH).map(|value| number(value.to_str().ok()?));
        // What bears no ETag was still asked for by one.
        let etag = headers.get(ETAG).is_none_or(|etag| etag.as_bytes() == self.etag.as_bytes());
        status == StatusCode::PARTIAL_CONTENT
            && etag
            && length.is_none_or(|length| length == Some(range.end - range.start))
            && Encoding::of(headers).is_ok_and(|encoding| encoding == self.encoding)
            && ContentRange::of(headers).is_some_and(|said| {
                said.range == *range && said.total.is_none_or(|total| total == self.total)
            })
    }
}

impl ContentRange {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
        let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let total = if total == "*" { None } else { Some(number(total)?) };
        let range = number(first)?..number(last)?.checked_add(1)?;
        let fits = total.is_none_or(|total| range.end <= total);
        (range.start < range.end && fits).then_some(Self { range, total })
    }
}

/// A weak one tells that two files mean the same, and not that their bytes are.
pub(super) fn strong_etag(headers: &HeaderMap) -> Option<String> {
    let etag = headers.get(ETAG)?.to_str().ok()?;
    etag.starts_with('"').then(|| etag.to_owned())
}

/// Whether the server says that it sends ranges.
pub(super) fn offers_ranges(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT_RANGES).is_some_and(|units| units.as_bytes().eq_ignore_ascii_case(b"bytes"))
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::HeaderName;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_the_very_range_of_the_very_file_is_taken() {
        let stored = Stored { etag: "\"a\"".into(), encoding: Encoding::Gzip, total: 100 };
        let good = [
            ("content-encoding", "gzip"),
            ("content-length", "10"),
            ("content-range", "bytes 20-29/100"),
            ("etag", "\"a\""),
        ];
        let is_taken = |name: &'static str, value: Option<&str>| {
            let mut headers = headers(&good);
            match value {
                Some(value) => headers.insert(name, value.parse().unwrap()),
                None => headers.remove(name),
            };
            stored.is_brought(&(20..30), StatusCode::PARTIAL_CONTENT, &headers)
        };
        assert!(is_taken("etag", None) && is_taken("etag", Some("\"a\"")));
        assert!(is_taken("content-length", None));
        assert!(is_taken("content-range", Some("bytes 20-29/*")));
        for (name, value) in [
            ("etag", Some("\"b\"")),
            ("etag", Some("W/\"a\"")),
            ("content-encoding", None),
            ("content-encoding", Some("br")),
            ("content-length", Some("11")),
            ("content-length", Some("9")),
            ("content-range", None),
            ("content-range", Some("bytes 19-28/100")),
            ("content-range", Some("bytes 20-28/100")),
            ("content-range", Some("bytes 20-30/100")),
            ("content-range", Some("bytes 20-29/101")),
            ("content-range", Some("bytes */100")),
        ] {
            assert!(!is_taken(name, value), "{name}: {value:?}");
        }
        for status in [StatusCode::OK, StatusCode::RANGE_NOT_SATISFIABLE] {
            assert!(!stored.is_brought(&(20..30), status, &headers(&good)), "{status}");
        }
    }

    #[test]
    fn a_server_offers_ranges_in_so_many_words() {
        assert!(offers_ranges(&headers(&[("accept-ranges", "bytes")])));
        assert!(!offers_ranges(&headers(&[("accept-ranges", "none")])));
        assert!(!offers_ranges(&headers(&[])));
        assert_eq!(strong_etag(&headers(&[("etag", "W/\"a\"")])), None);
    }

    proptest! {
        #[test]
        fn any_content_range_is_read_or_refused(text in "(bytes )?[-0-9*+/ ]{0,12}|bytes [0-9]{15,25}-[0-9]{15,25}/[0-9]{1,25}") {
            if let Some(said) = ContentRange::of(&headers(&[("content-range", &text)])) {
                prop_assert!(said.range.start < said.range.end);
                prop_assert!(said.total.is_none_or(|total| said.range.end <= total));
            }
        }
    }
}
