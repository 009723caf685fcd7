use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const SERVICES: [&str; 7] = ["a", "b", "c", "d", "e", "f", ""];

fn alerts() -> impl Strategy<Value = Vec<Alert>> {
    let one = (0..3usize, 0..SERVICES.len(), 0..4usize, 0..3usize, -200i64..200, 0..8u8);
    prop::collection::vec(one, 0..30).prop_map(|list| {
        let made = list.into_iter().map(|(name, service, severity, instance, since, state)| {
            let severity = ["critical", "warning", "info", ""][severity];
            let mut one = alert(["X", "Y", "Z"][name], SERVICES[service], severity, since);
            if instance > 0 {
                one = on(one, &format!("i-{instance}"));
            }
            one.state = match state {
                0 => State::Silenced(vec!["s".into()]),
                1 => State::Inhibited(vec![]),
                _ => State::Firing,
            };
            one
        });
        made.collect()
    })
}

fn calls() -> impl Strategy<Value = CallGraph> {
    prop::collection::btree_set((0..6usize, 0..6usize), 0..16).prop_map(|pairs| {
        let pair = |(a, b): (usize, usize)| (SERVICES[a].to_owned(), SERVICES[b].to_owned());
        CallGraph::Known(pairs.into_iter().map(pair).collect())
    })
}

fn flights() -> impl Strategy<Value = Vec<Flight>> {
    let one = (0..6usize, -1500i64..200, prop::option::of(-300i64..200));
    prop::collection::vec(one, 0..5).prop_map(|list| {
        let made = list
            .into_iter()
            .enumerate()
            .map(|(n, (service, began, over))| flight(&format!("c{n}"), SERVICES[service], began, over));
        made.collect()
    })
}

/// What does not depend on where an alert stood in the input.
fn seen(judged: &Judged, alerts: &[Alert]) -> Vec<String> {
    let ids = |line: &Line| line.alerts.iter().map(|n| format!("{:?}", alerts[*n])).collect::<Vec<_>>();
    judged
        .lines
        .iter()
        .map(|line| format!("{:?} {:?}", Line { alerts: vec![], ..line.clone() }, ids(line)))
        .collect()
}

proptest! {
    #[test]
    fn every_alert_is_in_exactly_one_place(alerts in alerts(), calls in calls(), flights in flights()) {
        let services = known(&[("a", 1, 3), ("b", 2, 0), ("c", 4, 1)]);
        let scene = Scene { alerts: &alerts, calls: &calls, services: &services, flights: &flights };
        let judged = judge(&scene, &AlertRules::default());
        let mut all: Vec<usize> = judged.lines.iter().flat_map(|line| line.alerts.clone()).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..alerts.len()).collect::<Vec<_>>());
        for line in &judged.lines {
            prop_assert_eq!(line.alerts.is_empty(), matches!(line.what, What::Change { .. }));
            for n in &line.alerts {
                let right = matches!(
                    (&alerts[*n].state, line.place),
                    (State::Firing, Place::Top | Place::Under(_))
                        | (State::Silenced(_), Place::Silenced)
                        | (State::Inhibited(_), Place::Inhibited)
                );
                prop_assert!(right, "{:?}", line);
            }
        }
    }

    #[test]
    fn folding_has_no_circles_and_hides_nothing_urgent(
        alerts in alerts(), calls in calls(), flights in flights(),
    ) {
        let services = known(&[("a", 1, 3), ("b", 2, 0), ("c", 4, 1)]);
        let scene = Scene { alerts: &alerts, calls: &calls, services: &services, flights: &flights };
        let judged = judge(&scene, &AlertRules::default());
        for (n, line) in judged.lines.iter().enumerate() {
            prop_assert!(line.priority <= line.own);
            if let Place::Under(above) = line.place {
                // What it is folded under stands before it, so that nothing is folded in a circle.
                prop_assert!(above < n);
                let above = &judged.lines[above];
                prop_assert!(matches!(above.place, Place::Top | Place::Under(_)));
                prop_assert!(above.priority <= line.priority, "{:?}", told(&judged));
                let change = matches!(above.what, What::Change { .. });
                let why = |reason: &Reason| match reason {
                    Reason::UnderCause { .. } => !change,
                    Reason::UnderChange { .. } => change,
                    _ => false,
                };
                prop_assert!(line.reasons.iter().any(why));
            }
            let below = judged.lines.iter().filter(|other| other.place == Place::Under(n));
            let most = below.map(|other| other.priority).chain([line.own]).min();
            prop_assert_eq!(most, Some(line.priority));
        }
    }

    #[test]
    fn the_order_in_which_alerts_come_is_no_matter(
        (alerts, shuffled) in alerts().prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle())),
        calls in calls(),
        (flights, other) in flights().prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle())),
    ) {
        let services = known(&[("a", 1, 3), ("b", 2, 0), ("c", 4, 1)]);
        let rules = AlertRules::default();
        let one = judge(&Scene { alerts: &alerts, calls: &calls, services: &services, flights: &flights }, &rules);
        let two = judge(&Scene { alerts: &shuffled, calls: &calls, services: &services, flights: &other }, &rules);
        prop_assert_eq!(seen(&one, &alerts), seen(&two, &shuffled));
    }

    /// A cause fires at a service that the symptom's service calls in the end, and in time.
    #[test]
    fn a_cause_is_below_its_symptom(alerts in alerts(), calls in calls()) {
        let rules = AlertRules::default();
        let scene = Scene { alerts: &alerts, calls: &calls, services: &BTreeMap::new(), flights: &[] };
        let judged = judge(&scene, &rules);
        let CallGraph::Known(calls) = &calls else { unreachable!() };
        for line in &judged.lines {
            let Some(path) = line.reasons.iter().find_map(|reason| match reason {
                Reason::UnderCause { path, .. } => Some(path),
                _ => None,
            }) else { continue };
            prop_assert!(path.windows(2).all(|pair| calls.contains(&(pair[0].clone(), pair[1].clone()))));
            let Place::Under(above) = line.place else { panic!("it says that it is folded") };
            let cause = &judged.lines[above];
            prop_assert!(cause.since <= line.since.plus(rules.fold.slack()));
            let What::Alerts { service, .. } = &cause.what else { panic!("a cause is an alert") };
            prop_assert_eq!(service.as_ref(), path.last());
        }
    }
}

#[test]
fn five_thousand_alerts_of_a_thousand_services_are_judged_soon() {
    let name = |n: usize| format!("s{:04}", n % 1000);
    // Each calls the next ones, and the last ones the first: one circle, in which everybody reaches many.
    let calls: BTreeSet<(String, String)> =
        (0..1000).flat_map(|n| (1..=8).map(move |step| (name(n), name(n + step * step)))).collect();
    let alerts: Vec<Alert> = (0..5000)
        .map(|n| {
            alert(&format!("A{}", n / 1000), &name(n), ["critical", "warning"][n % 2], (n * 7 % 300) as i64)
        })
        .collect();
    let flights: Vec<Flight> =
        (0..1000).map(|n| flight(&format!("c{n}"), &name(n), -(n as i64 % 400), None)).collect();
    let begun = Instant::now();
    for calls in [CallGraph::Known(calls.clone()), chain()] {
        let scene = Scene { alerts: &alerts, calls: &calls, services: &BTreeMap::new(), flights: &flights };
        let judged = judge(&scene, &AlertRules::default());
        assert_eq!(judged.lines.iter().map(|line| line.alerts.len()).sum::<usize>(), 5000);
        let folded = judged.lines.iter().filter(|line| matches!(line.place, Place::Under(_))).count();
        assert!(folded > 4000, "{folded}");
    }
    // A debug build on a loaded machine; a release build takes a fraction of a second.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());

    fn chain() -> CallGraph {
        CallGraph::Known((0..999).map(|n| (format!("s{n:04}"), format!("s{:04}", n + 1))).collect())
    }
}
