//! What the contract does not ask of every plugin: hints, users, and servers that do not behave.

use futures::StreamExt;
use rein_parts::Zookeeper;
use rein_plugin::{Adapter, CellKey, Configuration, Fault, TargetName, Write};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tokio::time::timeout;

const DATA: &str = r#"{"name":"order","id":"i-1","address":"10.0.0.7","port":80,"enabled":true}"#;

async fn plugin(address: &str, digest: Option<&str>) -> impl Adapter {
    let plugin = rein_plugin_zookeeper::adapter();
    let secrets: BTreeMap<_, _> =
        digest.map(|text| ("digest".to_owned(), text.to_owned())).into_iter().collect();
    let config = json!({ "servers": [address], "base": "/services" }).to_string();
    let configuration = Configuration { backend: "zk".into(), config, secrets };
    assert_eq!(plugin.configure(configuration).await, Ok(Vec::new()));
    plugin
}

async fn cell(plugin: &impl Adapter) -> CellKey {
    let target = TargetName { noun: "registry".into(), name: "order/i-1".into() };
    plugin.resolve(&[target]).await.expect("it is resolved").remove(0)
}

async fn write(plugin: &impl Adapter, data: &str) -> Result<(), Fault> {
    let cell = cell(plugin).await;
    let seen = plugin.observe(std::slice::from_ref(&cell)).await?.remove(0);
    let want = Some(json!({ "data": data }).to_string());
    let (change, object) = ("c".to_owned(), seen.object);
    plugin.apply(Write { cell, want, expected_version: seen.version, change, object }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_alters_is_told_at_once() {
    let Some(mut zookeeper) = Zookeeper::start() else { return };
    let plugin = plugin(&zookeeper.address(), None).await;
    let mut hints = plugin.watch().await.expect("there are hints");
    let next = async |hints: &mut futures::stream::BoxStream<'static, Option<CellKey>>, limit| {
        timeout(Duration::from_millis(limit), hints.next()).await.is_ok()
    };
    assert!(next(&mut hints, 3000).await, "one at the beginning");
    assert!(!next(&mut hints, 1000).await, "none while nothing alters");
    write(&plugin, DATA).await.expect("it is created");
    assert!(next(&mut hints, 1000).await, "one when a node is created");
    while next(&mut hints, 500).await {}
    write(&plugin, &DATA.replace("true", "false")).await.expect("it is written");
    assert!(next(&mut hints, 1000).await, "one when its data alters");
    while next(&mut hints, 500).await {}
    zookeeper.kill();
    zookeeper.run();
    assert!(next(&mut hints, 10_000).await, "one when the watch was begun anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_a_users_is_read_and_written_with_its_password_alone() {
    let Some(zookeeper) = Zookeeper::start() else { return };
    let address = zookeeper.address();
    let owner = plugin(&address, Some("rein:pw")).await;
    write(&owner, DATA).await.expect("it is created, the user's own");
    for digest in [None, Some("rein:other")] {
        let other = plugin(&address, digest).await;
        let refused = write(&other, DATA).await;
        assert!(matches!(&refused, Err(Fault::NotDone(why)) if why.contains("digest")), "{refused:?}");
        let listed = other.registry().expect("it is a registry").list(None).await;
        assert!(
            listed.as_ref().is_ok_and(|one| one.page.items.is_empty() && one.unread == 1) || listed.is_err()
        );
    }
    write(&owner, &DATA.replace("true", "false")).await.expect("it is written");
    let listed = owner.registry().expect("it is a registry").list(None).await.expect("it is listed");
    assert_eq!(listed.page.items[0].weight, Some(0));
}

/// Answers each connection with the same bytes, over and over, until it is closed.
fn server(says: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = listener.local_addr().expect("it has an address").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 1024]);
                while !says.is_empty() && stream.write_all(says).is_ok() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                let _ = stream.read(&mut [0; 1024]);
                std::thread::sleep(Duration::from_secs(20));
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_none_costs_no_more_than_the_time_given() {
    // Nothing; another protocol; a frame that has no end; frames of nothing.
    for says in [&b""[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x7f\xff\xff\xff", b"\0\0\0\0"] {
        let plugin = plugin(&server(says), None).await;
        let began = Instant::now();
        let listed = plugin.registry().expect("it is a registry").list(None).await;
        assert!(matches!(listed, Err(Fault::Unreachable(_) | Fault::NotDone(_))), "{says:?}: {listed:?}");
        assert!(began.elapsed() < Duration::from_millis(1900), "{says:?}: {:?}", began.elapsed());
        let findings = plugin.check().await.expect("it is looked at");
        assert!(!findings.is_empty() && began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    }
}
