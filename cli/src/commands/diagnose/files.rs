//! Which files a diagnosis is made from: those named, and those that lie where one expects them.

use super::place::fault;
use crate::error::CliError;
use std::path::{Path, PathBuf};

/// Files by what they hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    /// Who calls whom.
    pub(super) graph: Option<PathBuf>,
    /// Samples around the symptom.
    pub(super) metrics: Vec<PathBuf>,
    /// Samples of normal operation.
    pub(super) history: Vec<PathBuf>,
    /// The symptom.
    pub(super) target: Option<PathBuf>,
    /// Recent changes.
    pub(super) changes: Option<PathBuf>,
}

/// How many directories above the named one are looked into.
const ABOVE: usize = 3;

impl Files {
    /// What `paths` name: directories by the files in them, files by their names.
    pub(super) fn of(paths: &[PathBuf]) -> Result<Self, CliError> {
        let mut files = Self::default();
        for path in paths {
            let there = std::fs::metadata(path).map_err(|e| fault(path, e.to_string()))?;
            if !there.is_dir() {
                files.sort_in(path);
                continue;
            }
            let held = ["graph.csv", "metrics.csv", "target.json", "changes.csv"].map(|name| path.join(name));
            held.iter().filter(|file| file.is_file()).for_each(|file| files.sort_in(file));
            if !held[1].is_file() {
                let error = fault(path, "holds no metrics.csv");
                return Err(error.hint("name the directory of one symptom, such as --from train/issue_0"));
            }
        }
        files.look_above(paths);
        Ok(files)
    }

    fn sort_in(&mut self, path: &Path) {
        match path.file_name().and_then(|name| name.to_str()) {
            Some("graph.csv") => self.graph = Some(path.to_owned()),
            Some("target.json") => self.target = Some(path.to_owned()),
            Some("changes.csv") => self.changes = Some(path.to_owned()),
            _ => self.metrics.push(path.to_owned()),
        }
    }

    /// A graph and a history may lie beside all symptoms of a company: in the directories above.
    fn look_above(&mut self, paths: &[PathBuf]) {
        let Some(named) = paths.first().and_then(|path| std::path::absolute(path).ok()) else { return };
        for above in named.ancestors().take(ABOVE + 1) {
            let (graph, history) = (above.join("graph.csv"), above.join("noissue").join("metrics.csv"));
            if self.graph.is_none() && graph.is_file() {
                self.graph = Some(graph);
            }
            if self.history.is_empty() && history.is_file() && !self.has(&history) {
                self.history.push(history);
            }
        }
    }

    /// Is it one of the metrics, by whatever way it was named?
    fn has(&self, path: &Path) -> bool {
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        self.metrics.iter().any(|named| real(named) == real(path))
    }
}
