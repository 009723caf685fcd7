use super::*;
use prost::Message;

fn seen() -> wire::Seen {
    wire::Seen { cell: "k".into(), value: Some("1".into()), copies: 1, ..Default::default() }
}

#[test]
fn a_seen_cell_goes_there_and_back_unaltered() {
    let wire = seen();
    let seen = Seen::try_from(wire.clone()).unwrap();
    assert_eq!(seen.value.as_deref(), Some("1"));
    assert_eq!(wire::Seen::from(seen), wire);
}

#[test]
fn text_is_cut_between_characters_and_keys_never() {
    let long = "値".repeat(MAX_TEXT);
    let cut = cut(long.clone());
    assert!(cut.len() <= MAX_TEXT && cut.ends_with('…'));
    let error = Seen::try_from(wire::Seen { cell: long, ..seen() }).unwrap_err();
    assert_eq!(error.to_string(), "cell has 12288 bytes; at most 1024 are taken");
    let error = Seen::try_from(wire::Seen { cell: String::new(), ..seen() }).unwrap_err();
    assert_eq!(error.to_string(), "cell is empty");
    let value = Some("x".repeat(MAX_VALUE + 1));
    assert!(Seen::try_from(wire::Seen { value, ..seen() }).is_err());
}

#[test]
fn what_is_not_known_is_taken_as_the_least_safe() {
    let fault = Fault::from(wire::Fault { kind: 77, message: String::new() });
    assert_eq!(fault, Fault::Unknown("the plugin gave no reason".into()));
    let reply = wire::DescribeReply { name: "x".into(), repeat: 9, ..Default::default() };
    assert_eq!(Description::try_from(reply).unwrap().repeat, Repeat::None);
}

#[test]
fn a_field_of_a_configuration_is_named_by_a_pointer() {
    let error = wire::FieldError { field: "peers[0]".into(), message: String::new() };
    let error = FieldError::try_from(error).unwrap_err();
    assert_eq!(error.to_string(), "field `peers[0]` is no JSON Pointer: it begins with `/`");
}

#[test]
fn every_fault_survives_the_wire() {
    for fault in [
        Fault::NotDone("a".into()),
        Fault::Unknown("b".into()),
        Fault::Moved("c".into()),
        Fault::Unsupported("d".into()),
        Fault::Unreachable("e".into()),
        Fault::Invalid("f".into()),
    ] {
        assert_eq!(Fault::from(wire::Fault::from(fault.clone())), fault);
    }
}

#[test]
fn an_alert_survives_the_wire_with_whatever_hushes_it() {
    let alert = AlertSeen {
        id: "6c1f".into(),
        labels: [("alertname".to_owned(), "DiskFull".to_owned())].into(),
        summary: "full".into(),
        since: "2026-11-23T00:00:00Z".into(),
        state: "suppressed".into(),
        silenced_by: vec!["s".into()],
        inhibited_by: vec!["a".into(), "b".into()],
    };
    assert_eq!(AlertSeen::try_from(wire::Alert::from(alert.clone())).unwrap(), alert);
}

/// Bytes that are no message, or one of another kind, end in an error and never in a panic.
#[test]
fn garbage_is_an_error() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for length in 0..2_000 {
        let bytes: Vec<u8> = (0..length % 97)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .collect();
        let _ = wire::DescribeReply::decode(&bytes[..]).map(Description::try_from);
        let _ = wire::ObserveReply::decode(&bytes[..]).map(|r| all::<Seen, _>(r.seen));
        let _ = wire::ListSilencesReply::decode(&bytes[..]).map(|r| silences(r.silences));
        let _ = wire::MatchAlertsReply::decode(&bytes[..]).map(Matched::try_from);
        let _ = wire::ApplyReply::decode(&bytes[..]).map(|r| r.fault.map(Fault::from));
    }
}
