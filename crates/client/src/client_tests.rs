use super::*;
use crate::events::Event;
use futures::future::BoxFuture;
use futures::stream;
use rein_api::status::StatusView;
use std::collections::VecDeque;

/// What the network does with one request.
enum Fate {
    Answer(u16, String),
    Refuse,
    Reset,
    Silence,
}

#[derive(Default)]
struct Script {
    fates: Mutex<VecDeque<Fate>>,
    sent: Mutex<Vec<http::Request<Bytes>>>,
}

impl Transport for Script {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, SendError>> {
        let fate = self.fates.lock().unwrap().pop_front().expect("no more requests were foreseen");
        self.sent.lock().unwrap().push(request);
        Box::pin(async move {
            match fate {
                Fate::Refuse => Err(SendError::Connect("refused".into())),
                Fate::Reset => Err(SendError::Lost("reset".into())),
                Fate::Silence => futures::future::pending().await,
                Fate::Answer(status, text) => {
                    let answer = http::Response::builder()
                        .status(status)
                        .header(paths::EPOCH, "e1")
                        .header(paths::REVISION, "7");
                    Ok(answer.body(stream::iter([Ok(Bytes::from(text))]).boxed()).unwrap())
                }
            }
        })
    }

    fn server(&self) -> &str {
        "http://test"
    }
}

fn client(fates: Vec<Fate>) -> (Client, Arc<Script>) {
    let script = Arc::new(Script { fates: Mutex::new(fates.into()), ..Script::default() });
    (Client::new(script.clone(), Some("rein_secret\n")), script)
}

fn undone() -> String {
    r#"{"code":"not_found","message":"there is no token x"}"#.to_owned()
}

async fn revoke(fates: Vec<Fate>) -> (ClientError, Arc<Script>) {
    let (client, script) = client(fates);
    (client.revoke_token("x", &Key::fresh()).await.unwrap_err(), script)
}

#[tokio::test(start_paused = true)]
async fn a_write_that_never_left_is_unreachable_at_once() {
    let (error, script) = revoke(vec![Fate::Refuse]).await;
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    assert_eq!(script.sent.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_is_sent_again_under_the_same_key() {
    let (error, script) = revoke(vec![Fate::Reset, Fate::Refuse, Fate::Answer(404, undone())]).await;
    assert_eq!(error.code(), Some(ErrorCode::NotFound));
    let sent = script.sent.lock().unwrap();
    let keys: Vec<_> = sent.iter().map(|r| r.headers()[paths::IDEMPOTENCY_KEY].clone()).collect();
    assert!(keys.len() == 3 && keys.iter().all(|k| *k == keys[0]));
    assert_eq!(sent[0].headers()[header::AUTHORIZATION], "Bearer rein_secret");
}

#[tokio::test(start_paused = true)]
async fn after_three_lost_answers_the_outcome_is_unknown_and_the_key_is_told() {
    for fates in [
        vec![Fate::Reset, Fate::Reset, Fate::Reset],
        vec![Fate::Reset, Fate::Refuse, Fate::Refuse],
        vec![Fate::Silence],
    ] {
        let (error, script) = revoke(fates).await;
        let ClientError::UnknownOutcome { key, .. } = error else { panic!("{error}") };
        assert_eq!(script.sent.lock().unwrap()[0].headers()[paths::IDEMPOTENCY_KEY], key.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_sends_back_the_highest_revision_seen() {
    let (client, script) = client(vec![Fate::Answer(404, undone()), Fate::Answer(200, "{".into())]);
    let _: Result<StatusView, _> = client.status().await;
    let error = client.status().await.unwrap_err();
    assert!(matches!(error, ClientError::Protocol { .. }), "{error}");
    let sent = script.sent.lock().unwrap();
    assert!(!sent[0].headers().contains_key(paths::SEEN));
    assert_eq!(sent[1].headers()[paths::SEEN], "7");
}

#[tokio::test(start_paused = true)]
async fn a_stream_resumes_where_it_was_and_a_cursor_that_is_gone_ends_it() {
    let event = |id: &str| {
        format!(
            ": heartbeat\n\nid: {id}\nevent: switch\ndata: {}\n\n",
            r#"{"revision":3,"noun":"switch","name":"a/b","what":"put","text":"x"}"#
        )
    };
    let gone = r#"{"code":"gone","message":"too old"}"#.to_owned();
    let (client, script) =
        client(vec![Fate::Answer(200, event("e1.3")), Fate::Refuse, Fate::Answer(410, gone)]);
    let mut events = client.events(None);
    assert_eq!(events.next().await, Ok(Event::Connected));
    assert!(matches!(events.next().await, Ok(Event::Altered(_))));
    assert!(matches!(events.next().await, Ok(Event::Lost(_))));
    assert_eq!(events.next().await.unwrap_err().code(), Some(ErrorCode::Gone));
    assert_eq!(script.sent.lock().unwrap()[2].uri(), "/v1/events?after=e1.3");
}
