//! Files of a diagnosis: bounded in size, and every fault said with its place.

use crate::error::CliError;
pub(crate) use crate::parse::instant as moment;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Two weeks of a thousand services, a sample every five minutes, take about a quarter of this.
const MAX_FILE: u64 = 256 << 20;
/// A CSV file's limits: cells are what takes memory.
const MAX_CELLS: usize = 40_000_000;
const MAX_COLUMNS: usize = 50_000;

/// A fault in a file.
pub(super) fn fault(path: &Path, why: impl AsRef<str>) -> CliError {
    CliError::usage(format!("{}: {}", path.display(), why.as_ref()))
}

/// A fault in a cell. Lines and columns count from 1, as in an editor.
pub(super) fn cell(path: &Path, row: usize, column: usize, why: impl AsRef<str>) -> CliError {
    fault(path, format!("line {row}, column {column}: {}", why.as_ref()))
}

/// A file's bytes.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    let bad = |e: std::io::Error| fault(path, e.to_string());
    let file = File::open(path).map_err(bad)?;
    if file.metadata().map_err(bad)?.is_dir() {
        return Err(fault(path, "is a directory; name the file in it"));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells that there is more; what a pipe will hold is not known before.
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(bad)?;
    if bytes.len() as u64 > MAX_FILE {
        let error = fault(path, format!("is larger than {} MiB", MAX_FILE >> 20));
        return Err(error.hint("cut the history to the last two weeks, or to the nodes on the way"));
    }
    Ok(bytes)
}

/// Calls `row` for each row that is not empty, with the number of its line.
pub(super) fn rows(
    path: &Path,
    bytes: &[u8],
    mut row: impl FnMut(usize, &csv::StringRecord) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let (mut record, mut cells) = (csv::StringRecord::new(), 0usize);
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return Err(unreadable(path, &error)),
        }
        let number =
            record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(usize::MAX));
        cells = cells.saturating_add(record.len());
        if record.len() > MAX_COLUMNS || cells > MAX_CELLS {
            let most = format!("at most {MAX_COLUMNS} columns and {MAX_CELLS} cells are read");
            return Err(fault(path, format!("line {number}: too much; {most}")));
        }
        row(number, &record)?;
    }
}

fn unreadable(path: &Path, error: &csv::Error) -> CliError {
    let row = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Utf8 { err, .. } => {
            let at = format!("line {row}, column {}: is not UTF-8", err.field() + 1);
            fault(path, at).hint("save the file as UTF-8")
        }
        _ => fault(path, format!("line {row}: is no CSV: {error}")),
    }
}

/// A cell without its surrounding spaces; nothing where the row is too short.
pub(super) fn text(record: &csv::StringRecord, column: usize) -> &str {
    record.get(column).map_or("", str::trim)
}
