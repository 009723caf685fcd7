//! "Did you mean": the nearest of the names that exist.

/// The nearest of `known` to `given`, if it is near enough to be a slip of the finger.
pub(crate) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::jaro_winkler(given, name), name))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        let known = ["order/recommendations", "payment/wallet", "order/eta"];
        assert_eq!(nearest("order/recomendations", known.into_iter()), Some("order/recommendations"));
        assert_eq!(nearest("payments/wallet", known.into_iter()), Some("payment/wallet"));
        assert_eq!(nearest("sms/retry", known.into_iter()), None);
    }
}
