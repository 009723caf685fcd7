//! Where a symptom comes from, now: what backends measure and what was changed become a case, and the rule in
//! `rein_domain::diagnosis` judges it.

mod gather;
mod question;

use crate::app::happened::{Trail, changed};
use crate::error::AppError;
use crate::house::House;
use crate::registry::service_named;
use gather::Gathered;
use question::Question;
use rein_api::ErrorCode;
use rein_api::diagnosis::{DiagnosisQuery, DiagnosisView};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::diagnosis::{Case, Graph, Node, RecentChange, Symptom, diagnose_any};
use rein_domain::name::ServiceName;
use rein_domain::text::clean;
use std::collections::BTreeMap;
use std::time::Duration;

/// How far back changes are looked for beyond the history: those that come first lie at most this far before a
/// shift, which lies within it.
const CHANGES_BEFORE: Duration = Duration::from_secs(3600);

impl House {
    /// Says where a symptom of a service comes from, or that nothing stands out.
    pub async fn diagnosis(
        &self,
        actor: &Actor,
        service: &str,
        query: &DiagnosisQuery,
    ) -> Result<DiagnosisView, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let question = Question::of(query, self.clock.now())?;
        let gathered = self.gather_case(service, &question).await?;
        let Some((mut case, at_all)) = self.case(service, &question, &gathered) else {
            return Err(unknown(service, &gathered));
        };
        let (metrics, tuning) = (question.metrics.clone(), question.tuning());
        // Judging a thousand services takes tens of milliseconds, and nobody else should wait for it.
        let judged = tokio::task::spawn_blocking(move || {
            let verdict = diagnose_any(&mut case, &metrics, &tuning);
            (case, verdict)
        });
        let (case, verdict) =
            judged.await.map_err(|e| AppError::new(ErrorCode::Internal, format!("it broke off: {e}")))?;
        let mut view = DiagnosisView::of(&case, verdict, gathered.sources(&question));
        tidy_names(&mut view);
        view.missing = gathered.missing;
        if !at_all {
            view.missing.push(format!("nothing is measured of {}", clean(service)));
        }
        view.seen = self.sources(&self.image.read(), Trail::Read);
        Ok(view)
    }

    /// The case, and whether anything is measured of the service itself; `None`: nobody knows the service.
    fn case(&self, service: &str, question: &Question, gathered: &Gathered) -> Option<(Case, bool)> {
        let mut graph = Graph::default();
        for (caller, callee) in &gathered.calls {
            let (caller, callee) = (graph.node(caller), graph.node(callee));
            graph.calls(caller, callee);
        }
        for line in &gathered.lines {
            for name in line.names() {
                graph.node(name);
            }
        }
        let measured = graph.find(service).is_some();
        let image = self.image.read();
        if !measured && service.parse().ok().is_none_or(|name| image.world.fleet(&name).is_none()) {
            return None;
        }
        let node = graph.node(service);
        let symptom = Symptom { node, metric: question.metrics[0], at: question.noticed };
        let mut case = Case::new(graph, symptom);
        let since = question.from.minus(CHANGES_BEFORE);
        // What is no name here has another there.
        let named: BTreeMap<ServiceName, Node> = case
            .graph
            .names()
            .filter_map(|name| Some((service_named(name)?, case.graph.find(name)?)))
            .collect();
        for change in changed(&image, (since, self.clock.now())) {
            // What is not on the way is no suspect.
            let Some(node) = named.get(&change.service).copied() else { continue };
            case.changes.push(RecentChange { node, at: change.at, by: change.by, what: change.what });
        }
        for line in &gathered.lines {
            line.add_to(&mut case, question);
        }
        Some((case, measured))
    }
}

fn unknown(service: &str, gathered: &Gathered) -> AppError {
    let message = format!("nothing has registered or is measured under the name {}", clean(service));
    let error = AppError::new(ErrorCode::NotFound, message);
    if let Some(missing) = gathered.missing.first() {
        return error.hint(format!("{missing}; rein backend list"));
    }
    error.hint("rein service graph   # what is measured")
}

/// Names that backends gave are shown by terminals.
fn tidy_names(view: &mut DiagnosisView) {
    let tidy = |text: &mut String| *text = crate::views::tidy(text);
    tidy(&mut view.noticed.node);
    for suspect in &mut view.suspects {
        tidy(&mut suspect.node);
        suspect.caller.iter_mut().for_each(tidy);
        suspect.path.iter_mut().for_each(tidy);
        for shift in &mut suspect.evidence {
            tidy(&mut shift.node);
            shift.caller.iter_mut().for_each(tidy);
        }
    }
    view.symptom.iter_mut().for_each(|shift| tidy(&mut shift.node));
    view.looked.no_data.iter_mut().for_each(tidy);
}
