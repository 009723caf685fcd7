//! The company for real, its switches from a flag file: no Rein, the same client library.

use rein_demo::{
    Act, CommandResult, Company, DemoOptions, Outcome, Scene, Service, Style, Tick, parse_script, play,
    render_scene, switches, tour,
};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A flag set as a door would serve it: every switch, with `recommendations` as given.
fn flags(recommendations: serde_json::Value) -> serde_json::Value {
    let flags: serde_json::Map<_, _> = switches()
        .iter()
        .map(|(name, _)| {
            let targeting = match *name {
                "order/recommendations" => recommendations.clone(),
                _ => serde_json::json!({}),
            };
            let flag = serde_json::json!({
                "state": "ENABLED",
                "variants": { "on": true, "off": false },
                "defaultVariant": "on",
                "targeting": targeting,
            });
            (name.replacen('/', ".", 1), flag)
        })
        .collect();
    serde_json::json!({ "flags": flags })
}

/// A load that everything carries: for tests of other things than overload, which run beside others.
fn calm(file: &Path) -> DemoOptions {
    DemoOptions { rps: 40.0, ..DemoOptions::file(file) }
}

/// Whole or not at all: the file is watched, and a half-written one is not a set.
fn write(path: &Path, set: &serde_json::Value) {
    let draft = path.with_extension("draft");
    std::fs::write(&draft, set.to_string()).expect("written");
    std::fs::rename(&draft, path).expect("renamed");
}

/// Runs the company until `enough` says so of the seconds so far, or 20 s have passed.
async fn watch(company: &Company, mut enough: impl FnMut(&[Tick]) -> bool) -> Vec<Tick> {
    let stop = CancellationToken::new();
    let mut ticks = Vec::new();
    let run = company.run(stop.clone(), |tick| {
        ticks.push(tick);
        if enough(&ticks) {
            stop.cancel();
        }
    });
    let _ = tokio::time::timeout(Duration::from_secs(20), run).await;
    ticks
}

fn p99(ticks: &[Tick]) -> f64 {
    let mut all: Vec<_> = ticks.iter().filter_map(|tick| tick.order_p99).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switching_recommendations_off_stops_the_calls_and_the_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("flags.json");
    write(&file, &flags(serde_json::json!({})));
    let company = Company::open(DemoOptions::file(&file)).await.expect("opens");
    let instances = company.addresses().len();
    assert_eq!(instances, Service::ALL.into_iter().map(Service::instances).sum::<usize>());

    let on =
        watch(&company, |ticks| ticks.iter().filter(|tick| tick.listening == tick.instances).count() == 3)
            .await;
    let last = on.last().expect("ticks");
    assert_eq!(last.listening, instances, "every instance has its switches");
    assert!(last.recommendations_calls > 20.0 && last.rps > 50.0, "{last:?}");
    assert!(last.off.is_empty(), "{last:?}");

    write(&file, &flags(serde_json::json!("off")));
    let off =
        watch(&company, |ticks| ticks.iter().filter(|tick| tick.recommendations_calls == 0.0).count() == 3)
            .await;
    let quiet: Vec<_> = off.into_iter().filter(|tick| tick.recommendations_calls == 0.0).collect();
    assert_eq!(quiet.len(), 3, "the calls stop");
    assert!(quiet.iter().all(|tick| tick.off("order/recommendations") == 100.0), "{quiet:?}");
    assert!(quiet.iter().all(|tick| tick.ok > 99.0), "{quiet:?}");
    // Measured: about 700 ms before, 50 ms after. The margin is for a busy machine.
    let (before, after) = (p99(&on[1..]), p99(&quiet[1..]));
    assert!(after < before * 0.6, "order's p99 falls: {before} → {after}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layer_on_one_zone_is_felt_there_and_ends_at_its_deadline_with_nobody_serving() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("flags.json");
    let deadline = jiff::Timestamp::now().as_second() + 4;
    write(
        &file,
        &flags(serde_json::json!({ "if": [
            { "and": [
                { "==": [{ "var": "zone" }, "sh"] },
                { "<": [{ "var": "$flagd.timestamp" }, deadline] }
            ] },
            "off",
            null
        ] })),
    );
    let company = Company::open(calm(&file)).await.expect("opens");
    let ticks = watch(&company, |ticks| {
        ticks.last().is_some_and(|tick| tick.at.as_second() > deadline && tick.off.is_empty())
    })
    .await;
    let share = |tick: &Tick| tick.off("order/recommendations");
    // Six users of ten come to that zone.
    assert!(ticks.iter().any(|tick| (40.0..80.0).contains(&share(tick))), "{ticks:?}");
    assert!(ticks.iter().all(|tick| share(tick) < 80.0), "{ticks:?}");
    assert_eq!(ticks.last().map(share), Some(0.0), "it ends by itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_source_everything_runs() {
    let company = Company::open(calm(Path::new("/nowhere/flags.json"))).await.expect("opens");
    let ticks = watch(&company, |ticks| ticks.len() == 2).await;
    let last = ticks.last().expect("ticks");
    assert_eq!(last.listening, 0);
    assert!(last.recommendations_calls > 5.0 && last.ok > 90.0 && last.off.is_empty(), "{last:?}");
}

/// More sets than the client library's own channel holds; see `flags.rs`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_sets_do_not_wedge_an_instance() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("flags.json");
    write(&file, &flags(serde_json::json!({})));
    let company = Company::open(calm(&file)).await.expect("opens");
    watch(&company, |ticks| ticks.last().is_some_and(|tick| tick.listening == tick.instances)).await;
    // Each is a few events for the watcher, and each event a set for every instance.
    for n in 0..400 {
        write(&file, &flags(serde_json::json!({ "if": [{ "==": [n, n] }, "on", null] })));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    write(&file, &flags(serde_json::json!("off")));
    let ticks =
        watch(&company, |ticks| ticks.last().is_some_and(|tick| tick.off("order/recommendations") == 100.0))
            .await;
    assert_eq!(ticks.last().map(|tick| tick.off("order/recommendations")), Some(100.0), "{:?}", ticks.last());
}

/// Plays a script whose commands rewrite the flag file, as an operator's commands would.
async fn perform(script: &str, lasts: u64) -> (rein_demo::Report, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("flags.json");
    write(&file, &flags(serde_json::json!({})));
    let company = Company::open(DemoOptions::file(&file)).await.expect("opens");
    let shown = Arc::new(Mutex::new(String::new()));
    let command = |words: Vec<String>| {
        let file = file.clone();
        async move {
            let set = match words[1].as_str() {
                "switch" => serde_json::json!("off"),
                "undo" => serde_json::json!({}),
                _ => return CommandResult { exit: 2, stdout: String::new(), stderr: "no such verb".into() },
            };
            write(&file, &flags(set));
            CommandResult { exit: 0, stdout: "done".into(), stderr: String::new() }
        }
    };
    let show = |scene: Scene<'_>| {
        let mut shown = shown.lock().expect("one thread at a time");
        *shown += &(render_scene(&scene, &Style::plain()) + "\n");
    };
    let steps = parse_script(script).expect("a script");
    let report = play(&company, &steps, Duration::from_secs(lasts), command, show).await;
    let shown = shown.lock().expect("one thread at a time").clone();
    (report, shown)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_types_its_commands_and_sees_what_they_do() {
    let script = "note Slow.\nat 3s rein switch off order/recommendations --yes\n\
                  at 3s expect recommendations-calls = 0\nat 3s expect order-p99-falls 40%\n\
                  at 3s expect off:order/recommendations = 100\nat 6s rein undo\n\
                  at 6s expect recommendations-calls > 0\n";
    let (report, shown) = perform(script, 9).await;
    let told = report.render();
    assert!(report.good(), "{told}\n{shown}");
    for line in ["# Slow.", "$ rein switch off order/recommendations --yes", "done", "$ rein undo"] {
        assert!(shown.lines().any(|shown| shown == line), "{line}:\n{shown}");
    }
    let Outcome::Exited { span: Some(span), .. } = &report.records[1].outcome else { panic!("{told}") };
    assert_eq!(span.recommendations_calls.1, 0.0, "{told}");
    assert!(span.order_p99.1 < span.order_p99.0, "{told}");
    assert!(told.contains("Everything went as the script says."), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_come_true_fails_the_run_and_says_why() {
    let script = "at 1s rein dance\nat 1s exits 2 rein dance\nat 1s expect recommendations-calls = 0 within 2s\n\
                  at 1s expect order-p99-falls 99% within 2s\nat 1m note Too late.\n";
    let (report, shown) = perform(script, 5).await;
    let told = report.render();
    assert!(!report.good());
    let outcomes: Vec<_> = report.records.iter().map(|record| &record.outcome).collect();
    let [danced, expected, calls, falls, late] = outcomes[..] else { panic!("{told}") };
    assert!(matches!(danced, Outcome::Exited { exit: 2, expected: 0, .. }), "{told}");
    assert!(expected.good(), "{told}");
    assert!(matches!(calls, Outcome::Missed { .. }) && matches!(falls, Outcome::Missed { .. }), "{told}");
    assert_eq!(late, &Outcome::NotReached);
    assert!(
        told.contains("Failed at line 1: rein dance: exit 2, not 0 in 0.0 s: no such verb (and 3 more)"),
        "{told}"
    );
    assert!(shown.contains("✗ expect recommendations-calls = 0: missed: saw "), "{shown}");
}

#[test]
fn the_tour_is_a_script_of_commands_and_expectations() {
    let steps = parse_script(tour()).expect("the tour is a script");
    let count = |kind: fn(&Act) -> bool| steps.iter().filter(|step| kind(&step.act)).count();
    assert_eq!(count(|act| matches!(act, Act::Command { .. })), 3);
    assert!(count(|act| matches!(act, Act::Expect { .. })) >= 6);
    assert!(steps.iter().all(|step| step.at < Duration::from_secs(20)));
}
