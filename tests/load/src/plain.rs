//! Plain etcd transactions of the shape that a change has: as many conditions, as many puts, as many bytes.

use crate::figures::Samples;
use crate::house::{House, change_id, end, lay};
use etcd_client::{Client, Compare, CompareOp, GetOptions, Txn, TxnOp};
use serde_json::{Value, json};
use std::time::Instant;

/// What a change's own commit puts: its record, its target's, its idempotency record, its audit entry. What
/// the store adds to each transaction (its session, a lane's head) is not counted: nobody else needs it.
const KINDS: [&str; 4] = ["k/change/", "k/target/", "k/idem/", "l/"];
/// What laying is conditioned on: no such change and no such key yet, the switch as it was, the session.
const TO_LAY: usize = 4;
/// What ending is conditioned on: the change as it was, no such key yet, the session.
const TO_END: usize = 3;

/// Sizes of keys and values that a commit puts.
type Puts = Vec<(usize, usize)>;

/// What one change puts when it is laid, and when it is ended.
pub(crate) struct Shape {
    laid: Puts,
    ended: Puts,
}

impl Shape {
    /// Lays a change, ends it, and looks at what that put into etcd. Nobody else may write meanwhile.
    pub(crate) async fn of_a_change(house: &House, switch: &str, plain: &Plain) -> Result<Self, String> {
        let mut conn = house.api.conn();
        let answer = lay(&mut conn, switch, 3600).await?;
        let laid = plain.puts_at(revision(&answer)?).await?;
        let id = change_id(&answer).ok_or("no id")?;
        let answer = conn.send(&end(id)).await?.want("end")?;
        let ended = plain.puts_at(revision(&answer)?).await?;
        Ok(Self { laid, ended })
    }

    /// The same for people.
    pub(crate) fn figures(&self) -> Value {
        let bytes = |puts: &Puts| puts.iter().map(|(key, value)| key + value).sum::<usize>();
        json!({
            "puts": KINDS.len(), "laid_conditions": TO_LAY, "laid_bytes": bytes(&self.laid),
            "ended_conditions": TO_END, "ended_bytes": bytes(&self.ended),
        })
    }
}

/// The revision of the change in an answer.
fn revision(answer: &Value) -> Result<i64, String> {
    answer["change"]["revision"].as_i64().ok_or_else(|| format!("no revision in {answer}"))
}

/// A connection to each member.
pub(crate) struct Plain(Vec<Client>);

impl Plain {
    /// Connects.
    pub(crate) async fn connect(members: &[String]) -> Result<Self, String> {
        let mut clients = Vec::new();
        for member in members {
            clients.push(Client::connect([format!("http://{member}")], None).await.map_err(said)?);
        }
        Ok(Self(clients))
    }

    async fn puts_at(&self, revision: i64) -> Result<Puts, String> {
        let mut client = self.0.first().cloned().ok_or("no member")?;
        let options =
            GetOptions::new().with_all_keys().with_min_mod_revision(revision).with_max_mod_revision(revision);
        let found = client.get("", Some(options)).await.map_err(said)?;
        let of = |kind: &str| {
            let at = |key: &[u8]| String::from_utf8_lossy(key).contains(kind);
            let kv = found.kvs().iter().find(|kv| at(kv.key()));
            let kv = kv.ok_or_else(|| format!("revision {revision} holds no {kind}"))?;
            Ok((kv.key().len(), kv.value().len()))
        };
        KINDS.iter().map(|kind| of(kind)).collect()
    }

    /// So many clients, spread evenly over the members, until then.
    pub(crate) async fn turn(
        &self,
        shape: &Shape,
        (clients, turn): (usize, u64),
        until: Instant,
    ) -> Result<Samples, String> {
        let running: Vec<_> = (0..clients)
            .zip(self.0.iter().cycle())
            .map(|(client, member)| {
                let puts = (shape.laid.clone(), shape.ended.clone());
                tokio::spawn(cycle(member.clone(), puts, format!("{turn}-{client}"), until))
            })
            .collect();
        let mut all = Samples::default();
        for client in running {
            all.extend(client.await.map_err(|e| e.to_string())??);
        }
        Ok(all)
    }
}

/// One client: a transaction that puts, then one that puts over it, again and again.
async fn cycle(
    mut client: Client,
    (laid, ended): (Puts, Puts),
    who: String,
    until: Instant,
) -> Result<Samples, String> {
    let mut took = Samples::default();
    for n in 0.. {
        let keys: Vec<_> = (0..KINDS.len()).map(|kind| key(&laid, kind, &format!("{who}-{n}"))).collect();
        let absent = keys.iter().map(|key| Compare::create_revision(key.clone(), CompareOp::Equal, 0));
        let at = write(&mut client, absent.take(TO_LAY).collect(), puts(&keys, &laid), &mut took).await?;
        let unmoved = keys.iter().map(|key| Compare::mod_revision(key.clone(), CompareOp::Equal, at));
        // The idempotency record and the audit entry are new ones.
        let fresh = |kind: usize| key(&ended, kind, &format!("{who}-{n}-end"));
        let next = [keys[0].clone(), keys[1].clone(), fresh(2), fresh(3)];
        write(&mut client, unmoved.take(TO_END).collect(), puts(&next, &ended), &mut took).await?;
        if Instant::now() >= until {
            break;
        }
    }
    Ok(took)
}

async fn write(
    client: &mut Client,
    when: Vec<Compare>,
    puts: Vec<TxnOp>,
    took: &mut Samples,
) -> Result<i64, String> {
    let begun = Instant::now();
    let answer = client.txn(Txn::new().when(when).and_then(puts)).await.map_err(said)?;
    took.push(begun.elapsed());
    let at = answer.header().map(etcd_client::ResponseHeader::revision);
    at.filter(|_| answer.succeeded())
        .ok_or_else(|| "a transaction of one client's own keys failed".to_owned())
}

/// A key as long as the change's own.
fn key(puts: &Puts, kind: usize, name: &str) -> Vec<u8> {
    let mut key = format!("plain/{kind}/{name}").into_bytes();
    let long = puts.get(kind).map_or(0, |(key, _)| *key);
    key.resize(long.max(key.len()), b'-');
    key
}

fn puts(keys: &[Vec<u8>], sizes: &Puts) -> Vec<TxnOp> {
    keys.iter().zip(sizes).map(|(key, (_, size))| TxnOp::put(key.clone(), vec![b'x'; *size], None)).collect()
}

#[allow(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn said(error: etcd_client::Error) -> String {
    format!("etcd: {error}")
}
