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
    let list = serde_json::to_string(&documents.iter().map(|d| &d.switch).collect::<Vec<_>>()).unwrap();
    assert_eq!(parse("f", &list).unwrap().len(), 2);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, says) in [
        ("name: a/b", "f: `kind` is nothing; known: switch"),
        ("kind: window\n", "`kind` is window"),
        ("kind: switch\nname: a/b\nowner: x\nlevel: 3\nlost: y\nsurplus: 1\n", "surplus"),
        ("kind: switch\nname: a\nowner: x\nlevel: 3\nlost: y\n", "SERVICE/SWITCH"),
        ("kind: switch\nname: a/b\nowner: x\nlevel: 300\nlost: y\n", "level"),
        ("kind: [", "f: "),
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
        steps.iter().map(|s| (s.document.switch.name.clone(), s.body().excludes.len())).collect();
    let expected = [("b/b", 0), ("a/needs-b", 0), ("x/one", 0), ("x/two", 1), ("x/one", 1)];
    assert_eq!(said, expected.map(|(name, n)| (name.to_owned(), n)));
}

#[test]
fn differences_are_by_field_and_lists_have_no_order() {
    let one = parse("f", &doc("a/b", &["c/d", "e/f"], &[])).unwrap().remove(0).switch;
    let mut other = one.clone();
    other.needs.reverse();
    assert_eq!(compare(&one, Some(&other)), Difference::None);
    other.level = 1;
    let fields = vec![("level".to_owned(), "1".to_owned(), "3".to_owned())];
    assert_eq!(compare(&one, Some(&other)), Difference::Fields(fields));
    assert_eq!(compare(&one, None), Difference::New);
}
