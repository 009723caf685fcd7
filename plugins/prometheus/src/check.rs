//! What a person would look at first: is it there, what does it know, what is missing.

use crate::Backend;
use crate::http::{Failure, Question, Row};
use crate::measure::terms;
use crate::probe::{Found, Probed, rows};
use crate::profile;
use crate::promql::{Form, Terms};
use futures::future::join_all;
use rein_plugin::{Finding, Grade};
use rein_plugin_http::is_loopback;

impl Backend {
    /// Every replica, every convention, every query of the configuration.
    pub(crate) async fn check(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> =
            join_all(self.settings.peers.iter().map(|peer| self.check_peer(peer)))
                .await
                .into_iter()
                .flatten()
                .collect();
        match self.probe_anew().await {
            Ok(probed) => {
                findings.extend(self.check_profiles(&probed).await);
                findings.extend(self.check_versions(&probed).await);
                findings.extend(self.check_templates().await);
            }
            Err(fault) => findings.push(finding(Grade::Error, "profiles", fault.to_string())),
        }
        findings
    }

    async fn check_peer(&self, peer: &str) -> Vec<Finding> {
        let subject = format!("replica {peer}");
        let one = [Question::Now("vector(1)".into())];
        let (answer, version) =
            tokio::join!(self.http.ask_one(peer, &one, self.settings.timeout), self.http.version(peer));
        let mut findings =
            vec![match (answer.and_then(|mut all| all.pop().unwrap_or(Ok(Vec::new()))), version) {
                (Ok(_), Ok(version)) => finding(Grade::Ok, &subject, format!("answers; version {version}")),
                (Ok(_), Err(_)) => finding(Grade::Ok, &subject, "answers; of no stated version"),
                (Err(failure), _) => finding(Grade::Error, &subject, advice(&failure)),
            }];
        if self.settings.auth.is_some() && peer.starts_with("http:") && !is_loopback(peer) {
            findings.push(finding(Grade::Warning, subject, "credentials go there unencrypted; use https"));
        }
        findings
    }

    async fn check_profiles(&self, probed: &Probed) -> Vec<Finding> {
        let sides: Vec<(&Found, &str)> = probed
            .servers
            .iter()
            .map(|found| (found, "services"))
            .chain(probed.clients.iter().map(|found| (found, "calls")))
            .collect();
        let rate = |(found, what): &(&Found, &str)| {
            let to = found.to.as_deref().filter(|_| *what == "calls");
            let terms = terms(&found.from, to, None, None, self.settings.window);
            Question::Now(terms.count(found.side, found.form))
        };
        let questions: Vec<Question> = sides.iter().map(rate).collect();
        let counts: Vec<usize> = match self.http.ask(&questions).await {
            Ok(heard) => heard.answers.into_iter().map(|answer| rows(&vec![answer])).collect(),
            Err(fault) => return vec![finding(Grade::Error, "profiles", fault.to_string())],
        };
        let mut findings: Vec<Finding> =
            sides.iter().zip(counts).map(|((found, what), count)| self.side(found, what, count)).collect();
        for name in &probed.nameless {
            findings.push(finding(
                Grade::Warning,
                format!("profile {name}"),
                "its metrics are there, but no label says whose; name yours under labels",
            ));
        }
        let absent: Vec<&str> = profile::all()
            .iter()
            .map(|profile| profile.name.as_str())
            .filter(|name| !probed.nameless.iter().any(|n| n == name))
            .filter(|name| sides.iter().all(|(found, _)| found.profile.name != *name))
            .filter(|name| self.settings.profiles.as_ref().is_none_or(|all| all.iter().any(|n| n == name)))
            .collect();
        if sides.is_empty() && self.settings.templates.is_empty() {
            findings.push(finding(
                Grade::Warning,
                "profiles",
                "no metric of any known convention is there; write templates of your own: docs/telemetry.md",
            ));
        } else if !absent.is_empty() {
            let text = format!("no metrics of {}", absent.join(", "));
            findings.push(finding(Grade::Ok, "profiles", text));
        }
        findings
    }

    fn side(&self, found: &Found, what: &str, count: usize) -> Finding {
        let subject = format!("profile {}", found.profile.name);
        let labels = match (&found.to, &found.zone) {
            (Some(to), Some(zone)) => format!("{}, {to}, {zone}", found.from),
            (Some(to), None) => format!("{}, {to}", found.from),
            (None, _) => found.from.clone(),
        };
        if count == 0 {
            let text = format!(
                "{}: {what} are there, but no rate over {} s: less than two scrapes in it? set window_seconds",
                found.profile.about,
                self.settings.window.as_secs()
            );
            return finding(Grade::Warning, subject, text);
        }
        let native = if found.form == Form::Native { ", native histograms" } else { "" };
        finding(Grade::Ok, subject, format!("{}: {count} {what}, by {labels}{native}", found.profile.about))
    }

    /// Whose word says which versions run, and of how many services.
    async fn check_versions(&self, probed: &Probed) -> Vec<Finding> {
        let ways = self.version_ways(probed, None);
        let told = match self.ask_versions(&ways, None).await {
            Ok(told) => told,
            Err(fault) => return vec![finding(Grade::Error, "versions", fault.to_string())],
        };
        if told.services.is_empty() {
            let text = "no label and no metric says which version runs: changes of version are not seen here";
            return vec![finding(Grade::Ok, "versions", text)];
        }
        let of = |at: usize| told.services.values().filter(|runs| runs.way == at).count();
        let said = ways.iter().enumerate().filter(|(at, _)| of(*at) > 0);
        said.map(|(at, way)| {
            finding(Grade::Ok, "versions", format!("of {} services, by {}", of(at), way.how))
        })
        .collect()
    }

    async fn check_templates(&self) -> Vec<Finding> {
        let window = self.settings.window;
        let filled = |by: &[&String], query: &str| {
            let by = by.iter().copied().cloned().collect();
            Question::Now(Terms { by, matching: Vec::new(), window }.fill(query))
        };
        let figures = self.settings.templates.iter().map(|template| {
            let question = filled(&[&template.from, &template.to], &template.query);
            (template.at, template.figure.name(), question)
        });
        let versions = self.settings.versions.iter().map(|template| {
            let question = filled(&[&template.from, &template.to, &template.version], &template.query);
            (template.at, "version", question)
        });
        let mut asked: Vec<(usize, &str, Question)> = figures.chain(versions).collect();
        if asked.is_empty() {
            return Vec::new();
        }
        asked.sort_by_key(|(at, ..)| *at);
        let questions: Vec<Question> = asked.iter().map(|(.., question)| question.clone()).collect();
        let heard = match self.http.ask(&questions).await {
            Ok(heard) => heard,
            Err(fault) => return vec![finding(Grade::Error, "templates", fault.to_string())],
        };
        asked.iter().zip(heard.answers).map(|((n, gives, _), answer)| judged(*n, gives, answer)).collect()
    }
}

fn judged(n: usize, gives: &str, answer: Result<Vec<Row>, Failure>) -> Finding {
    let subject = format!("template {n} ({gives})");
    match answer {
        Ok(rows) if rows.is_empty() => finding(Grade::Warning, subject, "gives nothing"),
        Ok(rows) => finding(Grade::Ok, subject, format!("gives {} rows", rows.len())),
        Err(Failure::Refused(_, why)) => {
            let text = format!("is refused: {why}; see /config/templates/{n}/query");
            finding(Grade::Error, subject, text)
        }
        Err(failure) => finding(Grade::Error, subject, failure.to_string()),
    }
}

fn finding(grade: Grade, subject: impl Into<String>, message: impl Into<String>) -> Finding {
    Finding { grade, subject: subject.into(), message: message.into() }
}

fn advice(failure: &Failure) -> String {
    match failure {
        Failure::Refused(404, _) => {
            format!("{failure}; is the URL's path prefix right (--web.route-prefix)?")
        }
        Failure::Garbage(_) => format!("{failure}; is a Prometheus there?"),
        _ => failure.to_string(),
    }
}
