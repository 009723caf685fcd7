//! The company's registry client: plain HTTP, as any company would write it. Instances register, say that
//! they are there, and find each other by watching. While the registry is away, the last list is used.

use crate::company::Address;
use crate::peers::AddressBook;
use crate::plan::{Service, Zone};
use bytes::Bytes;
use futures::StreamExt;
use futures::future::join_all;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, BodyStream, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two heartbeats.
const BEAT: Duration = Duration::from_secs(2);
/// Between two tries when the registry is away.
const AGAIN: Duration = Duration::from_millis(500);
/// Most bytes of one event of a watch.
const MOST: usize = 1 << 20;

/// A registry, and what opens it.
#[derive(Clone)]
pub struct RegistryAccess {
    /// Where it answers.
    pub address: SocketAddr,
    /// A token that may register the company's services.
    pub token: String,
}

impl std::fmt::Debug for RegistryAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryAccess").field("address", &self.address).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Registry {
    access: RegistryAccess,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Why the registry did not do it.
#[derive(Debug, thiserror::Error)]
enum Away {
    #[error("{0}")]
    Refused(StatusCode),
    #[error("no answer")]
    Silent,
}

/// Registers every instance and keeps the book current, until stopped. Nobody waits for it.
pub(crate) fn join(
    access: RegistryAccess,
    all: Vec<Address>,
    book: &Arc<AddressBook>,
    stop: &CancellationToken,
) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let registry = Registry { access, client };
    for service in Service::ALL {
        let (registry, book, stop) = (registry.clone(), Arc::clone(book), stop.child_token());
        tokio::spawn(async move { until(stop, registry.watch(service, &book)).await });
    }
    let stop = stop.child_token();
    tokio::spawn(async move { until(stop, registry.attend(all)).await });
}

async fn until(stop: CancellationToken, task: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = task => {}
    }
}

impl Registry {
    /// Registers whoever is not registered, says of the others that they are there, for ever.
    async fn attend(&self, all: Vec<Address>) {
        let mut lives: Vec<Option<String>> = vec![None; all.len()];
        loop {
            let waiting = all.iter().zip(&mut lives).filter(|(_, life)| life.is_none());
            join_all(waiting.map(async |(at, life)| match self.register(at).await {
                Ok(incarnation) => *life = Some(incarnation),
                Err(error) => tracing::debug!(instance = %at.instance, %error, "not registered yet"),
            }))
            .await;
            match self.beat(&all, &lives).await {
                Ok(unknown) => {
                    for (at, life) in all.iter().zip(&mut lives) {
                        if unknown.iter().any(|name| *name == format!("{}/{}", at.service, at.instance)) {
                            *life = None;
                        }
                    }
                }
                Err(error) => tracing::debug!(%error, "the registry does not take heartbeats"),
            }
            let all_in = lives.iter().all(Option::is_some);
            tokio::time::sleep(if all_in { BEAT } else { AGAIN }).await;
        }
    }

    async fn register(&self, at: &Address) -> Result<String, Away> {
        let body = json!({
            "service": at.service.name(),
            "id": at.instance,
            "address": at.address.to_string(),
            "zone": at.zone.name(),
            "version": "v1",
            "heartbeat_seconds": BEAT.as_secs(),
            "check": { "kind": "tcp", "every_seconds": 1, "fall": 2 },
        });
        let answer = self.send(Method::POST, "/v1/registry/instances", &body).await?;
        answer["incarnation"].as_str().map(str::to_owned).ok_or(Away::Silent)
    }

    async fn beat(&self, all: &[Address], lives: &[Option<String>]) -> Result<Vec<String>, Away> {
        let beat = |(at, life): (&Address, &Option<String>)| {
            let life = life.as_ref()?;
            Some(json!({ "service": at.service.name(), "id": at.instance, "incarnation": life }))
        };
        let beats: Vec<Value> = all.iter().zip(lives).filter_map(beat).collect();
        let answer = self.send(Method::POST, "/v1/registry/heartbeats", &json!({ "beats": beats })).await?;
        let unknown = answer["unknown"].as_array().cloned().unwrap_or_default();
        Ok(unknown.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Follows who gets traffic of one service, for ever.
    async fn watch(&self, service: Service, book: &AddressBook) {
        let mut trusted = Trusted::NotYet;
        loop {
            if let Err(error) = self.follow(service, book, &mut trusted).await {
                tracing::debug!(%service, %error, "the registry cannot be watched; the last list is used");
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn follow(&self, service: Service, book: &AddressBook, trusted: &mut Trusted) -> Result<(), Away> {
        let path = format!("/v1/services/{service}/watch");
        let request = self.request(Method::GET, &path).body(Full::default()).map_err(|_| Away::Silent)?;
        let answer = self.client.request(request).await.map_err(|_| Away::Silent)?;
        if answer.status() != StatusCode::OK {
            return Err(Away::Refused(answer.status()));
        }
        let mut body = BodyStream::new(answer.into_body());
        let mut text = String::new();
        while let Some(Ok(frame)) = body.next().await {
            let Ok(data) = frame.into_data() else { continue };
            text.push_str(&String::from_utf8_lossy(&data));
            while let Some(end) = text.find("\n\n") {
                let event: String = text.drain(..end + 2).collect();
                if let Some(data) = event.lines().find_map(|line| line.strip_prefix("data: ")) {
                    enter(service, data, book, trusted);
                }
            }
            if text.len() > MOST {
                return Err(Away::Silent);
            }
        }
        Err(Away::Silent)
    }

    fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.access.address))
            .header("authorization", format!("Bearer {}", self.access.token))
            .header("content-type", "application/json")
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value, Away> {
        let request =
            self.request(method, path).body(Full::from(body.to_string())).map_err(|_| Away::Silent)?;
        let answered = async {
            let answer = self.client.request(request).await.map_err(|_| Away::Silent)?;
            let status = answer.status();
            let bytes = answer.into_body().collect().await.map_err(|_| Away::Silent)?.to_bytes();
            if !status.is_success() {
                return Err(Away::Refused(status));
            }
            serde_json::from_slice(&bytes).map_err(|_| Away::Silent)
        };
        tokio::time::timeout(Duration::from_secs(5), answered).await.unwrap_or(Err(Away::Silent))
    }
}

/// Whether the registry's list is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trusted {
    /// It has not yet known everybody: until then those who came first would get all calls.
    NotYet,
    /// From now on what it says counts, also when it is less.
    Yes,
}

/// One roster into the book. An empty one leaves the last: somebody has to be called.
fn enter(service: Service, data: &str, book: &AddressBook, trusted: &mut Trusted) {
    let Ok(roster) = serde_json::from_str::<Value>(data) else { return };
    let entry = |one: &Value| {
        let zone = Zone::ALL.into_iter().find(|zone| one["zone"].as_str() == Some(zone.name()))?;
        let weight = u32::try_from(one["weight"].as_u64()?).ok()?;
        Some((zone, one["address"].as_str()?.parse().ok()?, weight))
    };
    let all: Vec<(Zone, SocketAddr, u32)> =
        roster["instances"].as_array().into_iter().flatten().filter_map(entry).collect();
    if all.len() >= service.instances() {
        *trusted = Trusted::Yes;
    }
    if *trusted == Trusted::Yes && !all.is_empty() {
        book.replace(service, &all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_counts_once_it_was_whole_and_never_when_it_is_empty() {
        let book = AddressBook::default();
        let roster = |count: u16| {
            let one = |n| json!({ "zone": "sh", "weight": 100, "address": format!("127.0.0.1:{}", 100 + n) });
            json!({ "instances": (0..count).map(one).collect::<Vec<_>>() }).to_string()
        };
        let mut trusted = Trusted::NotYet;
        enter(Service::Sms, &roster(1), &book, &mut trusted);
        assert!(trusted == Trusted::NotYet);
        enter(Service::Sms, &roster(2), &book, &mut trusted);
        assert!(trusted == Trusted::Yes);
        enter(Service::Sms, "not a list", &book, &mut trusted);
        assert!(trusted == Trusted::Yes);
    }
}
