//! From files to a case: which columns are taken, what is history, which names there must be.

use super::files::Files;
use super::metrics::{self, Metrics};
use super::symptom::Noticed;
use super::{graph, recent};
use crate::error::CliError;
use crate::suggest::nearest;
use rein_domain::diagnosis::{
    Case, Graph, Metric, RecentChange, Sample, Subject, Symptom, Tuning, window_end,
};
use rein_domain::time::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A case, and what is worth saying about how it came to be.
pub(super) struct Made {
    pub(super) case: Case,
    /// Files it was made from.
    pub(super) sources: Vec<String>,
    /// Columns that were left out because they measure something else.
    pub(super) ignored: usize,
}

/// Reads the files and puts them together.
pub(super) fn make(files: &Files, asked: Noticed, tuning: &Tuning) -> Result<Made, CliError> {
    let said = files.target.as_deref().map(Noticed::read).transpose()?.unwrap_or_default();
    let noticed = asked.or(said);
    let (Some(name), Some(metric), Some(at)) = (&noticed.node, noticed.metric, noticed.at) else {
        return Err(unsaid(&noticed));
    };
    let Some(path) = &files.graph else {
        let error = CliError::usage("there is no graph.csv, here or in the three directories above");
        return Err(error
            .hint("name one with --graph FILE: a matrix of who calls whom, or pairs under caller,callee"));
    };
    let mut graph = graph::read(path)?;
    let data = read_all(&files.metrics)?;
    let history = read_all(&files.history)?;
    for (_, metrics) in data.iter().chain(&history) {
        for (node, ..) in metrics.series.keys() {
            graph.node(node);
        }
    }
    let Some(node) = graph.find(name) else { return Err(unknown(&graph, name)) };
    let mut changes = Vec::new();
    if let Some(path) = &files.changes {
        for change in recent::read(path)? {
            let Some(node) = graph.find(&change.node) else {
                let error = unknown(&graph, &change.node);
                return Err(error.about(&format!("{}: line {}", path.display(), change.line)));
            };
            changes.push(RecentChange { node, at: change.at, by: change.by, what: change.what });
        }
    }
    let mut case = Case::new(graph, Symptom { node, metric, at });
    case.changes = changes;
    let statistic = noticed.statistic.as_deref();
    let around = columns(data.iter().map(|(_, metrics)| metrics), metric, statistic);
    let own = around.get(&(name.as_str(), metric)).map_or(&[][..], |samples| samples.as_slice());
    let times: Vec<Timestamp> = own.iter().map(|sample| sample.at).collect();
    let end = window_end(at, &times, tuning);
    fill(&mut case, around, end);
    fill(
        &mut case,
        columns(history.iter().map(|(_, metrics)| metrics), metric, statistic),
        Timestamp(i64::MAX),
    );
    let ignored = data.iter().map(|(_, metrics)| metrics.ignored).sum();
    let paths = [path].into_iter().chain(&files.metrics).chain(&files.history).chain(&files.changes);
    Ok(Made { case, sources: paths.map(|path| path.display().to_string()).collect(), ignored })
}

fn read_all(paths: &[PathBuf]) -> Result<Vec<(&Path, Metrics)>, CliError> {
    paths.iter().map(|path| Ok((path.as_path(), metrics::read(path)?))).collect()
}

/// One column for each node and metric: of a latency the statistic that was asked for, if there is one.
fn columns<'a>(
    files: impl Iterator<Item = &'a Metrics>,
    metric: Metric,
    statistic: Option<&str>,
) -> BTreeMap<(&'a str, Metric), Vec<Sample>> {
    let mut chosen: BTreeMap<(&str, Metric), Vec<Sample>> = BTreeMap::new();
    for file in files {
        let mut best: BTreeMap<(&str, Metric), (usize, &[Sample])> = BTreeMap::new();
        for ((node, measured, named), samples) in &file.series {
            let asked = statistic
                .filter(|_| *measured == metric)
                .is_some_and(|asked| asked.eq_ignore_ascii_case(named));
            let usual =
                ["average", "mean", "avg", "sum"].iter().position(|usual| named.eq_ignore_ascii_case(usual));
            let rank = if asked { 0 } else { usual.map_or(9, |place| place + 1) };
            let place = best.entry((node, *measured)).or_insert((usize::MAX, &[]));
            if rank < place.0 {
                *place = (rank, samples);
            }
        }
        for (key, (_, samples)) in best {
            chosen.entry(key).or_default().extend_from_slice(samples);
        }
    }
    chosen
}

fn fill(case: &mut Case, columns: BTreeMap<(&str, Metric), Vec<Sample>>, end: Timestamp) {
    for ((name, metric), mut samples) in columns {
        // What came after the symptom is not what was usual before it, unless it is called normal.
        samples.retain(|sample| sample.at < end);
        if let Some(node) = case.graph.find(name) {
            case.add(Subject::Node(node), metric, samples);
        }
    }
}

fn unsaid(noticed: &Noticed) -> CliError {
    let missing: Vec<&str> = [
        ("--node", noticed.node.is_none()),
        ("--metric", noticed.metric.is_none()),
        ("--at", noticed.at.is_none()),
    ]
    .into_iter()
    .filter_map(|(option, missing)| missing.then_some(option))
    .collect();
    CliError::usage(format!(
        "which symptom? there is no target.json, and {} is not given",
        missing.join(", ")
    ))
    .hint("rein diagnose --from DIR --node NAME --metric latency --at 2026-11-23T02:40:00Z")
}

fn unknown(graph: &Graph, name: &str) -> CliError {
    let error = CliError::usage(format!("there is no node `{name}` in the graph or the metrics"));
    match nearest(name, graph.names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => {
            let some: Vec<&str> = graph.names().take(5).collect();
            error.hint(format!("there are {} nodes, such as {}", graph.len(), some.join(", ")))
        }
    }
}
