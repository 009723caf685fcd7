//! `graph.csv`: who calls whom, as a matrix (row calls column) or as pairs under `caller,callee`.

use super::place::{bytes, cell, fault, rows, text};
use crate::error::CliError;
use rein_domain::diagnosis::{Graph, Node};
use std::path::Path;

const MAX_NODES: usize = 20_000;

enum Form {
    Matrix(Vec<Node>),
    Pairs,
}

/// Reads a graph.
pub(super) fn read(path: &Path) -> Result<Graph, CliError> {
    let mut graph = Graph::default();
    let mut form = None;
    rows(path, &bytes(path)?, |row, record| {
        match &form {
            None => form = Some(head(path, record, &mut graph)?),
            Some(Form::Pairs) => pair(path, row, record, &mut graph)?,
            Some(Form::Matrix(columns)) => line(path, (row, record), columns, &mut graph)?,
        }
        if graph.len() > MAX_NODES {
            return Err(fault(path, format!("line {row}: more than {MAX_NODES} nodes")));
        }
        Ok(())
    })?;
    if form.is_none() {
        let error = fault(path, "is empty");
        return Err(error.hint("the first row names the nodes; in each further row, 1 means that the row's node calls the column's"));
    }
    Ok(graph)
}

fn head(path: &Path, record: &csv::StringRecord, graph: &mut Graph) -> Result<Form, CliError> {
    if record.len() == 2 && text(record, 0) == "caller" && text(record, 1) == "callee" {
        return Ok(Form::Pairs);
    }
    let mut columns = Vec::new();
    for (place, name) in record.iter().enumerate().skip(1) {
        if name.is_empty() {
            return Err(cell(path, 1, place + 1, "a node without a name"));
        }
        let node = graph.node(name);
        if columns.contains(&node) {
            return Err(cell(path, 1, place + 1, format!("`{name}` stands in two columns")));
        }
        columns.push(node);
    }
    if columns.is_empty() {
        let error = fault(path, "line 1: names no nodes");
        return Err(error.hint("write the nodes' names from the second column on, or `caller,callee`"));
    }
    Ok(Form::Matrix(columns))
}

fn pair(path: &Path, row: usize, record: &csv::StringRecord, graph: &mut Graph) -> Result<(), CliError> {
    let ends = [record.get(0).unwrap_or_default(), record.get(1).unwrap_or_default()];
    if let Some(missing) = ends.iter().position(|name| name.is_empty()) {
        return Err(cell(path, row, missing + 1, "a node without a name; write caller,callee"));
    }
    if record.len() > 2 {
        return Err(cell(path, row, 3, "one column too many; a name with a comma stands in quotes"));
    }
    let [caller, callee] = ends.map(|name| graph.node(name));
    graph.calls(caller, callee);
    Ok(())
}

fn line(
    path: &Path,
    (row, record): (usize, &csv::StringRecord),
    columns: &[Node],
    graph: &mut Graph,
) -> Result<(), CliError> {
    if record.len() != columns.len() + 1 {
        let why = format!("line {row}: has {} columns, and line 1 has {}", record.len(), columns.len() + 1);
        return Err(fault(path, why));
    }
    let name = record.get(0).unwrap_or_default();
    if name.is_empty() {
        return Err(cell(path, row, 1, "a node without a name"));
    }
    let caller = graph.node(name);
    for (place, callee) in columns.iter().enumerate() {
        let value = text(record, place + 1);
        let calls = match value {
            "" => 0.0,
            value => value.parse::<f64>().unwrap_or(f64::NAN),
        };
        if calls.is_nan() {
            let why =
                format!("`{value}` is no number; write 1 where the row's node calls the column's, else 0");
            return Err(cell(path, row, place + 2, why));
        }
        if calls != 0.0 {
            graph.calls(caller, *callee);
        }
    }
    Ok(())
}
