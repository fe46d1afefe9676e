//! Sizes and counts as systemd writes them.

/// A number with systemd's suffixes; `None` where there is no limit, or a share of the host.
pub(crate) fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_of_1024() {
        for (text, expected) in
            [("15", Some(15)), ("256M", Some(256 << 20)), ("80%", None), ("infinity", None)]
        {
            assert_eq!(size(text), expected, "{text}");
        }
    }
}
