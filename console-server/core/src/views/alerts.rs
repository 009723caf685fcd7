//! Judged alerts and the rules that judge them, on the wire.

use super::tidy;
use crate::app::silences::alert_view;
use crate::error::AppError;
use rein_api::ErrorCode;
use rein_api::alerts::{AlertRulesDocument, BreadthView, CountsView, JudgedAlerts, LineView, ReasonView};
use rein_domain::alert::{
    AlertRules, BreadthRule, ChangeRule, FoldRule, Judged, Known, Line, Place, Priority, PriorityRule,
    SeverityRule, THE_RULES, TierRule, What,
};
use rein_domain::name::BackendName;
use rein_domain::switch::{Level, LevelError};
use rein_plugin::AlertSeen;
use std::collections::BTreeMap;

/// The rules that a file declares.
pub(crate) fn rules_from(document: &AlertRulesDocument) -> Result<AlertRules, AppError> {
    let invalid = |message: String| AppError::new(ErrorCode::Invalid, message);
    if document.kind != "alert-rules" {
        return Err(invalid(format!("kind `{}` is not `alert-rules`", tidy(&document.kind))));
    }
    if document.name != THE_RULES {
        let message = format!("`{}`: there is one set of alert-rules, {THE_RULES}", tidy(&document.name));
        return Err(invalid(message).hint(format!("write name: {THE_RULES}")));
    }
    let AlertRulesDocument { severity, tier, breadth, priority, fold, change, .. } = document;
    let tiers = tier.weights.iter().map(|(tier, points)| Ok((Level::try_from(*tier)?, *points)));
    let rules = AlertRules {
        owner: document.owner.clone(),
        service: document.service.clone(),
        instance: document.instance.clone(),
        group_by: document.group_by.clone(),
        severity: SeverityRule {
            label: severity.label.clone(),
            weights: severity.weights.clone(),
            otherwise: severity.otherwise,
        },
        tier: TierRule { weights: tiers.collect::<Result<_, LevelError>>()?, otherwise: tier.otherwise },
        breadth: BreadthRule { all: breadth.all, whole: breadth.whole },
        priority: PriorityRule { p1: priority.p1, p2: priority.p2, p3: priority.p3 },
        fold: FoldRule {
            depth: fold.depth,
            slack_seconds: fold.slack_seconds,
            back_seconds: fold.back_seconds,
            least: fold.least,
        },
        change: ChangeRule { before_seconds: change.before_seconds, after_seconds: change.after_seconds },
    };
    rules.check()?;
    Ok(rules)
}

/// What was judged, to put names to it.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) seen: &'a [(BackendName, AlertSeen)],
    pub(crate) services: &'a BTreeMap<String, Known>,
}

/// All lines, and how many there are of what.
pub(crate) fn judged_view(judged: &Judged, named: Named<'_>) -> JudgedAlerts {
    let mut lines: Vec<LineView> =
        judged.lines.iter().enumerate().map(|(n, line)| line_view(n, line, named)).collect();
    // What is folded stands behind what it is folded under.
    for n in (0..lines.len()).rev() {
        let all = lines[n].folds + number(lines[n].alerts.len());
        if let Some(above) = lines[n].under {
            lines[above as usize - 1].folds += all;
        }
    }
    let mut counts = CountsView { alerts: number(named.seen.len()), ..CountsView::default() };
    for line in &judged.lines {
        let alerts = number(line.alerts.len());
        match (line.place, line.priority) {
            (Place::Under(_), _) => counts.folded += alerts,
            (Place::Silenced, _) => counts.silenced += alerts,
            (Place::Inhibited, _) => counts.inhibited += alerts,
            (Place::Top, Priority::P1) => counts.p1 += 1,
            (Place::Top, Priority::P2) => counts.p2 += 1,
            (Place::Top, Priority::P3) => counts.p3 += 1,
            (Place::Top, Priority::P4) => counts.p4 += 1,
        }
    }
    JudgedAlerts { lines, counts, ..JudgedAlerts::default() }
}

fn line_view(n: usize, line: &Line, named: Named<'_>) -> LineView {
    let alerts: Vec<_> = line
        .alerts
        .iter()
        .filter_map(|&alert| named.seen.get(alert))
        .map(|(backend, seen)| alert_view(backend, seen))
        .collect();
    let (place, under) = match line.place {
        Place::Top => ("top", None),
        Place::Under(above) => ("folded", Some(number(above) + 1)),
        Place::Silenced => ("silenced", None),
        Place::Inhibited => ("inhibited", None),
    };
    let reasons = line.reasons.iter().map(|reason| ReasonView {
        kind: reason.word().to_owned(),
        text: tidy(&reason.to_string()),
        points: reason.points(),
    });
    let breadth = line.breadth;
    let mut view = LineView {
        line: number(n) + 1,
        place: place.to_owned(),
        under,
        kind: "alert".to_owned(),
        id: alerts.first().map(|alert| alert.id.clone()).unwrap_or_default(),
        name: String::new(),
        service: None,
        severity: None,
        tier: None,
        priority: line.priority.to_string(),
        own_priority: line.own.to_string(),
        points: line.points,
        since: line.since.into(),
        breadth: (breadth.on > 0).then_some(BreadthView {
            on: breadth.on,
            hushed: breadth.hushed,
            of: breadth.of,
        }),
        alerts,
        folds: 0,
        by: None,
        reasons: reasons.collect(),
    };
    match &line.what {
        What::Alerts { service, group, severity } => {
            let words: Vec<String> = group.iter().filter(|word| !word.is_empty()).map(|w| tidy(w)).collect();
            view.name = words.join(" ");
            view.service = service.as_deref().map(tidy);
            view.severity = severity.as_deref().map(tidy);
            let known = service.as_ref().and_then(|service| named.services.get(service));
            view.tier = known.and_then(|known| known.tier).map(u8::from);
        }
        What::Change { id, what, by, services } => {
            view.service = (services.len() == 1).then(|| services.iter().map(|name| tidy(name)).collect());
            view.kind = "change".to_owned();
            view.id = tidy(id);
            view.name = tidy(what);
            view.by = Some(tidy(by));
        }
    }
    view
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
