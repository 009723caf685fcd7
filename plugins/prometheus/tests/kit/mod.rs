//! What tests of this plugin share: a configured one, waiting, and pages of metrics on loopback.

#![allow(dead_code, reason = "each test binary uses its own part")]

use rein_plugin::telemetry::{EdgeMeasured, EdgesAsk, Level, MeasureAsk, Measured, Telemetry};
use rein_plugin::{Adapter, Configuration, Fault, FieldError};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub(crate) fn configuration(config: &Value) -> Configuration {
    let secrets = BTreeMap::new();
    Configuration { backend: "metrics".into(), config: config.to_string(), secrets }
}

/// What is wrong with a configuration.
pub(crate) async fn judged(config: &Value) -> Vec<FieldError> {
    rein_plugin_prometheus::adapter().configure(configuration(config)).await.expect("it is judged")
}

/// A plugin with this configuration.
pub(crate) async fn configured(config: Value) -> impl Adapter {
    let adapter = rein_plugin_prometheus::adapter();
    let errors = adapter.configure(configuration(&config)).await.expect("it is configured");
    assert!(errors.is_empty(), "{errors:?}");
    adapter
}

pub(crate) fn telemetry(adapter: &impl Adapter) -> &dyn Telemetry {
    adapter.telemetry().expect("it measures")
}

pub(crate) async fn measured(adapter: &impl Adapter, level: Level) -> Result<Vec<Measured>, Fault> {
    let ask = MeasureAsk { level, service: None, window: None, page: None };
    Ok(telemetry(adapter).measure(&ask).await?.items)
}

pub(crate) async fn edges(adapter: &impl Adapter) -> Result<Vec<EdgeMeasured>, Fault> {
    let ask = EdgesAsk { service: None, window: None, page: None };
    Ok(telemetry(adapter).edges(&ask).await?.items)
}

/// Looks until what is looked at is as it should be.
pub(crate) async fn until<T: std::fmt::Debug>(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, Fault>,
    fits: impl Fn(&T) -> bool,
) -> T {
    let end = Instant::now() + Duration::from_secs(40);
    loop {
        let seen = look().await;
        match seen {
            Ok(seen) if fits(&seen) => return seen,
            seen => assert!(Instant::now() < end, "waited in vain: {what}: {seen:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A page of metrics on loopback, made anew for whoever reads it.
pub(crate) struct Page {
    address: String,
    end: Arc<AtomicBool>,
}

impl Page {
    /// Serves what `text` gives for the seconds since the start.
    pub(crate) fn of(text: impl Fn(f64) -> String + Send + 'static) -> Self {
        Self::typed("text/plain; version=0.0.4", move |at| text(at).into_bytes())
    }

    pub(crate) fn typed(kind: &'static str, body: impl Fn(f64) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", rein_parts::free_port())).expect("a port is free");
        let address = listener.local_addr().expect("it has an address").to_string();
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        std::thread::spawn(move || {
            let began = Instant::now();
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(stream) = stream {
                    answer(stream, kind, &body(began.elapsed().as_secs_f64() + 100.0));
                }
            }
        });
        Self { address, end }
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        // So that it notices.
        let _ = TcpStream::connect(&self.address);
    }
}

fn answer(mut stream: TcpStream, kind: &str, body: &[u8]) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let (mut head, mut piece) = (Vec::new(), [0; 2048]);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => head.extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
    // A request that is not read to its end would break the answer's connection.
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let (start, rest) = text.split_once("\r\n\r\n").unwrap_or_default();
    let length = start.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    let mut left = length.unwrap_or(0usize).saturating_sub(rest.len());
    while left > 0 {
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => left = left.saturating_sub(read),
            _ => return,
        }
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // Whoever went away wants it no more.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}
