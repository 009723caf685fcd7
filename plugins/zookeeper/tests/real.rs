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
use zookeeper_client::{Acls, Client, CreateMode};

const DATA: &str = r#"{"name":"order","id":"i-1","address":"10.0.0.7","port":80,"enabled":true}"#;

async fn plugin(address: &str, digest: Option<&str>) -> impl Adapter {
    plugin_of(vec![address.to_owned()], digest).await
}

async fn plugin_of(servers: Vec<String>, digest: Option<&str>) -> impl Adapter {
    let plugin = rein_plugin_zookeeper::adapter();
    let secrets: BTreeMap<_, _> =
        digest.map(|text| ("digest".to_owned(), text.to_owned())).into_iter().collect();
    let config = json!({ "servers": servers, "base": "/services" }).to_string();
    let configuration = Configuration { backend: "zk".into(), config, secrets };
    assert_eq!(plugin.configure(configuration).await, Ok(Vec::new()));
    plugin
}

async fn cell(plugin: &impl Adapter) -> Result<CellKey, Fault> {
    let target = TargetName { noun: "registry".into(), name: "order/i-1".into() };
    Ok(plugin.resolve(&[target]).await?.remove(0))
}

async fn write(plugin: &impl Adapter, data: &str) -> Result<(), Fault> {
    let cell = cell(plugin).await?;
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

/// Another one's session, with these paths under the base.
async fn session(address: &str, paths: impl IntoIterator<Item = String>) -> Client {
    let client = Client::connect(address).await.expect("ZooKeeper takes a session");
    let options = CreateMode::Persistent.with_acls(Acls::anyone_all());
    for path in paths {
        client.mkdir(&format!("/services/{path}"), &options).await.expect("a node can be made");
    }
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_comes_page_by_page_and_each_instance_once() {
    let Some(zookeeper) = Zookeeper::start() else { return };
    let address = zookeeper.address();
    // Some hundred services without anybody, one of more than two pages, and one behind it.
    let client = session(&address, (0..450).map(|n| format!("empty-{n}"))).await;
    let options = CreateMode::Persistent.with_acls(Acls::anyone_all());
    let mut all = Vec::new();
    for (service, id) in (0..1100).map(|n| ("order", format!("i-{n}"))).chain([("sms", "i-0".to_owned())]) {
        let data = json!({"name": service, "id": id, "address": "10.0.0.7", "port": 80}).to_string();
        client.mkdir(&format!("/services/{service}"), &options).await.expect("a node can be made");
        client
            .create(&format!("/services/{service}/{id}"), data.as_bytes(), &options)
            .await
            .expect("a node can be made");
        all.push(format!("{service}/{id}"));
    }
    let plugin = plugin(&address, None).await;
    let registry = plugin.registry().expect("it is a registry");
    let (mut seen, mut page, mut pages) = (Vec::new(), None, 0);
    loop {
        let listing = registry.list(page.clone()).await.expect("it is listed");
        assert!(listing.page.items.len() <= 500 && listing.unread == 0, "{}", listing.page.items.len());
        seen.extend(listing.page.items.into_iter().map(|one| format!("{}/{}", one.service, one.id)));
        pages += 1;
        if let Some(before) = page {
            let again = registry.list(Some(before)).await;
            assert!(matches!(again, Err(Fault::Invalid(_))), "a page is told once: {again:?}");
        }
        page = listing.page.next;
        if page.is_none() {
            break;
        }
    }
    seen.sort();
    all.sort();
    assert!(pages > 3 && seen == all, "{pages} pages, {} of {}", seen.len(), all.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_registers_anew_while_it_is_drained_keeps_its_traffic() {
    let Some(zookeeper) = Zookeeper::start() else { return };
    let address = zookeeper.address();
    let client = session(&address, ["order".to_owned()]).await;
    let path = "/services/order/i-1";
    let options = CreateMode::Ephemeral.with_acls(Acls::anyone_all());
    let born = async || client.create(path, DATA.as_bytes(), &options).await.expect("a node can be made").0;
    let plugin = plugin(&address, None).await;
    born().await;
    // Connected before the clock runs.
    cell(&plugin).await.expect("it is resolved");
    let began = Instant::now();
    write(&plugin, &DATA.replace("true", "false")).await.expect("it is drained, with nobody in between");
    let took = began.elapsed();
    client.delete(path, None).await.expect("it is there");
    born().await;
    let (mut drained, mut moved) = (0, 0);
    for round in 0..400_u32 {
        let cell = cell(&plugin).await.expect("it is resolved");
        let seen = plugin.observe(std::slice::from_ref(&cell)).await.expect("it is seen").remove(0);
        let want = Some(json!({ "data": DATA.replace("true", "false") }).to_string());
        let (change, object) = ("c".to_owned(), seen.object);
        let drain = plugin.apply(Write { cell, want, expected_version: seen.version, change, object });
        let anew = async {
            // So that it falls before, into and after the look and the write, however fast this machine is.
            tokio::time::sleep(took * 2 * (round % 40) / 40).await;
            client.delete(path, None).await.expect("it is there");
            born().await
        };
        let (drain, life) = tokio::join!(drain, anew);
        match drain {
            Ok(()) => drained += 1,
            Err(Fault::Moved(_) | Fault::NotDone(_)) => moved += 1,
            Err(other) => panic!("{other:?}"),
        }
        let (data, stat) = client.get_data(path).await.expect("it is there");
        assert_eq!(stat.czxid, life.czxid);
        assert_eq!(String::from_utf8_lossy(&data), DATA, "round {round}");
    }
    assert!(drained > 0 && moved > 0, "{drained} drained, {moved} refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ensemble_serves_while_most_of_it_lives() {
    let Some(mut ensemble) = Zookeeper::ensemble() else { return };
    let servers = ensemble.each_ref().map(Zookeeper::address);
    let plugin = plugin_of(servers.to_vec(), None).await;
    write(&plugin, DATA).await.expect("it is created");
    let findings = plugin.check().await.expect("it is looked at");
    let says = |what: &str| findings.iter().filter(|finding| finding.message.contains(what)).count();
    assert_eq!((says("leader"), says("follower")), (1, 2), "{findings:?}");
    let cell = cell(&plugin).await.expect("it is resolved");
    let drained = DATA.replace("true", "false");
    for (n, server) in ensemble.iter_mut().enumerate() {
        server.kill();
        // Whoever of the others is asked first; a new leader takes its time.
        let (began, data) = (Instant::now(), if n % 2 == 0 { drained.as_str() } else { DATA });
        while let Err(fault) = write(&plugin, data).await {
            assert!(began.elapsed() < Duration::from_secs(60), "{fault:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        server.run();
    }
    ensemble[0].kill();
    ensemble[1].kill();
    let began = Instant::now();
    loop {
        let seen = plugin.observe(std::slice::from_ref(&cell)).await;
        if matches!(&seen, Err(Fault::Unreachable(_))) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "one alone must not answer: {seen:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
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
