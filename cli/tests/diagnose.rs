//! `rein diagnose --from`, on the small company in `cli/tests/diagnosis` and on files that are wrong.

use rein_api::ExitCode;
use rein_cli::{Begun, Env, Io, begin_with};
use rein_domain::text::is_unsafe;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The small company in `cli/tests/diagnosis`.
fn set() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnosis")
}

/// Types `rein diagnose` with these words.
fn typed(words: &[&str]) -> (ExitCode, String, String) {
    let (io, capture) = Io::capture(Env::of([("HOME", "/nonexistent")]));
    let words = ["rein", "diagnose"].iter().chain(words).map(OsString::from);
    match begin_with(words, io) {
        Begun::Over(exit) => (exit, capture.out(), capture.err()),
        Begun::Handover(handover) => panic!("{handover:?}"),
    }
}

fn of_set(name: &str, more: &[&str]) -> String {
    let directory = set().join(name);
    let words: Vec<&str> = ["--from", directory.to_str().unwrap()].iter().chain(more).copied().collect();
    let (exit, out, err) = typed(&words);
    assert_eq!((exit, err.as_str()), (ExitCode::Done, ""), "{name}");
    out
}

fn json(name: &str, more: &[&str]) -> serde_json::Value {
    let words: Vec<&str> = more.iter().copied().chain(["-o", "json"]).collect();
    serde_json::from_str(&of_set(name, &words)).unwrap()
}

#[test]
fn a_verdict_shows_its_evidence() {
    insta::assert_snapshot!("slow_payment", of_set("slow-payment", &[]));
    insta::assert_snapshot!("failing_stock", of_set("failing-stock", &[]));
    assert_eq!(of_set("slow-payment", &["-o", "name"]), "payment\n");
}

#[test]
fn nothing_stands_out_is_an_answer() {
    insta::assert_snapshot!("quiet", of_set("quiet", &[]));
    assert_eq!(of_set("quiet", &["-o", "name"]), "");
}

/// Scripts rely on these names.
#[test]
fn the_json_keeps_its_schema() {
    let keys =
        |value: &serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let verdict = json("slow-payment", &[]);
    assert_eq!(
        keys(&verdict),
        ["outcome", "noticed", "symptom", "changes", "suspects", "looked"]
            .map(str::to_owned)
            .to_vec()
            .sorted()
    );
    assert_eq!(verdict["outcome"], "suspects");
    let suspect = &verdict["suspects"][0];
    assert_eq!(suspect["node"], "payment");
    assert_eq!(
        keys(suspect),
        ["node", "share", "chance", "path", "evidence"].map(str::to_owned).to_vec().sorted()
    );
    assert_eq!(suspect["path"], serde_json::json!(["gateway", "order", "payment"]));
    let evidence = &suspect["evidence"][0];
    let names =
        ["node", "metric", "before", "now", "deviations", "chance", "since", "history", "recent", "window"];
    assert_eq!(keys(evidence), names.map(str::to_owned).to_vec().sorted());
    assert_eq!(evidence["since"], "2025-11-23T02:59:00Z");
    assert_eq!(verdict["changes"][0]["what"], "deploy v2.4");
    assert_eq!(verdict["changes"].as_array().unwrap().len(), 1);
    let quiet = json("quiet", &[]);
    assert_eq!(
        (&quiet["outcome"], &quiet["suspects"]),
        (&"nothing_stands_out".into(), &serde_json::json!([]))
    );
    assert!(quiet["why"].is_string());
}

trait Sorted {
    fn sorted(self) -> Self;
}

impl Sorted for Vec<String> {
    fn sorted(mut self) -> Self {
        self.sort();
        self
    }
}

/// The symptom can be given by hand, files one by one, and what is not normal left out.
#[test]
fn options_say_what_files_do_not() {
    let set = set();
    let path = |name: &str| set.join(name).to_str().unwrap().to_owned();
    let (metrics, graph, history) =
        (path("slow-payment/metrics.csv"), path("graph.csv"), path("noissue/metrics.csv"));
    let at = ["--metric", "latency", "--at", "2025-11-23T03:00:00Z", "-o", "name"];
    let by_hand = [&["gateway", "--from", &metrics, &graph, "--history", &history][..], &at].concat();
    assert_eq!(typed(&by_hand), (ExitCode::Done, "payment\n".into(), String::new()));
    let lower = [&["--from", &metrics, "--graph", &graph, "--history", &history, "--node", "order"][..], &at]
        .concat();
    assert_eq!(typed(&lower).1, "payment\n");
    let (exit, out, _) = typed(&["--from", &path("slow-payment"), "--at", "2030-01-01T00:00:00Z"]);
    assert_eq!(exit, ExitCode::Done);
    assert!(out.contains("no data around the time it was noticed"), "{out}");
}

/// A copy of one symptom with a file replaced.
fn broken(file: &str, content: &[u8]) -> (tempfile::TempDir, String) {
    let home = tempfile::tempdir().unwrap();
    let there = home.path();
    for name in ["metrics.csv", "target.json"] {
        std::fs::copy(set().join("slow-payment").join(name), there.join(name)).unwrap();
    }
    std::fs::copy(set().join("graph.csv"), there.join("graph.csv")).unwrap();
    std::fs::create_dir(there.join("noissue")).unwrap();
    std::fs::copy(set().join("noissue/metrics.csv"), there.join("noissue/metrics.csv")).unwrap();
    std::fs::write(there.join(file), content).unwrap();
    let from = there.to_str().unwrap().to_owned();
    (home, from)
}

const HEAD: &str = "node,a,a\nmetric,latency,availability\nstatistic,Average,Average\n";

#[test]
fn bad_files_are_refused_with_their_place() {
    let row = |rows: &str| format!("{HEAD}{rows}").into_bytes();
    for (file, content, says) in [
        (
            "metrics.csv",
            b"".to_vec(),
            "metrics.csv: has 0 rows; the first three name node, metric and statistic",
        ),
        ("metrics.csv", b"node,a\nmetric\n".to_vec(), "has 2 rows"),
        (
            "metrics.csv",
            b"node,a\nmetric\nstatistic,Average\n".to_vec(),
            "line 2: has 1 columns, and line 1 has 2",
        ),
        ("metrics.csv", b"node,a\nmetric,colour\nstatistic,Average\n".to_vec(), "no column measures latency"),
        (
            "metrics.csv",
            b"node,\nmetric,latency\nstatistic,Average\n".to_vec(),
            "line 1, column 2: a node without a name",
        ),
        (
            "metrics.csv",
            b"node,a,a\nmetric,latency,latency\nstatistic,p99,p99\n".to_vec(),
            "latency (p99) of `a` stands in column 2 too",
        ),
        ("metrics.csv", row("100,0.5\n"), "line 4: has 2 columns, and line 1 has 3"),
        ("metrics.csv", row("100,fast,100\n"), "line 4, column 2: latency of `a`: `fast` is no number"),
        (
            "metrics.csv",
            row("100,inf,100\n"),
            "`inf` is no number; leave the cell empty where there is no data",
        ),
        ("metrics.csv", row("100,-1,100\n"), "`-1` is below zero"),
        (
            "metrics.csv",
            row("100,1,\n400,1,101\n"),
            "line 5, column 3: availability of `a`: `101` is above 100",
        ),
        ("metrics.csv", row("100,1,1\n100,1,1\n"), "line 5, column 1: is not later than line 4"),
        ("metrics.csv", row("100,1,1\nsoon,1,1\n"), "line 5, column 1: `soon` is no moment"),
        ("metrics.csv", row("1e300,1,1\n"), "line 4, column 1: `1e300` is no moment"),
        ("metrics.csv", [HEAD.as_bytes(), b"100,\xff,1\n"].concat(), "line 4, column 2: is not UTF-8"),
        ("graph.csv", b"".to_vec(), "graph.csv: is empty"),
        ("graph.csv", b",a,a\n".to_vec(), "line 1, column 3: `a` stands in two columns"),
        ("graph.csv", b",a,b\na,0\n".to_vec(), "line 2: has 2 columns, and line 1 has 3"),
        ("graph.csv", b",a,b\na,0,yes\n".to_vec(), "line 2, column 3: `yes` is no number"),
        ("graph.csv", b"caller,callee\na,\n".to_vec(), "line 2, column 2: a node without a name"),
        ("target.json", b"{".to_vec(), "target.json: EOF while parsing"),
        (
            "target.json",
            br#"{"target":{"node":"a","metric":"latancy","timestamp":1}}"#.to_vec(),
            "did you mean latency?",
        ),
        (
            "target.json",
            br#"{"target":{"node":"a","metric":"latency","timestamp":"x"}}"#.to_vec(),
            "`x` is no moment",
        ),
        (
            "target.json",
            br#"{"target":{"node":"gatewai","metric":"latency","timestamp":1}}"#.to_vec(),
            "did you mean `gateway`?",
        ),
        ("changes.csv", b"when,what\n".to_vec(), "line 1: the columns are when,what"),
        ("changes.csv", b"time,node,by,what\n1,gateway,ci\n".to_vec(), "line 2: has 3 columns"),
        (
            "changes.csv",
            b"time,node,by,what\nx,gateway,ci,y\n".to_vec(),
            "line 2, column 1: `x` is no moment",
        ),
        (
            "changes.csv",
            b"time,node,by,what\n1,nobody,ci,y\n".to_vec(),
            "changes.csv: line 2: there is no node `nobody`",
        ),
    ] {
        let (_home, from) = broken(file, &content);
        let (exit, out, err) = typed(&["--from", &from]);
        assert_eq!((exit, out.as_str()), (ExitCode::Usage, ""), "{says}\n{err}");
        assert!(err.contains(says), "{says}\n{err}");
        assert!(!err.chars().any(|c| c != '\n' && is_unsafe(c)), "{err:?}");
    }
}

#[test]
fn bad_words_are_refused() {
    let set = set();
    let from = set.to_str().unwrap();
    let slow = set.join("slow-payment");
    let slow = slow.to_str().unwrap();
    for (words, says) in [
        (&[][..], "a diagnosis of what?"),
        (&["order", "--tune", "floor=1.3"], "--from <PATH>"),
        (&["order", "--over", "2h", "--from", slow], "cannot be used with"),
        (&["--from", "/nonexistent/x"], "/nonexistent/x: No such file"),
        (&["--from", from], "holds no metrics.csv"),
        (&["--from", slow, "--metric", "requests"], "more or fewer requests are no symptom"),
        (&["--from", slow, "--metric", "latancy"], "did you mean latency?"),
        (&["--from", slow, "--at", "soon"], "write seconds since 1970"),
        (&["--from", slow, "--tune", "flor=1.3"], "there is no constant `flor`"),
        (&["--from", slow, "--tune", "floor=-1"], "give a number above 0"),
        (&["--from", slow, "--tune", "floor"], "write CONSTANT=FACTOR"),
        (&["--history", slow], "--from <PATH>"),
        (&["order", "--node", "order", "--from", slow], "cannot be used with"),
    ] {
        let (exit, out, err) = typed(words);
        assert_eq!((exit, out.as_str()), (ExitCode::Usage, ""), "{words:?}\n{err}");
        assert!(err.contains(says), "{words:?}\n{err}");
    }
    let noissue = set.join("noissue/metrics.csv");
    let (_, _, err) = typed(&["--from", noissue.to_str().unwrap(), "--metric", "latency"]);
    assert!(err.contains("there is no target.json, and --node, --at is not given"), "{err}");
}

/// Names from elsewhere are seen and do nothing, on the screen as in JSON.
#[test]
fn hostile_names_are_shown_clean() {
    let evil = "pay\u{1b}[31m\u{202e}ment\n2";
    let home = tempfile::tempdir().unwrap();
    for name in ["noissue/metrics.csv", "slow-payment/metrics.csv", "slow-payment/target.json", "graph.csv"] {
        let text = std::fs::read_to_string(set().join(name)).unwrap();
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("payment", &format!("\"{evil}\""))).unwrap();
    }
    let change =
        format!("time,node,by,what\n2025-11-23T02:56:30Z,\"{evil}\",\"\u{7}ci\",\"deploy\u{200f}\"\n");
    std::fs::write(home.path().join("slow-payment/changes.csv"), change).unwrap();
    // The target holds the name of a JSON file's own making.
    let target = r#"{"target":{"node":"gateway","metric":"latency","timestamp":1763866800}}"#;
    std::fs::write(home.path().join("slow-payment/target.json"), target).unwrap();
    let from = home.path().join("slow-payment");
    for form in ["table", "wide", "json", "yaml", "name"] {
        let (exit, out, err) = typed(&["--from", from.to_str().unwrap(), "-o", form]);
        assert_eq!((exit, err.as_str()), (ExitCode::Done, ""), "{form}");
        assert!(!out.chars().any(|c| c != '\n' && is_unsafe(c)), "{form}: {out:?}");
        assert!(out.contains("pay\\u"), "{form}: {out}");
    }
}
