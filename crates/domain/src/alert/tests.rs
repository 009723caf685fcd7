mod properties;
mod tables;

use super::*;

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp(1_795_392_000_000 + seconds * 1000)
}

/// An alert of a service, firing since so many seconds.
pub(super) fn alert(name: &str, service: &str, severity: &str, since: i64) -> Alert {
    let pairs = [("alertname", name), ("service", service), ("severity", severity)];
    let labels: BTreeMap<String, String> = pairs
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Alert {
        id: format!("{name}-{service}-{since}"),
        backend: "alerts".parse().unwrap(),
        labels,
        since: at(since),
        state: State::Firing,
    }
}

/// The same on an instance.
pub(super) fn on(mut alert: Alert, instance: &str) -> Alert {
    alert.id = format!("{}-{instance}", alert.id);
    alert.labels.insert("instance".into(), instance.into());
    alert
}

pub(super) fn graph(calls: &[(&str, &str)]) -> CallGraph {
    CallGraph::Known(calls.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
}

pub(super) fn known(services: &[(&str, u8, u32)]) -> BTreeMap<String, Known> {
    let one = |(name, tier, instances): &(&str, u8, u32)| {
        let tier = Level::try_from(*tier).ok();
        ((*name).to_owned(), Known { tier, instances: (*instances > 0).then_some(*instances) })
    };
    services.iter().map(one).collect()
}

pub(super) fn flight(id: &str, service: &str, began: i64, over: Option<i64>) -> Flight {
    Flight {
        id: id.into(),
        what: format!("{service}/x off"),
        by: "alice".into(),
        services: [service.to_owned()].into(),
        began: at(began),
        over: over.map(at),
        told: Told::Rein,
    }
}

/// Each line as `P1 < P2 Name on service`, indented by how deep it is folded; what is apart in brackets.
pub(super) fn told(judged: &Judged) -> Vec<String> {
    let line = |(n, line): (usize, &Line)| {
        let name = match &line.what {
            What::Alerts { service, group, .. } => {
                format!("{} on {}", group.join(" "), service.as_deref().unwrap_or("-"))
            }
            What::Change { id, .. } => format!("change {id}"),
        };
        let raised = if line.own == line.priority { String::new() } else { format!(" < {}", line.own) };
        let count = if line.alerts.len() > 1 { format!(" ×{}", line.alerts.len()) } else { String::new() };
        let text = format!("{}{raised} {name}{count}", line.priority);
        match line.place {
            Place::Silenced => format!("[silenced] {text}"),
            Place::Inhibited => format!("[inhibited] {text}"),
            Place::Top | Place::Under(_) => format!("{}{text}", "  ".repeat(judged.above(n).len())),
        }
    };
    judged.lines.iter().enumerate().map(line).collect()
}
