//! Measurements from the wire and back. Whatever comes in is judged here: names have an end, numbers are
//! numbers, nothing is said twice.

use super::{
    EdgeMeasured, EdgesAsk, Figure, Level, MAX_PAGE, MIN_STEP, MeasureAsk, Measured, Measures, Reading,
    Series, SeriesAsk, Subject,
};
use crate::convert::{Malformed, cut, name, named, names};
use crate::wire;
use std::collections::HashSet;
use std::time::Duration;

/// Longest window.
const MAX_WINDOW: Duration = Duration::from_secs(86_400);
/// Most samples of one series.
pub(super) const MAX_SAMPLES: usize = 4_001;

fn figure_of(measure: Option<f64>, figure: Figure) -> Result<Option<f64>, Malformed> {
    match measure {
        Some(value) if !figure.takes(value) => {
            Err(Malformed::new(figure.name(), format!("is {value}, which it cannot be")))
        }
        measure => Ok(measure),
    }
}

fn measures(measures: Option<wire::Measures>) -> Result<Measures, Malformed> {
    let said = measures.unwrap_or_default();
    Ok(Measures {
        rps: figure_of(said.rps, Figure::Rps)?,
        success: figure_of(said.success, Figure::Success)?,
        p50: figure_of(said.p50, Figure::P50)?,
        p90: figure_of(said.p90, Figure::P90)?,
        p99: figure_of(said.p99, Figure::P99)?,
        saturation: figure_of(said.saturation, Figure::Saturation)?,
    })
}

impl From<Measures> for wire::Measures {
    fn from(measures: Measures) -> Self {
        let Measures { rps, success, p50, p90, p99, saturation } = measures;
        Self { rps, success, p50, p90, p99, saturation }
    }
}

pub(super) fn optional(field: &'static str, text: String) -> Result<Option<String>, Malformed> {
    Ok(Some(name(field, text)?).filter(|text| !text.is_empty()))
}

fn window(seconds: u32) -> Result<Option<Duration>, Malformed> {
    let window = Duration::from_secs(seconds.into());
    if window > MAX_WINDOW {
        return Err(Malformed::new("window_seconds", format!("is {seconds}; at most 86400 are taken")));
    }
    Ok(Some(window).filter(|window| !window.is_zero()))
}

fn seconds(window: Duration) -> u32 {
    u32::try_from(window.as_secs()).unwrap_or(u32::MAX)
}

pub(super) fn few(field: &'static str, count: usize) -> Result<(), Malformed> {
    match count > MAX_PAGE {
        true => Err(Malformed::new(field, format!("has {count} entries; at most {MAX_PAGE} are taken"))),
        false => Ok(()),
    }
}

impl TryFrom<wire::MeasureRequest> for MeasureAsk {
    type Error = Malformed;

    fn try_from(request: wire::MeasureRequest) -> Result<Self, Malformed> {
        Ok(Self {
            level: match request.level() {
                wire::Level::Service => Level::Service,
                wire::Level::Instance => Level::Instance,
                wire::Level::Unspecified => {
                    return Err(Malformed::new("level", format!("{} is none", request.level)));
                }
            },
            service: optional("service", request.service)?,
            window: window(request.window_seconds)?,
            page: optional("page", request.page)?,
        })
    }
}

impl From<MeasureAsk> for wire::MeasureRequest {
    fn from(ask: MeasureAsk) -> Self {
        Self {
            level: match ask.level {
                Level::Service => wire::Level::Service,
                Level::Instance => wire::Level::Instance,
            } as i32,
            service: ask.service.unwrap_or_default(),
            window_seconds: ask.window.map(seconds).unwrap_or_default(),
            page: ask.page.unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::EdgesRequest> for EdgesAsk {
    type Error = Malformed;

    fn try_from(request: wire::EdgesRequest) -> Result<Self, Malformed> {
        Ok(Self {
            service: optional("service", request.service)?,
            window: window(request.window_seconds)?,
            page: optional("page", request.page)?,
        })
    }
}

impl From<EdgesAsk> for wire::EdgesRequest {
    fn from(ask: EdgesAsk) -> Self {
        Self {
            service: ask.service.unwrap_or_default(),
            window_seconds: ask.window.map(seconds).unwrap_or_default(),
            page: ask.page.unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::Measured> for Measured {
    type Error = Malformed;

    fn try_from(one: wire::Measured) -> Result<Self, Malformed> {
        Ok(Self {
            service: named("service", one.service)?,
            instance: optional("instance", one.instance)?,
            zone: optional("zone", one.zone)?,
            measures: measures(one.measures)?,
            source: cut(one.source),
        })
    }
}

impl From<Measured> for wire::Measured {
    fn from(one: Measured) -> Self {
        Self {
            service: one.service,
            instance: one.instance.unwrap_or_default(),
            zone: one.zone.unwrap_or_default(),
            measures: Some(one.measures.into()),
            source: one.source,
        }
    }
}

impl TryFrom<wire::Edge> for EdgeMeasured {
    type Error = Malformed;

    fn try_from(edge: wire::Edge) -> Result<Self, Malformed> {
        Ok(Self {
            caller: named("caller", edge.caller)?,
            callee: named("callee", edge.callee)?,
            measures: measures(edge.measures)?,
            source: cut(edge.source),
        })
    }
}

impl From<EdgeMeasured> for wire::Edge {
    fn from(edge: EdgeMeasured) -> Self {
        Self {
            caller: edge.caller,
            callee: edge.callee,
            measures: Some(edge.measures.into()),
            source: edge.source,
        }
    }
}

impl TryFrom<wire::MeasureReply> for Reading<Measured> {
    type Error = Malformed;

    fn try_from(reply: wire::MeasureReply) -> Result<Self, Malformed> {
        few("measured", reply.measured.len())?;
        let items: Vec<Measured> =
            reply.measured.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        let mut known = HashSet::new();
        if let Some(twice) = items.iter().find(|one| !known.insert((&one.service, &one.instance))) {
            let which = twice.instance.as_ref().unwrap_or(&twice.service);
            return Err(Malformed::new("measured", format!("has `{}` twice", cut(which.clone()))));
        }
        Ok(Self {
            items,
            next: optional("next", reply.next)?,
            at_ms: reply.at_ms,
            window: Duration::from_secs(reply.window_seconds.into()),
            missing_peers: names("missing_peers", reply.missing_peers)?,
        })
    }
}

impl From<Reading<Measured>> for wire::MeasureReply {
    fn from(reading: Reading<Measured>) -> Self {
        Self {
            measured: reading.items.into_iter().map(Into::into).collect(),
            next: reading.next.unwrap_or_default(),
            at_ms: reading.at_ms,
            window_seconds: seconds(reading.window),
            missing_peers: reading.missing_peers,
            fault: None,
        }
    }
}

impl TryFrom<wire::EdgesReply> for Reading<EdgeMeasured> {
    type Error = Malformed;

    fn try_from(reply: wire::EdgesReply) -> Result<Self, Malformed> {
        few("edges", reply.edges.len())?;
        let items: Vec<EdgeMeasured> =
            reply.edges.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        let mut known = HashSet::new();
        if let Some(twice) = items.iter().find(|one| !known.insert((&one.caller, &one.callee))) {
            let which = format!("{} → {}", twice.caller, twice.callee);
            return Err(Malformed::new("edges", format!("has `{}` twice", cut(which))));
        }
        Ok(Self {
            items,
            next: optional("next", reply.next)?,
            at_ms: reply.at_ms,
            window: Duration::from_secs(reply.window_seconds.into()),
            missing_peers: names("missing_peers", reply.missing_peers)?,
        })
    }
}

impl From<Reading<EdgeMeasured>> for wire::EdgesReply {
    fn from(reading: Reading<EdgeMeasured>) -> Self {
        Self {
            edges: reading.items.into_iter().map(Into::into).collect(),
            next: reading.next.unwrap_or_default(),
            at_ms: reading.at_ms,
            window_seconds: seconds(reading.window),
            missing_peers: reading.missing_peers,
            fault: None,
        }
    }
}

impl TryFrom<wire::SeriesRequest> for SeriesAsk {
    type Error = Malformed;

    fn try_from(request: wire::SeriesRequest) -> Result<Self, Malformed> {
        let figure = figure_from(request.figure)?;
        let service = named("service", request.service)?;
        let of = match (optional("instance", request.instance)?, optional("callee", request.callee)?) {
            (None, None) => Subject::Service(service),
            (Some(instance), None) => Subject::Instance(service, instance),
            (None, Some(callee)) => Subject::Edge(service, callee),
            (Some(_), Some(_)) => return Err(Malformed::new("instance", "is given beside a callee")),
        };
        let ask = Self {
            figure,
            of,
            from_ms: request.from_ms,
            to_ms: request.to_ms,
            step: Duration::from_millis(request.step_ms.into()),
        };
        ask.checked()
    }
}

impl SeriesAsk {
    /// The same, if it asks for a span of time that is one and for few enough samples.
    pub(crate) fn checked(self) -> Result<Self, Malformed> {
        span((self.from_ms, self.to_ms), self.step).map(|()| self)
    }
}

/// Is it a span of time, and does it have few enough steps?
pub(super) fn span((from_ms, to_ms): (i64, i64), step: Duration) -> Result<(), Malformed> {
    if step < MIN_STEP {
        return Err(Malformed::new("step_ms", "is less than 1000"));
    }
    let span = match to_ms.checked_sub(from_ms).and_then(|span| u128::try_from(span).ok()) {
        Some(span) if from_ms >= 0 => span,
        _ => return Err(Malformed::new("to_ms", "is before from_ms, or that is before 1970")),
    };
    let samples = span / step.as_millis() + 1;
    if samples > MAX_SAMPLES as u128 {
        return Err(Malformed::new("step_ms", format!("gives {samples} samples; at most 4000 steps")));
    }
    Ok(())
}

pub(super) fn figure_from(figure: i32) -> Result<Figure, Malformed> {
    Ok(match wire::Figure::try_from(figure).unwrap_or_default() {
        wire::Figure::Rps => Figure::Rps,
        wire::Figure::Success => Figure::Success,
        wire::Figure::P50 => Figure::P50,
        wire::Figure::P90 => Figure::P90,
        wire::Figure::P99 => Figure::P99,
        wire::Figure::Saturation => Figure::Saturation,
        wire::Figure::Unspecified => return Err(Malformed::new("figure", format!("{figure} is none"))),
    })
}

pub(super) fn figure_to(figure: Figure) -> i32 {
    (match figure {
        Figure::Rps => wire::Figure::Rps,
        Figure::Success => wire::Figure::Success,
        Figure::P50 => wire::Figure::P50,
        Figure::P90 => wire::Figure::P90,
        Figure::P99 => wire::Figure::P99,
        Figure::Saturation => wire::Figure::Saturation,
    }) as i32
}

impl From<SeriesAsk> for wire::SeriesRequest {
    fn from(ask: SeriesAsk) -> Self {
        let (service, instance, callee) = match ask.of {
            Subject::Service(service) => (service, String::new(), String::new()),
            Subject::Instance(service, instance) => (service, instance, String::new()),
            Subject::Edge(caller, callee) => (caller, String::new(), callee),
        };
        Self {
            figure: figure_to(ask.figure),
            service,
            callee,
            instance,
            from_ms: ask.from_ms,
            to_ms: ask.to_ms,
            step_ms: u32::try_from(ask.step.as_millis()).unwrap_or(u32::MAX),
        }
    }
}

/// A reply to this question.
pub(crate) fn series(ask: &SeriesAsk, reply: wire::SeriesReply) -> Result<Series, Malformed> {
    if reply.samples.len() > MAX_SAMPLES {
        let count = reply.samples.len();
        return Err(Malformed::new("samples", format!("has {count} entries; at most 4001 are taken")));
    }
    let samples: Vec<(i64, f64)> = reply.samples.into_iter().map(|s| (s.at_ms, s.value)).collect();
    if let Some((_, value)) = samples.iter().find(|(_, value)| !ask.figure.takes(*value)) {
        return Err(Malformed::new("samples", format!("has {value}, which {} cannot be", ask.figure.name())));
    }
    let inside = |at: i64| (ask.from_ms..=ask.to_ms).contains(&at);
    if samples.windows(2).any(|pair| pair[0].0 >= pair[1].0) || samples.iter().any(|(at, _)| !inside(*at)) {
        return Err(Malformed::new("samples", "are not in order, or lie outside of what was asked for"));
    }
    Ok(Series {
        samples,
        source: cut(reply.source),
        missing_peers: names("missing_peers", reply.missing_peers)?,
    })
}

impl From<Series> for wire::SeriesReply {
    fn from(series: Series) -> Self {
        Self {
            samples: series.samples.into_iter().map(|(at_ms, value)| wire::Sample { at_ms, value }).collect(),
            source: series.source,
            missing_peers: series.missing_peers,
            fault: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(service: &str, rps: f64) -> wire::Measured {
        let measures = Some(wire::Measures { rps: Some(rps), ..Default::default() });
        wire::Measured { service: service.into(), measures, ..Default::default() }
    }

    fn refused(measured: Vec<wire::Measured>) -> String {
        let reply = wire::MeasureReply { measured, ..Default::default() };
        Reading::<Measured>::try_from(reply).unwrap_err().to_string()
    }

    #[test]
    fn numbers_that_are_none_and_entries_said_twice_are_refused() {
        assert_eq!(refused(vec![measured("a", f64::NAN)]), "rps is NaN, which it cannot be");
        assert_eq!(refused(vec![measured("a", f64::INFINITY)]), "rps is inf, which it cannot be");
        assert_eq!(refused(vec![measured("a", -1.0)]), "rps is -1, which it cannot be");
        assert_eq!(refused(vec![measured("", 1.0)]), "service is empty");
        assert_eq!(refused(vec![measured("a", 1.0), measured("a", 1.0)]), "measured has `a` twice");
        assert!(refused(vec![measured("a", 1.0); MAX_PAGE + 1]).contains("at most 4000"));
        assert!(refused(vec![measured(&"a".repeat(2000), 1.0)]).contains("at most 1024"));
    }

    #[test]
    fn what_is_absent_stays_absent_there_and_back() {
        let one = Measured {
            service: "order".into(),
            instance: None,
            zone: Some("sh".into()),
            measures: Measures { success: Some(0.5), ..Measures::default() },
            source: "x".into(),
        };
        let reading = Reading {
            items: vec![one],
            next: None,
            at_ms: 7,
            window: Duration::from_secs(60),
            missing_peers: vec!["b".into()],
        };
        assert_eq!(Reading::<Measured>::try_from(wire::MeasureReply::from(reading.clone())), Ok(reading));
    }

    #[test]
    fn a_span_that_is_none_or_too_fine_is_refused() {
        let ask = |from_ms, to_ms, step| SeriesAsk {
            figure: Figure::P99,
            of: Subject::Edge("a".into(), "b".into()),
            from_ms,
            to_ms,
            step: Duration::from_millis(step),
        };
        let whole = ask(0, 4_000_000, 1000);
        assert_eq!(SeriesAsk::try_from(wire::SeriesRequest::from(whole.clone())), Ok(whole));
        for wrong in [ask(0, 4_001_000, 1000), ask(1, 0, 1000), ask(-2, -1, 1000), ask(0, 1, 999)] {
            assert!(SeriesAsk::try_from(wire::SeriesRequest::from(wrong.clone())).is_err(), "{wrong:?}");
        }
        assert!(ask(i64::MIN, i64::MAX, 1000).checked().is_err());
    }

    #[test]
    fn samples_out_of_order_outside_or_beyond_belief_are_refused() {
        let ask = SeriesAsk {
            figure: Figure::Success,
            of: Subject::Service("a".into()),
            from_ms: 0,
            to_ms: 5000,
            step: Duration::from_secs(1),
        };
        let reply = |samples: &[(i64, f64)]| {
            let samples = samples.iter().map(|(at_ms, value)| wire::Sample { at_ms: *at_ms, value: *value });
            wire::SeriesReply { samples: samples.collect(), ..Default::default() }
        };
        assert_eq!(series(&ask, reply(&[(0, 0.5), (4000, 1.0)])).unwrap().samples.len(), 2);
        for wrong in [&[(1000, 1.0), (0, 1.0)][..], &[(6000, 1.0)], &[(0, 1.5)], &[(0, f64::NAN)]] {
            assert!(series(&ask, reply(wrong)).is_err(), "{wrong:?}");
        }
    }
}
