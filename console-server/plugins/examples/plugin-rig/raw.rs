//! A plugin below the level of messages: answers without end, and answers that drip.

use bytes::Bytes;
use futures::StreamExt;
use http_body_util::StreamBody;
use rein_plugin::serve::HEALTH;
use rein_plugin::wire;
use std::convert::Infallible;
use std::io::Write;
use std::process::ExitCode;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status, async_trait, body::Body};

pub(crate) fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let path = format!("{}/raw.sock", std::env::var("PLUGIN_UNIX_SOCKET_DIR").expect("a directory"));
        let listener = UnixListener::bind(&path).expect("a socket");
        let mut out = std::io::stdout();
        let _ = writeln!(out, "1|1|unix|{path}|grpc|").and_then(|()| out.flush());
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status(HEALTH, tonic_health::ServingStatus::Serving).await;
        let serving = tonic::transport::Server::builder()
            .add_service(health)
            .add_service(wire::plugin_server::PluginServer::new(Plain))
            .add_service(Raw)
            .serve_with_incoming(UnixListenerStream::new(listener));
        let _ = serving.await;
    });
    ExitCode::SUCCESS
}

struct Plain;

#[async_trait]
impl wire::plugin_server::Plugin for Plain {
    async fn describe(
        &self,
        _: Request<wire::DescribeRequest>,
    ) -> Result<Response<wire::DescribeReply>, Status> {
        let config_schema = "{}".into();
        Ok(Response::new(wire::DescribeReply { name: "raw".into(), config_schema, ..Default::default() }))
    }

    async fn configure(
        &self,
        _: Request<wire::ConfigureRequest>,
    ) -> Result<Response<wire::ConfigureReply>, Status> {
        Ok(Response::new(wire::ConfigureReply { errors: vec![] }))
    }

    async fn check(&self, _: Request<wire::CheckRequest>) -> Result<Response<wire::CheckReply>, Status> {
        Err(Status::unimplemented(""))
    }
}

#[derive(Clone)]
struct Raw;

impl tonic::server::NamedService for Raw {
    const NAME: &'static str = "rein.plugin.v1.Cells";
}

impl tower::Service<http::Request<Body>> for Raw {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let body = match request.uri().path().rsplit('/').next() {
            // The head of a message of 1 GiB, and then all of it.
            Some("Observe") => endless(1 << 30, Bytes::from(vec![0; 64 * 1024]), Duration::ZERO),
            // A message within the limit, a byte a second.
            Some("Resolve") => endless(1 << 20, Bytes::from_static(b"\x0a"), Duration::from_secs(1)),
            // A write whose answer never ends.
            _ => endless(1 << 20, Bytes::from_static(b"\x0a"), Duration::from_millis(10)),
        };
        let answer = http::Response::builder().header("content-type", "application/grpc").body(body);
        std::future::ready(Ok(answer.expect("an answer")))
    }
}

fn endless(length: u32, chunk: Bytes, pause: Duration) -> Body {
    let mut head = vec![0];
    head.extend(length.to_be_bytes());
    let chunks = futures::stream::repeat(chunk).then(move |chunk| async move {
        tokio::time::sleep(pause).await;
        chunk
    });
    let all = futures::stream::iter([Bytes::from(head)]).chain(chunks);
    Body::new(StreamBody::new(all.map(|data| Ok::<_, Infallible>(hyper::body::Frame::data(data)))))
}
