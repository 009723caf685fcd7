//! What tests of this plugin share: a configured one, values, waiting.

#![allow(dead_code, reason = "each test binary uses its own part")]

use rein_parts::{Alertmanager, Cluster, Mode, Proxy};
use rein_plugin::{Adapter, CellKey, Configuration, Fault, Seen, Write};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A plugin that knows these peers.
pub(crate) async fn plugin(peers: &[String]) -> impl Adapter {
    configured(json!({"peers": peers, "timeout_ms": 800}), &[]).await
}

/// A plugin with this configuration and these secrets.
pub(crate) async fn configured(config: Value, secrets: &[(&str, &str)]) -> impl Adapter {
    let adapter = rein_plugin_alertmanager::adapter();
    let secrets = secrets.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let configuration = Configuration { backend: "am".into(), config: config.to_string(), secrets };
    let errors = adapter.configure(configuration).await.expect("it is configured");
    assert!(errors.is_empty(), "{errors:?}");
    adapter
}

/// The canonical value of a silence of one alert name, which ends so many hours from now.
pub(crate) fn silence(alertname: &str, hours: i64, comment: &str) -> String {
    let ends = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
    let ends = jiff::Timestamp::from_second(ends.as_second()).unwrap();
    format!(
        r#"{{"matchers":[["alertname","=","{alertname}"]],"ends":"{ends}","author":"alice","comment":"{comment}"}}"#
    )
}

pub(crate) fn write(cell: &str, want: Option<&str>) -> Write {
    Write {
        cell: CellKey(cell.into()),
        want: want.map(str::to_owned),
        expected_version: String::new(),
        change: cell.into(),
        object: String::new(),
    }
}

pub(crate) async fn see(plugin: &impl Adapter, cell: &str) -> Seen {
    try_see(plugin, cell).await.expect("the backend can be looked at")
}

pub(crate) async fn try_see(plugin: &impl Adapter, cell: &str) -> Result<Seen, Fault> {
    Ok(plugin.observe(&[CellKey(cell.into())]).await?.remove(0))
}

/// Waits until a cell looks as it should on every peer.
pub(crate) async fn until(
    plugin: &impl Adapter,
    cell: &str,
    what: &str,
    fits: impl Fn(&Seen) -> bool,
) -> Seen {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let seen = try_see(plugin, cell).await;
        match seen {
            Ok(seen) if fits(&seen) => return seen,
            seen => assert!(Instant::now() < end, "waited in vain: {what}: {seen:?}"),
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// Is it proved on every peer?
pub(crate) fn proved(want: Option<&str>) -> impl Fn(&Seen) -> bool {
    move |seen| {
        seen.value.as_deref() == want
            && seen.copies == u32::from(want.is_some())
            && seen.missing_peers.is_empty()
    }
}

/// Live silences of one peer.
pub(crate) fn live(one: &Alertmanager) -> Vec<Value> {
    let mut live = one.silences();
    live.retain(|silence| silence["status"]["state"] != "expired");
    live
}

/// The id and full comment of each live silence.
pub(crate) fn comments(one: &Alertmanager) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    live(one).iter().map(|s| (text(&s["id"]), text(&s["comment"]))).collect()
}

/// Makes a silence as somebody else would; answers its id.
pub(crate) fn by_hand(one: &Alertmanager, alertname: &str, comment: &str) -> String {
    let silence = json!({
        "matchers": [{"name": "alertname", "value": alertname, "isRegex": false, "isEqual": true}],
        "startsAt": "2020-01-01T00:00:00Z",
        "endsAt": "2099-01-01T00:00:00Z",
        "createdBy": "bob",
        "comment": comment,
    });
    let answer = one.call("POST", "/silences", &silence);
    answer["silenceID"].as_str().expect("an id").to_owned()
}

/// A proxy before every peer.
pub(crate) fn proxies(cluster: &Cluster) -> (Vec<Proxy>, Vec<String>) {
    let proxies: Vec<Proxy> = cluster.0.iter().map(|one| Proxy::before(&one.address())).collect();
    let urls = proxies.iter().map(Proxy::url).collect();
    (proxies, urls)
}

pub(crate) fn set_all(proxies: &[Proxy], mode: Mode) {
    proxies.iter().for_each(|proxy| proxy.set(mode));
}
