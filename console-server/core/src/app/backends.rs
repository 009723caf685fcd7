//! Backends: declared, looked at, checked; and the plugins that adapt them.

use crate::app::definitions::{Mode, entry};
use crate::error::AppError;
use crate::gate::{Decision, Key};
use crate::house::House;
use crate::image::Image;
use crate::records::{self, Answer};
use crate::views::{Viewer, backend_from, backend_misjudged, plugin_view, tidy};
use futures::future::join_all;
use rein_api::ErrorCode;
use rein_api::backends::{
    BackendDocument, BackendList, BackendView, CheckView, FindingView, LogLine, PluginList, PluginLogs,
};
use rein_api::definitions::DefinedView;
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::backend::{Backend, BackendError};
use rein_domain::name::BackendName;
use rein_domain::time::Timestamp;
use rein_plugin::{Adapter, Grade};
use rein_store::Op;
use std::sync::Arc;

/// Backends that are to be asked.
pub(crate) type Asked = Vec<(BackendName, Arc<dyn Adapter>)>;

impl House {
    /// All backends.
    pub fn backends(&self, actor: &Actor) -> Result<BackendList, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let image = self.image.read();
        let viewer = Viewer::new(self, &image, self.clock.now(), &actor.name);
        Ok(BackendList { backends: image.world.backends().map(|b| viewer.backend(b)).collect() })
    }

    /// One backend.
    pub fn backend(&self, actor: &Actor, name: &str) -> Result<BackendView, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let name: BackendName = name.parse()?;
        let image = self.image.read();
        let backend = image.world.backend(&name).ok_or(BackendError::Unknown(name))?;
        Ok(Viewer::new(self, &image, self.clock.now(), &actor.name).backend(backend))
    }

    /// Looks at a backend as a person would.
    pub async fn check_backend(&self, actor: &Actor, name: &str) -> Result<CheckView, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let name: BackendName = name.parse()?;
        let adapter = self.adapter(&name)?;
        let findings = adapter.check().await?;
        // Whoever looks wants to see what is so now.
        self.watches.want(&name);
        let worst = findings.iter().map(|f| f.grade).max().unwrap_or(Grade::Ok);
        let view = |finding: &rein_plugin::Finding| FindingView {
            grade: grade(finding.grade).to_owned(),
            subject: tidy(&finding.subject),
            message: tidy(&finding.message),
        };
        Ok(CheckView {
            backend: name.to_string(),
            grade: grade(worst).to_owned(),
            findings: findings.iter().map(view).collect(),
        })
    }

    /// All plugins: those that run for a backend, and those that could.
    pub fn plugins(&self, actor: &Actor) -> Result<PluginList, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        Ok(PluginList { plugins: self.plugins.states().iter().map(plugin_view).collect() })
    }

    /// What the plugin of a backend wrote to its standard error.
    pub fn plugin_logs(&self, actor: &Actor, name: &str) -> Result<PluginLogs, AppError> {
        // A plugin may write what it likes there, so it takes more than the right to read.
        actor.can(Verb::ReadAudit, &Pattern::All)?;
        let name: BackendName = name.parse()?;
        if self.image.read().world.backend(&name).is_none() {
            return Err(BackendError::Unknown(name).into());
        }
        let line = |(at, text): (Timestamp, String)| LogLine { at: at.into(), text: tidy(&text) };
        Ok(PluginLogs { lines: self.plugins.logs(&name).into_iter().map(line).collect() })
    }

    /// What is asked and told for a declared backend.
    pub(crate) fn adapter(&self, name: &BackendName) -> Result<Arc<dyn Adapter>, AppError> {
        if self.image.read().world.backend(name).is_none() {
            return Err(BackendError::Unknown(name.clone()).into());
        }
        self.plugged(name).ok_or_else(|| {
            AppError::new(ErrorCode::BackendUnreachable, format!("the plugin of {name} is not running yet"))
                .hint("rein plugin list")
        })
    }

    /// The plugin of a declared backend. Whoever asks right after a declaration is not told that there is
    /// none, only because the task that tends it has not begun.
    pub(crate) fn plugged(&self, name: &BackendName) -> Option<Arc<dyn Adapter>> {
        self.plugins.adapter(name).or_else(|| {
            let backend = self.image.read().world.backend(name)?.clone();
            self.plugins.declare(&backend);
            self.plugins.adapter(name)
        })
    }

    /// All that are declared, by name.
    pub(crate) fn declared_backends(&self) -> Vec<BackendName> {
        self.image.read().world.backends().map(|backend| backend.name.clone()).collect()
    }

    /// Is the backend known not to have the noun?
    pub(crate) fn lacks(&self, name: &BackendName, noun: &str) -> bool {
        let described = self.looks.of(name).description.clone();
        described.is_some_and(|description| !description.nouns.iter().any(|known| known == noun))
    }

    /// Those of these backends that have the noun, or may: one that cannot even say what it is is asked, and its
    /// fault shown. Without a noun: all of them.
    pub(crate) async fn having(&self, names: Vec<BackendName>, noun: Option<&str>) -> Asked {
        let asked = join_all(names.into_iter().filter_map(|name| {
            let adapter = self.plugged(&name)?;
            Some(async move {
                // The plugin first: one that was declared anew has to be started before it can be asked.
                if let Ok(description) = adapter.describe().await {
                    self.looks.describe(&name, description);
                }
                let has = noun.is_none_or(|noun| !self.lacks(&name, noun));
                has.then_some((name, adapter))
            })
        }));
        asked.await.into_iter().flatten().collect()
    }

    /// Refuses when the server only observes.
    pub(crate) fn may_write_backends(&self) -> Result<(), AppError> {
        if self.options.observe {
            return Err(AppError::new(
                ErrorCode::Observing,
                "this server only observes: it writes into no backend",
            )
            .hint("start it without --observe to let it write"));
        }
        Ok(())
    }

    /// Declares a backend, or alters its declaration.
    pub async fn define_backend(
        &self,
        actor: &Actor,
        key: Option<Key>,
        (name, document): (&str, &BackendDocument),
        mode: Mode,
    ) -> Result<DefinedView, AppError> {
        actor.can(Verb::Define, &Pattern::All)?;
        let backend = backend_from(document)?;
        if backend.name.as_str() != name {
            let message = format!("the path names {name}, the document {}", backend.name);
            return Err(AppError::new(ErrorCode::Invalid, message));
        }
        if self.image.read().world.backend(&backend.name) == Some(&backend) {
            return Ok(DefinedView { name: name.to_owned(), outcome: "unchanged".into(), note: None });
        }
        let wrong = self.plugins.judge(&backend).await.map_err(backend_misjudged)?;
        if !wrong.is_empty() {
            let said: Vec<String> =
                wrong.iter().map(|f| format!("/config{}: {}", tidy(&f.field), tidy(&f.message))).collect();
            let message = format!("backend {name}: {}", said.join("; "));
            return Err(AppError::new(ErrorCode::Misconfigured, message)
                .hint("what the plugin wants to know: docs/backends.md"));
        }
        let ask = self.ask(actor, Verb::Define, key, &("backend", document))?;
        let decide = |image: &Image, now| decide_backend(image, now, actor, &backend);
        let answer = match mode {
            Mode::Apply => self.gate(&ask, decide).await?,
            Mode::DryRun => self.rehearse(&ask, decide)?,
        };
        Ok(DefinedView { name: answer.subject, outcome: answer.what, note: answer.note })
    }

    /// Deletes a backend that nothing lies over.
    pub async fn undefine_backend(
        &self,
        actor: &Actor,
        key: Option<Key>,
        name: &str,
    ) -> Result<DefinedView, AppError> {
        let name: BackendName = name.parse()?;
        let ask = self.ask(actor, Verb::Define, key, &("undefine", "backend", &name))?;
        let decide = |image: &Image, now| {
            if image.world.backend(&name).is_none() {
                return Err(BackendError::Unknown(name.clone()).into());
            }
            unused(image, &name, now)?;
            let key = records::backend(&name);
            let entry = entry(actor, &name.to_string(), "backend:delete", now);
            let answer = Answer { what: "deleted".into(), ..Answer::about(&name) };
            let must = vec![image.unmoved(key.clone())];
            Ok(Decision {
                rights: vec![(Verb::Define, Pattern::All)],
                must,
                ops: vec![Op::Delete(key)],
                entry,
                answer,
            })
        };
        let answer = self.gate(&ask, decide).await?;
        Ok(DefinedView { name: answer.subject, outcome: answer.what, note: answer.note })
    }
}

/// Nothing lies over it, and nothing of ours lies in it.
fn unused(image: &Image, name: &BackendName, now: Timestamp) -> Result<(), BackendError> {
    let layers: Vec<&str> = image.world.written_into(name, now).into_iter().map(|c| c.id.as_str()).collect();
    if !layers.is_empty() {
        let why = format!("changes are written into it: {}", layers.join(", "));
        return Err(BackendError::InUse { name: name.clone(), why });
    }
    if let Some(found) = image.world.foreign_under(name, now).first() {
        let why = format!("something lies over {}/{}", found.said.service, found.said.id);
        return Err(BackendError::InUse { name: name.clone(), why });
    }
    if let Some((key, ..)) = image.holds(name).next() {
        let why = format!("{} is not back as it was yet", tidy(key));
        return Err(BackendError::InUse { name: name.clone(), why });
    }
    Ok(())
}

fn decide_backend(
    image: &Image,
    now: Timestamp,
    actor: &Actor,
    backend: &Backend,
) -> Result<Decision, AppError> {
    let name = &backend.name;
    let old = image.world.backend(name);
    // What lies in one real system is not what lies in another.
    if old.is_some_and(|old| old.plugin != backend.plugin || old.config != backend.config) {
        unused(image, name, now)?;
    }
    let verb = if old.is_some() { "backend:alter" } else { "backend:declare" };
    let what = if old.is_some() { "altered" } else { "created" };
    let key = records::backend(name);
    Ok(Decision {
        rights: vec![(Verb::Define, Pattern::All)],
        must: vec![image.unmoved(key.clone())],
        ops: vec![Op::Put(key.clone(), image.spell(&key, backend)?, None)],
        entry: entry(actor, &name.to_string(), verb, now),
        answer: Answer { what: what.into(), ..Answer::about(name) },
    })
}

fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Ok => "ok",
        Grade::Warning => "warning",
        Grade::Error => "error",
    }
}
