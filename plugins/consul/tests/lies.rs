//! Servers that do not behave, and lists that are long.

use futures::StreamExt;
use rein_parts::Consul;
use rein_plugin::registry::Registry;
use rein_plugin::{Adapter, CellKey, Configuration, Fault};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::time::timeout;

async fn plugin(addresses: &[String]) -> impl Adapter {
    let plugin = rein_plugin_consul::adapter();
    let config = json!({ "addresses": addresses, "timeout_ms": 500 }).to_string();
    let configuration = Configuration { backend: "consul".into(), config, secrets: BTreeMap::new() };
    assert_eq!(plugin.configure(configuration).await, Ok(Vec::new()));
    plugin
}

fn registry(plugin: &impl Adapter) -> &dyn Registry {
    plugin.registry().expect("it is a registry")
}

/// Answers each request, told by its path, as `says` does; ends with its process.
fn server(says: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> String {
    let listener = rein_parts::listener();
    let url = format!("http://{}", listener.local_addr().expect("it has an address"));
    let says = Arc::new(says);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let says = Arc::clone(&says);
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().expect("a socket is copied")).lines();
                let first = lines.next().and_then(Result::ok).unwrap_or_default();
                while lines.next().and_then(Result::ok).is_some_and(|line| !line.is_empty()) {}
                says(first.split(' ').nth(1).unwrap_or_default(), &mut stream);
            });
        }
    });
    url
}

fn answer(stream: &mut TcpStream, index: u64, body: &str) {
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nX-Consul-Index: {index}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_none_costs_no_more_than_the_time_given() {
    let silent = |_: &str, _: &mut TcpStream| std::thread::sleep(Duration::from_secs(20));
    let huge = |_: &str, stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n[");
        while stream.write_all(&[b' '; 65_536]).is_ok() {}
    };
    let urls = [
        server(silent),
        server(huge),
        server(|_, stream| answer(stream, 1, &"[".repeat(100_000))),
        server(|_, stream| answer(stream, 1, "{}")),
        server(|_, stream| answer(stream, 1, "null")),
        server(|_, stream| drop(stream.write_all(b"\x7f\xff\xff\xff"))),
        server(|_, stream| {
            let _ = stream.write_all(
                b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            );
        }),
    ];
    for url in urls {
        let plugin = plugin(std::slice::from_ref(&url)).await;
        let began = Instant::now();
        let listed = registry(&plugin).list(None).await;
        assert!(listed.is_err(), "{url}: {listed:?}");
        let cell = CellKey("order/n0/i-1#0000000000000001".into());
        let seen = plugin.observe(std::slice::from_ref(&cell)).await;
        // An answer that is a list of nothing is one; any other is none.
        assert!(!matches!(&seen, Ok(seen) if seen[0].value.is_some()), "{url}: {seen:?}");
        assert!(began.elapsed() < Duration::from_secs(4), "{url}: {:?}", began.elapsed());
        let findings = plugin.check().await.expect("it is looked at");
        assert!(findings.iter().any(|finding| finding.grade == rein_plugin::Grade::Error), "{findings:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_lies_is_left_out_and_hides_nobody() {
    let entry = |node: &str, id: &str, name: &str| json!({ "Node": node, "ServiceID": id, "ServiceName": name, "Address": "x", "CreateIndex": 7 });
    let entries = json!([
        entry("n1", "i-1", "order"),
        entry("n1", "i-1", "order"),
        entry("n2", "i-1", "order"),
        entry("n2", "order", "order"),
        entry("", "i-2", "order"),
        entry("n1", "", "order"),
        entry("n1", "i-3", "other"),
        entry("n1", &"x".repeat(2000), "order"),
    ])
    .to_string();
    let url = server(move |path, stream| match path {
        "/v1/catalog/services" => answer(stream, 1, r#"{"consul":[],"order":null,"broken":{}}"#),
        "/v1/catalog/service/order" => answer(stream, 1, &entries),
        "/v1/health/state/critical" => answer(stream, 1, "[]"),
        _ => answer(stream, 1, "nonsense"),
    });
    let plugin = plugin(&[url]).await;
    let listing = registry(&plugin).list(None).await.expect("it is listed");
    let names: Vec<_> = listing.page.items.iter().map(|one| one.id.as_str()).collect();
    // The server drops what is listed twice; an id that two nodes have says which.
    assert_eq!(names, ["i-1@n1", "i-1@n1", "i-1@n2", "n2"]);
    assert_eq!(listing.unread, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_goes_back_is_begun_anew_and_never_asked_in_a_hurry() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (told, turn) = (Arc::clone(&asked), AtomicUsize::new(0));
    let url = server(move |path, stream| {
        if path.starts_with("/v1/health") {
            return answer(stream, 0, "[]");
        }
        told.lock().expect("nobody fell").push(path.to_owned());
        let indices = [50, 60, 10, 0];
        let index = indices.get(turn.fetch_add(1, Ordering::Relaxed)).copied().unwrap_or(0);
        answer(stream, index, "{}");
    });
    let plugin = plugin(&[url]).await;
    let mut hints = plugin.watch().await.expect("there are hints");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        let _ = timeout(Duration::from_millis(200), hints.next()).await;
    }
    let asked = asked.lock().expect("nobody fell").clone();
    let bare = "/v1/catalog/services";
    assert_eq!(
        asked[..4],
        [bare, &format!("{bare}?index=50&wait=30s"), &format!("{bare}?index=60&wait=30s"), bare]
    );
    assert!(asked.len() < 8, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_comes_page_by_page_and_each_instance_once() {
    let Some(consul) = Consul::start(1) else { return };
    let node = json!({ "Node": "outside", "Address": "10.9.9.9" });
    consul.call(0, "PUT", "/v1/catalog/register", &node);
    let names = (0..700).map(|n| ("order".to_owned(), format!("i-{n}")));
    let names: Vec<_> = names.chain((0..300).map(|n| (format!("service-{n}"), format!("s-{n}")))).collect();
    let put = |(service, id): &(String, String)| {
        let one = json!({ "Service": service, "ID": id, "Port": 1 });
        json!({ "Service": { "Verb": "set", "Node": "outside", "Service": one } })
    };
    for some in names.chunks(60) {
        consul.call(0, "PUT", "/v1/txn", &some.iter().map(put).collect::<Value>());
    }
    let dead = "http://127.0.0.1:1".to_owned();
    let plugin = plugin(&[dead, consul.url(0)]).await;
    for _ in 0..2 {
        let (mut seen, mut page, mut pages) = (BTreeSet::new(), None, 0);
        loop {
            let listing = registry(&plugin).list(page.clone()).await.expect("it is listed");
            assert!(listing.page.items.len() <= 250 && listing.unread == 0, "{}", listing.page.items.len());
            for one in listing.page.items {
                assert!(seen.insert((one.service, one.id)), "each comes once");
            }
            pages += 1;
            if let Some(before) = page {
                let again = registry(&plugin).list(Some(before)).await;
                assert!(matches!(again, Err(Fault::Invalid(_))), "a page is told once: {again:?}");
            }
            page = listing.page.next;
            if page.is_none() {
                break;
            }
        }
        assert!(pages >= 4 && seen == names.iter().cloned().collect(), "{pages} pages, {}", seen.len());
    }
}
