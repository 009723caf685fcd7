//! Lines from the wire and back, judged as everything that comes in.

use super::convert::{few, figure_from, figure_to, optional, span};
use super::{Line, Lines, LinesAsk, LinesOf, MAX_ONLY, Subject};
use crate::convert::{Malformed, cut, named, names};
use crate::wire;
use std::collections::HashSet;
use std::time::Duration;

impl TryFrom<wire::LinesRequest> for LinesAsk {
    type Error = Malformed;

    fn try_from(request: wire::LinesRequest) -> Result<Self, Malformed> {
        let of = match request.of() {
            wire::LinesOf::Services => LinesOf::Services,
            wire::LinesOf::Edges => LinesOf::Edges,
            wire::LinesOf::Unspecified => {
                return Err(Malformed::new("of", format!("{} is none", request.of)));
            }
        };
        let ask = Self {
            figure: figure_from(request.figure)?,
            of,
            only: names("services", request.services)?,
            from_ms: request.from_ms,
            to_ms: request.to_ms,
            step: Duration::from_millis(request.step_ms.into()),
            page: optional("page", request.page)?,
        };
        ask.checked()
    }
}

impl LinesAsk {
    /// The same, if it asks for a span of time that is one, for few enough samples and by few enough names.
    pub(crate) fn checked(self) -> Result<Self, Malformed> {
        span((self.from_ms, self.to_ms), self.step)?;
        if self.only.len() > MAX_ONLY {
            let count = self.only.len();
            return Err(Malformed::new(
                "services",
                format!("has {count} entries; at most {MAX_ONLY} are taken"),
            ));
        }
        Ok(self)
    }

    /// The moment of a step.
    fn at(&self, step: u32) -> i64 {
        let width = i64::try_from(self.step.as_millis()).unwrap_or(i64::MAX);
        self.from_ms.saturating_add(width.saturating_mul(step.into()))
    }

    /// The step of a moment; `None`: there is none then.
    fn step(&self, at: i64) -> Option<u32> {
        let width = i64::try_from(self.step.as_millis()).ok()?;
        let after = at.checked_sub(self.from_ms)?;
        (at <= self.to_ms && after.rem_euclid(width) == 0).then(|| u32::try_from(after / width).ok())?
    }
}

impl From<LinesAsk> for wire::LinesRequest {
    fn from(ask: LinesAsk) -> Self {
        Self {
            figure: figure_to(ask.figure),
            of: match ask.of {
                LinesOf::Services => wire::LinesOf::Services,
                LinesOf::Edges => wire::LinesOf::Edges,
            } as i32,
            services: ask.only,
            from_ms: ask.from_ms,
            to_ms: ask.to_ms,
            step_ms: u32::try_from(ask.step.as_millis()).unwrap_or(u32::MAX),
            page: ask.page.unwrap_or_default(),
        }
    }
}

fn line(ask: &LinesAsk, line: wire::Line) -> Result<Line, Malformed> {
    let service = named("service", line.service)?;
    let of = match (ask.of, optional("callee", line.callee)?) {
        (LinesOf::Services, None) => Subject::Service(service),
        (LinesOf::Edges, Some(callee)) => Subject::Edge(service, callee),
        _ => return Err(Malformed::new("callee", "is not what was asked for")),
    };
    if line.steps.len() != line.values.len() || line.steps.is_empty() {
        let (steps, values) = (line.steps.len(), line.values.len());
        return Err(Malformed::new("values", format!("are {values} for {steps} steps")));
    }
    if let Some(value) = line.values.iter().find(|value| !ask.figure.takes(**value)) {
        return Err(Malformed::new("values", format!("have {value}, which {} cannot be", ask.figure.name())));
    }
    let ordered = line.steps.windows(2).all(|pair| pair[0] < pair[1]);
    if !ordered || line.steps.last().is_some_and(|last| ask.at(*last) > ask.to_ms) {
        return Err(Malformed::new("steps", "are not in order, or lie outside of what was asked for"));
    }
    let samples = line.steps.into_iter().map(|step| ask.at(step)).zip(line.values).collect();
    Ok(Line { of, samples, source: cut(line.source) })
}

/// A reply to this question.
pub(crate) fn lines(ask: &LinesAsk, reply: wire::LinesReply) -> Result<Lines, Malformed> {
    few("lines", reply.lines.len())?;
    let lines: Vec<Line> = reply.lines.into_iter().map(|one| line(ask, one)).collect::<Result<_, _>>()?;
    let mut known = HashSet::new();
    if let Some(twice) = lines.iter().find(|line| !known.insert(&line.of)) {
        return Err(Malformed::new("lines", format!("has `{}` twice", cut(format!("{:?}", twice.of)))));
    }
    Ok(Lines {
        lines,
        next: optional("next", reply.next)?,
        missing_peers: names("missing_peers", reply.missing_peers)?,
    })
}

/// What a plugin found, for the wire. Samples that lie on no step have no place there.
pub(crate) fn reply(ask: &LinesAsk, lines: Lines) -> wire::LinesReply {
    let wired = |line: Line| {
        let (service, callee) = match line.of {
            Subject::Service(service) | Subject::Instance(service, _) => (service, String::new()),
            Subject::Edge(caller, callee) => (caller, callee),
        };
        let placed = line.samples.iter().filter_map(|(at, value)| Some((ask.step(*at)?, *value)));
        let (steps, values) = placed.unzip();
        wire::Line { service, callee, steps, values, source: line.source }
    };
    let lines_of = lines.lines.into_iter().map(wired).filter(|line| !line.steps.is_empty());
    wire::LinesReply {
        lines: lines_of.collect(),
        next: lines.next.unwrap_or_default(),
        missing_peers: lines.missing_peers,
        fault: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Figure;

    fn ask() -> LinesAsk {
        LinesAsk {
            figure: Figure::Success,
            of: LinesOf::Services,
            only: vec![],
            from_ms: 10_000,
            to_ms: 20_500,
            step: Duration::from_secs(2),
            page: None,
        }
    }

    fn wired(service: &str, steps: &[u32], values: &[f64]) -> wire::Line {
        wire::Line {
            service: service.into(),
            steps: steps.into(),
            values: values.into(),
            ..Default::default()
        }
    }

    #[test]
    fn samples_come_back_where_they_were() {
        let samples = vec![(10_000, 1.0), (14_000, 0.5), (20_000, 0.0)];
        let line = Line { of: Subject::Service("a".into()), samples, source: "x".into() };
        let whole = Lines { lines: vec![line], next: Some("2".into()), missing_peers: vec!["b".into()] };
        let sent = reply(&ask(), whole.clone());
        assert_eq!(sent.lines[0].steps, [0, 2, 5]);
        assert_eq!(lines(&ask(), sent), Ok(whole));
        // What lies between two steps, or outside, is left out; a line without samples is none.
        let odd = Line {
            of: Subject::Service("a".into()),
            samples: vec![(9_000, 1.0), (11_000, 1.0), (22_000, 1.0)],
            source: String::new(),
        };
        assert!(reply(&ask(), Lines { lines: vec![odd], ..Lines::default() }).lines.is_empty());
    }

    #[test]
    fn what_is_no_answer_to_the_question_is_refused() {
        for (line, says) in [
            (wired("", &[0], &[1.0]), "service is empty"),
            (wired("a", &[0, 1], &[1.0]), "1 for 2 steps"),
            (wired("a", &[], &[]), "0 for 0 steps"),
            (wired("a", &[0], &[1.5]), "which success cannot be"),
            (wired("a", &[0], &[f64::NAN]), "which success cannot be"),
            (wired("a", &[1, 1], &[1.0, 1.0]), "not in order"),
            (wired("a", &[6], &[1.0]), "outside"),
            (wire::Line { callee: "b".into(), ..wired("a", &[0], &[1.0]) }, "not what was asked for"),
        ] {
            let reply = wire::LinesReply { lines: vec![line], ..Default::default() };
            let refused = lines(&ask(), reply).unwrap_err().to_string();
            assert!(refused.contains(says), "{refused}");
        }
        let twice = wire::LinesReply { lines: vec![wired("a", &[0], &[1.0]); 2], ..Default::default() };
        assert!(lines(&ask(), twice).unwrap_err().to_string().contains("twice"));
        let many = LinesAsk { only: vec!["a".into(); MAX_ONLY + 1], ..ask() };
        assert!(many.checked().is_err());
        assert!(LinesAsk { step: Duration::from_millis(10), ..ask() }.checked().is_err());
    }
}
