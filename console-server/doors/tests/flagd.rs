//! The flagd sync door, against HTTP/2 clients that read, do not read, lie and vanish.

#[path = "house/caller.rs"]
mod caller;
mod house;

use caller::{Ask, call, connect, dial, door};
use house::{House, hold, until};
use rein_domain::proof::Identity;
use rein_doors::flagd::{Access, DoorError, FlagdDoor, FlagdOptions, Limits};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3600);

fn limits(alter: impl FnOnce(&mut Limits)) -> FlagdOptions {
    let mut options = FlagdOptions::default();
    alter(&mut options.limits);
    options
}

fn tokens() -> FlagdOptions {
    FlagdOptions { access: Access { tokens: true, ..Access::default() }, ..FlagdOptions::default() }
}

fn named(provider: &str) -> Ask<'_> {
    Ask { provider, ..Ask::default() }
}

#[tokio::test]
async fn a_flip_is_received_by_a_client_that_reads() {
    let house = House::open();
    let (address, _shutdown) = door(&house, FlagdOptions::default()).await;
    let mut send = connect(address).await;
    let mut stream = call(&mut send, "SyncFlags", named("order/i-1")).await;
    assert_eq!(stream.headers["content-type"], "application/grpc");
    let first = stream.next().await.unwrap();
    assert_eq!(first["flags"].as_object().unwrap().len(), 3);
    assert_eq!(first["flags"]["order.recs"]["defaultVariant"], "on");
    assert!(first["flags"]["order.recs"].get("targeting").is_none());

    let serial = house.lay("order/recs", vec![hold(1, 100, None, HOUR)]);
    let second = stream.next().await.unwrap();
    assert!(second["flags"]["order.recs"]["targeting"]["if"].is_array(), "{second}");
    until("received", || house.witness("order/i-1").received == serial).await;
    let witness = house.witness("order/i-1");
    assert_eq!((witness.sent, witness.held, witness.decided.len()), (serial, 0, 0));
    assert_eq!((witness.service.as_deref(), witness.identity), (Some("order"), Identity::Claimed));

    drop((stream, send));
    until("it is forgotten", || house.witnesses().is_empty()).await;
}

#[tokio::test]
async fn a_stopped_process_is_sent_to_but_has_never_received() {
    let house = House::open();
    let (address, _shutdown) = door(&house, FlagdOptions::default()).await;
    let (mut send, mut connection) = dial(address, 1 << 20).await;
    let stream = {
        let asks = call(&mut send, "SyncFlags", named("order/stopped"));
        tokio::pin!(asks);
        tokio::select! {
            stream = &mut asks => stream,
            _ = &mut connection => unreachable!("the server stays"),
        }
    };
    // From here on nobody polls the connection: its kernel takes bytes, the process does not.
    let serial = house.lay("order/recs", vec![hold(1, 100, None, HOUR)]);
    until("sent", || house.witness("order/stopped").sent == serial).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(house.witness("order/stopped").received < serial);
    // SIGCONT.
    tokio::spawn(connection);
    until("received", || house.witness("order/stopped").received == serial).await;
    drop(stream);
}

#[tokio::test]
async fn a_process_that_never_answers_is_let_go() {
    let house = House::open();
    let options = limits(|limits| limits.unanswered = Duration::from_millis(300));
    let (address, _shutdown) = door(&house, options).await;
    let (mut send, mut connection) = dial(address, 1 << 20).await;
    let stream = tokio::select! {
        stream = call(&mut send, "SyncFlags", named("order/dead")) => stream,
        _ = &mut connection => unreachable!("the server stays"),
    };
    until("it was there", || house.witnesses().len() == 1).await;
    until("it is let go", || house.witnesses().is_empty()).await;
    drop((stream, connection));
}

#[tokio::test]
async fn a_slow_reader_is_dropped_and_a_part_of_a_message_is_not_received() {
    let house = House::open();
    let options = limits(|limits| limits.unread = Duration::from_millis(300));
    let (address, _shutdown) = door(&house, options).await;
    let (mut send, connection) = dial(address, 100).await;
    tokio::spawn(connection);
    let mut stream = call(&mut send, "SyncFlags", named("order/slow")).await;
    until("it was there", || house.witnesses().len() == 1).await;
    let seen = house.witness("order/slow");
    assert_eq!((seen.sent, seen.received), (0, 0), "a hundred bytes are not the message");
    let reset = loop {
        match stream.body.data().await {
            Some(Ok(_)) => {}
            other => break other,
        }
    };
    let reason = reset.expect("a reset").unwrap_err().reason();
    assert_eq!(reason, Some(h2::Reason::ENHANCE_YOUR_CALM));
    until("it is forgotten", || house.witnesses().is_empty()).await;
}

#[tokio::test]
async fn a_reader_that_is_behind_gets_the_newest_set_only() {
    let house = House::open();
    let (address, _shutdown) = door(&house, FlagdOptions::default()).await;
    // Room for the first set and a little more: later ones wait for window.
    let (mut send, connection) = dial(address, 1_000).await;
    tokio::spawn(connection);
    let mut stream = call(&mut send, "SyncFlags", named("order/behind")).await;
    stream.next().await.unwrap();
    let mut last = 0;
    for n in 0..50 {
        last = house.lay("order/recs", vec![hold(n, u8::try_from(n + 1).unwrap(), None, HOUR)]);
        tokio::task::yield_now().await;
    }
    let mut sets = 0;
    loop {
        let set = stream.next().await.unwrap();
        sets += 1;
        if set["flags"]["order.recs"]["metadata"]["rev"] == last {
            break;
        }
    }
    assert!(sets < 50, "{sets} sets were sent");
    until("received", || house.witness("order/behind").received == last).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_stalled_streams_do_not_delay_the_others() {
    let house = House::open();
    let (address, _shutdown) = door(&house, FlagdOptions::default()).await;
    let mut stalled = Vec::new();
    for _ in 0..4 {
        let (mut send, connection) = dial(address, 64).await;
        tokio::spawn(connection);
        for _ in 0..50 {
            stalled.push(call(&mut send, "SyncFlags", named("order/stalled")).await);
        }
        stalled.last_mut().unwrap().headers.clear();
        std::mem::forget(send);
    }
    let mut send = connect(address).await;
    let mut stream = call(&mut send, "SyncFlags", named("order/quick")).await;
    stream.next().await.unwrap();
    for n in 0..20 {
        let from = Instant::now();
        house.lay("order/recs", vec![hold(n, 10, None, HOUR)]);
        stream.next().await.unwrap();
        assert!(from.elapsed() < Duration::from_millis(500), "{:?}", from.elapsed());
    }
    assert_eq!(house.witnesses().len(), 201);
    assert!(house.witnesses().iter().filter(|w| w.name == "order/stalled").all(|w| w.received == 0));
}

#[tokio::test]
async fn others_flips_send_nothing_and_carry_the_proof_over() {
    let house = House::open();
    let (address, _shutdown) = door(&house, FlagdOptions::default()).await;
    let mut send = connect(address).await;
    let ask = Ask { selector: "flagSetId=payment", provider: "payment/i-1", ..Ask::default() };
    let mut stream = call(&mut send, "SyncFlags", ask).await;
    let set = stream.next().await.unwrap();
    assert_eq!(set["flags"].as_object().unwrap().keys().collect::<Vec<_>>(), ["payment.wallet"]);
    assert_eq!(set["metadata"]["flagSetId"], "payment");
    let serial = house.lay("order/recs", vec![hold(1, 100, None, HOUR)]);
    until("carried over", || house.witness("payment/i-1").received == serial).await;
    let more = tokio::time::timeout(Duration::from_millis(100), stream.next()).await;
    assert!(more.is_err(), "the same bytes are not sent again");
    let serial = house.lay("payment/wallet", vec![hold(2, 100, None, HOUR)]);
    stream.next().await.unwrap();
    until("received", || house.witness("payment/i-1").received == serial).await;
}

#[tokio::test]
async fn selectors_and_unary_calls() {
    let house = House::open();
    let (address, _shutdown) = door(&house, FlagdOptions::default()).await;
    let mut send = connect(address).await;
    for (ask, flags) in [
        (Ask::default(), 3),
        (Ask { selector: "order", ..Ask::default() }, 2),
        (Ask { header: "flagSetId=payment", selector: "order", ..Ask::default() }, 1),
        (Ask { header: "nobody", ..Ask::default() }, 0),
    ] {
        let mut answer = call(&mut send, "FetchAllFlags", ask).await;
        let set = answer.next().await.unwrap();
        assert_eq!(set["flags"].as_object().unwrap().len(), flags);
        assert_eq!(answer.status().await.0, "0");
    }
    let mut answer = call(&mut send, "SyncFlags", Ask { selector: "source=x", ..Ask::default() }).await;
    let (status, message) = answer.status().await;
    assert_eq!(status, "3");
    assert!(message.contains("flagSetId=SERVICE"), "{message}");
    let mut answer = call(&mut send, "GetMetadata", Ask::default()).await;
    let chunk = answer.body.data().await.unwrap().unwrap();
    assert_eq!(&chunk[..], [0, 0, 0, 0, 2, 0x12, 0], "an empty Struct in field 2");
    assert_eq!(answer.status().await.0, "0");
    assert_eq!(call(&mut send, "Nonsense", Ask::default()).await.status().await.0, "12");
    assert!(house.witnesses().is_empty(), "asking once is no proof");
}

#[tokio::test]
async fn a_token_opens_its_own_flag_set_and_makes_a_witness_known() {
    let house = House::open();
    let (address, _shutdown) = door(&house, tokens()).await;
    let mut send = connect(address).await;
    for (token, selector, status) in [
        ("", "", "16"),
        ("wrong", "", "16"),
        ("order-token", "payment", "7"),
        ("recs-token", "order", "7"),
        ("recs-token", "", "7"),
    ] {
        let ask = Ask { token, selector, ..Ask::default() };
        for method in ["SyncFlags", "FetchAllFlags", "GetMetadata"] {
            let got = call(&mut send, method, ask).await.status().await.0;
            assert_eq!(got, status, "{method} with `{token}` for `{selector}`");
        }
    }
    let ask = Ask { token: "order-token", provider: "payment/fake", ..Ask::default() };
    let mut stream = call(&mut send, "SyncFlags", ask).await;
    let set = stream.next().await.unwrap();
    assert_eq!(set["metadata"]["flagSetId"], "order", "all that the token opens");
    let witness = house.witness("order/fake");
    assert_eq!(witness.service.as_deref(), Some("order"), "whatever it calls itself");
    assert_eq!(witness.identity, Identity::Authenticated);

    house.revoke("order-token");
    house.lay("order/recs", vec![hold(1, 100, None, HOUR)]);
    assert_eq!(stream.status().await.0, "16", "a revoked token ends its streams");
}

#[tokio::test]
async fn a_fake_id_is_never_authenticated() {
    let house = House::open();
    let (address, _shutdown) = door(&house, FlagdOptions::default()).await;
    let mut send = connect(address).await;
    let mut streams = Vec::new();
    for (provider, token) in [
        ("payment/i-1", ""),
        ("payment/i-2", "wrong"),
        ("payment/i-3", "order-token"),
        ("order/i-4", "order-token"),
    ] {
        streams.push(call(&mut send, "SyncFlags", Ask { provider, token, ..Ask::default() }).await);
    }
    until("all are there", || house.witnesses().len() == 4).await;
    for witness in house.witnesses() {
        let known = witness.name == "order/i-4";
        assert_eq!(witness.identity == Identity::Authenticated, known, "{witness:?}");
    }
}

#[tokio::test]
async fn off_loopback_a_door_that_asks_nothing_does_not_open() {
    let house = House::open();
    let serve = async |options| {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        FlagdDoor::serve(listener, house.doorway.clone(), options, shutdown).await
    };
    assert!(matches!(serve(FlagdOptions::default()).await, Err(DoorError::Open { .. })));
    assert!(serve(tokens()).await.is_ok());
    let mtls = Access { mtls: true, ..Access::default() };
    let mtls = FlagdOptions { access: mtls, ..FlagdOptions::default() };
    assert!(matches!(serve(mtls).await, Err(DoorError::NoTls)));
}

#[tokio::test]
async fn when_the_door_closes_streams_end_with_unavailable() {
    let house = House::open();
    let (address, shutdown) = door(&house, FlagdOptions::default()).await;
    let mut send = connect(address).await;
    let mut stream = call(&mut send, "SyncFlags", named("order/i-1")).await;
    stream.next().await.unwrap();
    shutdown.cancel();
    assert_eq!(stream.status().await.0, "14");
    until("it is forgotten", || house.witnesses().is_empty()).await;
}

#[tokio::test]
async fn nothing_is_sent_before_there_is_a_set() {
    let house = House::open();
    let (publish, served) =
        tokio::sync::watch::channel(std::sync::Arc::new(rein_core::doorway::Served::nothing()));
    let mut early = House::open();
    early.doorway.served = served;
    let (address, _shutdown) = door(&early, FlagdOptions::default()).await;
    let mut send = connect(address).await;
    let mut stream = call(&mut send, "SyncFlags", Ask::default()).await;
    let wait = tokio::time::timeout(Duration::from_millis(100), stream.next()).await;
    assert!(wait.is_err(), "an empty set would take every flag away");
    publish.send_replace(house.doorway.served.borrow().clone());
    assert_eq!(stream.next().await.unwrap()["flags"].as_object().unwrap().len(), 3);
}
