//! Sources of changes: declare them.

use crate::app::definitions::{Mode, entry};
use crate::error::AppError;
use crate::gate::{Decision, Key};
use crate::house::House;
use crate::image::Image;
use crate::records::{self, Answer};
use crate::views::source_from;
use rein_api::ErrorCode;
use rein_api::definitions::DefinedView;
use rein_api::markers::SourceDocument;
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::name::ActorName;
use rein_domain::source::SourceError;
use rein_store::Op;

impl House {
    /// Declares a source, or alters its declaration.
    pub async fn define_source(
        &self,
        actor: &Actor,
        key: Option<Key>,
        (name, document): (&str, &SourceDocument),
        mode: Mode,
    ) -> Result<DefinedView, AppError> {
        actor.can(Verb::Define, &Pattern::All)?;
        let source = source_from(document)?;
        if source.name.as_str() != name {
            let name = rein_domain::text::clean(name);
            let message = format!("the path names {name}, the document {}", source.name);
            return Err(AppError::new(ErrorCode::Invalid, message));
        }
        if self.image.read().sources.get(&source.name) == Some(&source) {
            return Ok(DefinedView { name: name.to_owned(), outcome: "unchanged".into(), note: None });
        }
        let ask = self.ask(actor, Verb::Define, key, &("source", document))?;
        let decide = |image: &Image, now| {
            let old = image.sources.contains_key(&source.name);
            let (verb, what) = if old { ("source:alter", "altered") } else { ("source:declare", "created") };
            let key = records::source(&source.name);
            Ok(Decision {
                rights: vec![(Verb::Define, Pattern::All)],
                must: vec![image.unmoved(key.clone())],
                ops: vec![Op::Put(key.clone(), image.spell(&key, &source)?, None)],
                entry: entry(actor, source.name.as_str(), verb, now),
                answer: Answer { what: what.into(), ..Answer::about(&source.name) },
            })
        };
        let answer = match mode {
            Mode::Apply => self.gate(&ask, decide).await?,
            Mode::DryRun => self.rehearse(&ask, decide)?,
        };
        Ok(DefinedView { name: answer.subject, outcome: answer.what, note: answer.note })
    }

    /// Takes a declaration away; its markers stay.
    pub async fn undefine_source(
        &self,
        actor: &Actor,
        key: Option<Key>,
        name: &str,
    ) -> Result<DefinedView, AppError> {
        let name: ActorName = name.parse()?;
        let ask = self.ask(actor, Verb::Define, key, &("undefine", "source", &name))?;
        let decide = |image: &Image, now| {
            if !image.sources.contains_key(&name) {
                return Err(SourceError::Unknown(name.clone()).into());
            }
            let key = records::source(&name);
            Ok(Decision {
                rights: vec![(Verb::Define, Pattern::All)],
                must: vec![image.unmoved(key.clone())],
                ops: vec![Op::Delete(key)],
                entry: entry(actor, name.as_str(), "source:delete", now),
                answer: Answer { what: "deleted".into(), ..Answer::about(&name) },
            })
        };
        let answer = self.gate(&ask, decide).await?;
        Ok(DefinedView { name: answer.subject, outcome: answer.what, note: answer.note })
    }
}
