//! HTTP without any client of ours: what goes over the wire is what the test says, right or wrong.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A request on its way.
#[derive(Debug, Clone)]
#[must_use]
pub(crate) struct Request {
    to: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone)]
#[must_use]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A request with any method.
pub(crate) fn request(to: SocketAddr, method: &str, path: &str) -> Request {
    Request { to, method: method.into(), path: path.into(), headers: Vec::new(), body: Vec::new() }
}

/// A GET.
pub(crate) fn get(to: SocketAddr, path: &str) -> Request {
    request(to, "GET", path)
}

/// A POST of JSON.
pub(crate) fn post(to: SocketAddr, path: &str, body: impl AsRef<[u8]>) -> Request {
    request(to, "POST", path).header("content-type", "application/json").body(body)
}

impl Request {
    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Says who asks.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sets the body.
    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Sends it on a connection of its own and reads the whole answer.
    pub(crate) fn send(&self) -> io::Result<Reply> {
        let mut stream = TcpStream::connect(self.to)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            head += &format!("host: {}\r\n", self.to);
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !self.body.is_empty() || self.method == "POST" {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        stream.write_all(head.as_bytes())?;
        stream.write_all(b"\r\n")?;
        // A server may answer and close before it has read all of a body that is too large.
        let sent = stream.write_all(&self.body);
        Reply::read(stream).or_else(|error| sent.and(Err(error)))
    }

    /// The same, where nothing but an answer will do.
    #[track_caller]
    pub(crate) fn reply(&self) -> Reply {
        self.send().unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }
}

impl Reply {
    fn read(stream: TcpStream) -> io::Result<Self> {
        let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| bad("no status line"))?;
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| bad("a header without a colon"))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut reply = Self { status, headers, body: Vec::new() };
        let length =
            reply.header("content-length").map(|n| n.parse().map_err(|_| bad("length"))).transpose()?;
        if reply.header("transfer-encoding") == Some("chunked") {
            loop {
                let mut line = String::new();
                stream.read_line(&mut line)?;
                let size =
                    u64::from_str_radix(line.trim(), 16).map_err(|_| bad("a chunk without its size"))?;
                (&mut stream).take(size).read_to_end(&mut reply.body)?;
                stream.read_line(&mut String::new())?;
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = length {
            stream.take(length).read_to_end(&mut reply.body)?;
        } else if status != 304 {
            stream.read_to_end(&mut reply.body)?;
        }
        Ok(reply)
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e} in {} {:?}", self.status, self.text()))
    }
}
