use super::*;

fn doc(name: &str, needs: &[&str], excludes: &[&str]) -> String {
    format!(
        "kind: switch\nname: {name}\nowner: growth\nlevel: 3\nlost: x\ndefault: on\nneeds: {needs:?}\nexcludes: {excludes:?}\n"
    )
}

#[test]
fn many_documents_in_one_file_and_lists_of_them() {
    let text = format!("{}---\n{}---\n", doc("a/b", &[], &[]), doc("c/d", &["a/b"], &[]));
    let documents = parse("f", &text).unwrap();
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[1].place, "f document 2");
    let list = serde_json::to_string(&documents.iter().map(|d| &d.what).collect::<Vec<_>>()).unwrap();
    assert_eq!(parse("f", &list).unwrap().len(), 2);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, says) in [
        ("name: a/b", "f: `kind` is nothing; known: switch, service, backend"),
        ("kind: window\n", "`kind` is window"),
        ("kind: switch\nname: a/b\nowner: x\nlevel: 3\nlost: y\nsurplus: 1\n", "surplus"),
        ("kind: switch\nname: a\nowner: x\nlevel: 3\nlost: y\n", "SERVICE/SWITCH"),
        ("kind: switch\nname: a/b\nowner: x\nlevel: 300\nlost: y\n", "level"),
        ("kind: [", "f: "),
        ("kind: backend\nname: A\nplugin: alertmanager\n", "f: backend name `A`"),
        ("kind: backend\nname: a\nplugin: alertmanager\nprogram: /x\n", "f: unknown field `program`"),
        ("kind: backend\nname: a\n", "f: missing field `plugin`"),
        (
            "kind: backend\nname: a\nplugin: b\nnever_silence: ['x=\"']\n",
            "f: never_silence[0]: this double quote",
        ),
        ("kind: backend\nname: a\nplugin: b\nreassert: always\n", "reassert"),
        ("kind: alert-rules\nname: default\nfold: {deep: 1}\n", "unknown field `deep`"),
        ("kind: alert-rules\nname: default\ntier: {weights: {one: 1}}\n", "tier"),
    ] {
        let error = parse("f", text).unwrap_err();
        assert!(error.message.contains(says), "{text:?}: {}", error.message);
        assert_eq!(error.exit, rein_api::ExitCode::Usage);
    }
}

#[test]
fn partners_come_first_and_a_circle_is_broken_once() {
    let text = [
        doc("a/needs-b", &["b/b"], &[]),
        doc("b/b", &[], &[]),
        doc("x/one", &[], &["x/two"]),
        doc("x/two", &[], &["x/one"]),
    ]
    .join("---\n");
    let steps = order(parse("f", &text).unwrap(), BTreeSet::new());
    let said: Vec<(String, usize)> =
        steps.iter().map(|s| (s.document.what.name().to_owned(), excludes(&s.body()))).collect();
    let expected = [("b/b", 0), ("a/needs-b", 0), ("x/one", 0), ("x/two", 1), ("x/one", 1)];
    assert_eq!(said, expected.map(|(name, n)| (name.to_owned(), n)));
}

#[test]
fn differences_are_by_field_and_lists_have_no_order() {
    let one = parse("f", &doc("a/b", &["c/d", "e/f"], &[])).unwrap().remove(0).what;
    let mut other = one.clone();
    let Declared::Switch(switch) = &mut other else { panic!() };
    switch.needs.reverse();
    assert_eq!(compare(&one, Some(&other)), Difference::None);
    let Declared::Switch(switch) = &mut other else { panic!() };
    switch.level = 1;
    let fields = vec![("level".to_owned(), "1".to_owned(), "3".to_owned())];
    assert_eq!(compare(&one, Some(&other)), Difference::Fields(fields));
    assert_eq!(compare(&one, None), Difference::New);
}

fn excludes(one: &Declared) -> usize {
    let Declared::Switch(switch) = one else { return 0 };
    switch.excludes.len()
}

const BACKEND: &str = "kind: backend\nname: alerts\nplugin: alertmanager\nowner: sre\nconfig:\n  peers: [http://a:9093, http://b:9093]\n  \
                       deep: {limit: 3}\nnever_silence: [alertname=Watchdog]\n";

#[test]
fn kinds_stand_side_by_side_and_backends_come_first() {
    let text = format!("{}---\n{BACKEND}", doc("a/b", &[], &[]));
    let steps = order(parse("f", &text).unwrap(), BTreeSet::new());
    let titles: Vec<String> = steps.iter().map(|s| s.document.what.title()).collect();
    assert_eq!(titles, ["backend alerts", "a/b"]);
    let same_name = format!("{BACKEND}---\n{BACKEND}");
    assert_eq!(parse("f", &same_name).unwrap().len(), 2);
}

#[test]
fn configurations_are_compared_field_by_field() {
    let one = parse("f", BACKEND).unwrap().remove(0).what;
    let there =
        BACKEND.replace("http://b", "http://c").replace("limit: 3", "limit: 4").replace("sre", "infra");
    let there = parse("f", &there).unwrap().remove(0).what;
    let Difference::Fields(fields) = compare(&one, Some(&there)) else { panic!() };
    let said: Vec<String> =
        fields.into_iter().map(|(name, old, new)| format!("{name}: {old} → {new}")).collect();
    assert_eq!(
        said,
        [
            "config.deep.limit: 4 → 3",
            "config.peers: http://a:9093, http://c:9093 → http://a:9093, http://b:9093",
            "owner: infra → sre",
        ]
    );
    // As a server spells it back.
    let spelled = BACKEND.replace("[alertname=Watchdog]", "['alertname=\"Watchdog\"']");
    assert_eq!(compare(&one, parse("f", &spelled).unwrap().first().map(|d| &d.what)), Difference::None);
}

#[test]
fn rules_for_alerts_are_compared_field_by_field_and_what_is_left_out_is_as_usual() {
    let text = "kind: alert-rules\nname: default\nservice: [app, job]\nfold: {depth: 2}\n";
    let here = parse("f", text).unwrap().remove(0).what;
    let usual = Declared::AlertRules(AlertRulesDocument::default());
    let said =
        |names: &str| (names.to_owned(), "service, service_name, app, job".to_owned(), "app, job".to_owned());
    let depth = ("fold.depth".to_owned(), "4".to_owned(), "2".to_owned());
    assert_eq!(compare(&here, Some(&usual)), Difference::Fields(vec![depth, said("service")]));
    // In this list the order is what it says.
    let turned = parse("f", &text.replace("[app, job]", "[job, app]")).unwrap().remove(0).what;
    assert_ne!(compare(&turned, Some(&here)), Difference::None);
    assert_eq!(compare(&usual, Some(&usual)), Difference::None);
    assert_eq!((here.kind(), here.title().as_str()), ("alert-rules", "alert-rules default"));
    // What a person reads back is what they wrote.
    let written = crate::output::yaml(&here).unwrap();
    assert_eq!(parse("f", &written).unwrap().remove(0).what, here);
}
