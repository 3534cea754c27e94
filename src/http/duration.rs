//! Durations as Go writes them, which is how the API server says how long it waits.

use std::time::Duration;

const NANOS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    // U+00B5 and U+03BC, both accepted by Go's time.ParseDuration.
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The `timeout` parameter of a query; `None` if it is missing, negative or no duration.
pub(super) fn timeout(query: Option<&str>) -> Option<Duration> {
    let text = query?
        .split('&')
        .find_map(|pair| pair.strip_prefix("timeout="))?;
    parse(text)
}

fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut nanos = 0_u64;
    let mut any = false;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(end)?;
        let (_, scale) = NANOS.iter().find(|(name, _)| *name == unit)?;
        let part = number(whole)?
            .checked_mul(*scale)?
            .checked_add(part_of(fraction, *scale))?;
        nanos = nanos.checked_add(part)?;
        (rest, any) = (next, true);
    }
    any.then(|| Duration::from_nanos(nanos))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() {
        return Some(0);
    }
    digits.parse().ok()
}

/// The digits behind the point, as a part of `scale`; what is finer than a nanosecond is cut off.
fn part_of(fraction: &str, scale: u64) -> u64 {
    let mut left = scale;
    let mut sum = 0;
    for digit in fraction.bytes() {
        left /= 10;
        sum += left * u64::from(digit - b'0');
    }
    sum
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::api_server("timeout=10s", Some(10_000))]
    #[case::among_others("a=b&timeout=3s&c", Some(3_000))]
    #[case::fraction("timeout=2.5s", Some(2_500))]
    #[case::no_whole("timeout=.5s", Some(500))]
    #[case::no_fraction("timeout=5.s", Some(5_000))]
    #[case::minutes("timeout=1m", Some(60_000))]
    #[case::compound("timeout=1m30s", Some(90_000))]
    #[case::compound_fractions("timeout=1.5m0.25s", Some(90_250))]
    #[case::millis("timeout=500ms", Some(500))]
    #[case::micros("timeout=500000µs", Some(500))]
    #[case::micros_ascii("timeout=500000us", Some(500))]
    #[case::zero("timeout=0", Some(0))]
    #[case::plus("timeout=+1s", Some(1_000))]
    #[case::hours("timeout=1h", Some(3_600_000))]
    #[case::long_fraction("timeout=0.10000000000000000000000000001s", Some(100))]
    #[case::missing("", None)]
    #[case::empty("timeout=", None)]
    #[case::no_unit("timeout=10", None)]
    #[case::negative("timeout=-1s", None)]
    #[case::unknown_unit("timeout=1d", None)]
    #[case::point_only("timeout=.s", None)]
    #[case::too_long("timeout=9999999999999h", None)]
    #[case::too_many_digits("timeout=99999999999999999999999s", None)]
    #[case::garbage("timeout=%31s", None)]
    #[case::other_name("mytimeout=1s", None)]
    fn timeouts(#[case] query: &str, #[case] millis: Option<u64>) {
        assert_eq!(timeout(Some(query)), millis.map(Duration::from_millis));
    }
}
