//! One silence, by what a person has of it: a change's id, the backend's own id, or the beginning of either.

use crate::commands::silence::incomplete;
use crate::error::CliError;
use rein_api::ErrorCode;
use rein_api::changes::ChangeView;
use rein_api::silences::{SilenceList, SilenceQuery, SilenceView};
use rein_client::Client;
use rein_domain::name::ChangeId;
use std::collections::BTreeSet;

/// Whose a silence is.
pub(super) enum Found {
    /// Rein's own: a change.
    Own(Box<ChangeView>),
    /// Somebody else's.
    Foreign(Box<SilenceView>),
}

/// Who a silence is, where it lies in a backend.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Own(String),
    Foreign(String, String),
}

/// The silence named, and everything that backends show of it.
pub(super) async fn find(client: &Client, text: &str) -> Result<(Found, SilenceList), CliError> {
    let change = named(client, text).await?;
    let query = SilenceQuery { backend: None, expired: Some(true) };
    let mut list = match client.silences(&query).await {
        Ok(list) => list,
        // What Rein laid is known without any backend.
        Err(_) if change.is_some() => SilenceList { silences: Vec::new(), unreachable: Default::default() },
        Err(error) => return Err(error.into()),
    };
    let name = pick(text, change.as_ref(), &list)?;
    list.silences.retain(|silence| of(silence) == name);
    let found = match name {
        Name::Own(id) => match change.filter(|change| change.id == id) {
            Some(change) => Found::Own(Box::new(change)),
            None => Found::Own(Box::new(client.change(&id).await?)),
        },
        Name::Foreign(backend, object) => {
            let one = list.silences.first().cloned();
            Found::Foreign(Box::new(one.ok_or_else(|| unknown(&format!("{backend} {object}")))?))
        }
    };
    Ok((found, list))
}

/// A change that lays silences, if the text begins exactly one.
async fn named(client: &Client, text: &str) -> Result<Option<ChangeView>, CliError> {
    if text.parse::<ChangeId>().is_err() {
        return Ok(None);
    }
    match client.change(text).await.map_err(CliError::from) {
        Ok(change) => Ok(Some(change).filter(|change| change.legs.iter().any(|leg| leg.cell.is_some()))),
        // Several changes begin so, or none: it may still be a backend's own id.
        Err(error) if matches!(error.code, Some(ErrorCode::NotFound | ErrorCode::Invalid)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn of(silence: &SilenceView) -> Name {
    match &silence.change {
        Some(change) => Name::Own(change.clone()),
        None => Name::Foreign(silence.backend.clone(), silence.object.clone()),
    }
}

/// The one that is meant: written out whole, or the only one that begins so.
fn pick(text: &str, change: Option<&ChangeView>, list: &SilenceList) -> Result<Name, CliError> {
    let whole = |one: &&SilenceView| one.id == text || one.object == text;
    let begins = |one: &&SilenceView| one.id.starts_with(text) || one.object.starts_with(text);
    let names = |fits: &dyn Fn(&&SilenceView) -> bool| -> BTreeSet<Name> {
        list.silences.iter().filter(fits).map(of).collect()
    };
    let mut fit = names(&whole);
    fit.extend(change.filter(|change| change.id == text).map(|change| Name::Own(change.id.clone())));
    if fit.is_empty() {
        fit = names(&begins);
        fit.extend(change.map(|change| Name::Own(change.id.clone())));
    }
    if fit.len() > 1 {
        let error = CliError::usage(format!("`{text}` could be several silences; write more of it"));
        return Err(fit.iter().fold(error, |error, name| match name {
            Name::Own(id) => error.detail(format!("{id}, laid through Rein")),
            Name::Foreign(backend, object) => error.detail(format!("{object} on {backend}, somebody else's")),
        }));
    }
    match fit.pop_first() {
        Some(name) => Ok(name),
        // It may lie where nobody answers.
        None => Err(incomplete(list).err().map_or_else(|| unknown(text), |error| error.about(text))),
    }
}

fn unknown(text: &str) -> CliError {
    CliError::failed(format!("there is no silence {text}")).hint("rein silence list --expired")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{foreign_silence, silence};

    fn picked(text: &str) -> Result<Name, CliError> {
        let list =
            SilenceList { silences: vec![silence(), foreign_silence()], unreachable: Default::default() };
        pick(text, None, &list)
    }

    #[test]
    fn either_id_will_do_and_the_beginning_of_it() {
        for text in ["3v9k2m7c1x", "3v9", "8d1f", "8d1f5c1e-0000-4000-8000-000000000001"] {
            assert!(picked(text) == Ok(Name::Own("3v9k2m7c1x".into())), "{text}");
        }
        let foreign = Name::Foreign("alerts-sh".into(), "5cffcecd-3c84-46ae-9663-0fa48d8b0439".into());
        assert!(picked("5cff") == Ok(foreign));
    }

    #[test]
    fn what_is_not_known_or_not_clear_is_said() {
        assert_eq!(picked("zz").err().unwrap().message, "there is no silence zz");
        assert_eq!(picked("").err().unwrap().exit, rein_api::ExitCode::Usage);
        let mut list = SilenceList { silences: vec![], unreachable: Default::default() };
        list.unreachable.insert("alerts-bj".into(), "refused".into());
        let error = pick("5cff", None, &list).err().unwrap();
        assert_eq!(error.exit, rein_api::ExitCode::Unreachable);
        assert_eq!(error.details, ["alerts-bj: refused"]);
    }
}
