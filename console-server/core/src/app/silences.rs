//! Silences and alerts, over all backends that hush alerts.

use crate::app::backends::Asked;
use crate::error::AppError;
use crate::house::House;
use crate::views::{keeper, tidy};
use futures::future::join_all;
use rein_api::ErrorCode;
use rein_api::silences::{
    AlertList, AlertQuery, AlertView, LiftRequest, MatcherView, SilenceList, SilencePreview, SilenceQuery,
    SilenceRequest, SilenceView,
};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::change::{ChangeError, Guards, Hush, Intent, Lifted, SilenceLeg, Wish};
use rein_domain::matchers::{MatchOp, Matcher, MatcherFault, Matchers};
use rein_domain::name::BackendName;
use rein_domain::time::Timestamp;
use rein_plugin::{Adapter, AlertSeen, CellKey, Fault, Matched, SilenceSeen};
use std::collections::BTreeMap;
use std::time::Duration;

/// How far back a preview looks.
const LATELY: Duration = Duration::from_secs(7 * 24 * 3600);
/// Alerts shown in a preview.
const SHOWN: usize = 20;
/// Most alerts asked for at once.
const MOST_ALERTS: u32 = 1000;
/// Pages of silences read before a backend is said to hold too many.
const MOST_PAGES: usize = 200;
/// From this many alerts on, a silence that hushes all of them is refused unless forced.
const ALL_OF: u32 = 10;

impl House {
    /// Silences of all backends that hush alerts, those of others included.
    pub async fn silences(&self, actor: &Actor, query: &SilenceQuery) -> Result<SilenceList, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let expired = query.expired.unwrap_or(false);
        let backends = self.hushing(query.backend.as_deref()).await?;
        let asked = join_all(
            backends
                .iter()
                .map(|(name, adapter)| async move { (name, all_silences(adapter.as_ref(), expired).await) }),
        );
        let mut list = SilenceList { silences: Vec::new(), unreachable: BTreeMap::new() };
        for (name, answer) in asked.await {
            match answer {
                Ok(silences) => list.silences.extend(silences.iter().map(|s| self.silence_view(name, s))),
                Err(fault) => drop(list.unreachable.insert(name.to_string(), tidy(&fault.to_string()))),
            }
        }
        list.silences.sort_by(|a, b| (a.ends, &a.id).cmp(&(b.ends, &b.id)));
        Ok(list)
    }

    /// Alerts that fire now.
    pub async fn alerts(&self, actor: &Actor, query: &AlertQuery) -> Result<AlertList, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let backends = self.hushing(query.backend.as_deref()).await?;
        let asked = join_all(backends.iter().map(|(name, adapter)| async move {
            (name, matched(adapter.as_ref(), &[], Duration::ZERO).await)
        }));
        let mut list = AlertList { alerts: Vec::new(), unreachable: BTreeMap::new() };
        for (name, answer) in asked.await {
            match answer {
                Ok(matched) => list.alerts.extend(matched.alerts.iter().map(|a| alert_view(name, a))),
                Err(fault) => drop(list.unreachable.insert(name.to_string(), tidy(&fault.to_string()))),
            }
        }
        if let Some(id) = &query.id {
            list.alerts.retain(|alert| alert.id.starts_with(id.as_str()));
        }
        list.alerts.sort_by(|a, b| (&b.since, &a.id).cmp(&(&a.since, &b.id)));
        Ok(list)
    }

    /// The legs of a silence: one for each backend it is laid on.
    pub(crate) async fn silence_wishes(&self, request: &SilenceRequest) -> Result<Vec<Wish>, AppError> {
        let matchers = matchers_from(&request.matchers)?;
        let backends = match &request.backend {
            Some(name) => vec![self.hushes(self.declared(name)?).await?],
            None => self.hushing(None).await?.into_iter().map(|(name, _)| name).collect(),
        };
        if backends.is_empty() {
            return Err(AppError::new(ErrorCode::NotFound, "no backend that hushes alerts is declared")
                .hint("declare one: docs/backends.md"));
        }
        let wish = |backend| Wish::Silence(SilenceLeg { backend, hush: Hush::Lay(matchers.clone()) });
        Ok(backends.into_iter().map(wish).collect())
    }

    /// The leg that takes a silence of somebody else away.
    pub(crate) async fn lift_wish(&self, request: &LiftRequest) -> Result<Wish, AppError> {
        let backend = self.declared(&request.backend)?;
        let adapter = self.adapter(&backend)?;
        let all = all_silences(adapter.as_ref(), false).await?;
        let Some(silence) = all.iter().find(|s| s.id == request.id) else {
            let message = format!("{backend} has no silence {} that is not over", tidy(&request.id));
            return Err(AppError::new(ErrorCode::NotFound, message).hint("rein silence list"));
        };
        if let Some(cell) = silence.cell.as_ref().filter(|cell| is_own(cell)) {
            let message = format!("Rein laid this silence itself, for {}", tidy(&cell.0));
            return Err(AppError::new(ErrorCode::Invalid, message).hint("end the change: rein change end ID"));
        }
        let lifted = Lifted {
            id: silence.id.clone(),
            what: in_braces(silence),
            author: tidy(&silence.author),
            ends: time(&silence.ends).unwrap_or_else(|| self.clock.now()),
        };
        Ok(Wish::Silence(SilenceLeg { backend, hush: Hush::Lift(lifted) }))
    }

    /// What each silence of an intent would hush.
    pub(crate) async fn preview_silences(&self, intent: &Intent) -> Vec<SilencePreview> {
        let legs = intent.legs.iter().filter_map(|wish| match wish {
            Wish::Silence(leg) => Some(leg),
            Wish::Switch(..) | Wish::Instance(..) => None,
        });
        join_all(legs.map(|leg| self.preview_silence(leg))).await
    }

    async fn preview_silence(&self, leg: &SilenceLeg) -> SilencePreview {
        let description = self.looks.of(&leg.backend).description.clone();
        let mut preview = SilencePreview {
            backend: leg.backend.to_string(),
            summary: crate::views::leg_words(&rein_domain::change::Leg::Silence(leg.clone())),
            firing: 0,
            firing_in_all: 0,
            lately: None,
            alerts: Vec::new(),
            already: Vec::new(),
            missing_peers: Vec::new(),
            fault: None,
            keeps_deadline: keeper(description.as_ref().is_some_and(|d| d.keeps_deadline)).to_owned(),
            when_rein_dies: description.map(|d| tidy(&d.when_rein_dies)).unwrap_or_default(),
        };
        let asked = async {
            let adapter = self.adapter(&leg.backend)?;
            let found = match &leg.hush {
                Hush::Lay(matchers) => matched(adapter.as_ref(), &wire(matchers), LATELY).await?,
                Hush::Lift(lifted) => {
                    let mut all = matched(adapter.as_ref(), &[], Duration::ZERO).await?;
                    all.alerts.retain(|alert| alert.silenced_by.contains(&lifted.id));
                    all.firing = u32::try_from(all.alerts.len()).unwrap_or(u32::MAX);
                    all
                }
            };
            Ok::<_, AppError>(found)
        };
        match asked.await {
            Ok(found) => {
                let mut already: Vec<String> =
                    found.alerts.iter().flat_map(|a| &a.silenced_by).map(|id| tidy(id)).collect();
                already.sort();
                already.dedup();
                preview.firing = found.firing;
                preview.firing_in_all = found.firing_in_all;
                preview.lately = found.lately;
                preview.already = already;
                preview.missing_peers = found.missing_peers.iter().map(|peer| tidy(peer)).collect();
                preview.alerts =
                    found.alerts.iter().take(SHOWN).map(|a| alert_view(&leg.backend, a)).collect();
            }
            Err(error) => preview.fault = Some(error.to_string()),
        }
        preview
    }

    /// Refuses silences that reach too far, judged by the alerts there are. A backend that does not
    /// answer cannot be judged so; its silences are judged by their matchers alone.
    pub(crate) async fn judge_silences(&self, intent: &Intent) -> Result<(), AppError> {
        if intent.guards == Guards::Pass {
            return Ok(());
        }
        for wish in &intent.legs {
            let Wish::Silence(SilenceLeg { backend, hush: Hush::Lay(matchers) }) = wish else { continue };
            let Ok(adapter) = self.adapter(backend) else { continue };
            let Ok(found) = matched(adapter.as_ref(), &wire(matchers), LATELY).await else { continue };
            let never = self.image.read().world.backend(backend).map(|b| b.never_silence.clone());
            for alert in &found.alerts {
                if let Some(never) = never.iter().flatten().find(|never| never.matches(&alert.labels)) {
                    let (backend, never) = (backend.clone(), never.to_string());
                    return Err(ChangeError::NeverSilenced { backend, never }.into());
                }
            }
            if found.firing >= ALL_OF && found.firing == found.firing_in_all {
                let message = format!("it would hush all {} alerts that fire on {backend}", found.firing);
                return Err(AppError::new(ErrorCode::Guarded, message)
                    .hint("name what is to be hushed; --force passes with the right silence:force"));
            }
        }
        Ok(())
    }

    fn declared(&self, name: &str) -> Result<BackendName, AppError> {
        let name: BackendName = name.parse()?;
        match self.image.read().world.backend(&name) {
            Some(_) => Ok(name),
            None => Err(ChangeError::UnknownBackend(name).into()),
        }
    }

    /// The same backend, unless it is known to hush nothing. One that cannot say is believed.
    async fn hushes(&self, name: BackendName) -> Result<BackendName, AppError> {
        let Some(adapter) = self.plugged(&name) else { return Ok(name) };
        match adapter.describe().await {
            Ok(description) if !description.nouns.iter().any(|noun| noun == "silence") => {
                let message = format!("backend {name} hushes no alerts: its plugin is {}", description.name);
                Err(AppError::new(ErrorCode::Invalid, message).hint("rein backend list"))
            }
            _ => Ok(name),
        }
    }

    /// Declared backends that hush alerts, or the one named.
    async fn hushing(&self, only: Option<&str>) -> Result<Asked, AppError> {
        if let Some(name) = only {
            let name = self.declared(name)?;
            let adapter = self.adapter(&name)?;
            return Ok(vec![(name, adapter)]);
        }
        Ok(self.having(self.declared_backends(), Some("silence")).await)
    }

    fn silence_view(&self, backend: &BackendName, silence: &SilenceSeen) -> SilenceView {
        let own = silence.cell.as_ref().filter(|cell| is_own(cell));
        let change = own.and_then(|cell| cell.0.split('.').next()).map(tidy);
        SilenceView {
            id: change.clone().unwrap_or_else(|| tidy(&silence.id)),
            backend: backend.to_string(),
            object: tidy(&silence.id),
            change,
            matchers: silence.matchers.iter().map(matcher_view).collect(),
            summary: in_braces(silence),
            starts: time(&silence.starts).unwrap_or_default().into(),
            ends: time(&silence.ends).unwrap_or_default().into(),
            author: tidy(&silence.author),
            comment: tidy(&silence.comment),
            state: tidy(&silence.state),
            hushes: silence.hushes,
            missing_peers: silence.missing_peers.iter().map(|peer| tidy(peer)).collect(),
        }
    }
}

/// Is it a silence that Rein laid? One that somebody else made, and that Rein has put back, is still theirs.
fn is_own(cell: &CellKey) -> bool {
    !cell.0.starts_with("foreign:")
}

/// Every silence of a backend, page by page.
async fn all_silences(adapter: &dyn Adapter, expired: bool) -> Result<Vec<SilenceSeen>, Fault> {
    pages(adapter.silences().ok_or_else(no_silences)?, expired).await
}

/// All that are not over.
pub(crate) async fn all_of(silences: &dyn rein_plugin::Silences) -> Result<Vec<SilenceSeen>, Fault> {
    pages(silences, false).await
}

async fn pages(silences: &dyn rein_plugin::Silences, expired: bool) -> Result<Vec<SilenceSeen>, Fault> {
    let (mut all, mut page) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let answer = silences.list(expired, page).await?;
        all.extend(answer.items);
        page = answer.next;
        if page.is_none() {
            return Ok(all);
        }
    }
    Err(Fault::NotDone(format!("it holds more than {} silences", all.len())))
}

async fn matched(
    adapter: &dyn Adapter,
    matchers: &[rein_plugin::Matcher],
    back: Duration,
) -> Result<Matched, Fault> {
    adapter.silences().ok_or_else(no_silences)?.matched(matchers, back, MOST_ALERTS).await
}

/// All that fires, as far as a backend lists it.
pub(crate) async fn firing(adapter: &dyn Adapter) -> Result<Matched, Fault> {
    adapter.silences().ok_or_else(no_silences)?.matched(&[], Duration::ZERO, rein_plugin::MAX_ALERTS).await
}

fn no_silences() -> Fault {
    Fault::Unsupported("this backend hushes no alerts".into())
}

fn matchers_from(views: &[MatcherView]) -> Result<Matchers, AppError> {
    let mut list = Vec::with_capacity(views.len());
    for view in views {
        let op: MatchOp = view.op.parse().map_err(|fault: MatcherFault| {
            AppError::new(ErrorCode::Invalid, format!("matcher {}: {fault}", tidy(&view.name)))
        })?;
        list.push(Matcher::new(&view.name, op, &view.value)?);
    }
    Ok(Matchers::try_from(list)?)
}

fn wire(matchers: &Matchers) -> Vec<rein_plugin::Matcher> {
    let one = |m: &Matcher| rein_plugin::Matcher {
        name: m.name().to_owned(),
        op: m.op().as_str().to_owned(),
        value: m.value().to_owned(),
    };
    matchers.iter().map(one).collect()
}

fn matcher_view(matcher: &rein_plugin::Matcher) -> MatcherView {
    MatcherView { name: tidy(&matcher.name), op: tidy(&matcher.op), value: tidy(&matcher.value) }
}

fn in_braces(silence: &SilenceSeen) -> String {
    let list: Vec<String> = silence
        .matchers
        .iter()
        .map(|m| format!("{}{}{:?}", tidy(&m.name), tidy(&m.op), tidy(&m.value)))
        .collect();
    format!("{{{}}}", list.join(","))
}

pub(crate) fn alert_view(backend: &BackendName, alert: &AlertSeen) -> AlertView {
    AlertView {
        id: tidy(&alert.id),
        backend: backend.to_string(),
        labels: alert.labels.iter().map(|(name, value)| (tidy(name), tidy(value))).collect(),
        summary: tidy(&alert.summary),
        since: time(&alert.since).unwrap_or_default().into(),
        state: tidy(&alert.state),
        silenced_by: alert.silenced_by.iter().map(|id| tidy(id)).collect(),
        inhibited_by: alert.inhibited_by.iter().map(|id| tidy(id)).collect(),
    }
}

/// RFC 3339, as backends write it.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    serde_json::from_value::<rein_api::At>(serde_json::Value::String(text.to_owned())).ok().map(|at| at.0)
}
