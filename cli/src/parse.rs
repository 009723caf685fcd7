//! Values as people type them.

use rein_domain::instance::Weight;
use rein_domain::scope::{Percent, PercentError};
use rein_domain::switch::MAX_TEXT;
use rein_domain::time::Timestamp;
use std::time::Duration;

const FORMS: &str = "write a number with its unit: 90s, 30m, 1h30m, 2d";

/// A duration: `90s`, `30m`, `1h30m`, `2d`.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    if text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return Err(format!("a duration lies ahead and cannot be negative; {FORMS}"));
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("`{text}` has no unit; {FORMS}"));
    }
    let seconds = seconds(text).ok_or_else(|| FORMS.to_owned())?;
    if seconds == 0 {
        return Err(format!("a duration of nothing does nothing; {FORMS}"));
    }
    Ok(Duration::from_secs(seconds))
}

/// Numbers with units, largest unit first, each at most once.
fn seconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0u64;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = match rest[digits..].chars().next()? {
            'd' => 86_400,
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        if unit >= last {
            return None;
        }
        total = total.checked_add(number.checked_mul(unit)?)?;
        (last, rest) = (unit, &rest[digits + 1..]);
    }
    (last != u64::MAX).then_some(total)
}

/// A duration, or `0` for none: `--pace 0`.
pub(crate) fn pause(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s") { Ok(Duration::ZERO) } else { span(text) }
}

/// How often a screen is drawn: `100ms` to `1m`.
pub(crate) fn beat(text: &str) -> Result<Duration, String> {
    let span = match text.strip_suffix("ms").map(str::parse) {
        Some(Ok(ms)) => Duration::from_millis(ms),
        _ => span(text)?,
    };
    let fits = (Duration::from_millis(100)..=Duration::from_secs(60)).contains(&span);
    if fits { Ok(span) } else { Err("give 100ms to 1m".to_owned()) }
}

/// A weight from 0 to 1000.
pub(crate) fn weight(text: &str) -> Result<Weight, String> {
    let weight: i64 = text.parse().map_err(|_| format!("`{text}` is not a weight; give 0 to 1000"))?;
    Weight::try_from(weight).map_err(|e| e.to_string())
}

/// A share from 1 to 100, with or without its sign.
pub(crate) fn percent(text: &str) -> Result<Percent, String> {
    let number = text.trim_end_matches('%').trim();
    let share: i64 = number.parse().map_err(|_| format!("`{text}` is not a percentage; give 1 to 100"))?;
    let share = u8::try_from(share).map_err(|_| PercentError(share).to_string())?;
    Percent::try_from(share).map_err(|e| e.to_string())
}

/// A moment: seconds since 1970, or RFC 3339.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let millis = match text.parse::<f64>() {
        Ok(seconds) => {
            let millis = (seconds * 1000.0).round();
            // Up to the year 5138; beyond, somebody gave milliseconds.
            (millis.is_finite() && millis.abs() < 1e14).then_some(millis as i64)?
        }
        Err(_) => text.parse::<jiff::Timestamp>().ok()?.as_millisecond(),
    };
    Some(Timestamp(millis))
}

/// The same, for an argument.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    instant(text).ok_or_else(|| "write seconds since 1970, or RFC 3339: 2026-11-23T02:40:00Z".to_owned())
}

/// A reason no longer than a record takes.
pub(crate) fn reason(text: &str) -> Result<String, String> {
    match text.len() {
        0..=MAX_TEXT => Ok(text.to_owned()),
        more => Err(format!("the reason is {more} bytes long; at most {MAX_TEXT}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, seconds) in
            [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("2d", 172_800), ("1d1h1m1s", 90_061)]
        {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for (text, says) in [
            ("", "30m"),
            ("30", "has no unit"),
            ("-5m", "negative"),
            ("0m", "nothing"),
            ("30m1h", "1h30m"),
            ("1h1h", "1h30m"),
            ("1w", "2d"),
            ("m", "30m"),
            ("99999999999999999999h", "30m"),
            ("1h 30m", "1h30m"),
            ("३0m", "30m"),
        ] {
            let error = span(text).unwrap_err();
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_share_is_1_to_100() {
        assert_eq!(percent("20").unwrap().get(), 20);
        assert_eq!(percent("20%").unwrap().get(), 20);
        for text in ["0", "101", "-5", "300", "x", ""] {
            assert!(percent(text).unwrap_err().contains("1 to 100"), "{text}");
        }
    }
}
