//! Times of files as Windows keeps them.

/// 1970 on the clock of a `FILETIME`, which counts 100 ns since 1601 (Microsoft's documentation of
/// that structure).
const UNIX_EPOCH: i128 = 116_444_736_000_000_000;

/// A `FILETIME` in nanoseconds since 1970, as files of every other system have their times.
pub(super) fn nanoseconds(ticks: u64) -> i64 {
    let nanoseconds = (i128::from(ticks) - UNIX_EPOCH) * 100;
    i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_time_is_of_the_epoch_of_other_systems() {
        let seconds = |ticks| nanoseconds(ticks) / 1_000_000_000;
        assert_eq!(seconds(116_444_736_000_000_000), 0);
        assert_eq!(seconds(133_500_000_000_000_000), 1_705_526_400);
        assert_eq!(nanoseconds(133_500_000_000_000_001) % 1_000_000_000, 100);
        assert_eq!((nanoseconds(0), nanoseconds(u64::MAX)), (i64::MIN, i64::MAX));
    }
}
