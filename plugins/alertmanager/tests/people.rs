//! What people ask: all silences, what a set of matchers would hush, and what Alertmanager itself says of it.

mod kit;

use kit::{by_hand, configured, plugin, proved, see, silence, until, write};
use rein_parts::Alertmanager;
use rein_plugin::{Adapter, Fault, Matcher, SilenceSeen};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

const CELL: &str = "0123456789";

fn matcher(name: &str, op: &str, value: &str) -> Matcher {
    Matcher { name: name.into(), op: op.into(), value: value.into() }
}

async fn list(plugin: &impl Adapter, expired: bool) -> BTreeMap<String, SilenceSeen> {
    let (mut all, mut page) = (BTreeMap::new(), None);
    loop {
        let listed = plugin.silences().unwrap().list(expired, page).await.unwrap();
        all.extend(listed.items.into_iter().map(|silence| (silence.id.clone(), silence)));
        page = listed.next;
        if page.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn silences_and_alerts_of_three_peers_are_one() {
    let Some(cluster) = Alertmanager::cluster(3) else { return };
    let urls: Vec<String> = cluster.0.iter().map(Alertmanager::url).collect();
    let plugin = plugin(&urls).await;
    // Prometheus sends to all; an alert that only one of them has is one alert all the same.
    for one in &cluster.0 {
        one.fire(&[("alertname", "HighLatency"), ("service", "order")]);
    }
    cluster.0[1].fire(&[("alertname", "HighLatency"), ("service", "payment")]);
    cluster.0[2].fire(&[("alertname", "DiskFull"), ("instance", "a\n\u{1b}[31m\u{202e}é")]);
    let want = silence("HighLatency", 1, "x");
    plugin.apply(write(CELL, Some(&want))).await.unwrap();
    let theirs = by_hand(&cluster.0[0], "DiskFull", "deploy");
    until(&plugin, CELL, "all show it", proved(Some(&want))).await;
    let seen = until(&plugin, CELL, "it hushes two", |seen| seen.effect == "hushes 2 alerts").await;

    let matched = async |matchers: &[Matcher], limit| {
        plugin.silences().unwrap().matched(matchers, Duration::ZERO, limit).await.unwrap()
    };
    let found = matched(&[matcher("alertname", "=~", "High.*")], 10).await;
    assert_eq!((found.firing, found.firing_in_all, found.lately), (2, 3, None));
    assert!(found.missing_peers.is_empty());
    assert!(found.alerts.iter().all(|a| a.state == "suppressed" && a.silenced_by == [seen.object.clone()]));
    assert_eq!(found.alerts[0].summary, "fired by a test");
    let found =
        matched(&[matcher("alertname", "=", "HighLatency"), matcher("service", "!~", "pay.+")], 10).await;
    assert_eq!((found.firing, found.alerts.len()), (1, 1));
    assert_eq!(found.alerts[0].labels["service"], "order");
    let found = matched(&[], 1).await;
    assert_eq!((found.firing, found.firing_in_all, found.alerts.len()), (3, 3, 1));
    let wrong = plugin.silences().unwrap().matched(&[matcher("a", "=~", "(")], Duration::ZERO, 1).await;
    assert!(matches!(wrong, Err(Fault::Invalid(_))), "{wrong:?}");

    rein_parts::until("gossip has brought theirs everywhere", Duration::from_secs(5), || {
        cluster.0.iter().all(|one| kit::comments(one).contains_key(&theirs)).then_some(())
    });
    let all = list(&plugin, false).await;
    assert_eq!(all.len(), 2);
    let (mine, other) = (&all[&seen.object], &all[&theirs]);
    assert_eq!(
        (mine.cell.as_ref().unwrap().0.as_str(), mine.hushes, mine.comment.as_str()),
        (CELL, Some(2), "x")
    );
    assert_eq!((other.cell.as_ref(), other.author.as_str(), other.state.as_str()), (None, "bob", "active"));
    assert!(mine.missing_peers.is_empty() && other.missing_peers.is_empty(), "{all:?}");
    plugin.apply(write(CELL, None)).await.unwrap();
    until(&plugin, CELL, "it is gone", proved(None)).await;
    assert_eq!(list(&plugin, false).await.len(), 1);
    assert_eq!(list(&plugin, true).await[&seen.object].state, "expired");
}

#[tokio::test]
async fn what_holds_an_alert_back_is_said() {
    let Some(one) = Alertmanager::one() else { return };
    one.fire(&[("alertname", "ClusterDown")]);
    one.fire(&[("alertname", "NodeDown"), ("yields", "yes")]);
    one.fire(&[("alertname", "DiskFull")]);
    by_hand(&one, "DiskFull", "known");
    let plugin = plugin(&[one.url()]).await;
    let end = std::time::Instant::now() + Duration::from_secs(20);
    let found = loop {
        let found = plugin.silences().unwrap().matched(&[], Duration::ZERO, 10).await.unwrap();
        let hushed = found.alerts.iter().filter(|alert| alert.state == "suppressed").count();
        if hushed == 2 {
            break found;
        }
        assert!(std::time::Instant::now() < end, "{found:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let named = |name: &str| found.alerts.iter().find(|alert| alert.labels["alertname"] == name).unwrap();
    assert_eq!(named("NodeDown").inhibited_by, [named("ClusterDown").id.clone()]);
    assert!(named("NodeDown").silenced_by.is_empty() && named("DiskFull").inhibited_by.is_empty());
    assert_eq!(named("DiskFull").silenced_by.len(), 1);
    assert_eq!(named("ClusterDown").state, "active");
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let Some(one) = Alertmanager::one() else { return };
    // Six megabytes take their time on a busy machine.
    let plugin = configured(json!({"peers": [one.url()], "timeout_ms": 5000}), &[]).await;
    let comment = "long ".repeat(2000);
    let made: Vec<String> = (0..600).map(|n| by_hand(&one, &format!("A{n}"), &comment)).collect();
    let first = plugin.silences().unwrap().list(false, None).await.unwrap();
    assert!(first.next.is_some() && first.items.len() < 600, "{}", first.items.len());
    let all = list(&plugin, false).await;
    assert!(made.iter().all(|id| all.contains_key(id)) && all.len() == 600);
    let gone = plugin.silences().unwrap().list(false, Some("77.5".into())).await;
    assert!(matches!(gone, Err(Fault::NotDone(_))), "{gone:?}");
    assert!(see(&plugin, CELL).await.value.is_none());
}

/// Answers each path with a fixed body.
fn fake(answers: Vec<(&'static str, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut buffer = [0; 8192];
            let read = stream.read(&mut buffer).unwrap_or(0);
            let request = String::from_utf8_lossy(&buffer[..read]).into_owned();
            let body = answers.iter().find(|(path, _)| request.contains(path)).map_or("{}", |(_, body)| body);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    url
}

#[tokio::test]
async fn a_history_knows_what_fired_lately() {
    let Some(one) = Alertmanager::one() else { return };
    one.fire(&[("alertname", "HighLatency"), ("service", "order"), ("cluster", "prod")]);
    let series = |labels: &str, value: &str| {
        format!(
            r#"{{"metric":{{"__name__":"ALERTS","alertstate":"firing",{labels}}},"value":[1,"{value}"]}}"#
        )
    };
    let vector = |value: &str| {
        let list = [
            series(r#""alertname":"HighLatency","service":"order""#, value),
            series(r#""alertname":"HighLatency","service":"payment""#, value),
            series(r#""alertname":"DiskFull""#, value),
        ];
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#, list.join(","))
    };
    let config = r#"{"status":"success","data":{"yaml":"global:\n  scrape_interval: 15s\n  external_labels:\n    cluster: prod\n"}}"#;
    let history = fake(vec![
        ("count_over_time", vector("7")),
        ("max_over_time", vector("1795491456")),
        ("status/config", config.to_owned()),
    ]);
    let plugin = configured(json!({"peers": [one.url()], "history": history}), &[]).await;
    let asked = [matcher("alertname", "=", "HighLatency"), matcher("cluster", "=", "prod")];
    let matched = async |back| plugin.silences().unwrap().matched(&asked, back, 10).await.unwrap();
    let found = matched(Duration::from_secs(7 * 24 * 3600)).await;
    // What fires now is told from what only did, though Prometheus does not show its external labels.
    assert_eq!((found.firing, found.lately, found.alerts.len()), (1, Some(1), 2));
    let past = &found.alerts[1];
    assert_eq!((past.state.as_str(), past.labels["service"].as_str()), ("resolved", "payment"));
    assert_eq!(past.since, "2026-11-24T03:37:36Z");
    assert_eq!(matched(Duration::ZERO).await.lately, None);
    let broken = configured(json!({"peers": [one.url()], "history": fake(vec![])}), &[]).await;
    let found = broken.silences().unwrap().matched(&asked, Duration::from_secs(60), 10).await.unwrap();
    assert_eq!((found.firing, found.lately), (1, None));
}
