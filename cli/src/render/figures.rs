//! Figures as people read them. What is not known is "no data", never zero.

use rein_domain::telemetry::Percent;

/// What no figure is shown as.
pub(crate) const NO_DATA: &str = "no data";

/// Requests per second: `41.8`.
pub(crate) fn rate(rps: Option<f64>) -> String {
    match rps {
        None => NO_DATA.to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(rps) if rps < 0.1 => "<0.1".to_owned(),
        Some(rps) if rps < 100.0 => format!("{rps:.1}"),
        Some(rps) => format!("{rps:.0}"),
    }
}

/// A share from 0 to 1: `99.8 %`.
pub(crate) fn share(share: Option<f64>) -> String {
    share.map_or_else(|| NO_DATA.to_owned(), |share| Percent(share).to_string())
}

/// Seconds: `240 ms`, `1.2 s`.
pub(crate) fn seconds(seconds: Option<f64>) -> String {
    match seconds {
        None => NO_DATA.to_owned(),
        Some(s) if s < 0.001 => "<1 ms".to_owned(),
        Some(s) if s < 0.9995 => format!("{:.0} ms", s * 1000.0),
        Some(s) if s < 9.95 => format!("{s:.1} s"),
        Some(s) => format!("{s:.0} s"),
    }
}
