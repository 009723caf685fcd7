//! `changes.csv`: what was changed lately, under `time,node,by,what`.

use super::place::{bytes, cell, fault, moment, rows, text};
use crate::error::CliError;
use rein_domain::time::Timestamp;
use std::path::Path;

/// A change by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) at: Timestamp,
    pub(super) node: String,
    pub(super) by: String,
    pub(super) what: String,
    /// Line of the file.
    pub(super) line: usize,
}

const COLUMNS: [&str; 4] = ["time", "node", "by", "what"];
const MAX_CHANGES: usize = 10_000;

/// Reads changes.
pub(super) fn read(path: &Path) -> Result<Vec<Changed>, CliError> {
    let mut changes = Vec::new();
    let mut headed = false;
    rows(path, &bytes(path)?, |line, record| {
        if !headed {
            headed = true;
            let head: Vec<&str> = (0..record.len()).map(|column| text(record, column)).collect();
            let error = || fault(path, format!("line {line}: the columns are {}", head.join(",")));
            return if head == COLUMNS {
                Ok(())
            } else {
                Err(error().hint("the first line is: time,node,by,what"))
            };
        }
        if record.len() != COLUMNS.len() {
            let why = format!("line {line}: has {} columns, and line 1 has 4", record.len());
            return Err(fault(path, why).hint("text with a comma in it stands in quotes"));
        }
        let Some(at) = moment(text(record, 0)) else {
            let why = format!("`{}` is no moment; write seconds since 1970, or RFC 3339", text(record, 0));
            return Err(cell(path, line, 1, why));
        };
        if changes.len() == MAX_CHANGES {
            return Err(fault(path, format!("line {line}: more than {MAX_CHANGES} changes")));
        }
        let [node, by, what] = [1, 2, 3].map(|column| record.get(column).unwrap_or_default().to_owned());
        changes.push(Changed { at, node, by, what, line });
        Ok(())
    })?;
    Ok(changes)
}
