//! Truths as systemd reads them: `systemd.syntax(7)`.

/// Whether a value is a truth that is on.
pub(crate) fn is_on(value: &str) -> bool {
    ["1", "yes", "y", "true", "t", "on"].iter().any(|on| value.eq_ignore_ascii_case(on))
}

/// Whether a value is a truth that is off, or none is set.
pub(crate) fn is_off(value: &str) -> bool {
    ["", "0", "no", "n", "false", "f", "off"].iter().any(|off| value.eq_ignore_ascii_case(off))
}
