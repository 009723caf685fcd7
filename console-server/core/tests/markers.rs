//! Changes made elsewhere: recorded once, by those who may, kept bounded; and versions that registrations show.

mod rig;

use futures::StreamExt;
use rein_api::ErrorCode;
use rein_api::markers::{MarkerQuery, MarkerRequest, SourceDocument};
use rein_core::app::definitions::Mode;
use rein_core::app::events::Events;
use rein_domain::marker::MAX_OF_SOURCE;
use rig::Rig;

fn deploy(service: &str, version: &str) -> MarkerRequest {
    MarkerRequest {
        kind: "deploy".into(),
        service: service.into(),
        version: Some(version.into()),
        by: Some("ci".into()),
        ..MarkerRequest::default()
    }
}

#[tokio::test]
async fn a_marker_is_recorded_once_audited_and_told() {
    let rig = Rig::open().await;
    let mut events = rig.house.events(&rig.alice, None).await.unwrap();
    let reporter = rig.actor("robot", "reporter", "order/*").await;
    let key = rig.key(0);
    let request =
        MarkerRequest { ago_seconds: Some(90), note: "pipeline 7".into(), ..deploy("order", "v2.4") };
    let first = rig.house.mark(&reporter, Some(key), &request).await.unwrap();
    let again = rig.house.mark(&reporter, Some(key), &request).await.unwrap();
    assert_eq!(first, again);
    let list = rig.house.markers(&rig.alice, &MarkerQuery::default()).unwrap().markers;
    assert_eq!(list, std::slice::from_ref(&first.marker));
    assert_eq!((list[0].by.as_str(), list[0].actor.as_str()), ("ci", "robot"));
    assert_eq!(list[0].recorded.0.0 - list[0].at.0.0, 90_000);
    let entry = rig.audit().await.into_iter().find(|entry| entry.verb == "marker:write").unwrap();
    assert_eq!((entry.actor.as_str(), entry.detail.as_str()), ("robot", "deploy v2.4 by ci"));
    assert_eq!(entry.targets, ["order"]);
    let told = loop {
        let Events::Recorded(batch) = events.next().await.unwrap().unwrap() else { continue };
        if let Some(event) = batch.into_iter().find(|event| event.noun == "marker") {
            break event.text;
        }
    };
    assert!(told.contains("ci made a change") && told.contains("deploy v2.4 of order"), "{told}");
    let rig = rig.reopen().await;
    assert_eq!(rig.house.markers(&rig.alice, &MarkerQuery::default()).unwrap().markers, list);
    rig.verify_lanes().await;
}

#[tokio::test]
async fn who_may_not_or_says_what_is_none_is_refused() {
    let rig = Rig::open().await;
    let reporter = rig.actor("robot", "reporter", "order/*").await;
    let client = rig.actor("order", "client", "order/*").await;
    let code = async |actor, request: &MarkerRequest| {
        rig.house.mark(actor, None, request).await.map(drop).map_err(|error| error.code())
    };
    assert_eq!(code(&reporter, &deploy("payment", "v1")).await, Err(ErrorCode::Denied));
    assert_eq!(code(&client, &deploy("order", "v1")).await, Err(ErrorCode::Denied));
    let denied = rig.house.markers(&reporter, &MarkerQuery::default()).unwrap_err();
    assert_eq!(denied.code(), ErrorCode::Denied);
    let now = rig.house.now();
    for request in [
        MarkerRequest { kind: "De\u{1b}ploy".into(), ..deploy("order", "v1") },
        MarkerRequest { by: Some("rein".into()), ..deploy("order", "v1") },
        MarkerRequest { by: Some("a b".into()), ..deploy("order", "v1") },
        MarkerRequest { ago_seconds: Some(8 * 24 * 3600), ..deploy("order", "v1") },
        MarkerRequest {
            at: Some(rein_domain::time::Timestamp(now.0 + 120_000).into()),
            ..deploy("order", "v1")
        },
        MarkerRequest { at: Some(now.into()), ago_seconds: Some(1), ..deploy("order", "v1") },
        MarkerRequest { note: "x".repeat(2000), ..deploy("order", "v1") },
    ] {
        assert_eq!(code(&reporter, &request).await, Err(ErrorCode::Invalid), "{request:?}");
    }
    assert!(rig.house.markers(&rig.alice, &MarkerQuery::default()).unwrap().markers.is_empty());
    // Nobody knows that service, and it is said; the fact is recorded all the same.
    let marked = rig.house.mark(&rig.alice, None, &deploy("ordre", "v1")).await.unwrap();
    assert!(!marked.known && marked.marker.by == "ci");
}

#[tokio::test]
async fn a_source_that_floods_only_loses_its_own_oldest() {
    let rig = Rig::open().await;
    let argo = MarkerRequest { by: Some("argo".into()), ..deploy("payment", "v1") };
    rig.house.mark(&rig.alice, None, &argo).await.unwrap();
    for at in 0..MAX_OF_SOURCE + 5 {
        rig.hand.pass(1000);
        rig.house.mark(&rig.alice, None, &deploy("order", &format!("v{at}"))).await.unwrap();
    }
    let of = |service: &str| {
        let query =
            MarkerQuery { service: Some(service.into()), limit: Some(1000), ..MarkerQuery::default() };
        rig.house.markers(&rig.alice, &query).unwrap().markers
    };
    let kept = of("order");
    assert_eq!(kept.len(), MAX_OF_SOURCE);
    assert_eq!(kept.last().unwrap().version.as_deref(), Some("v5"));
    assert_eq!(of("payment").len(), 1);
    let lately = MarkerQuery { since_seconds: Some(10), ..MarkerQuery::default() };
    assert_eq!(rig.house.markers(&rig.alice, &lately).unwrap().markers.len(), 11);
}

#[tokio::test]
async fn a_version_that_came_is_still_known_when_nobody_of_before_is_left() {
    let rig = Rig::open().await;
    let instance = |id: &str, version: &str| rig::instance("order", id, version);
    for id in ["a", "b"] {
        rig.house.register(&rig.admin, None, &instance(id, "v1")).await.unwrap();
    }
    rig.hand.pass(60_000);
    for id in ["a", "b"] {
        rig.house.deregister(&rig.admin, None, ("order", id), &Default::default()).await.unwrap();
    }
    rig.house.register(&rig.admin, None, &instance("a", "v2")).await.unwrap();
    let first = rig.house.now();
    rig.hand.pass(60_000);
    rig.house.register(&rig.admin, None, &instance("b", "v2")).await.unwrap();
    let rig = rig.reopen().await;
    let changes = rig.house.status(&rig.alice).await.unwrap().happened;
    let told: Vec<_> = changes.iter().filter(|one| one.source == "registry").collect();
    assert_eq!(told.len(), 1, "{changes:?}");
    assert_eq!(told[0].what, "v1 → v2 on 2 of 2");
    assert_eq!((told[0].at.0, told[0].targets.as_slice()), (first, &["order".to_owned()][..]));
}

#[tokio::test]
async fn sources_are_declared_by_those_who_may() {
    let rig = Rig::open().await;
    let document = SourceDocument {
        kind: "source".into(),
        name: "ci".into(),
        owner: "platform".into(),
        every_seconds: Some(3600),
    };
    let denied = rig.house.define_source(&rig.alice, None, ("ci", &document), Mode::Apply).await.unwrap_err();
    assert_eq!(denied.code(), ErrorCode::Denied);
    let define = async |name, document: &SourceDocument| {
        rig.house.define_source(&rig.admin, None, (name, document), Mode::Apply).await
    };
    assert_eq!(define("ci", &document).await.unwrap().outcome, "created");
    assert_eq!(define("ci", &document).await.unwrap().outcome, "unchanged");
    assert_eq!(define("argo", &document).await.unwrap_err().code(), ErrorCode::Invalid);
    let altered = SourceDocument { every_seconds: None, ..document.clone() };
    assert_eq!(define("ci", &altered).await.unwrap().outcome, "altered");
    assert_eq!(rig.house.definitions(&rig.alice).unwrap().sources, [altered]);
    assert_eq!(rig.house.undefine_source(&rig.admin, None, "ci").await.unwrap().outcome, "deleted");
    let gone = rig.house.undefine_source(&rig.admin, None, "ci").await.unwrap_err();
    assert_eq!(gone.code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn a_source_that_is_not_heard_is_named_in_the_status() {
    let rig = Rig::open().await;
    let every = |name: &str, every_seconds| SourceDocument {
        kind: "source".into(),
        name: name.into(),
        owner: "platform".into(),
        every_seconds,
    };
    for (name, seconds) in [("ci", Some(3600)), ("argo", None)] {
        let document = every(name, seconds);
        rig.house.define_source(&rig.admin, None, (name, &document), Mode::Apply).await.unwrap();
    }
    let states = async || {
        let status = rig.house.status(&rig.alice).await.unwrap();
        let told = status.sources.iter().map(|s| format!("{} {}", s.name, s.state)).collect::<Vec<_>>();
        (told.join(", "), status.attention.join(" "))
    };
    assert_eq!(states().await, ("rein heard, argo never, ci never".into(), "sources".into()));
    for by in ["ci", "argo"] {
        let request = MarkerRequest { by: Some(by.into()), ..deploy("order", "v1") };
        rig.house.mark(&rig.alice, None, &request).await.unwrap();
    }
    assert_eq!(states().await, ("rein heard, argo heard, ci heard".into(), String::new()));
    let status = rig.house.status(&rig.alice).await.unwrap();
    let told: Vec<_> = status.happened.iter().filter(|one| one.source != "rein").collect();
    assert_eq!(told.len(), 2, "{status:?}");
    assert_eq!((told[0].by.as_str(), told[0].what.as_str()), ("alice", "deploy v1"));
    // The marker stands for itself: its entry in the trail is not told beside it.
    assert!(!status.happened.iter().any(|one| one.what == "marker:write"), "{status:?}");
    rig.hand.pass(3_601_000);
    assert_eq!(states().await, ("rein heard, argo heard, ci silent".into(), "sources".into()));
}
