use super::*;

struct World {
    calls: CallGraph,
    services: BTreeMap<String, Known>,
    flights: Vec<Flight>,
}

impl Default for World {
    fn default() -> Self {
        let calls = [("gateway", "order"), ("order", "payment"), ("order", "stock"), ("payment", "bank")];
        Self {
            calls: graph(&calls),
            services: known(&[
                ("gateway", 1, 4),
                ("order", 1, 8),
                ("payment", 1, 4),
                ("bank", 2, 2),
                ("sms", 4, 2),
            ]),
            flights: Vec::new(),
        }
    }
}

impl World {
    fn judge(&self, alerts: &[Alert]) -> Judged {
        self.judge_by(alerts, &AlertRules::default())
    }

    fn judge_by(&self, alerts: &[Alert], rules: &AlertRules) -> Judged {
        let Self { calls, services, flights } = self;
        judge(&Scene { alerts, calls, services, flights }, rules)
    }
}

fn reasons(line: &Line) -> Vec<String> {
    line.reasons
        .iter()
        .map(|reason| match reason.points() {
            Some(points) => format!("{reason}: {points:+}"),
            None => reason.to_string(),
        })
        .collect()
}

#[test]
fn priority_comes_from_severity_tier_and_breadth() {
    let world = World::default();
    for (name, service, severity, instances, priority) in [
        // Critical on a tier 1 service is worth waking for, wherever it fires.
        ("A", "order", "critical", 1, "P1"),
        ("A", "order", "CRITICAL", 8, "P1"),
        ("A", "order", "page", 0, "P1"),
        // Elsewhere only when much of it fires.
        ("A", "bank", "critical", 1, "P1"),
        ("A", "bank", "critical", 0, "P1"),
        ("A", "sms", "critical", 1, "P2"),
        ("A", "sms", "critical", 2, "P1"),
        // A warning never is.
        ("A", "order", "warning", 1, "P3"),
        ("A", "order", "warning", 8, "P2"),
        ("A", "sms", "warning", 1, "P4"),
        ("A", "sms", "warning", 2, "P3"),
        ("A", "order", "info", 8, "P4"),
        // What is not known is no less than a warning.
        ("A", "order", "", 1, "P3"),
        ("A", "order", "weird", 8, "P2"),
        ("A", "", "critical", 0, "P2"),
        ("A", "unheard-of", "critical", 1, "P2"),
        ("Watchdog", "", "none", 0, "P4"),
    ] {
        let one = alert(name, service, severity, 0);
        let alerts: Vec<Alert> = match instances {
            0 => vec![one],
            many => (0..many).map(|n| on(one.clone(), &format!("i-{n}"))).collect(),
        };
        let judged = world.judge(&alerts);
        assert_eq!(judged.lines.len(), 1);
        let line = &judged.lines[0];
        assert_eq!(line.priority.as_str(), priority, "{severity} {service} {instances}: {:?}", reasons(line));
    }
}

#[test]
fn a_line_says_why_it_stands_where_it_stands() {
    let world = World::default();
    let alerts: Vec<Alert> =
        (0..6).map(|n| on(alert("Slow", "order", "critical", n), &format!("i-{n}"))).collect();
    let judged = world.judge(&alerts);
    assert_eq!(told(&judged), ["P1 Slow on order ×6"]);
    assert_eq!(
        reasons(&judged.lines[0]),
        [
            "severity critical: +60",
            "tier 1: +20",
            "fires on 6 of 8 instances: +15",
            "95 points are P1",
            "not folded: nothing that it calls fires",
        ]
    );
    assert_eq!(judged.lines[0].since, at(0));
}

#[test]
fn symptoms_are_folded_under_the_deepest_cause_as_the_chain_that_they_are() {
    let world = World::default();
    let alerts = [
        alert("Errors", "gateway", "warning", 40),
        alert("Errors", "order", "critical", 30),
        alert("Timeouts", "payment", "warning", 0),
        alert("Slow", "stock", "warning", 10),
    ];
    let judged = world.judge(&alerts);
    assert_eq!(
        told(&judged),
        [
            "P1 < P2 Timeouts on payment",
            "  P1 Errors on order",
            "    P2 Errors on gateway",
            "P3 Slow on stock"
        ]
    );
    let order = reasons(&judged.lines[1]);
    assert!(
        order.contains(&"folded under Timeouts on payment: order calls payment; it fired 30 s before".into()),
        "{order:?}"
    );
    assert!(order.contains(&"what it calls also fires: Slow on stock".into()), "{order:?}");
    let payment = reasons(&judged.lines[0]);
    assert!(
        payment.contains(&"raised to P1 by what is folded under it: Errors on order".into()),
        "{payment:?}"
    );
}

#[test]
fn a_cause_may_be_several_calls_away_through_services_that_fire_nothing() {
    let world = World::default();
    let alerts = [alert("Errors", "gateway", "critical", 5), alert("Down", "bank", "critical", 0)];
    let judged = world.judge(&alerts);
    assert_eq!(told(&judged), ["P1 Down on bank", "  P1 Errors on gateway"]);
    let path = "gateway calls order calls payment calls bank";
    assert!(judged.lines[1].reasons.iter().any(|reason| reason.to_string().contains(path)));
    let mut rules = AlertRules::default();
    rules.fold.depth = 2;
    assert_eq!(world.judge_by(&alerts, &rules).above(1), [0; 0]);
}

#[test]
fn only_what_fired_in_time_and_is_grave_enough_is_a_cause() {
    let world = World::default();
    for (severity, since, folds, says) in [
        ("critical", 0, true, "less than 1 s"),
        ("critical", 60, true, "1 min after"),
        ("critical", 61, false, "not folded under Down on payment: that fired 1 min 1 s after"),
        ("critical", -3600, true, "1 h before"),
        ("critical", -3601, false, "not folded under Down on payment: that fired 1 h before"),
        ("info", -10, false, "nothing that it calls fires"),
    ] {
        let alerts = [alert("Errors", "order", "critical", 0), alert("Down", "payment", severity, since)];
        let judged = world.judge(&alerts);
        let order = judged.line_of(0).unwrap();
        assert_eq!(judged.lines[order].place != Place::Top, folds, "{severity} {since}");
        let said = reasons(&judged.lines[order]).join("\n");
        assert!(said.contains(says), "{severity} {since}: {said}");
    }
}

#[test]
fn a_callee_is_no_symptom_of_its_caller() {
    let world = World::default();
    let alerts = [alert("Errors", "order", "critical", 0), alert("Errors", "payment", "warning", 30)];
    let judged = world.judge(&alerts);
    assert_eq!(told(&judged), ["P1 < P2 Errors on payment", "  P1 Errors on order"]);
    // The other way round nothing calls.
    let alerts = [alert("Errors", "stock", "critical", 0), alert("Errors", "payment", "critical", 0)];
    assert!(world.judge(&alerts).lines.iter().all(|line| line.place == Place::Top));
}

#[test]
fn in_a_circle_of_calls_the_first_to_fire_is_the_cause() {
    let world = World { calls: graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")]), ..World::default() };
    let fire = |a, b, c| {
        world.judge(&[
            alert("X", "a", "critical", a),
            alert("X", "b", "critical", b),
            alert("X", "c", "critical", c),
        ])
    };
    for (a, b, c, cause) in [(20, 10, 0, "c"), (0, 10, 20, "a"), (10, 0, 20, "b")] {
        let judged = fire(a, b, c);
        let tops: Vec<&Line> = judged.lines.iter().filter(|line| line.place == Place::Top).collect();
        assert_eq!(tops.len(), 1, "{:?}", told(&judged));
        assert!(told(&judged)[0].ends_with(&format!("on {cause}")), "{:?}", told(&judged));
    }
    // At one moment nobody was first.
    assert!(fire(0, 0, 0).lines.iter().all(|line| line.place == Place::Top));
}

#[test]
fn what_began_with_a_change_is_folded_under_it_and_its_symptoms_with_it() {
    let flights = vec![
        flight("k7q2", "payment", -120, None),
        flight("old", "payment", -90_000, None),
        flight("undone", "stock", -9000, Some(-30)),
    ];
    let world = World { flights, ..World::default() };
    let alerts = [
        alert("Errors", "payment", "warning", 0),
        alert("Errors", "order", "critical", 10),
        alert("Slow", "stock", "info", 0),
    ];
    let judged = world.judge(&alerts);
    assert_eq!(
        told(&judged),
        [
            "P1 < P4 change k7q2",
            "  P1 < P2 Errors on payment",
            "    P1 Errors on order",
            "P4 change undone",
            "  P4 Slow on stock",
        ]
    );
    let payment = reasons(&judged.lines[1]).join("\n");
    assert!(
        payment.contains("folded under change k7q2: it fired 2 min after payment/x off by alice began"),
        "{payment}"
    );
    assert!(
        payment.contains("change old lies over it: payment/x off by alice, laid 1 d before it fired"),
        "{payment}"
    );
    let stock = reasons(&judged.lines[4]).join("\n");
    assert!(stock.contains("it fired 30 s after stock/x off by alice ended"), "{stock}");
    // What was made elsewhere has an id that `rein change show` does not know.
    for (told, noun) in [(Told::Marker, "marker"), (Told::Registry, "version")] {
        let deploy = Flight { told, ..flight("9z", "stock", -30, Some(-30)) };
        let world = World { flights: vec![deploy], ..World::default() };
        let judged = world.judge(&[alert("Slow", "stock", "info", 0)]);
        let stock = reasons(&judged.lines[1]).join("\n");
        let said = format!("folded under {noun} 9z: it fired 30 s after stock/x off by alice");
        assert!(stock.contains(&said), "{stock}");
    }
}

#[test]
fn a_change_that_answers_an_alert_is_not_its_cause() {
    for (began, folds) in [(-900, true), (-901, false), (0, true), (10, true), (11, false)] {
        let world = World { flights: vec![flight("k7q2", "order", began, None)], ..World::default() };
        let judged = world.judge(&[alert("Errors", "order", "critical", 0)]);
        assert_eq!(judged.lines.len() == 2, folds, "{began}");
        let said = reasons(judged.lines.last().unwrap()).join("\n");
        assert!(said.contains("k7q2"), "{said}");
    }
}

#[test]
fn a_silence_hushes_people_and_nothing_is_folded_under_what_nobody_hears() {
    let world = World::default();
    let mut hushed = on(alert("Down", "payment", "critical", 0), "i-1");
    hushed.state = State::Silenced(vec!["k7q2".into()]);
    let mut held = alert("Slow", "order", "warning", 0);
    held.state = State::Inhibited(vec![]);
    let heard = on(alert("Down", "payment", "critical", 0), "i-2");
    let alerts = [alert("Errors", "gateway", "critical", 10), hushed.clone(), held, heard];
    let judged = world.judge(&alerts);
    assert_eq!(
        told(&judged),
        [
            "P1 Down on payment",
            "  P1 Errors on gateway",
            "[silenced] P1 Down on payment",
            "[inhibited] P2 Slow on order"
        ]
    );
    let said = reasons(&judged.lines[0]);
    assert!(said.contains(&"fires on 2 of 4 instances, 1 of them hushed: +10".into()), "{said:?}");
    assert!(reasons(&judged.lines[2]).contains(&"silenced by k7q2".into()));
    assert!(reasons(&judged.lines[3]).contains(&"held back by its backend, which does not say why".into()));
    let judged = world.judge(&[alerts[0].clone(), hushed]);
    assert_eq!(judged.lines[0].place, Place::Top);
    let said = reasons(&judged.lines[0]).join("\n");
    assert!(said.contains("not folded under Down on payment: that is silenced"), "{said}");
}

#[test]
fn without_a_call_graph_nothing_is_folded_and_that_is_said() {
    let why = "metrics does not answer";
    let alerts = [alert("Errors", "order", "critical", 0), alert("Down", "payment", "critical", 0)];
    let world = World { calls: CallGraph::Unknown(why.into()), ..World::default() };
    let judged = world.judge(&alerts);
    for line in &judged.lines {
        assert_eq!(line.place, Place::Top);
        let said = reasons(line);
        assert!(said.contains(&format!("not folded by calls: no call graph: {why}")), "{said:?}");
    }
    let CallGraph::Known(calls) = World::default().calls else { panic!("known") };
    let world = World { calls: CallGraph::Partly(calls, why.into()), ..World::default() };
    let judged = world.judge(&alerts);
    assert_eq!(told(&judged), ["P1 Down on payment", "  P1 Errors on order"]);
    assert!(reasons(&judged.lines[0]).contains(&format!("part of the call graph is missing: {why}")));
    let nameless = world.judge(&[alert("Watchdog", "", "none", 0)]);
    assert!(reasons(&nameless.lines[0]).contains(&"not folded: no label names its service".into()));
}

#[test]
fn how_many_instances_there_are_may_not_be_known() {
    let mut world = World::default();
    world.services.clear();
    for (instances, says) in [
        (1, "fires on 1 instance; how many there are is not known: +0"),
        (2, "fires on 2 instances; how many there are is not known: +10"),
        (5, "fires on 5 instances; how many there are is not known: +16"),
    ] {
        let alerts: Vec<Alert> =
            (0..instances).map(|n| on(alert("A", "order", "warning", 0), &format!("i-{n}"))).collect();
        let said = reasons(&world.judge(&alerts).lines[0]);
        assert!(said.contains(&says.to_owned()), "{said:?}");
    }
    // More fire than the registry knows of.
    world.services = known(&[("order", 1, 1)]);
    let alerts = [on(alert("A", "order", "warning", 0), "i-1"), on(alert("A", "order", "warning", 0), "i-2")];
    let said = reasons(&world.judge(&alerts).lines[0]);
    assert!(said.contains(&"fires on 2 of 2 instances: +20".into()), "{said:?}");
}

#[test]
fn declared_rules_decide() {
    let world = World::default();
    let usual = AlertRules::default();
    let severity = SeverityRule {
        label: "urgency".into(),
        weights: [("now".to_owned(), 100)].into(),
        ..usual.severity.clone()
    };
    let (service, group_by) = (vec!["team_service".into()], vec!["alertname".into(), "zone".into()]);
    let rules = AlertRules { service, group_by, severity, ..usual };
    let zoned = |zone: &str| {
        let mut one = alert("Errors", "", "", 0);
        for (name, value) in [("team_service", "order"), ("zone", zone), ("urgency", "now")] {
            one.labels.insert(name.into(), value.into());
        }
        one
    };
    let judged = world.judge_by(&[zoned("sh"), zoned("bj")], &rules);
    assert_eq!(told(&judged), ["P1 Errors bj on order", "P1 Errors sh on order"]);
    assert_eq!(judged.lines[0].points, 130);
}

#[test]
fn rules_that_cannot_be_meant_are_refused_with_the_field() {
    type Alter = fn(&mut AlertRules);
    let cases: [(Alter, &str); 11] = [
        (|rules| rules.service.clear(), "service: names 0 labels"),
        (|rules| rules.group_by = vec![String::new()], "group_by: a label has 0 bytes"),
        (|rules| rules.instance = vec!["x".repeat(201)], "instance: a label has 201 bytes"),
        (|rules| rules.severity.label = String::new(), "severity.label"),
        (
            |rules| rules.severity.weights.extend([("Page".to_owned(), 1)]),
            "`Page`: write words in lower case",
        ),
        (|rules| rules.severity.otherwise = 1001, "severity.otherwise: is 1001"),
        (|rules| rules.priority.p2 = 80, "priority: P1 from 80, P2 from 80"),
        (|rules| rules.fold.depth = 17, "fold.depth: is 17"),
        (|rules| rules.fold.slack_seconds = 86_401, "fold.slack_seconds"),
        (|rules| rules.change.after_seconds = u64::MAX, "change.after_seconds"),
        (|rules| rules.owner = "x".repeat(1001), "owner: is 1001 bytes"),
    ];
    assert_eq!(AlertRules::default().check(), Ok(()));
    for (alter, says) in cases {
        let mut rules = AlertRules::default();
        alter(&mut rules);
        let error = rules.check().unwrap_err().to_string();
        assert!(error.starts_with(says) || error.contains(says), "{error}");
    }
}

#[test]
fn text_of_backends_does_nothing_in_a_reason() {
    let world = World { calls: graph(&[("a\u{1b}[31m", "b\u{202e}")]), ..World::default() };
    let alerts =
        [alert("X\n", "a\u{1b}[31m", "crit\u{7}", 0), alert("Y\u{200b}", "b\u{202e}", "critical", 0)];
    for line in &world.judge(&alerts).lines {
        for reason in &line.reasons {
            let text = reason.to_string();
            assert!(!text.chars().any(crate::text::is_unsafe), "{text:?}");
        }
    }
}
