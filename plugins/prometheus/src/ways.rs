//! Ways to learn which versions services run: a query of the configuration before all, then labels of the series of
//! requests, then metrics that say what a target is, joined with those by job and instance.

use crate::Backend;
use crate::http::{Failure, Row};
use crate::probe::{Found, Probed};
use crate::profile::Info;
use crate::promql::{Terms, equals, is_one_of, running, targets, told};
use crate::settings::VersionTemplate;
use rein_plugin::{Fault, MAX_NAME};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Labels that every target has.
const TARGET: [&str; 2] = ["job", "instance"];

/// A way to learn versions.
pub(crate) struct Way {
    /// Whose word it is.
    pub(crate) source: String,
    /// How, for people.
    pub(crate) how: String,
    /// The label of the service.
    from: String,
    /// The label of the version.
    pub(crate) version: String,
    kind: Kind,
}

enum Kind {
    /// One query gives service, version and how many: as written by a person, or of a table.
    Own {
        query: String,
    },
    Label {
        query: String,
        counts: bool,
        found: Found,
    },
    /// Two give what targets are and whose requests they serve.
    Joined {
        info: &'static Info,
        told: String,
        targets: String,
    },
    /// What targets are is all there is.
    Alone {
        info: &'static Info,
        query: String,
    },
}

/// What a service runs.
#[derive(Default)]
pub(crate) struct Runs {
    /// Which way says so.
    pub(crate) way: usize,
    /// How many instances run each version; `None`: they cannot be told apart.
    pub(crate) versions: BTreeMap<String, Option<u32>>,
    /// The targets' jobs, where that is how it was learned.
    jobs: BTreeSet<String>,
}

impl Backend {
    /// All ways there are, the strongest first.
    pub(crate) fn version_ways(&self, probed: &Probed, only: Option<&str>) -> Vec<Way> {
        let narrowed = |from: &str| only.map(|service| equals(from, service)).unwrap_or_default();
        let own = self.settings.versions.iter().map(|template| {
            let query = self.version_query(template, only);
            let (from, version) = (template.from.clone(), template.version.clone());
            let how = format!("template {}", template.at);
            Way { source: "own".into(), how, from, version, kind: Kind::Own { query } }
        });
        let labels = probed.servers.iter().flat_map(|found| {
            found.versions.iter().map(move |version| {
                let by = (found.from.as_str(), found.to.as_deref(), version.as_str());
                let query = running((found.side, found.form), by, &narrowed(&found.from));
                let (source, from) = (found.profile.name.clone(), found.from.clone());
                let how = format!("{version} of {source}");
                let kind = Kind::Label { query, counts: found.to.is_some(), found: found.clone() };
                Way { source, how, from, version: version.clone(), kind }
            })
        });
        let joined = probed.infos.iter().flat_map(|info| {
            // What names no instances cannot be joined.
            let servers = probed.servers.iter().filter(|found| found.to.is_some());
            servers.map(move |found| {
                let from = found.from.clone();
                let targets = targets((found.side, found.form), &from, &narrowed(&from));
                let kind = Kind::Joined { info, told: told(info, &TARGET.join(","), ""), targets };
                let how = format!("{} of {}, joined with {}", info.version, info.about, found.profile.name);
                Way { source: info.name.clone(), how, from, version: info.version.clone(), kind }
            })
        });
        let alone = probed.infos.iter().filter(|_| probed.servers.is_empty()).map(|info| {
            let from = self.settings.labels.service.clone().unwrap_or_else(|| TARGET[0].to_owned());
            let query = told(info, &from, &narrowed(&from));
            let how = format!("{} of {}", info.version, info.about);
            let kind = Kind::Alone { info, query };
            Way { source: info.name.clone(), how, from, version: info.version.clone(), kind }
        });
        own.chain(labels).chain(joined).chain(alone).collect()
    }

    fn version_query(&self, template: &VersionTemplate, only: Option<&str>) -> String {
        let VersionTemplate { query, from, to, version, .. } = template;
        let terms = Terms {
            by: [from, to, version].map(Clone::clone).to_vec(),
            matching: only.map(|service| equals(from, service)).into_iter().collect(),
            window: self.settings.window,
        };
        format!("count by ({from},{version}) (({}) > 0)", terms.fill(query))
    }
}

impl Way {
    /// A query that has samples of each version where a service runs it.
    pub(crate) fn present(&self, service: &str, runs: &Runs) -> String {
        let own = equals(&self.from, service);
        match &self.kind {
            Kind::Own { query } => query.clone(),
            Kind::Label { found, .. } => {
                running((found.side, found.form), (&self.from, None, &self.version), &own)
            }
            Kind::Joined { info, .. } => {
                let jobs: Vec<String> = runs.jobs.iter().cloned().collect();
                told(info, TARGET[0], &is_one_of(TARGET[0], &jobs))
            }
            Kind::Alone { info, .. } => told(info, &self.from, &own),
        }
    }

    pub(crate) fn queries(&self) -> impl Iterator<Item = &String> {
        let (one, other) = match &self.kind {
            Kind::Own { query } | Kind::Label { query, .. } | Kind::Alone { query, .. } => (query, None),
            Kind::Joined { told, targets, .. } => (told, Some(targets)),
        };
        [one].into_iter().chain(other)
    }

    /// What this way says; `None`: its query is one of the configuration, and is refused.
    pub(crate) fn found(
        &self,
        answers: &HashMap<&String, Result<Vec<Row>, Failure>>,
    ) -> Result<Option<BTreeMap<String, Runs>>, Fault> {
        let mut all = Vec::new();
        for query in self.queries() {
            match answers.get(query) {
                Some(Ok(rows)) => all.push(rows),
                Some(Err(failure)) if matches!(self.kind, Kind::Own { .. }) => {
                    tracing::warn!(query, %failure, "a query of the configuration is refused");
                    return Ok(None);
                }
                Some(Err(failure)) => {
                    let message =
                        format!("it refuses a question about versions ({}): it {failure}", self.how);
                    return Err(Fault::NotDone(message));
                }
                None => return Ok(None),
            }
        }
        let mut found: BTreeMap<String, Runs> = BTreeMap::new();
        match (&self.kind, all.as_slice()) {
            (Kind::Joined { .. }, [told, targets]) => self.join(told, targets, &mut found),
            (kind, [rows]) => {
                let counts = !matches!(kind, Kind::Label { counts: false, .. });
                for row in rows.iter() {
                    let (Some(service), Some(version)) = (name(row, &self.from), name(row, &self.version))
                    else {
                        continue;
                    };
                    let place = found.entry(service).or_default().versions.entry(version).or_insert(None);
                    if counts {
                        add(place, row.value());
                    }
                }
            }
            _ => {}
        }
        Ok(Some(found))
    }

    fn join(&self, told: &[Row], targets: &[Row], found: &mut BTreeMap<String, Runs>) {
        let target = |row: &Row| TARGET.map(|label| row.labels.get(label).cloned().unwrap_or_default());
        let mut versions: HashMap<[String; 2], Vec<String>> = HashMap::new();
        for row in told {
            let Some(version) = name(row, &self.version) else { continue };
            versions.entry(target(row)).or_default().push(version);
        }
        for row in targets {
            let Some(service) = name(row, &self.from) else { continue };
            let target = target(row);
            for version in versions.get(&target).into_iter().flatten() {
                let runs = found.entry(service.clone()).or_default();
                runs.jobs.insert(target[0].clone());
                add(runs.versions.entry(version.clone()).or_insert(None), Some(1.0));
            }
        }
    }
}

fn add(place: &mut Option<u32>, count: Option<f64>) {
    let Some(count) = count.filter(|count| count.is_finite() && *count >= 0.0) else { return };
    *place = Some(place.unwrap_or(0).saturating_add(count as u32));
}

/// A name that a row has. One that is empty or longer than any is, is none.
fn name(row: &Row, label: &str) -> Option<String> {
    let name = row.labels.get(label)?;
    (!name.is_empty() && name.len() <= MAX_NAME).then(|| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_joined_and_those_of_nobody_left_out() {
        let row = |labels: &[(&str, &str)]| Row {
            labels: labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            samples: vec![(0, 1.0)],
        };
        let info = &crate::profile::infos()[0];
        let way = Way {
            source: String::new(),
            how: String::new(),
            from: "service_name".into(),
            version: "v".into(),
            kind: Kind::Joined { info, told: String::new(), targets: String::new() },
        };
        let told = [
            row(&[("job", "shop/order"), ("instance", "1"), ("v", "v1")]),
            row(&[("job", "shop/order"), ("instance", "2"), ("v", "v2")]),
            row(&[("job", "shop/order"), ("instance", "3"), ("v", "v2")]),
            row(&[("job", "node"), ("instance", "1"), ("v", "v9")]),
            row(&[("job", "shop/order"), ("instance", "4"), ("v", "")]),
        ];
        let served =
            |instance| row(&[("job", "shop/order"), ("instance", instance), ("service_name", "order")]);
        let mut found = BTreeMap::new();
        way.join(&told, &["1", "2", "3", "4"].map(served), &mut found);
        assert_eq!(found.len(), 1);
        let versions = BTreeMap::from([("v1".to_owned(), Some(1)), ("v2".to_owned(), Some(2))]);
        assert_eq!(found["order"].versions, versions);
    }
}
