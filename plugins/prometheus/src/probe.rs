//! Which tables apply: what is there is found out by asking, and remembered for a while.

use crate::Backend;
use crate::http::{Answers, Question};
use crate::profile::{self, Info, Profile, Side};
use crate::promql::{Form, exists, is_label, is_version, told};
use rein_plugin::Fault;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long what was found is believed.
const BELIEVED: Duration = Duration::from_secs(60);
/// How long "nothing" is.
const DOUBTED: Duration = Duration::from_secs(3);

/// What a probe found, and when.
#[derive(Default)]
pub(crate) struct Memory(tokio::sync::Mutex<Option<(Instant, Arc<Probed>)>>);

/// What applies.
#[derive(Debug, Default)]
pub(crate) struct Probed {
    /// Sides that say how services are.
    pub(crate) servers: Vec<Found>,
    /// Sides that say how calls go.
    pub(crate) clients: Vec<Found>,
    /// Metrics that say which version a target runs.
    pub(crate) infos: Vec<&'static Info>,
    /// Names of profiles of which there are metrics, but no label that says whose.
    pub(crate) nameless: Vec<String>,
    /// Replicas that did not answer.
    pub(crate) missing: Vec<String>,
}

/// One side of a profile that is there.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) profile: &'static Profile,
    pub(crate) side: &'static Side,
    pub(crate) form: Form,
    /// The label of the service, or of the caller.
    pub(crate) from: String,
    /// The label of the instance, or of the callee.
    pub(crate) to: Option<String>,
    pub(crate) zone: Option<String>,
    /// Labels that say which version runs.
    pub(crate) versions: Vec<String>,
}

/// A side that may be there.
struct Candidate {
    profile: &'static Profile,
    side: &'static Side,
    is_server: bool,
    from: Vec<String>,
    to: Vec<String>,
    zone: Vec<String>,
    version: Vec<String>,
}

impl Candidate {
    /// All labels that may be there.
    fn labels(&self) -> impl Iterator<Item = &String> {
        self.from.iter().chain(&self.to).chain(&self.zone).chain(&self.version)
    }

    /// Matchers of series that have a label.
    fn having(&self, label: &String) -> String {
        if self.version.contains(label) { is_version(label) } else { format!("{label}!=\"\"") }
    }
}

impl Backend {
    /// What applies now. A caller who gives up does not end the looking: the next one finds what was found.
    pub(crate) async fn probe(self: &Arc<Self>) -> Result<Arc<Probed>, Fault> {
        let backend = Arc::clone(self);
        let probed = tokio::spawn(async move { backend.probe_once().await });
        probed.await.unwrap_or_else(|error| Err(Fault::NotDone(format!("the look broke off: {error}"))))
    }

    /// The same in a task of its own. Several callers at once ask once.
    async fn probe_once(&self) -> Result<Arc<Probed>, Fault> {
        let mut known = self.probed.0.lock().await;
        if let Some((at, probed)) = &*known {
            let empty = probed.servers.is_empty() && probed.clients.is_empty();
            if at.elapsed() < if empty { DOUBTED } else { BELIEVED } {
                return Ok(Arc::clone(probed));
            }
        }
        let probed = Arc::new(self.probe_anew().await?);
        *known = Some((Instant::now(), Arc::clone(&probed)));
        Ok(probed)
    }

    /// Looks without believing what was found before.
    pub(crate) async fn probe_anew(&self) -> Result<Probed, Fault> {
        let candidates = self.candidates();
        let sides = candidates
            .iter()
            .flat_map(|c| [Form::Classic, Form::Native].map(|form| Question::Now(exists(c.side, form, ""))));
        let infos = profile::infos();
        let infos_of = infos.iter().map(|info| Question::Now(told(info, "job", "")));
        let questions: Vec<Question> = sides.chain(infos_of).collect();
        let mut heard = self.http.ask(&questions).await?;
        let of_infos = heard.answers.split_off(candidates.len() * 2);
        let infos = infos
            .iter()
            .zip(&of_infos)
            .filter(|(_, answer)| is_there(answer))
            .map(|(info, _)| info)
            .collect();
        let mut missing = heard.missing;
        let there: Vec<(&Candidate, Form)> = candidates
            .iter()
            .zip(heard.answers.chunks(2))
            .filter_map(|(candidate, answers)| Some((candidate, form(candidate.side, answers)?)))
            .collect();
        // Then, of those that are there, which of their labels are.
        let labels: Vec<(usize, &String)> = there
            .iter()
            .enumerate()
            .flat_map(|(n, (c, _))| c.labels().map(move |label| (n, label)))
            .collect();
        let questions: Vec<Question> = labels
            .iter()
            .filter_map(|(n, label)| {
                let (candidate, form) = there.get(*n)?;
                Some(Question::Now(exists(candidate.side, *form, &candidate.having(label))))
            })
            .collect();
        let heard = self.http.ask(&questions).await?;
        missing.extend(heard.missing);
        missing.sort();
        missing.dedup();
        let known: Vec<(usize, &String)> = labels
            .into_iter()
            .zip(&heard.answers)
            .filter(|(_, answer)| is_there(answer))
            .map(|(l, _)| l)
            .collect();
        let mut probed = Probed { missing, infos, ..Probed::default() };
        for (n, (candidate, form)) in there.into_iter().enumerate() {
            let is_known = |label: &&String| known.contains(&(n, *label));
            let first = |wanted: &[String]| wanted.iter().find(is_known).cloned();
            let (Some(from), to) = (first(&candidate.from), first(&candidate.to)) else {
                probed.nameless.push(candidate.profile.name.clone());
                continue;
            };
            let zone = first(&candidate.zone);
            let versions = candidate.version.iter().filter(is_known).cloned().collect();
            let Candidate { profile, side, .. } = *candidate;
            let found = Found { profile, side, form, from, to, zone, versions };
            match candidate.is_server {
                true => probed.servers.push(found),
                false if found.to.is_some() => probed.clients.push(found),
                false => probed.nameless.push(profile.name.clone()),
            }
        }
        Ok(probed)
    }

    fn candidates(&self) -> Vec<Candidate> {
        let own = &self.settings.labels;
        let wanted = |own: &Option<String>, usual: &[String]| -> Vec<String> {
            let all = own.iter().chain(usual).filter(|label| is_label(label));
            all.cloned().collect()
        };
        let looked_for = |profile: &&Profile| {
            self.settings.profiles.as_ref().is_none_or(|names| names.contains(&profile.name))
        };
        let sides = profile::all().iter().filter(looked_for).flat_map(|profile| {
            [(true, &profile.server), (false, &profile.client)].map(|(is_server, side)| Candidate {
                profile,
                side,
                is_server,
                from: match is_server {
                    true => wanted(&own.service, &side.labels.service),
                    false => wanted(&own.service, &side.labels.caller),
                },
                to: match is_server {
                    true => wanted(&own.instance, &side.labels.instance),
                    false => wanted(&own.callee, &side.labels.callee),
                },
                zone: wanted(&own.zone, &side.labels.zone),
                version: match is_server {
                    true => wanted(&own.version, &side.labels.version),
                    false => Vec::new(),
                },
            })
        });
        sides.collect()
    }
}

/// Native where it is there: it is finer.
fn form(side: &Side, answers: &[Result<Vec<crate::http::Row>, crate::http::Failure>]) -> Option<Form> {
    match answers {
        [_, native] if is_there(native) => Some(Form::Native),
        [classic, _] if is_there(classic) => Some(Form::Classic),
        _ => {
            tracing::trace!(histogram = side.histogram, "not there");
            None
        }
    }
}

fn is_there(answer: &Result<Vec<crate::http::Row>, crate::http::Failure>) -> bool {
    answer.as_ref().is_ok_and(|rows| rows.iter().any(|row| row.value().is_some_and(|count| count > 0.0)))
}

/// Rows there are in all of these answers.
pub(crate) fn rows(answers: &Answers) -> usize {
    answers.iter().flatten().map(Vec::len).sum()
}
