//! Durations and sizes as a person writes them.

use std::time::Duration;

/// Reads `2s`, `500ms`, `24h`, `1m30s`.
///
/// # Errors
/// What to write instead: a number without a unit is refused, since nobody could tell seconds from milliseconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    const WRITE: &str = "write a duration such as 500ms, 2s, 1m30s or 24h";
    let mut rest = text;
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(format!("empty; {WRITE}"));
    }
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        let (unit, after) = split(after, |c| !c.is_ascii_digit());
        let number: u64 = number
            .parse()
            .map_err(|_| format!("{text:?} is not a duration; {WRITE}"))?;
        let scale = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            "" => return Err(format!("{text:?} has no unit; {WRITE}")),
            _ => return Err(format!("{text:?} is not a duration; {WRITE}")),
        };
        let part = u32::try_from(number)
            .ok()
            .and_then(|number| scale.checked_mul(number));
        total = part
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| format!("{text:?} is too long; {WRITE}"))?;
        rest = after;
    }
    Ok(total)
}

/// Reads `128Mi`, `512Ki`, `1Gi` or a plain number of bytes.
///
/// # Errors
/// What to write instead.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let bad = || format!("{text:?} is not a size; write bytes, or Ki, Mi, Gi, as in 128Mi");
    let (number, unit) = split(text, |c| c.is_ascii_digit());
    let scale: usize = match unit {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return Err(bad()),
    };
    let number: usize = number.parse().map_err(|_| bad())?;
    number.checked_mul(scale).ok_or_else(bad)
}

/// A duration as [`duration`] reads it, in the largest unit that loses nothing.
pub(super) fn show(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (unit, name) in [(3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if millis > 0 && millis.is_multiple_of(unit) {
            return format!("{}{name}", millis / unit);
        }
    }
    if millis == 0 {
        "0s".to_owned()
    } else {
        format!("{millis}ms")
    }
}

/// `text` up to the first character that `wanted` refuses, and the rest.
fn split(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !wanted(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::seconds("2s", 2_000)]
    #[case::millis("500ms", 500)]
    #[case::hours("24h", 86_400_000)]
    #[case::two_parts("1m30s", 90_000)]
    #[case::zero("0s", 0)]
    fn durations(#[case] text: &str, #[case] millis: u64) {
        assert_eq!(duration(text), Ok(Duration::from_millis(millis)));
        assert_eq!(
            duration(&show(Duration::from_millis(millis))),
            duration(text)
        );
    }

    #[rstest]
    #[case::bare(
        "2",
        "\"2\" has no unit; write a duration such as 500ms, 2s, 1m30s or 24h"
    )]
    #[case::empty("", "empty; write a duration such as 500ms, 2s, 1m30s or 24h")]
    #[case::days(
        "2d",
        "\"2d\" is not a duration; write a duration such as 500ms, 2s, 1m30s or 24h"
    )]
    #[case::negative(
        "-2s",
        "\"-2s\" is not a duration; write a duration such as 500ms, 2s, 1m30s or 24h"
    )]
    #[case::fraction(
        "1.5s",
        "\"1.5s\" is not a duration; write a duration such as 500ms, 2s, 1m30s or 24h"
    )]
    #[case::huge(
        "99999999999h",
        "\"99999999999h\" is too long; write a duration such as 500ms, 2s, 1m30s or 24h"
    )]
    fn bad_durations(#[case] text: &str, #[case] said: &str) {
        assert_eq!(duration(text), Err(said.to_owned()));
    }

    #[rstest]
    #[case::bytes("100", Ok(100))]
    #[case::mebibytes("128Mi", Ok(128 << 20))]
    #[case::decimal(
        "1M",
        Err("\"1M\" is not a size; write bytes, or Ki, Mi, Gi, as in 128Mi")
    )]
    #[case::none(
        "Mi",
        Err("\"Mi\" is not a size; write bytes, or Ki, Mi, Gi, as in 128Mi")
    )]
    fn sizes(#[case] text: &str, #[case] expected: Result<usize, &str>) {
        assert_eq!(size(text), expected.map_err(str::to_owned));
    }
}
