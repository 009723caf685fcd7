//! Declared files: reading them, comparing them, the order in which they can be put in place.

use crate::ctx::Ctx;
use crate::error::CliError;
use rein_api::definitions::SwitchDocument;
use rein_domain::name::SwitchName;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Larger than any file of declarations a person writes.
const MAX_FILE: u64 = 4 << 20;

/// A document and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// File, and which document of it.
    pub(crate) place: String,
    /// Its name, checked.
    pub(crate) name: SwitchName,
    /// What it says.
    pub(crate) switch: SwitchDocument,
}

/// All documents of a file, of a directory and those below it, or of standard input (`-`).
pub(crate) fn read(ctx: &mut Ctx, paths: &[PathBuf]) -> Result<Vec<Document>, CliError> {
    let mut documents = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut text = String::new();
            ctx.io.input.read_to_string(&mut text)?;
            documents.extend(parse("standard input", &text)?);
            continue;
        }
        let mut files = Vec::new();
        collect(path, &mut files)?;
        files.sort();
        for file in files {
            let place = file.display().to_string();
            documents.extend(parse(&place, &load(&file)?)?);
        }
    }
    if documents.is_empty() {
        let error = CliError::usage("no declarations were found");
        return Err(error.hint("files end in .yaml, .yml or .json; - reads standard input"));
    }
    let mut places: BTreeMap<&SwitchName, &str> = BTreeMap::new();
    for document in &documents {
        if let Some(first) = places.insert(&document.name, &document.place) {
            let (name, second) = (&document.name, &document.place);
            return Err(CliError::usage(format!("{name} is declared twice: {first} and {second}")));
        }
    }
    Ok(documents)
}

fn load(path: &Path) -> Result<String, CliError> {
    let bad = |why: String| CliError::usage(format!("{}: {why}", path.display()));
    let size = std::fs::metadata(path).map_err(|e| bad(e.to_string()))?.len();
    if size > MAX_FILE {
        return Err(bad(format!("is {size} bytes; at most {MAX_FILE}")));
    }
    let bytes = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
    String::from_utf8(bytes)
        .map_err(|e| bad(format!("is not UTF-8 from byte {}", e.utf8_error().valid_up_to())))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let bad = |e: std::io::Error| CliError::usage(format!("{}: {e}", path.display()));
    if !std::fs::metadata(path).map_err(bad)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(bad)? {
        let entry = entry.map_err(bad)?;
        let below = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        // A link could lead back to where it stands.
        let kind = entry.file_type().map_err(bad)?;
        let declares = below.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json");
        if !hidden && (kind.is_dir() || (declares && !below.is_dir())) {
            collect(&below, files)?;
        }
    }
    Ok(())
}

/// The documents of one text: YAML documents, each a mapping or a list of mappings. JSON is YAML.
pub(crate) fn parse(place: &str, text: &str) -> Result<Vec<Document>, CliError> {
    let mut documents = Vec::new();
    for (at, part) in serde_norway::Deserializer::from_str(text).enumerate() {
        let place = if at == 0 { place.to_owned() } else { format!("{place} document {}", at + 1) };
        let bad = |e: &dyn std::fmt::Display| CliError::usage(format!("{place}: {e}"));
        let value = serde_norway::Value::deserialize(part).map_err(|e| bad(&e))?;
        let entries = match value {
            serde_norway::Value::Null => continue,
            serde_norway::Value::Sequence(entries) => entries,
            entry => vec![entry],
        };
        let alone = entries.len() == 1;
        for entry in entries {
            let kind = entry.get("kind").and_then(|kind| kind.as_str()).map(ToOwned::to_owned);
            if kind.as_deref() != Some("switch") {
                let kind = kind.unwrap_or_else(|| "nothing".to_owned());
                return Err(bad(&format!("`kind` is {kind}; known: switch"))
                    .hint("every document begins with `kind: switch`"));
            }
            let switch: SwitchDocument = serde_norway::from_value(entry).map_err(|e| {
                // Read again from the text, the error knows the field and the line.
                let again = serde_norway::Deserializer::from_str(text).nth(at).filter(|_| alone);
                bad(&again.and_then(|part| SwitchDocument::deserialize(part).err()).unwrap_or(e))
            })?;
            let name = switch.name.parse::<SwitchName>().map_err(|e| bad(&e))?;
            documents.push(Document { place: place.clone(), name, switch });
        }
    }
    Ok(documents)
}

/// How a declared document stands to what the server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Difference {
    /// The server does not have it.
    New,
    /// These fields differ: name, there, here.
    Fields(Vec<(String, String, String)>),
    /// The same.
    None,
}

/// Compares a document with the server's.
pub(crate) fn compare(here: &SwitchDocument, there: Option<&SwitchDocument>) -> Difference {
    let Some(there) = there else { return Difference::New };
    let (here, there) = (fields(here), fields(there));
    let names: BTreeSet<&String> = here.keys().chain(there.keys()).collect();
    let absent = || "-".to_owned();
    let fields: Vec<_> = names
        .into_iter()
        .filter(|name| here.get(*name) != there.get(*name))
        .map(|name| {
            let of = |side: &BTreeMap<String, String>| side.get(name).cloned().unwrap_or_else(absent);
            (name.clone(), of(&there), of(&here))
        })
        .collect();
    if fields.is_empty() { Difference::None } else { Difference::Fields(fields) }
}

/// A document as words; the order of names in a list means nothing.
fn fields(document: &SwitchDocument) -> BTreeMap<String, String> {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(document) else {
        return BTreeMap::new();
    };
    let word = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        serde_json::Value::Array(list) => {
            let mut words: Vec<String> =
                list.iter().filter_map(|v| v.as_str().map(ToOwned::to_owned)).collect();
            words.sort();
            words.join(", ")
        }
        other => other.to_string(),
    };
    fields.into_iter().map(|(name, value)| (name, word(value))).collect()
}

/// One step of putting documents in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Which document.
    pub(crate) document: Document,
    /// Partners left out for now, because they are not declared yet: two that name each other.
    pub(crate) without: BTreeSet<String>,
}

/// An order in which no document names a partner that is not declared yet. Where documents name
/// each other in a circle, one is put in place without its partners first and completed later.
pub(crate) fn order(documents: Vec<Document>, mut declared: BTreeSet<String>) -> Vec<Step> {
    let ours: BTreeSet<String> = documents.iter().map(|d| d.switch.name.clone()).collect();
    let mut waiting = documents;
    let mut steps = Vec::new();
    let mut incomplete = Vec::new();
    while !waiting.is_empty() {
        let missing = |document: &Document, declared: &BTreeSet<String>| -> BTreeSet<String> {
            let partners = document.switch.needs.iter().chain(&document.switch.excludes);
            // One that names itself is not waited for: the server says what is wrong with it.
            let other = |name: &&String| **name != document.switch.name;
            let partners = partners.filter(other);
            partners.filter(|name| ours.contains(*name) && !declared.contains(*name)).cloned().collect()
        };
        let ready = waiting.iter().position(|document| missing(document, &declared).is_empty());
        let document = waiting.remove(ready.unwrap_or(0));
        let without = missing(&document, &declared);
        if !without.is_empty() {
            incomplete.push(Step { document: document.clone(), without: BTreeSet::new() });
        }
        declared.insert(document.switch.name.clone());
        steps.push(Step { document, without });
    }
    steps.extend(incomplete);
    steps
}

impl Step {
    /// What is sent.
    pub(crate) fn body(&self) -> SwitchDocument {
        let mut body = self.document.switch.clone();
        body.needs.retain(|name| !self.without.contains(name));
        body.excludes.retain(|name| !self.without.contains(name));
        body
    }
}

#[cfg(test)]
#[path = "documents_tests.rs"]
mod tests;
