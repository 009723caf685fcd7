//! The event stream, read as bytes: order, identity and completeness are what is tested, so no
//! client library stands in between.

use crate::house::House;
use crate::http1::{Api, Ask};
use bytes::BytesMut;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// One event as it stood on the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: Option<String>,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

/// An open stream.
pub(crate) struct Stream {
    body: Incoming,
    pending: BytesMut,
}

impl Stream {
    /// Opens one, after the id given.
    pub(crate) async fn open(api: &Api, after: Option<&str>) -> Result<Self, String> {
        Self::of(api, "/v1/events", after).await
    }

    /// The same of another stream.
    pub(crate) async fn of(api: &Api, path: &str, after: Option<&str>) -> Result<Self, String> {
        let mut ask = Ask::get(path);
        if let Some(id) = after {
            ask = ask.with("last-event-id", id);
        }
        let answer = timeout(Duration::from_secs(5), api.conn().open(&ask)).await;
        let answer = answer.map_err(|_| "no answer".to_owned())??;
        match answer.status().as_u16() {
            200 => Ok(Self { body: answer.into_body(), pending: BytesMut::new() }),
            other => Err(format!("the stream was refused: {other}")),
        }
    }

    /// The next event; nothing when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.pending.windows(2).position(|two| two == b"\n\n") {
                let block = self.pending.split_to(end + 2);
                if let Some(event) = parse(&String::from_utf8_lossy(&block)) {
                    return Some(event);
                }
            }
            let frame = self.body.frame().await?.ok()?;
            if let Some(bytes) = frame.data_ref() {
                self.pending.extend_from_slice(bytes);
            }
        }
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let data = serde_json::from_str(field("data:")?).unwrap_or(Value::Null);
    Some(Event {
        id: field("id:").map(str::to_owned),
        kind: field("event:").unwrap_or_default().to_owned(),
        data,
    })
}

/// Follows the stream across the server's deaths and keeps the ids of the changes it was told of.
pub(crate) struct Follower {
    stop: watch::Sender<()>,
    task: JoinHandle<BTreeSet<String>>,
}

impl Follower {
    /// Begins to follow, from now on.
    pub(crate) fn begin(api: Api) -> Self {
        let (stop, mut stopped) = watch::channel(());
        let task = tokio::spawn(async move {
            let mut seen = BTreeSet::new();
            let mut last: Option<String> = None;
            let follow = async {
                loop {
                    let Ok(mut stream) = Stream::open(&api, last.as_deref()).await else {
                        sleep(Duration::from_millis(20)).await;
                        continue;
                    };
                    while let Some(event) = stream.next().await {
                        if event.kind == "change"
                            && let Some(id) = event.data["name"].as_str()
                        {
                            seen.insert(id.to_owned());
                        }
                        last = event.id.or(last);
                    }
                }
            };
            tokio::select! { () = follow => {}, _ = stopped.changed() => {} }
            seen
        });
        Self { stop, task }
    }

    /// Gives it a moment to read what is on its way, then ends it.
    pub(crate) async fn finish(self, house: &House) -> Result<BTreeSet<String>, String> {
        house.api.conn().send(&Ask::get("/v1/status")).await?;
        sleep(Duration::from_millis(500)).await;
        drop(self.stop);
        self.task.await.map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_an_event_if_it_has_data() {
        let event = parse("event: change\ndata: {\"revision\":3}\nid: e.3\n\n").unwrap();
        assert_eq!((event.id.as_deref(), event.kind.as_str()), (Some("e.3"), "change"));
        assert_eq!(event.data["revision"], 3);
        assert_eq!(parse(":\n\n"), None);
    }
}
