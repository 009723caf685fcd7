//! Declared files: reading them, comparing them, the order in which they can be put in place.

use crate::ctx::Ctx;
use crate::error::CliError;
use rein_api::alerts::AlertRulesDocument;
use rein_api::backends::BackendDocument;
use rein_api::definitions::{DefinitionList, SwitchDocument};
use rein_api::markers::SourceDocument;
use rein_api::services::ServiceDocument;
use rein_domain::matchers::Matchers;
use rein_domain::name::{ActorName, BackendName, ServiceName, SwitchName};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Larger than any file of declarations a person writes.
const MAX_FILE: u64 = 4 << 20;

/// A document and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// File, and which document of it.
    pub(crate) place: String,
    /// What it declares.
    pub(crate) what: Declared,
}

/// What a document declares; its name is checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Declared {
    /// What decides about alerts.
    AlertRules(AlertRulesDocument),
    /// A backend.
    Backend(BackendDocument),
    /// A service.
    Service(ServiceDocument),
    /// A source of changes.
    Source(SourceDocument),
    /// A switch.
    Switch(SwitchDocument),
}

impl Declared {
    /// The kind, as it stands in files.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::AlertRules(_) => "alert-rules",
            Self::Backend(_) => "backend",
            Self::Service(_) => "service",
            Self::Source(_) => "source",
            Self::Switch(_) => "switch",
        }
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::AlertRules(rules) => &rules.name,
            Self::Backend(backend) => &backend.name,
            Self::Service(service) => &service.name,
            Self::Source(source) => &source.name,
            Self::Switch(switch) => &switch.name,
        }
    }

    /// A kind and a name: what no two documents may share.
    pub(crate) fn key(&self) -> Key {
        (self.kind(), self.name().to_owned())
    }

    /// As a person calls it: a switch by its name alone.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::AlertRules(rules) => format!("alert-rules {}", rules.name),
            Self::Backend(backend) => format!("backend {}", backend.name),
            Self::Service(service) => format!("service {}", service.name),
            Self::Source(source) => format!("source {}", source.name),
            Self::Switch(switch) => switch.name.clone(),
        }
    }
}

/// A kind and a name.
pub(crate) type Key = (&'static str, String);

/// What a server has, by kind and name.
pub(crate) fn declared(list: DefinitionList) -> BTreeMap<Key, Declared> {
    let backends = list.backends.into_iter().map(Declared::Backend);
    let services = list.services.into_iter().map(Declared::Service);
    let rules = list.alert_rules.into_iter().map(Declared::AlertRules);
    let sources = list.sources.into_iter().map(Declared::Source);
    let switches = list.switches.into_iter().map(Declared::Switch);
    let all = backends.chain(services).chain(sources).chain(switches).chain(rules);
    all.map(|one| (one.key(), one)).collect()
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
    let mut places: BTreeMap<Key, &str> = BTreeMap::new();
    for document in &documents {
        if let Some(first) = places.insert(document.what.key(), &document.place) {
            let (name, second) = (document.what.title(), &document.place);
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
            // Read again from the text, an error knows the field and the line.
            let again = alone.then_some((text, at));
            let what = one(entry, again).map_err(|mut error| {
                error.message = format!("{}: {}", rein_domain::text::clean(&place), error.message);
                error
            })?;
            documents.push(Document { place: place.clone(), what });
        }
    }
    Ok(documents)
}

/// One document, by its kind. `text` and which document of it, where it stands there alone.
fn one(entry: serde_norway::Value, text: Option<(&str, usize)>) -> Result<Declared, CliError> {
    let kind = entry.get("kind").and_then(|kind| kind.as_str()).unwrap_or("nothing").to_owned();
    match kind.as_str() {
        "switch" => {
            let switch: SwitchDocument = typed(entry, text)?;
            switch.name.parse::<SwitchName>().map_err(|e| CliError::usage(e.to_string()))?;
            Ok(Declared::Switch(switch))
        }
        "service" => {
            let service: ServiceDocument = typed(entry, text)?;
            service.name.parse::<ServiceName>().map_err(|e| CliError::usage(e.to_string()))?;
            Ok(Declared::Service(service))
        }
        "alert-rules" => typed(entry, text).map(Declared::AlertRules),
        "source" => {
            let source: SourceDocument = typed(entry, text)?;
            source.name.parse::<ActorName>().map_err(|e| CliError::usage(e.to_string()))?;
            Ok(Declared::Source(source))
        }
        "backend" => {
            let backend: BackendDocument = typed(entry, text)?;
            backend.name.parse::<BackendName>().map_err(|e| CliError::usage(e.to_string()))?;
            for (at, never) in backend.never_silence.iter().enumerate() {
                let wrong = |e| CliError::usage(format!("never_silence[{at}]: {e}")).detail(never);
                never.parse::<Matchers>().map_err(wrong)?;
            }
            Ok(Declared::Backend(backend))
        }
        _ => {
            let known = "switch, service, backend, source, alert-rules";
            Err(CliError::usage(format!("`kind` is {kind}; known: {known}"))
                .hint("every document begins with its kind: `kind: switch`, for one"))
        }
    }
}

fn typed<T: DeserializeOwned>(
    entry: serde_norway::Value,
    text: Option<(&str, usize)>,
) -> Result<T, CliError> {
    serde_norway::from_value(entry).map_err(|e| {
        let again = text.and_then(|(text, at)| serde_norway::Deserializer::from_str(text).nth(at));
        let placed = again.and_then(|part| T::deserialize(part).err());
        CliError::usage(placed.unwrap_or(e).to_string())
    })
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

/// Compares a document with the server's, field by field.
pub(crate) fn compare(here: &Declared, there: Option<&Declared>) -> Difference {
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

/// A document as words. In a switch the order of names in a list means nothing; what a plugin is
/// configured with, and what decides about alerts, is taken as it stands.
fn fields(document: &Declared) -> BTreeMap<String, String> {
    let Ok(Value::Object(fields)) = serde_json::to_value(document) else { return BTreeMap::new() };
    let mut words = BTreeMap::new();
    if let Declared::AlertRules(_) = document {
        fields.iter().for_each(|(name, value)| spread(name, value, &mut words));
        return words;
    }
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("config", value @ Value::Object(_)) => spread("config", &value, &mut words),
            ("never_silence", Value::Array(list)) => {
                // However they are spelled, equal matchers are equal.
                let spelled = |v: &Value| v.as_str().and_then(|text| text.parse::<Matchers>().ok());
                let all: BTreeSet<String> = list.iter().filter_map(spelled).map(|m| m.to_string()).collect();
                words.insert(name, all.into_iter().collect::<Vec<_>>().join(", "));
            }
            (_, value) => drop(words.insert(name, word(value))),
        }
    }
    words
}

/// Every field within fields, by its path: `config.peers`.
fn spread(path: &str, value: &Value, words: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                spread(&format!("{path}.{name}"), value, words);
            }
        }
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(plain).collect();
            words.insert(path.to_owned(), list.join(", "));
        }
        other => drop(words.insert(path.to_owned(), plain(other))),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn word(value: Value) -> String {
    match value {
        Value::Array(list) => {
            let mut words: Vec<String> =
                list.iter().filter_map(|v| v.as_str().map(ToOwned::to_owned)).collect();
            words.sort();
            words.join(", ")
        }
        other => plain(&other),
    }
}

/// One step of putting documents in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Which document.
    pub(crate) document: Document,
    /// Partners left out for now, because they are not declared yet: two that name each other.
    pub(crate) without: BTreeSet<String>,
}

/// An order in which no document names a partner that is not declared yet: backends, which name none,
/// then switches. Where switches name each other in a circle, one is put in place without its partners
/// first and completed later. `declared`: switches that the server has.
pub(crate) fn order(documents: Vec<Document>, mut declared: BTreeSet<String>) -> Vec<Step> {
    let ours: BTreeSet<String> =
        documents.iter().filter_map(|d| d.switch().map(|s| s.name.clone())).collect();
    let (mut waiting, first): (Vec<_>, Vec<_>) = documents.into_iter().partition(|d| d.switch().is_some());
    let whole = |document| Step { document, without: BTreeSet::new() };
    let mut steps: Vec<Step> = first.into_iter().map(whole).collect();
    let mut incomplete = Vec::new();
    while !waiting.is_empty() {
        let missing = |document: &Document, declared: &BTreeSet<String>| -> BTreeSet<String> {
            let partners = document.partners();
            partners.filter(|name| ours.contains(*name) && !declared.contains(*name)).cloned().collect()
        };
        let ready = waiting.iter().position(|document| missing(document, &declared).is_empty());
        let document = waiting.remove(ready.unwrap_or(0));
        let without = missing(&document, &declared);
        if !without.is_empty() {
            incomplete.push(whole(document.clone()));
        }
        declared.insert(document.what.name().to_owned());
        steps.push(Step { document, without });
    }
    steps.extend(incomplete);
    steps
}

impl Document {
    fn switch(&self) -> Option<&SwitchDocument> {
        match &self.what {
            Declared::Switch(switch) => Some(switch),
            Declared::AlertRules(_) | Declared::Backend(_) | Declared::Service(_) | Declared::Source(_) => {
                None
            }
        }
    }

    /// Other switches that it names. One that names itself is not waited for: the server says what is
    /// wrong with it.
    pub(crate) fn partners(&self) -> impl Iterator<Item = &String> {
        let partners = self.switch().into_iter().flat_map(|s| s.needs.iter().chain(&s.excludes));
        partners.filter(|name| name.as_str() != self.what.name())
    }
}

impl Step {
    /// What is sent.
    pub(crate) fn body(&self) -> Declared {
        let mut body = self.document.what.clone();
        if let Declared::Switch(switch) = &mut body {
            switch.needs.retain(|name| !self.without.contains(name));
            switch.excludes.retain(|name| !self.without.contains(name));
        }
        body
    }
}

#[cfg(test)]
#[path = "documents_tests.rs"]
mod tests;
