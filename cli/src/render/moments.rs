//! Moments and spans in words: local, short, with the date where it is not today's.

use crate::render::Look;
use jiff::Zoned;
use rein_api::At;
use rein_domain::time::Timestamp;
use std::time::Duration;

/// `30 min`, `1 h 30 min`, `2 d`: the two largest units.
pub(crate) fn duration(span: Duration) -> String {
    let s = span.as_secs();
    match (s / 86_400, s / 3600 % 24, s / 60 % 60, s % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, 0) => format!("{m} min"),
        (0, 0, m, s) if m < 5 => format!("{m} min {s} s"),
        (0, 0, m, _) => format!("{m} min"),
        (0, h, 0, _) => format!("{h} h"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, 0, _, _) => format!("{d} d"),
        (d, h, _, _) => format!("{d} d {h} h"),
    }
}

impl Look {
    fn zoned(&self, at: Timestamp) -> Option<Zoned> {
        Some(jiff::Timestamp::from_millisecond(at.0).ok()?.to_zoned(self.zone.clone()))
    }

    /// `03:40`; `24 Nov 03:40` on another day; `2027-01-02 03:40` in another year.
    pub(crate) fn time(&self, at: At) -> String {
        let (Some(then), Some(now)) = (self.zoned(at.0), self.zoned(self.now)) else {
            return "?".to_owned();
        };
        let form = match (then.date() == now.date(), then.year() == now.year()) {
            (true, _) => "%H:%M",
            (false, true) => "%-d %b %H:%M",
            (false, false) => "%Y-%m-%d %H:%M",
        };
        then.strftime(form).to_string()
    }

    /// The same with seconds.
    pub(crate) fn second(&self, at: At) -> String {
        let seconds = self.zoned(at.0).map_or_else(String::new, |at| at.strftime(":%S").to_string());
        format!("{}{seconds}", self.time(at))
    }

    /// `in 30 min`, `now`, `5 min ago`.
    pub(crate) fn relative(&self, at: At) -> String {
        let (ahead, behind) = (at.0.since(self.now), self.now.since(at.0));
        // What is asked for as 30 min arrives as 29 min 59.9 s or 30 min 0.4 s; nobody wants to read that.
        let rounded = |span: Duration| Duration::from_secs((span.as_millis() as u64).div_ceil(1000));
        let minutes = |span: Duration| Duration::from_secs((span.as_secs() + 30) / 60 * 60);
        if ahead >= Duration::from_secs(60) {
            format!("in {}", duration(minutes(rounded(ahead))))
        } else if !ahead.is_zero() {
            format!("in {}", duration(rounded(ahead)))
        } else if behind < Duration::from_secs(1) {
            "now".to_owned()
        } else {
            format!("{} ago", duration(behind))
        }
    }

    /// A text in which the server wrote times as RFC 3339, with these times as this reader reads them.
    pub(crate) fn localised(&self, text: &str) -> String {
        let word = |word: &str| {
            let begin = word.len() - word.trim_start_matches('(').len();
            let end = word.trim_end_matches([',', ';', ':', ')', '.']).len().max(begin);
            match word[begin..end].parse::<jiff::Timestamp>() {
                Ok(at) => {
                    let at = self.time(At(Timestamp(at.as_millisecond())));
                    format!("{}{at}{}", &word[..begin], &word[end..])
                }
                Err(_) => word.to_owned(),
            }
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use crate::render::duration;
    use crate::render::sample::{at, look};
    use std::time::Duration;

    #[test]
    fn times_carry_a_date_when_it_is_not_todays() {
        let look = look();
        for (text, says) in [
            ("2026-11-23T02:40:00Z", "03:40"),
            ("2026-11-23T23:30:00Z", "24 Nov 00:30"),
            ("2027-01-02T02:40:00Z", "2027-01-02 03:40"),
        ] {
            assert_eq!(look.time(at(text)), says);
        }
    }

    #[test]
    fn spans_are_rounded_the_way_people_ask_for_them() {
        let look = look();
        for (text, says) in [
            ("2026-11-23T02:39:59.400Z", "in 30 min"),
            ("2026-11-23T02:40:00.700Z", "in 30 min"),
            ("2026-11-23T02:10:30Z", "in 30 s"),
            ("2026-11-23T02:10:00Z", "now"),
            ("2026-11-23T02:05:00Z", "5 min ago"),
            ("2026-11-25T05:10:00Z", "in 2 d 3 h"),
        ] {
            assert_eq!(look.relative(at(text)), says, "{text}");
        }
        assert_eq!(duration(Duration::from_secs(5400)), "1 h 30 min");
    }

    #[test]
    fn times_inside_a_text_become_local() {
        let text = "hidden until 2026-11-23T02:40:00Z, then on (2026-11-23T02:40:00Z): x";
        assert_eq!(look().localised(text), "hidden until 03:40, then on (03:40): x");
        assert_eq!(look().localised("():"), "():");
    }
}
