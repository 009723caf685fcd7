//! A page on loopback that a test makes up: what a service would show of itself.

use crate::listener;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A page of metrics on loopback, made anew for whoever reads it.
#[derive(Debug)]
pub struct Page {
    address: String,
    end: Arc<AtomicBool>,
}

impl Page {
    /// Serves what `text` gives for the seconds since the start.
    ///
    /// # Panics
    /// When no port is free.
    pub fn of(text: impl Fn(f64) -> String + Send + 'static) -> Self {
        Self::typed("text/plain; version=0.0.4", move |at| text(at).into_bytes())
    }

    /// The same with bytes of this kind.
    ///
    /// # Panics
    /// When no port is free.
    pub fn typed(kind: &'static str, body: impl Fn(f64) -> Vec<u8> + Send + 'static) -> Self {
        let listener = listener();
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

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
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
