//! One answer out of several. Pure.
//!
//! A mesh and an application may both speak of one service. Whoever knows most of it is believed; what that
//! one does not know is taken from the next. What a query of one's own gives comes before all.

use rein_plugin::telemetry::{Figure, Measures};
use std::collections::BTreeMap;

/// What one source says of one subject.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    /// Who says it.
    pub(crate) source: String,
    /// Whether it comes before all others.
    pub(crate) standing: Standing,
    /// The figures.
    pub(crate) measures: Measures,
}

/// Whose word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// A query of the configuration.
    Own,
    /// A convention.
    Table,
}

/// What all say of each subject, in the order in which they are preferred where they know equally much.
pub(crate) type Words<K> = BTreeMap<K, Vec<Said>>;

/// What is believed, and by whose word.
pub(crate) fn believed(mut said: Vec<Said>) -> (Measures, String) {
    said.sort_by_key(|one| (one.standing, std::cmp::Reverse(one.measures.known())));
    let (mut measures, mut sources) = (Measures::default(), Vec::new());
    for one in said {
        let mut gave = false;
        for figure in Figure::ALL {
            let place = measures.place(figure);
            if place.is_none()
                && let Some(value) = one.measures.get(figure)
            {
                *place = Some(value);
                gave = true;
            }
        }
        if gave && !sources.contains(&one.source) {
            sources.push(one.source);
        }
    }
    (measures, sources.join("+"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(source: &str, standing: Standing, measures: Measures) -> Said {
        Said { source: source.into(), standing, measures }
    }

    #[test]
    fn the_most_complete_is_believed_and_gaps_are_filled_by_the_next() {
        let mesh = Measures { rps: Some(1.0), success: Some(0.5), p99: Some(2.0), ..Measures::default() };
        let app = Measures { rps: Some(9.0), saturation: Some(0.3), ..Measures::default() };
        let own = Measures { success: Some(0.9), ..Measures::default() };
        let (measures, source) = believed(vec![
            said("app", Standing::Table, app),
            said("mesh", Standing::Table, mesh),
            said("own", Standing::Own, own),
        ]);
        assert_eq!(source, "own+mesh+app");
        let is = Measures { success: Some(0.9), saturation: Some(0.3), ..mesh };
        assert_eq!(measures, is);
        let (measures, source) =
            believed(vec![said("a", Standing::Table, mesh), said("b", Standing::Table, mesh)]);
        assert_eq!((measures, source.as_str()), (mesh, "a"));
        assert_eq!(believed(Vec::new()), (Measures::default(), String::new()));
    }
}
