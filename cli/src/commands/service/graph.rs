//! `rein service graph`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::parse::span;
use crate::render::CallGraph;
use clap::Args;
use rein_api::ExitCode;
use rein_api::telemetry::{EdgesQuery, MeasureQuery};
use rein_domain::name::BackendName;
use std::collections::BTreeMap;
use std::time::Duration;

/// Show who calls whom, and how the calls go: a tree, or a picture with -o svg
///
/// Figures come from backends that measure (docs/telemetry.md). Those beside a call are what its
/// caller sees. What is not measured shows as "no data", never as zero.
#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// Only this service: who calls it, and whom it calls
    service: Option<String>,
    /// Only by this backend
    #[arg(long, value_name = "NAME", add = complete::backends())]
    backend: Option<BackendName>,
    /// Over how long [default: as each backend is configured]
    #[arg(long, value_name = "TIME", value_parser = span)]
    window: Option<Duration>,
}

pub(crate) async fn run(args: Graph, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let backend = args.backend.map(|name| name.to_string());
    let window_seconds = args.window.map(|window| u32::try_from(window.as_secs()).unwrap_or(u32::MAX));
    let client = ctx.client()?;
    // All of them: what a service calls calls others.
    let edges = EdgesQuery { service: None, backend: backend.clone(), window_seconds };
    let services = MeasureQuery { backend, window_seconds, ..MeasureQuery::default() };
    let (edges, services) = futures::try_join!(client.edges(&edges), client.measured(&services))?;
    let mut unreachable: BTreeMap<String, String> = services.unreachable.clone();
    unreachable.extend(edges.unreachable.clone());
    let asked = services.readings.len() + edges.readings.len() + unreachable.len();
    if asked == 0 {
        return Err(CliError::failed("no backend that measures is declared")
            .hint("declare one: docs/telemetry.md")
            .hint("rein backend list   # those there are"));
    }
    let graph = CallGraph::new(services, edges);
    let found = match &args.service {
        None => Some(graph),
        Some(name) => graph.around(name),
    };
    match (found, &args.service) {
        (Some(graph), _) => ctx.show(&graph)?,
        // What is missing may be with whoever does not answer.
        (None, Some(name)) if unreachable.is_empty() => {
            let message = format!("no backend has measured a service {name}, or a call of one");
            return Err(CliError::failed(message).hint("rein service graph   # all there are"));
        }
        (None, _) => {}
    }
    if unreachable.is_empty() {
        return Ok(ExitCode::Done);
    }
    let error =
        CliError::new(ExitCode::Unreachable, "backends do not answer; what they measure is missing here");
    let error = unreachable.iter().fold(error, |error, (name, why)| error.detail(format!("{name}: {why}")));
    let first = unreachable.keys().next().cloned().unwrap_or_default();
    Err(error.hint(format!("rein backend check {first}")))
}
