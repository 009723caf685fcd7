//! `rein diagnose`

mod case;
mod files;
mod graph;
mod metrics;
mod place;
mod recent;
mod symptom;

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::parse;
use crate::suggest::nearest;
use clap::{Args, ValueHint};
use rein_api::ExitCode;
use rein_api::diagnosis::{DiagnosisQuery, DiagnosisView};
use rein_domain::diagnosis::{Metric, Tuning, diagnose};
use rein_domain::name::BackendName;
use rein_domain::time::Timestamp;
use std::path::PathBuf;
use std::time::Duration;

/// The server asks many others first.
const PATIENCE: Duration = Duration::from_secs(25);

/// Say where a symptom comes from, with the evidence, or that nothing stands out
///
/// Samples around the symptom are compared with the past of their own series, and the call graph is
/// walked from the symptom towards callees. Recent changes on the way come first. A suspect is only named if
/// what it shows is rarer than one time in twenty, over everything that was looked at.
///
/// A directory holds metrics.csv and target.json; graph.csv, and normal operation in
/// noissue/metrics.csv, lie in it or in one of the three directories above. changes.csv (time,node,by,what) is
/// read if it is there.
///
/// Without --from, the server asks the backends that measure, and takes changes from Rein, from those whom
/// others recorded (rein mark), and from registrations.
#[derive(Debug, Args)]
pub(crate) struct Diagnose {
    /// Where the symptom shows; else as target.json says
    #[arg(value_name = "SERVICE", add = complete::services())]
    service: Option<String>,
    /// A directory, or files: metrics, graph.csv, target.json, changes.csv
    #[arg(long, value_name = "PATH", num_args = 1.., value_hint = ValueHint::AnyPath)]
    from: Vec<PathBuf>,
    /// Metrics of normal operation; repeat for more
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "from")]
    history: Vec<PathBuf>,
    /// Who calls whom
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "from")]
    graph: Option<PathBuf>,
    /// What was changed lately: time,node,by,what
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "from")]
    changes: Option<PathBuf>,
    /// The same as SERVICE
    #[arg(long, value_name = "NAME", conflicts_with = "service")]
    node: Option<String>,
    /// How much history is asked for, up to 30d; not with --from [default: 2h]
    #[arg(long, value_name = "TIME", value_parser = parse::span, conflicts_with = "from")]
    over: Option<Duration>,
    /// How far samples lie apart, up to 1h; not with --from [default: 1m]
    #[arg(long, value_name = "TIME", value_parser = parse::span, conflicts_with = "from")]
    step: Option<Duration>,
    /// Only by this backend; not with --from
    #[arg(long, value_name = "NAME", conflicts_with = "from", add = complete::backends())]
    backend: Option<BackendName>,
    /// In what it shows: latency, availability or saturation
    #[arg(long, value_name = "METRIC", value_parser = worsens)]
    metric: Option<Metric>,
    /// Which statistic of it, such as Average or p99; without --from p50, p90 or p99
    #[arg(long, value_name = "NAME")]
    statistic: Option<String>,
    /// When it was noticed: seconds since 1970, or RFC 3339 [default, without --from: just now]
    #[arg(long, value_name = "TIME", value_parser = parse::moment)]
    at: Option<Timestamp>,
    /// Multiply a constant, to see what hangs on it; repeat for more
    #[arg(long, value_name = "CONSTANT=FACTOR", value_parser = factor, hide_short_help = true, requires = "from")]
    tune: Vec<(String, f64)>,
}

impl Diagnose {
    /// Is it made of files alone?
    pub(crate) fn is_offline(&self) -> bool {
        !self.from.is_empty()
    }
}

pub(crate) async fn run(args: Diagnose, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    if args.is_offline() { of_files(args, ctx) } else { live(args, ctx).await }
}

/// Asks the server, which asks the backends that measure.
async fn live(args: Diagnose, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let Some(service) = args.service.or(args.node) else {
        return Err(CliError::usage("a diagnosis of what?")
            .hint("rein diagnose SERVICE      # the service that is slow, or fails")
            .hint("rein diagnose --from DIR   # a directory with metrics.csv, target.json and graph.csv"));
    };
    let seconds = |span: Duration| u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
    let query = DiagnosisQuery {
        metric: args.metric.map(|metric| metric.word().to_owned()),
        at_ms: args.at.map(|at| at.0),
        over_seconds: args.over.map(seconds),
        step_seconds: args.step.map(seconds),
        quantile: args.statistic,
        backend: args.backend.map(|name| name.to_string()),
    };
    let view = ctx.client()?.with_limit(PATIENCE).diagnosis(&service, &query).await?;
    ctx.show(&view)?;
    Ok(ExitCode::Done)
}

fn of_files(args: Diagnose, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let mut tuning = Tuning::default();
    for (name, factor) in &args.tune {
        tuning = tuning.moved(name, *factor).map_err(|e| CliError::usage(e.to_string()))?;
    }
    let mut files = files::Files::of(&args.from)?;
    if !args.history.is_empty() {
        files.history = args.history;
    }
    files.graph = args.graph.or(files.graph);
    files.changes = args.changes.or(files.changes);
    let node = args.service.or(args.node);
    let asked = symptom::Noticed { node, metric: args.metric, statistic: args.statistic, at: args.at };
    let made = case::make(&files, asked, &tuning)?;
    if made.ignored > 0 {
        let left = "measure something else than latency, availability, requests or saturation";
        ctx.say(&format!("left out: {} columns that {left}", made.ignored))?;
    }
    let verdict = diagnose(&made.case, &tuning);
    ctx.show(&DiagnosisView::of(&made.case, verdict, made.sources))?;
    Ok(ExitCode::Done)
}

/// A metric by its name.
fn metric(text: &str) -> Option<Metric> {
    Metric::ALL.into_iter().find(|metric| metric.word().eq_ignore_ascii_case(text))
}

fn no_metric(text: &str) -> String {
    let words = Metric::ALL.map(Metric::word);
    let near = nearest(text, words.into_iter()).map(|near| format!("; did you mean {near}?"));
    format!("`{text}` is not one of {}{}", words.join(", "), near.unwrap_or_default())
}

/// A metric in which a symptom can show.
fn worsens(text: &str) -> Result<Metric, String> {
    match metric(text) {
        Some(Metric::Requests) => Err(
            "more or fewer requests are no symptom by themselves; give latency, availability or saturation"
                .to_owned(),
        ),
        Some(metric) => Ok(metric),
        None => Err(no_metric(text)),
    }
}

fn factor(text: &str) -> Result<(String, f64), String> {
    let (name, factor) = text.split_once('=').ok_or("write CONSTANT=FACTOR, such as floor=1.3")?;
    let number = factor.parse::<f64>().ok().filter(|number| *number > 0.0 && number.is_finite());
    let number = number.ok_or_else(|| format!("`{factor}` is no factor; give a number above 0"))?;
    Ok((name.to_owned(), number))
}
