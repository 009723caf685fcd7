//! `metrics.csv`: three rows of heading (node, metric, statistic), then a row for each moment.

use super::place::{bytes, cell, fault, moment, rows, text};
use crate::error::CliError;
use rein_domain::diagnosis::{Metric, Sample};
use rein_domain::time::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;

/// Columns of a file, read.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    /// By node, metric and statistic.
    pub(super) series: BTreeMap<(String, Metric, String), Vec<Sample>>,
    /// How many columns measure something else.
    pub(super) ignored: usize,
}

const HEADINGS: [&str; 3] = ["node", "metric", "statistic"];

struct Column {
    place: usize,
    node: String,
    metric: Metric,
    statistic: String,
    samples: Vec<Sample>,
}

/// Reads a file of metrics.
pub(super) fn read(path: &Path) -> Result<Metrics, CliError> {
    let mut headings: Vec<csv::StringRecord> = Vec::new();
    let mut columns = Vec::new();
    let mut ignored = 0;
    let mut last: Option<(usize, Timestamp)> = None;
    rows(path, &bytes(path)?, |row, record| {
        if headings.len() < HEADINGS.len() {
            headings.push(record.clone());
            if headings.len() == HEADINGS.len() {
                (columns, ignored) = heads(path, &headings)?;
            }
            return Ok(());
        }
        // The row that names the index holds nothing else.
        if last.is_none()
            && moment(text(record, 0)).is_none()
            && record.iter().skip(1).all(|cell| cell.trim().is_empty())
        {
            return Ok(());
        }
        let at = moment(text(record, 0)).ok_or_else(|| {
            let why = format!(
                "`{}` is no moment; write seconds since 1970, or 2026-11-23T02:40:00Z",
                text(record, 0)
            );
            cell(path, row, 1, why)
        })?;
        if let Some((before, _)) = last.filter(|(_, before)| *before >= at) {
            return Err(cell(
                path,
                row,
                1,
                format!("is not later than line {before}; sort the rows by time"),
            ));
        }
        last = Some((row, at));
        line(path, (row, record), headings[0].len(), at, &mut columns)
    })?;
    if headings.len() < HEADINGS.len() {
        let error = fault(
            path,
            format!("has {} rows; the first three name node, metric and statistic", headings.len()),
        );
        return Err(
            error.hint("a fourth row may name the index; then one row for each moment, its time first")
        );
    }
    let series =
        columns.into_iter().map(|column| ((column.node, column.metric, column.statistic), column.samples));
    Ok(Metrics { series: series.collect(), ignored })
}

fn heads(path: &Path, headings: &[csv::StringRecord]) -> Result<(Vec<Column>, usize), CliError> {
    let [nodes, metrics, statistics] = headings else { return Ok((Vec::new(), 0)) };
    for (row, heading) in headings.iter().enumerate() {
        if heading.len() != nodes.len() {
            let why =
                format!("line {}: has {} columns, and line 1 has {}", row + 1, heading.len(), nodes.len());
            return Err(fault(path, why));
        }
    }
    let (mut columns, mut ignored) = (Vec::<Column>::new(), 0);
    let mut places = BTreeMap::new();
    for place in 1..nodes.len() {
        let node = nodes.get(place).unwrap_or_default().to_owned();
        if node.is_empty() {
            return Err(cell(path, 1, place + 1, "a node without a name"));
        }
        let Some(metric) = super::metric(text(metrics, place)) else {
            ignored += 1;
            continue;
        };
        let statistic = text(statistics, place).to_owned();
        if let Some(first) = places.insert((node.clone(), metric, statistic.clone()), place + 1) {
            let what = format!("{} ({statistic}) of `{node}` stands in column {first} too", metric.word());
            return Err(cell(path, 1, place + 1, what));
        }
        columns.push(Column { place, node, metric, statistic, samples: Vec::new() });
    }
    if columns.is_empty() {
        let error = fault(path, "no column measures latency, availability, requests or saturation");
        return Err(error.hint("row 2 names the metric of each column"));
    }
    Ok((columns, ignored))
}

fn line(
    path: &Path,
    (row, record): (usize, &csv::StringRecord),
    width: usize,
    at: Timestamp,
    columns: &mut [Column],
) -> Result<(), CliError> {
    if record.len() != width {
        return Err(fault(path, format!("line {row}: has {} columns, and line 1 has {width}", record.len())));
    }
    for column in columns {
        let written = text(record, column.place);
        if matches!(written, "" | "NaN" | "nan" | "null" | "None") {
            continue;
        }
        let value = written.parse::<f64>().ok().filter(|value| value.is_finite());
        let wrong = match value {
            None => Some("is no number; leave the cell empty where there is no data"),
            Some(value) if value < 0.0 && column.metric != Metric::Saturation => Some("is below zero"),
            Some(value) if value > 100.0 && column.metric == Metric::Availability => {
                Some("is above 100; availability is given in per cent")
            }
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            let what = format!("{} of `{}`: `{written}` {wrong}", column.metric.word(), column.node);
            return Err(cell(path, row, column.place + 1, what));
        }
        column.samples.extend(value.map(|value| Sample { at, value }));
    }
    Ok(())
}
