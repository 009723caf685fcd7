//! Questions to one replica: bounded in time, in size and in how many at once. A picture comes from one
//! replica and is never put together from two.

use crate::settings::Settings;
use futures::StreamExt;
use futures::future::BoxFuture;
use rein_plugin::Fault;
pub(crate) use rein_plugin_http::Failure;
use rein_plugin_http::{failed, whole};
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use url::form_urlencoded;

/// Most bytes of one answer.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// Most bytes of an error's text.
const MAX_ERROR: usize = 2048;
/// Questions to one replica at once.
const AT_ONCE: usize = 8;
/// What all replicas together may take: the caller waits 2 seconds.
const BUDGET: Duration = Duration::from_millis(1900);

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// How it is now.
    Now(String),
    /// How it was: from, to, step, in milliseconds.
    Range(String, i64, i64, u64),
}

impl Question {
    /// Where it goes, and what it says.
    fn form(&self, limit: Duration) -> (&'static str, String) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        let seconds = |ms: i64| format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000));
        // So that it does not go on working for nobody.
        form.append_pair("timeout", &format!("{}ms", limit.as_millis()));
        let path = match self {
            Self::Now(query) => {
                form.append_pair("query", query);
                "query"
            }
            Self::Range(query, from, to, step) => {
                form.append_pair("query", query)
                    .append_pair("start", &seconds(*from))
                    .append_pair("end", &seconds(*to))
                    .append_pair("step", &format!("{}.{:03}", step / 1000, step % 1000));
                "query_range"
            }
        };
        (path, form.finish())
    }
}

/// One line of an answer: labels, and samples (milliseconds, value).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) samples: Vec<(i64, f64)>,
}

impl Row {
    /// The newest value.
    pub(crate) fn value(&self) -> Option<f64> {
        self.samples.last().map(|(_, value)| *value)
    }
}

/// What was answered to each question.
pub(crate) type Answers = Vec<Result<Vec<Row>, Failure>>;

/// Answers to several questions, all of one replica.
#[derive(Debug)]
pub(crate) struct Heard {
    /// In the order of the questions. A replica that answers may yet refuse a question.
    pub(crate) answers: Answers,
    /// Replicas that did not answer.
    pub(crate) missing: Vec<String>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default, rename = "resultType")]
    kind: String,
    #[serde(default)]
    result: serde_json::Value,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    value: Option<(f64, String)>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

#[derive(Deserialize)]
struct Complaint {
    error: String,
}

/// The client for one backend.
pub(crate) struct Http {
    client: Client,
    auth: Option<HeaderValue>,
    peers: Vec<String>,
    timeout: Duration,
    /// The replica that answered last is asked first.
    last: AtomicUsize,
}

impl Http {
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        Ok(Self {
            client: rein_plugin_http::client(&settings.peers, settings.timeout)?,
            auth: settings.auth.clone(),
            peers: settings.peers.clone(),
            timeout: settings.timeout,
            last: AtomicUsize::new(0),
        })
    }

    /// Asks one replica everything; the next one, if it does not answer everything.
    pub(crate) async fn ask(&self, questions: &[Question]) -> Result<Heard, Fault> {
        let began = Instant::now();
        let first = self.last.load(Ordering::Relaxed);
        let (mut missing, mut reasons) = (Vec::new(), Vec::new());
        for n in 0..self.peers.len() {
            let at = (first + n) % self.peers.len();
            let Some(peer) = self.peers.get(at) else { continue };
            let left = BUDGET.saturating_sub(began.elapsed()).min(self.timeout);
            if left < Duration::from_millis(20) {
                reasons.push(format!("{peer} was not asked for want of time"));
                continue;
            }
            match self.ask_one(peer, questions, left).await {
                Ok(answers) => {
                    self.last.store(at, Ordering::Relaxed);
                    missing.sort();
                    return Ok(Heard { answers, missing });
                }
                Err(failure) => reasons.push(format!("{peer} {failure}")),
            }
            missing.push(peer.clone());
        }
        Err(Fault::Unreachable(format!("no replica answers: {}", reasons.join("; "))))
    }

    /// Asks one replica everything. `Err`: it is of no use, and why.
    pub(crate) async fn ask_one(
        &self,
        peer: &str,
        questions: &[Question],
        limit: Duration,
    ) -> Result<Answers, Failure> {
        let asked: Vec<BoxFuture<'_, Result<Vec<Row>, Failure>>> =
            questions.iter().map(|q| Box::pin(self.question(peer, q, limit)) as _).collect();
        let answers = async {
            let mut stream = futures::stream::iter(asked).buffered(AT_ONCE);
            let mut answers = Vec::with_capacity(questions.len());
            while let Some(answer) = stream.next().await {
                match answer {
                    // Whoever answers so answers nothing else either.
                    Err(failure) if is_useless(&failure) => return Err(failure),
                    answer => answers.push(answer),
                }
            }
            Ok(answers)
        };
        let late = || Failure::Lost(format!("it took more than {limit:?} for {} questions", questions.len()));
        tokio::time::timeout(limit, answers).await.unwrap_or_else(|_| Err(late()))
    }

    async fn question(&self, peer: &str, question: &Question, limit: Duration) -> Result<Vec<Row>, Failure> {
        let (path, form) = question.form(limit);
        let request = self
            .client
            .post(format!("{peer}/api/v1/{path}"))
            .timeout(limit)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let body: Body = self.send(request).await?;
        let data = body.data.ok_or_else(|| Failure::Garbage("it has no data".into()))?;
        rows(data)
    }

    /// What a replica says of itself.
    pub(crate) async fn version(&self, peer: &str) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct Build {
            data: Version,
        }
        #[derive(Deserialize)]
        struct Version {
            version: String,
        }
        let request = self.client.get(format!("{peer}/api/v1/status/buildinfo")).timeout(self.timeout);
        self.send::<Build>(request).await.map(|build| build.data.version)
    }

    async fn send<T: serde::de::DeserializeOwned>(
        &self,
        mut request: reqwest::RequestBuilder,
    ) -> Result<T, Failure> {
        if let Some(auth) = &self.auth {
            request = request.header(AUTHORIZATION, auth);
        }
        let response = request.send().await.map_err(|error| failed(&error))?;
        let status = response.status();
        if !status.is_success() {
            let text = whole(response, MAX_ERROR).await.unwrap_or_default();
            let said = serde_json::from_slice::<Complaint>(&text)
                .map_or_else(|_| String::from_utf8_lossy(&text).trim().to_owned(), |said| said.error);
            return Err(Failure::Refused(status.as_u16(), said));
        }
        let body = whole(response, MAX_ANSWER).await?;
        serde_json::from_slice(&body).map_err(|error| Failure::Garbage(error.to_string()))
    }
}

/// Says a failure that the whole replica is of no use? A question that it does not understand (400), or that
/// it gave up (422), is a fault of the question.
fn is_useless(failure: &Failure) -> bool {
    !matches!(failure, Failure::Refused(400 | 422, _))
}

fn rows(data: Data) -> Result<Vec<Row>, Failure> {
    let garbage = |error: serde_json::Error| Failure::Garbage(error.to_string());
    match data.kind.as_str() {
        "vector" | "matrix" => {}
        "scalar" => {
            let value: (f64, String) = serde_json::from_value(data.result).map_err(garbage)?;
            return Ok(vec![Row { labels: BTreeMap::new(), samples: vec![sample(&value)] }]);
        }
        other => return Err(Failure::Garbage(format!("it is a `{other}`, not a vector"))),
    }
    let series: Vec<Series> = serde_json::from_value(data.result).map_err(garbage)?;
    Ok(series
        .into_iter()
        .map(|series| Row {
            labels: series.metric,
            samples: series.value.iter().chain(&series.values).map(sample).collect(),
        })
        .collect())
}

/// Time in milliseconds, and value. What is no number at all is none, as `NaN` is.
fn sample((at, value): &(f64, String)) -> (i64, f64) {
    ((at * 1000.0).round() as i64, value.parse().unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<Row>, Failure> {
        rows(serde_json::from_str::<Body>(json).unwrap().data.unwrap())
    }

    #[test]
    fn answers_of_every_kind_are_read() {
        let vector = read(
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1.5,"NaN"]}]}}"#,
        );
        let row = &vector.unwrap()[0];
        assert_eq!(row.labels["a"], "b");
        assert!(row.samples[0].0 == 1500 && row.samples[0].1.is_nan());
        let matrix = read(
            r#"{"data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"+Inf"]]}]}}"#,
        );
        assert_eq!(matrix.unwrap()[0].samples, [(1000, 1.0), (2000, f64::INFINITY)]);
        assert_eq!(read(r#"{"data":{"resultType":"scalar","result":[1,"x"]}}"#).unwrap().len(), 1);
        for garbage in [
            r#"{"data":{"resultType":"string","result":[1,"x"]}}"#,
            r#"{"data":{"resultType":"vector","result":{"a":1}}}"#,
            r#"{"data":{"resultType":"vector","result":[{"metric":{"a":1},"value":[1,"1"]}]}}"#,
            r#"{"data":{}}"#,
        ] {
            assert!(matches!(read(garbage), Err(Failure::Garbage(_))), "{garbage}");
        }
    }
}
