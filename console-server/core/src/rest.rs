//! What a record holds beside what this version knows: kept when the record is written anew.
//!
//! A newer server may have added fields. One that ends a change must not drop them, or the newer one
//! would find them gone. Where an object is no longer there, what was unknown in it goes with it.

use serde_json::Value;
use std::collections::BTreeMap;

/// Fields of a record that this version does not know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rest {
    /// All of it is unknown.
    Whole(Value),
    /// Within these fields of an object.
    Fields(BTreeMap<String, Self>),
    /// Within items of a list, by place.
    Items(BTreeMap<usize, Self>),
}

impl Rest {
    /// What `stored` holds that `known`, the same as this version spells it, does not.
    pub(crate) fn of(stored: &Value, known: &Value) -> Option<Self> {
        match (stored, known) {
            (Value::Object(stored), Value::Object(known)) => {
                let rest = stored.iter().filter_map(|(name, value)| {
                    let rest = match known.get(name) {
                        Some(known) => Self::of(value, known)?,
                        None => Self::Whole(value.clone()),
                    };
                    Some((name.clone(), rest))
                });
                let rest: BTreeMap<_, _> = rest.collect();
                (!rest.is_empty()).then_some(Self::Fields(rest))
            }
            (Value::Array(stored), Value::Array(known)) => {
                let pairs = stored.iter().zip(known).enumerate();
                let rest = pairs.filter_map(|(at, (stored, known))| Some((at, Self::of(stored, known)?)));
                let rest: BTreeMap<_, _> = rest.collect();
                (!rest.is_empty()).then_some(Self::Items(rest))
            }
            _ => None,
        }
    }

    /// Puts it back beside what is written now.
    pub(crate) fn add_to(&self, fresh: &mut Value) {
        match (self, fresh) {
            (Self::Fields(rest), Value::Object(fresh)) => {
                for (name, rest) in rest {
                    match (rest, fresh.get_mut(name)) {
                        (Self::Whole(value), None) => drop(fresh.insert(name.clone(), value.clone())),
                        (Self::Whole(_), Some(_)) | (_, None) => {}
                        (within, Some(fresh)) => within.add_to(fresh),
                    }
                }
            }
            (Self::Items(rest), Value::Array(fresh)) => {
                for (at, rest) in rest {
                    if let Some(fresh) = fresh.get_mut(*at) {
                        rest.add_to(fresh);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_unknown_comes_back_where_it_was() {
        let stored =
            json!({"id": 1, "new": {"a": [1]}, "acts": [{"at": 1, "why": "x"}, {"at": 2}], "ended": null});
        let known = json!({"id": 1, "acts": [{"at": 1}, {"at": 2}], "ended": null});
        let rest = Rest::of(&stored, &known).unwrap();
        let mut fresh =
            json!({"id": 1, "acts": [{"at": 1}, {"at": 2}, {"at": 3}], "ended": {"how": "ended"}});
        rest.add_to(&mut fresh);
        assert_eq!(
            fresh,
            json!({"id": 1, "new": {"a": [1]}, "acts": [{"at": 1, "why": "x"}, {"at": 2}, {"at": 3}],
                   "ended": {"how": "ended"}})
        );
        assert_eq!(Rest::of(&known, &known), None);
    }

    /// A field that is gone is not brought back as a shell around what was unknown in it.
    #[test]
    fn nothing_is_put_into_what_is_gone() {
        let stored = json!({"found": {"value": 1, "new": 2}});
        let rest = Rest::of(&stored, &json!({"found": {"value": 1}})).unwrap();
        for fresh in [json!({}), json!({"found": null}), json!({"found": "x"})] {
            let mut after = fresh.clone();
            rest.add_to(&mut after);
            assert_eq!(after, fresh);
        }
    }
}
