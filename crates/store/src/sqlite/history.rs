//! One row of history: the events of one revision as bytes, and back.

use bytes::{BufMut, Bytes, BytesMut};

use crate::{Entry, Event, Key, Revision};

const DELETE: u8 = 0;
const PUT: u8 = 1;

/// `DELETE, key` or `PUT, key, created, value` for each event; lengths as u32, little-endian.
pub(super) fn encode(events: &[Event]) -> Bytes {
    let size = events.iter().map(|event| match event {
        Event::Put(entry) => 17 + entry.key.len() + entry.value.len(),
        Event::Delete(key) => 5 + key.len(),
    });
    let mut out = BytesMut::with_capacity(size.sum());
    for event in events {
        match event {
            Event::Put(entry) => {
                out.put_u8(PUT);
                put_bytes(&mut out, entry.key.as_bytes());
                out.put_i64_le(entry.created.0);
                put_bytes(&mut out, &entry.value);
            }
            Event::Delete(key) => {
                out.put_u8(DELETE);
                put_bytes(&mut out, key.as_bytes());
            }
        }
    }
    out.freeze()
}

/// The events of revision `at`; `None` when the row is not what [`encode`] writes. Nothing is copied.
pub(super) fn decode(at: Revision, mut row: Bytes) -> Option<Vec<Event>> {
    let mut events = Vec::new();
    while !row.is_empty() {
        let tag = take(&mut row, 1)?[0];
        let key = Key::new(take_bytes(&mut row)?);
        events.push(match tag {
            DELETE => Event::Delete(key),
            PUT => {
                let created = Revision(i64::from_le_bytes(take(&mut row, 8)?.as_ref().try_into().ok()?));
                Event::Put(Entry { key, value: take_bytes(&mut row)?, created, modified: at })
            }
            _ => return None,
        });
    }
    Some(events)
}

/// Lengths fit: a commit is limited to 256 KiB, and a key to what a commit can carry.
fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u32_le(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.put_slice(bytes);
}

fn take_bytes(row: &mut Bytes) -> Option<Bytes> {
    let length = u32::from_le_bytes(take(row, 4)?.as_ref().try_into().ok()?);
    take(row, usize::try_from(length).ok()?)
}

fn take(row: &mut Bytes, count: usize) -> Option<Bytes> {
    (row.len() >= count).then(|| row.split_to(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_survive_the_row_and_a_cut_row_is_noticed() {
        let at = Revision(7);
        let events = vec![
            Event::Put(Entry {
                key: Key::from("a"),
                value: Bytes::from_static(b"\0value"),
                created: Revision(3),
                modified: at,
            }),
            Event::Delete(Key::from(vec![0, 0xFF])),
        ];
        let row = encode(&events);
        assert_eq!(decode(at, row.clone()), Some(events));
        for cut in 1..row.len() {
            let whole = decode(at, row.slice(..cut));
            assert!(whole.is_none() || cut == 24, "a row cut at {cut} of {} is read as whole", row.len());
        }
    }
}
