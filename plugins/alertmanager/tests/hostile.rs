//! Whatever answers instead of an Alertmanager costs an error and a bounded time: nothing else.

mod kit;

use kit::{configured, silence, try_see, write};
use rein_plugin::{Adapter, Fault};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const CELL: &str = "0123456789";

/// A server that answers in its own way, and what it was asked: whole heads.
fn server(
    answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
    let heads = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (answer, heads) = (Arc::clone(&answer), Arc::clone(&heads));
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
                heads.lock().unwrap().push(head.join("\n"));
                answer(head.first().map_or("", String::as_str), &mut stream);
            });
        }
    });
    (url, asked)
}

fn says(stream: &mut TcpStream, status: &str, body: &str) {
    let length = body.len();
    let _ =
        write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
}

async fn asked(url: &str) -> [Option<Fault>; 4] {
    let plugin = configured(json!({"peers": [url], "timeout_ms": 400}), &[]).await;
    let silences = plugin.silences().unwrap();
    assert!(!plugin.check().await.unwrap().is_empty());
    [
        try_see(&plugin, CELL).await.err(),
        plugin.apply(write(CELL, Some(&silence("A", 1, "x")))).await.err(),
        silences.list(true, None).await.err(),
        silences.matched(&[], Duration::from_secs(60), 10).await.err(),
    ]
}

#[tokio::test]
async fn garbage_is_an_error_that_says_so() {
    let deep = "[".repeat(300_000);
    let long = format!("[\"{}\"]", "x".repeat(1_000_000));
    let nested = format!("[{}1{}]", "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        "",
        "null",
        "{}",
        "<html>",
        "[",
        "[1]",
        "[{}]",
        "[null]",
        "[[]]",
        "\u{feff}[]",
        "[{\"id\":1}]",
        "[\"\\ud800\"]",
        r#"[{"id":"a","status":{"state":"active"},"updatedAt":"yesterday rein","matchers":[]}]"#,
        r#"[{"rein":1,"fingerprint":[],"status":{}}]"#,
        &deep,
        &long,
        &nested,
    ] {
        let body = body.to_owned();
        let shown: String = body.chars().take(60).collect();
        let (url, _) = server(move |_, stream| says(stream, "200 OK", &body));
        for fault in &asked(&url).await[2..] {
            let Some(Fault::Unreachable(why)) = fault else { panic!("{shown}: {fault:?}") };
            assert!(why.contains("cannot be used") || why.contains("whole answer"), "{shown}: {why}");
        }
    }
}

#[tokio::test]
async fn errors_are_passed_on_and_credentials_kept() {
    for (status, says_so) in [
        ("401 Unauthorized", "credentials"),
        ("302 Found\r\nLocation: http://169.254.169.254/", "never followed"),
        ("500 Oops", "answers 500"),
        ("404 Not Found", "answers 404"),
    ] {
        let (url, _) = server(move |_, stream| says(stream, status, r#"{"code":601,"message":"no"}"#));
        for fault in asked(&url).await {
            let Some(Fault::Unreachable(why)) = fault else { panic!("{status}: {fault:?}") };
            assert!(why.contains(says_so) && why.contains(&url), "{status}: {why}");
        }
    }
    let (elsewhere, other) = server(|_, stream| says(stream, "200 OK", "[]"));
    let (url, heads) = server(move |_, stream| {
        says(stream, &format!("307 Temporary Redirect\r\nLocation: {elsewhere}/"), "");
    });
    for (secrets, header) in [
        (&[("bearer_token", "canary")][..], "authorization: Bearer canary"),
        (&[("basic_user", "me"), ("basic_password", "pw:é")], "authorization: Basic bWU6cHc6w6k="),
    ] {
        let plugin = configured(json!({"peers": [url], "history": url}), secrets).await;
        let fault = plugin.apply(write(CELL, Some(&silence("A", 1, "x")))).await.unwrap_err();
        assert!(!format!("{fault:?}").contains("canary"));
        assert!(heads.lock().unwrap().iter().any(|head| head.contains(header)), "{heads:?}");
        heads.lock().unwrap().clear();
        // Prometheus is somebody else.
        plugin.check().await.unwrap();
        let heads = heads.lock().unwrap();
        let query = heads.iter().find(|head| head.contains("/api/v1/query")).expect("it was asked");
        assert!(!query.to_lowercase().contains("authorization"), "{query}");
    }
    assert!(other.lock().unwrap().is_empty(), "a redirect was followed");
}

#[tokio::test]
async fn wrong_secrets_are_refused_before_anything_is_sent() {
    for secrets in [
        &[("bearer_token", "a"), ("basic_user", "b")][..],
        &[("basic_user", "b")],
        &[("basic_user", "a:b"), ("basic_password", "c")],
        &[("bearer_token", "a\r\nX-Evil: 1")],
    ] {
        let configuration = rein_plugin::Configuration {
            backend: "am".into(),
            config: json!({"peers": ["http://127.0.0.1:1"]}).to_string(),
            secrets: secrets.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        };
        let errors = rein_plugin_alertmanager::adapter().configure(configuration).await.unwrap();
        assert_eq!(errors.len(), 1, "{secrets:?}");
        assert!(!errors[0].message.contains("Evil"));
    }
}

#[tokio::test]
async fn a_slow_drip_ends_in_time() {
    let (url, _) = server(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[");
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let begun = Instant::now();
    for fault in asked(&url).await {
        let Some(Fault::Unreachable(why)) = fault else { panic!("{fault:?}") };
        assert!(why.contains("too long"), "{why}");
    }
    // Check, look and write have 400 ms each, the lists 800.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_flood_is_cut_off() {
    let (url, _) = server(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[1");
        while stream.write_all(&[b' '; 65536]).is_ok() {}
    });
    for fault in asked(&url).await {
        let Some(Fault::Unreachable(why)) = fault else { panic!("{fault:?}") };
        assert!(why.contains("bytes") || why.contains("too long"), "{why}");
    }
}

#[tokio::test]
async fn two_hundred_thousand_silences_of_others_cost_time_and_not_memory() {
    let one = r#"{"id":"5cffcecd-3c84-46ae-9663-0fa48d8b0439","status":{"state":"active"},"updatedAt":"2026-11-24T03:37:36.125Z","comment":"x","createdBy":"al","endsAt":"2027-01-01T00:00:00.000Z","matchers":[{"isEqual":true,"isRegex":false,"name":"a","value":"b"}],"startsAt":"2026-11-24T03:37:36.125Z"},"#;
    let mine = one.replace("\"x\"", "\"x [rein:0123456789]\"").replace("5cff", "6cff");
    let body = format!("[{}{}]", one.repeat(200_000), mine.trim_end_matches(','));
    let (url, _) = server(move |asked, stream| {
        says(stream, "200 OK", if asked.contains("/silences") { &body } else { "[]" });
    });
    let plugin = configured(json!({"peers": [url], "timeout_ms": 5000}), &[]).await;
    let before = resident();
    let seen = match try_see(&plugin, CELL).await {
        Ok(seen) => seen,
        // An unoptimised build on a busy machine.
        Err(Fault::Unreachable(why)) if why.contains("too long") => return,
        Err(fault) => panic!("{fault:?}"),
    };
    assert_eq!((seen.copies, seen.object.starts_with("6cff")), (1, true));
    assert!(resident() < before + 30_000, "{} KiB, then {} KiB", before, resident());
    let fault = plugin.silences().unwrap().list(false, None).await.unwrap_err();
    assert!(fault.to_string().contains("50000"), "{fault}");
}

/// Resident memory, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn a_name_is_judged_by_what_it_resolves_to() {
    // This name resolves to the machine itself, which may be called; nobody listens there.
    let plugin = configured(json!({"peers": ["http://localhost:1"]}), &[]).await;
    assert!(matches!(try_see(&plugin, CELL).await, Err(Fault::Unreachable(_))));
    let plugin = configured(json!({"peers": ["http://no-such-host.invalid:1"]}), &[]).await;
    assert!(matches!(try_see(&plugin, CELL).await, Err(Fault::Unreachable(_))));
}
