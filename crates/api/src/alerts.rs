//! Alerts in the order in which they are worth looking at, and the rules that decide.

use crate::silences::AlertView;
use crate::time::At;
use rein_domain::alert::{AlertRules, THE_RULES};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// What decides about alerts, as it stands in a file. What a file leaves out is as it is without a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AlertRulesDocument {
    /// Always `alert-rules`.
    pub kind: String,
    /// Always `default`: there is one set.
    pub name: String,
    /// Team that answers for them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// Labels that name the service; the first that an alert has counts.
    pub service: Vec<String>,
    /// Labels that name the instance; the first that an alert has counts.
    pub instance: Vec<String>,
    /// Alerts of one service that agree on these labels are one line.
    pub group_by: Vec<String>,
    /// Points for severity.
    pub severity: SeverityDocument,
    /// Points for the tier of the service.
    pub tier: TierDocument,
    /// Points for how much of it fires.
    pub breadth: BreadthDocument,
    /// How many points make which priority.
    pub priority: PriorityDocument,
    /// When a symptom is folded under its cause.
    pub fold: FoldDocument,
    /// When an alert counts as coming from a change.
    pub change: ChangeDocument,
}

/// Points for severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SeverityDocument {
    /// The label.
    pub label: String,
    /// Points by word, in lower case; all of them.
    pub weights: BTreeMap<String, i32>,
    /// Points where the label is absent, or holds another word.
    pub otherwise: i32,
}

/// Points for the tier of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TierDocument {
    /// Points by tier, 1 to 4; all of them.
    pub weights: BTreeMap<u8, i32>,
    /// Points where no tier is declared.
    pub otherwise: i32,
}

/// Points for how much of a service fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BreadthDocument {
    /// Points when all instances fire; their share of it when some do.
    pub all: i32,
    /// Points for an alert of a service that names no instance.
    pub whole: i32,
}

/// From how many points on something is P1, P2, P3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PriorityDocument {
    /// P1 from here.
    pub p1: i32,
    /// P2 from here.
    pub p2: i32,
    /// P3 from here; below, P4.
    pub p3: i32,
}

/// When a symptom is folded under its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FoldDocument {
    /// At most so many calls from the symptom to its cause, 0 to 16; 0: nothing is folded by calls.
    pub depth: u8,
    /// How much later than the symptom its cause may have begun, in seconds.
    pub slack_seconds: u64,
    /// How much earlier than the symptom its cause may have begun, in seconds.
    pub back_seconds: u64,
    /// An alert with fewer points for its severity is nobody's cause.
    pub least: i32,
}

/// When an alert counts as coming from a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeDocument {
    /// How long before a change began or ended an alert may have begun, in seconds.
    pub before_seconds: u64,
    /// How long after it began or ended, in seconds.
    pub after_seconds: u64,
}

/// It stands here and not with the other conversions, because what a file leaves out is what the domain says.
impl From<&AlertRules> for AlertRulesDocument {
    fn from(rules: &AlertRules) -> Self {
        let AlertRules { severity, tier, breadth, priority, fold, change, .. } = rules;
        Self {
            kind: "alert-rules".to_owned(),
            name: THE_RULES.to_owned(),
            owner: rules.owner.clone(),
            service: rules.service.clone(),
            instance: rules.instance.clone(),
            group_by: rules.group_by.clone(),
            severity: SeverityDocument {
                label: severity.label.clone(),
                weights: severity.weights.clone(),
                otherwise: severity.otherwise,
            },
            tier: TierDocument {
                weights: tier.weights.iter().map(|(tier, points)| (u8::from(*tier), *points)).collect(),
                otherwise: tier.otherwise,
            },
            breadth: BreadthDocument { all: breadth.all, whole: breadth.whole },
            priority: PriorityDocument { p1: priority.p1, p2: priority.p2, p3: priority.p3 },
            fold: FoldDocument {
                depth: fold.depth,
                slack_seconds: fold.slack_seconds,
                back_seconds: fold.back_seconds,
                least: fold.least,
            },
            change: ChangeDocument {
                before_seconds: change.before_seconds,
                after_seconds: change.after_seconds,
            },
        }
    }
}

impl Default for AlertRulesDocument {
    fn default() -> Self {
        Self::from(&AlertRules::default())
    }
}

macro_rules! part_of_the_default {
    ($($part:ident: $field:ident;)+) => {
        $(impl Default for $part {
            fn default() -> Self {
                AlertRulesDocument::default().$field
            }
        })+
    };
}

part_of_the_default! {
    SeverityDocument: severity;
    TierDocument: tier;
    BreadthDocument: breadth;
    PriorityDocument: priority;
    FoldDocument: fold;
    ChangeDocument: change;
}

/// Which alerts to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct JudgedQuery {
    /// Only what concerns this service: its lines, what they are folded under, and what is folded under them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Only what is at least as urgent: `P2` for P1 and P2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
}

/// All alerts that fire, as lines in the order in which they are worth looking at. Lines at the top come
/// first, most urgent first, each followed by all that is folded under it; then silenced ones, then
/// inhibited ones. Each alert is in exactly one line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JudgedAlerts {
    /// The lines that were asked for.
    pub lines: Vec<LineView>,
    /// How many there are in all, asked for or not.
    pub counts: CountsView,
    /// What is known of who calls whom.
    pub calls: CallsView,
    /// Backends that hush alerts and did not answer, and why. Their alerts are missing above.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreachable: BTreeMap<String, String>,
    /// Alerts that fire on a backend, and that it did not list: there were too many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unlisted: BTreeMap<String, u32>,
    /// Replicas of a backend that did not answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing_peers: BTreeMap<String, Vec<String>>,
    /// Backends that hush alerts and were asked.
    pub backends: Vec<String>,
    /// Whether the rules are declared; else they are the usual ones.
    pub rules_declared: bool,
}

/// How many alerts there are. Lines are counted where it says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CountsView {
    /// Alerts in all, hushed ones included.
    pub alerts: u32,
    /// Lines at the top that are P1.
    pub p1: u32,
    /// Lines at the top that are P2.
    pub p2: u32,
    /// Lines at the top that are P3.
    pub p3: u32,
    /// Lines at the top that are P4.
    pub p4: u32,
    /// Alerts that are folded under others.
    pub folded: u32,
    /// Alerts that silences hush.
    pub silenced: u32,
    /// Alerts that their backend holds back.
    pub inhibited: u32,
}

/// What is known of who calls whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallsView {
    /// `known`, `partly` or `unknown`.
    pub known: String,
    /// Why not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Backends that measure and did not answer, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreachable: BTreeMap<String, String>,
}

/// One line: alerts of one name and service, or a change with what began with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineView {
    /// Its number in this answer, from 1. Numbers are kept where only some lines are asked for.
    pub line: u32,
    /// `top`, `folded`, `silenced` or `inhibited`.
    pub place: String,
    /// The line that it is folded under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<u32>,
    /// `alert`, or `change`.
    pub kind: String,
    /// The id of its first alert; of a change, the change's.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The service, where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How severe the worst of its alerts is, as its label says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// How critical the service is, where that is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<u8>,
    /// The priority it is shown with: the most urgent of its own and of all that is folded under it.
    pub priority: String,
    /// The priority of its own alerts.
    pub own_priority: String,
    /// The points of its own alerts.
    pub points: i32,
    /// Since when.
    pub since: At,
    /// How many instances it fires on; absent: its alerts name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breadth: Option<BreadthView>,
    /// Its alerts.
    pub alerts: Vec<AlertView>,
    /// How many alerts are folded under it.
    pub folds: u32,
    /// Who laid the change, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why it stands where it stands.
    pub reasons: Vec<ReasonView>,
}

/// On how much of a service alerts fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BreadthView {
    /// Instances, those included whose alerts are hushed.
    pub on: u32,
    /// Those of them whose alerts are hushed.
    pub hushed: u32,
    /// Instances there are, where a registry knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u32>,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReasonView {
    /// `severity`, `tier`, `breadth`, `points`, `raised`, `under_cause`, `under_change`, `change`,
    /// `also_fires`, `out_of_time`, `cause_hushed`, `no_call_graph`, `partial_call_graph`, `no_service`,
    /// `nothing_below`, `silenced` or `inhibited`.
    pub kind: String,
    /// In words.
    pub text: String,
    /// What it adds to the points, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<i32>,
}

/// Why an alert stands where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertExplained {
    /// The alert.
    pub alert: AlertView,
    /// The line that it is in.
    pub line: LineView,
    /// What that is folded under, nearest first.
    pub above: Vec<LineView>,
    /// What is folded under it, all of it.
    pub below: Vec<LineView>,
    /// What is known of who calls whom.
    pub calls: CallsView,
    /// Backends that hush alerts and did not answer, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreachable: BTreeMap<String, String>,
}
