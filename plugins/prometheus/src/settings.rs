//! What is configured, and what is wrong with it.

use crate::profile;
use crate::promql::{is_label, placeholders};
use rein_plugin::config::{self, wrong};
use rein_plugin::telemetry::Figure;
use rein_plugin::{Configuration, FieldError};
pub(crate) use rein_plugin_http::SECRETS;
use rein_plugin_http::{auth, base};
use reqwest::header::HeaderValue;
use schemars::JsonSchema;
use serde::Deserialize;
use std::ops::RangeInclusive;
use std::time::Duration;

const MAX_PEERS: usize = 8;
const MAX_TEMPLATES: usize = 32;
const MAX_QUERY: usize = 4096;
const TIMEOUT_MS: RangeInclusive<u64> = 50..=1900;
const WINDOW: RangeInclusive<u64> = 2..=86_400;

/// One Prometheus, or replicas that scrape the same. What speaks its HTTP API will do: Thanos, Mimir,
/// VictoriaMetrics.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "prometheus")]
struct Config {
    /// The base URL of each replica, such as "http://prometheus-0:9090", with the path prefix if there is
    /// one. One of them answers; the next is asked where it does not.
    #[schemars(length(min = 1, max = 8))]
    peers: Vec<String>,
    /// Which conventions are looked for, by name; absent: all. Which of them apply is found out by asking,
    /// and `rein backend check` shows it.
    #[serde(default)]
    profiles: Option<Vec<String>>,
    /// Labels of your own that say what: each is taken where series have it, and what the convention says
    /// where they have not.
    #[serde(default)]
    labels: Labels,
    /// Queries of your own. A figure they give wins over what the conventions say.
    #[serde(default)]
    #[schemars(length(max = 32))]
    templates: Vec<TemplateConfig>,
    /// Over how many seconds rates are taken when nobody says: at least two scrapes.
    #[serde(default = "default_window")]
    #[schemars(range(min = 2, max = 86400))]
    window_seconds: u64,
    /// How long one replica may take for all questions of one call, in milliseconds. A call of the server ends
    /// after 2000; absent: 1800 for one replica, 900 where there are more.
    #[serde(default)]
    #[schemars(range(min = 50, max = 1900))]
    timeout_ms: Option<u64>,
}

/// Names of labels.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Labels {
    /// The service; also the caller of an edge.
    #[serde(default)]
    pub(crate) service: Option<String>,
    /// The instance.
    #[serde(default)]
    pub(crate) instance: Option<String>,
    /// The zone.
    #[serde(default)]
    pub(crate) zone: Option<String>,
    /// The callee of an edge.
    #[serde(default)]
    pub(crate) callee: Option<String>,
    /// The version that an instance runs.
    #[serde(default)]
    pub(crate) version: Option<String>,
}

/// A query of one's own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TemplateConfig {
    /// What it gives.
    figure: FigureName,
    /// Of what.
    of: Of,
    /// PromQL. `$by` stands for the labels to group by, `$match` for matchers (perhaps none) and `$window`
    /// for the window: "max by ($by) (busy{$match} / workers{$match})".
    query: String,
    /// Labels of this query, where they are others than above; "service", "instance", "zone", "callee" and
    /// "version" where neither says.
    #[serde(default)]
    labels: Labels,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FigureName {
    Rps,
    Success,
    P50,
    P90,
    P99,
    Saturation,
    /// Which version runs: a row for each instance.
    Version,
}

/// What a query of one's own is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Of {
    /// Services and their instances.
    Service,
    /// Calls between services.
    Edge,
}

fn default_window() -> u64 {
    60
}

/// What one replica may take when nobody says: so much that another can be asked in time.
fn default_timeout(peers: usize) -> u64 {
    if peers > 1 { 900 } else { 1800 }
}

/// The JSON Schema of the configuration.
pub(crate) fn schema() -> String {
    config::schema::<Config>()
}

/// A configuration that can be used.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Base URLs, without a slash at the end.
    pub(crate) peers: Vec<String>,
    /// Names of profiles to look for; `None`: all.
    pub(crate) profiles: Option<Vec<String>>,
    pub(crate) labels: Labels,
    pub(crate) templates: Vec<Template>,
    /// Queries that say which version runs.
    pub(crate) versions: Vec<VersionTemplate>,
    pub(crate) window: Duration,
    /// For all questions of one call to one replica.
    pub(crate) timeout: Duration,
    pub(crate) auth: Option<HeaderValue>,
}

/// A query of one's own, checked.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    /// Which one of the configuration it is.
    pub(crate) at: usize,
    pub(crate) figure: Figure,
    pub(crate) of: Of,
    pub(crate) query: String,
    /// Service or caller.
    pub(crate) from: String,
    /// Instance or callee.
    pub(crate) to: String,
    pub(crate) zone: String,
}

/// A query of one's own for versions, checked.
#[derive(Debug, Clone)]
pub(crate) struct VersionTemplate {
    /// Which one of the configuration it is.
    pub(crate) at: usize,
    pub(crate) query: String,
    /// Service.
    pub(crate) from: String,
    /// Instance.
    pub(crate) to: String,
    pub(crate) version: String,
}

impl Settings {
    pub(crate) fn read(configuration: &Configuration) -> Result<Self, Vec<FieldError>> {
        let config: Config = config::read(configuration)?;
        let mut errors = Vec::new();
        let peers = ("/peers", "replica", MAX_PEERS);
        let peers = config::addresses(peers, &config.peers, base, &mut errors);
        profiles(config.profiles.as_deref().unwrap_or_default(), &mut errors);
        labels("/labels", &config.labels, &mut errors);
        if config.templates.len() > MAX_TEMPLATES {
            errors.push(wrong("/templates", format!("has more than {MAX_TEMPLATES} entries")));
        }
        let (mut templates, mut versions) = (Vec::new(), Vec::new());
        for (n, template) in config.templates.iter().enumerate() {
            let at = format!("/templates/{n}");
            labels(&format!("{at}/labels"), &template.labels, &mut errors);
            if let Err(why) = judge(&template.query) {
                errors.push(wrong(format!("{at}/query"), why));
            }
            match template_of(n, template, &config.labels) {
                Gives::Figure(template) => templates.push(template),
                Gives::Version(_) if template.of == Of::Edge => {
                    errors.push(wrong(format!("{at}/of"), "is edge; only a service runs a version"));
                }
                Gives::Version(template) => versions.push(template),
            }
        }
        let timeout = config.timeout_ms.unwrap_or_else(|| default_timeout(peers.len()));
        config::within("/window_seconds", &config.window_seconds, &WINDOW, &mut errors);
        config::within("/timeout_ms", &timeout, &TIMEOUT_MS, &mut errors);
        let auth = auth(configuration).unwrap_or_else(|why| {
            errors.push(wrong("", why));
            None
        });
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            peers,
            profiles: config.profiles,
            labels: config.labels,
            templates,
            versions,
            window: Duration::from_secs(config.window_seconds),
            timeout: Duration::from_millis(timeout),
            auth,
        })
    }
}

fn profiles(configured: &[String], errors: &mut Vec<FieldError>) {
    for (n, name) in configured.iter().enumerate() {
        if !profile::all().iter().any(|profile| profile.name == *name) {
            let known: Vec<&str> = profile::all().iter().map(|profile| profile.name.as_str()).collect();
            errors.push(wrong(format!("/profiles/{n}"), format!("is none; there are {}", known.join(", "))));
        }
    }
}

fn labels(at: &str, labels: &Labels, errors: &mut Vec<FieldError>) {
    for (name, label) in [
        ("service", &labels.service),
        ("instance", &labels.instance),
        ("zone", &labels.zone),
        ("callee", &labels.callee),
        ("version", &labels.version),
    ] {
        if label.as_deref().is_some_and(|label| !is_label(label)) {
            let why = "is no label name: letters, digits and _, no digit first";
            errors.push(wrong(format!("{at}/{name}"), why));
        }
    }
}

/// Is this a query that can be used at all? Whether Prometheus understands it, a check finds out.
fn judge(query: &str) -> Result<(), String> {
    if query.len() > MAX_QUERY {
        return Err(format!("has more than {MAX_QUERY} bytes"));
    }
    let used = placeholders(query);
    if let Some(unknown) = used.iter().find(|name| !["by", "match", "window"].contains(name)) {
        return Err(format!("has ${unknown}, which is not known; there are $by, $match and $window"));
    }
    match used.contains(&"by") {
        true => Ok(()),
        false => Err("does not group by $by, so its answer could not be told apart by service".into()),
    }
}

/// What a query of one's own gives.
enum Gives {
    Figure(Template),
    Version(VersionTemplate),
}

fn template_of(at: usize, config: &TemplateConfig, common: &Labels) -> Gives {
    let label = |own: &Option<String>, common: &Option<String>, usual: &str| {
        own.clone().or_else(|| common.clone()).unwrap_or_else(|| usual.to_owned())
    };
    let (query, from) = (config.query.clone(), label(&config.labels.service, &common.service, "service"));
    let to = match config.of {
        Of::Service => label(&config.labels.instance, &common.instance, "instance"),
        Of::Edge => label(&config.labels.callee, &common.callee, "callee"),
    };
    let figure = match config.figure {
        FigureName::Rps => Figure::Rps,
        FigureName::Success => Figure::Success,
        FigureName::P50 => Figure::P50,
        FigureName::P90 => Figure::P90,
        FigureName::P99 => Figure::P99,
        FigureName::Saturation => Figure::Saturation,
        FigureName::Version => {
            let version = label(&config.labels.version, &common.version, "version");
            return Gives::Version(VersionTemplate { at, query, from, to, version });
        }
    };
    let zone = label(&config.labels.zone, &common.zone, "zone");
    Gives::Figure(Template { at, figure, of: config.of, query, from, to, zone })
}
