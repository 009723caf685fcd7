//! The switches the company declares, as the documents `rein apply -f` reads.

/// Name and YAML document of each switch, in an order in which they can be applied: what a
/// switch needs or excludes comes before it.
pub fn switches() -> &'static [(&'static str, &'static str)] {
    &[
        ("gateway/search-suggest", include_str!("../switches/gateway-search-suggest.yaml")),
        ("order/recommendations", include_str!("../switches/order-recommendations.yaml")),
        ("order/coupons", include_str!("../switches/order-coupons.yaml")),
        ("restaurant/photos", include_str!("../switches/restaurant-photos.yaml")),
        ("payment/card", include_str!("../switches/payment-card.yaml")),
        ("payment/wallet", include_str!("../switches/payment-wallet.yaml")),
        ("delivery/live-map", include_str!("../switches/delivery-live-map.yaml")),
        ("recommendations/personal", include_str!("../switches/recommendations-personal.yaml")),
        ("sms/order-updates", include_str!("../switches/sms-order-updates.yaml")),
        ("sms/marketing", include_str!("../switches/sms-marketing.yaml")),
        ("push/order-updates", include_str!("../switches/push-order-updates.yaml")),
        ("push/marketing", include_str!("../switches/push-marketing.yaml")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Service;
    use crate::work::flag;
    use std::collections::BTreeSet;

    /// The value of a top-level key; enough for documents of one line a key.
    fn value<'a>(yaml: &'a str, key: &str) -> Option<&'a str> {
        yaml.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim)
    }

    #[test]
    fn the_declared_switches_are_those_the_services_ask_for() {
        let declared: BTreeSet<_> = switches().iter().map(|(name, _)| name.replacen('/', ".", 1)).collect();
        assert_eq!(declared, flag::ALL.into_iter().map(String::from).collect());
    }

    #[test]
    fn every_document_says_what_the_company_really_is() {
        let mut before = BTreeSet::new();
        for (name, yaml) in switches() {
            let service = name.split('/').next().and_then(Service::named).expect("a service");
            assert_eq!(value(yaml, "kind"), Some("switch"), "{name}");
            assert_eq!(value(yaml, "name"), Some(*name));
            assert_eq!(value(yaml, "default"), Some("on"), "{name}");
            assert_eq!(value(yaml, "zones"), Some("[sh, bj]"), "{name}");
            assert_eq!(value(yaml, "expects"), Some(service.instances().to_string().as_str()), "{name}");
            for key in ["needs", "excludes"] {
                for other in value(yaml, key).unwrap_or("[]").trim_matches(['[', ']']).split(", ") {
                    assert!(
                        other.is_empty() || before.contains(other),
                        "{name} {key} {other}, declared later"
                    );
                }
            }
            before.insert(*name);
        }
        let of: BTreeSet<_> = before.iter().filter_map(|name| name.split('/').next()).collect();
        assert_eq!(of.len(), Service::ALL.len(), "a flag set for every service that asks for one");
    }
}
