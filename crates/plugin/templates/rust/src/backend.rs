//! The backend: a JSON file of silences. Replace this file with calls to yours.

use async_trait::async_trait;
use rein_plugin::{
    Adapter, CellKey, Configuration, Description, Fault, FieldError, Finding, Grade, Matched, Matcher, Page,
    Repeat, Seen, SilenceSeen, Silences, TargetName, Write,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// What `configure` takes. Strict here as well: the schema is checked by the server, but a plugin may
/// be tried without one.
const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["file"],
  "properties": {
    "file": { "type": "string", "minLength": 1, "description": "Path of the file that holds the silences" }
  }
}"#;
/// Silences on one page.
const PAGE: usize = 10;

/// The plugin. It holds nothing but where its file is: what lies in the backend lies nowhere else.
#[derive(Default)]
pub struct FileSilences {
    file: OnceLock<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    file: PathBuf,
}

/// The whole file. The incarnation is drawn when the file is made: a file that was lost and made anew
/// has another, and so Rein knows that this backend forgot.
#[derive(Serialize, Deserialize)]
struct Kept {
    incarnation: String,
    next: u64,
    silences: Vec<Object>,
}

/// One silence. `cell` and `change` are the marker by which a repeated write finds its own.
#[derive(Clone, Serialize, Deserialize)]
struct Object {
    id: String,
    cell: String,
    change: String,
    value: Value,
}

#[async_trait]
impl Adapter for FileSilences {
    async fn describe(&self) -> Result<Description, Fault> {
        Ok(Description {
            name: "file-silences".into(),
            version: "0.1.0".into(),
            config_schema: SCHEMA.into(),
            secrets: Vec::new(),
            repeat: Repeat::Marker,
            nouns: vec!["silence".into()],
            watches: false,
            cannot: vec!["say which alerts a silence hushes".into()],
            keeps_deadline: false,
            when_rein_dies: "silences stay until somebody removes them from the file".into(),
        })
    }

    async fn configure(&self, configuration: Configuration) -> Result<Vec<FieldError>, Fault> {
        let wrong = |field: &str, message: String| Ok(vec![FieldError { field: field.into(), message }]);
        let config: Config = match serde_json::from_str(&configuration.config) {
            Ok(config) => config,
            Err(error) => return wrong("", error.to_string()),
        };
        if !config.file.is_absolute() {
            return wrong("/file", "the path is not absolute; write it from the root".into());
        }
        if !config.file.parent().is_some_and(Path::is_dir) {
            return wrong("/file", "its directory does not exist; make it first".into());
        }
        match self.file.set(config.file) {
            Ok(()) => Ok(Vec::new()),
            Err(_) => Err(Fault::Invalid("this plugin was configured before; start another".into())),
        }
    }

    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        let (subject, count) = self.with(|kept| Ok(kept.silences.len())).await.map(|n| ("the file", n))?;
        let message = format!("it can be read and written, and holds {count} silences");
        Ok(vec![Finding { grade: Grade::Ok, subject: subject.into(), message }])
    }

    async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        let cell = |target: &TargetName| match target.noun.as_str() {
            "silence" => Ok(CellKey(target.name.clone())),
            noun => Err(Fault::Unsupported(format!("only silences are kept in the file, no {noun}"))),
        };
        targets.iter().map(cell).collect()
    }

    async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        let cells = cells.to_vec();
        self.with(move |kept| Ok(cells.iter().map(|cell| seen(kept, cell)).collect())).await
    }

    async fn apply(&self, write: Write) -> Result<(), Fault> {
        let want: Option<Value> = match &write.want {
            None => None,
            Some(text) => Some(value(text).map_err(Fault::Invalid)?),
        };
        self.with(move |kept| {
            let mine = |object: &Object| object.cell == write.cell.0;
            let oldest = kept.silences.iter().find(|object| mine(object)).map(|object| object.id.clone());
            // Whatever else carries the marker is a copy from a write that was repeated.
            kept.silences
                .retain(|object| !mine(object) || want.is_some() && Some(&object.id) == oldest.as_ref());
            let Some(value) = want else { return Ok(()) };
            match kept.silences.iter_mut().find(|object| mine(object)) {
                Some(object) => (object.value, object.change) = (value, write.change),
                None => {
                    kept.next += 1;
                    let id = format!("silence-{}", kept.next);
                    kept.silences.push(Object { id, cell: write.cell.0, change: write.change, value });
                }
            }
            Ok(())
        })
        .await
    }

    fn silences(&self) -> Option<&dyn Silences> {
        Some(self)
    }
}

#[async_trait]
impl Silences for FileSilences {
    async fn list(&self, _expired: bool, page: Option<String>) -> Result<Page<SilenceSeen>, Fault> {
        let from: usize = match page {
            None => 0,
            Some(page) => page.parse().map_err(|_| Fault::Invalid(format!("`{page}` is no page")))?,
        };
        self.with(move |kept| {
            let items: Vec<_> = kept.silences.iter().skip(from).take(PAGE).map(listed).collect();
            let next = from + items.len();
            Ok(Page { items, next: (next < kept.silences.len()).then(|| next.to_string()) })
        })
        .await
    }

    async fn matched(&self, _: &[Matcher], _: Duration, _: u32) -> Result<Matched, Fault> {
        // There are no alerts here. A backend that has them counts them.
        Ok(Matched { alerts: vec![], firing: 0, firing_in_all: 0, lately: None, missing_peers: vec![] })
    }
}

impl FileSilences {
    /// Reads the file, lets `act` look at it or alter it, and writes it back if it was altered. A lock
    /// makes that one step, also for another process.
    async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Kept) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let path =
            self.file.get().ok_or_else(|| Fault::NotDone("no backend was configured yet".into()))?.clone();
        let unreachable = move |error: std::io::Error| Fault::Unreachable(error.to_string());
        let work = move || {
            let lock = File::create(path.with_extension("lock")).map_err(unreachable)?;
            lock.lock().map_err(unreachable)?;
            let before = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
                Err(error) => return Err(unreachable(error)),
            };
            let mut kept = if before.is_empty() {
                Kept { incarnation: incarnation(), next: 0, silences: Vec::new() }
            } else {
                let broken = |e| Fault::Unreachable(format!("{} is broken: {e}", path.display()));
                serde_json::from_str(&before).map_err(broken)?
            };
            let answer = act(&mut kept)?;
            let after = serde_json::to_string_pretty(&kept).map_err(|e| Fault::NotDone(e.to_string()))?;
            if after != before {
                // Renamed into place, so that a reader without the lock never meets half a file.
                let new = path.with_extension("new");
                fs::write(&new, after).and_then(|()| fs::rename(&new, &path)).map_err(unreachable)?;
            }
            Ok(answer)
        };
        let lost = |_| Fault::Unknown("the plugin stopped in the middle of its work".into());
        tokio::task::spawn_blocking(work).await.map_err(lost)?
    }
}

fn seen(kept: &Kept, cell: &CellKey) -> Seen {
    let mut mine = kept.silences.iter().filter(|object| object.cell == cell.0);
    let first = mine.next();
    Seen {
        cell: cell.clone(),
        value: first.map(|object| object.value.to_string()),
        version: String::new(),
        incarnation: kept.incarnation.clone(),
        missing_peers: Vec::new(),
        copies: first.map_or(0, |_| 1 + mine.count() as u32),
        object: first.map(|object| object.id.clone()).unwrap_or_default(),
        effect: String::new(),
        peers: 1,
        over: false,
    }
}

fn listed(object: &Object) -> SilenceSeen {
    let text = |name: &str| object.value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let matchers = object.value.get("matchers").and_then(Value::as_array);
    let matcher = |value: &Value| {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Matcher { name: text("name")?, op: text("op")?, value: text("value")? })
    };
    SilenceSeen {
        id: object.id.clone(),
        matchers: matchers.into_iter().flatten().filter_map(matcher).collect(),
        starts: text("starts"),
        ends: text("ends"),
        author: text("author"),
        comment: text("comment"),
        state: "active".into(),
        cell: Some(CellKey(object.cell.clone())),
        hushes: None,
        missing_peers: Vec::new(),
    }
}

/// A value in canonical form: an object, with its fields in order.
fn value(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text).map_err(|e| format!("the value is not JSON: {e}"))? {
        Value::Object(fields) => Ok(sorted(Value::Object(fields))),
        _ => Err("the value is no JSON object".into()),
    }
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(Map::from_iter(fields))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn incarnation() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", since.as_nanos(), std::process::id())
}
