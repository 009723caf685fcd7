//! I15: every change has exactly one audit entry for each transition, and every lane verifies.

use crate::house::Where;
use crate::http1::{Api, Ask, Conn};
use clap::Args;
use rein_domain::audit::{Checkpoint, Head, Link, Walk, unhex};
use rein_domain::time::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Walks all audit lanes of a server and compares them with its changes, one by one
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    house: Where,
}

/// What the trail says.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    pub(crate) entries: u64,
    pub(crate) lanes: usize,
    /// Verbs by change, in the order of the trail.
    pub(crate) by_change: BTreeMap<String, Vec<String>>,
    /// Changes laid by idempotency key.
    pub(crate) by_key: BTreeMap<String, Vec<String>>,
    /// Entries by idempotency key, whatever the verb.
    pub(crate) keys: BTreeMap<String, u32>,
    pub(crate) broken: Vec<String>,
}

pub(crate) async fn run(args: Audit) -> Result<Value, String> {
    let house = args.house.open(&[]).await?;
    check(&house.api).await
}

/// Reads the trail of a server and compares it with the server's changes.
pub(crate) async fn check(api: &Api) -> Result<Value, String> {
    let mut conn = api.conn();
    // Changes first: what is laid in between is in the trail only, and that is no fault.
    let changes = conn.send(&Ask::get("/v1/changes?limit=1000")).await?.want("changes")?;
    let trail = read(&mut conn).await?;
    let mut wrong = trail.broken.clone();
    for (id, verbs) in &trail.by_change {
        let laid = verbs.iter().filter(|verb| verb.starts_with("switch:")).count();
        let over = verbs.iter().filter(|verb| *verb == "change:expire" || *verb == "change:end").count();
        if laid > 1 || over > 1 {
            wrong.push(format!("{id}: {verbs:?}"));
        }
    }
    let list = changes["changes"].as_array().cloned().unwrap_or_default();
    for change in &list {
        let id = change["id"].as_str().unwrap_or_default();
        let acts = change["acts"].as_array().map_or(0, Vec::len);
        let by_itself = usize::from(change["ended"]["how"] == "expired");
        let verbs = trail.by_change.get(id).map_or(&[][..], Vec::as_slice);
        if verbs.len() != acts + by_itself {
            wrong.push(format!("{id}: {acts} acts, {by_itself} expiry, but the trail has {verbs:?}"));
        }
    }
    Ok(json!({
        "what": "audit", "n": trail.entries, "lanes": trail.lanes, "changes": trail.by_change.len(),
        "compared": list.len(), "violations": wrong.len(), "wrong": wrong.iter().take(5).collect::<Vec<_>>(),
    }))
}

/// Reads and walks all lanes.
pub(crate) async fn read(conn: &mut Conn) -> Result<Trail, String> {
    let heads = conn.send(&Ask::get("/v1/audit/heads")).await?.want("heads")?;
    let signed = checkpoints(&heads);
    let key = heads["key"].as_str().and_then(unhex).unwrap_or_default();
    let mut trail = Trail::default();
    for checkpoint in &signed {
        if let Err(error) = checkpoint.verify(&key) {
            trail.broken.push(error.to_string());
        }
    }
    let lanes = heads["lanes"].as_object().cloned().unwrap_or_default();
    trail.lanes = lanes.len();
    for (lane, most) in &lanes {
        let most = most.as_u64().unwrap_or(0);
        if let Err(why) = walk(conn, (lane, most), &signed, &mut trail).await? {
            trail.broken.push(why);
        }
    }
    Ok(trail)
}

async fn walk(
    conn: &mut Conn,
    (lane, most): (&str, u64),
    signed: &[Checkpoint],
    trail: &mut Trail,
) -> Result<Result<(), String>, String> {
    let Ok(mut walk) = Walk::new(lane, signed) else { return Ok(Err(format!("{lane}: bad heads"))) };
    let mut after = 0;
    while after < most {
        let ask = Ask::get(format!("/v1/audit/lanes/{lane}?after={after}&limit=1000"));
        let view = conn.send(&ask).await?.want(lane)?;
        let links = view["links"].as_array().cloned().unwrap_or_default();
        if links.is_empty() {
            return Ok(Err(format!("{lane} ends at {after}, but has {most} entries")));
        }
        for link in &links {
            let Some(link) = parse(link) else { return Ok(Err(format!("{lane}: not a link: {link}"))) };
            if let Err(error) = walk.step(&link) {
                return Ok(Err(error.to_string()));
            }
            after = link.seq;
            note(&link.body, trail);
        }
    }
    Ok(walk.finish().map(drop).map_err(|e| e.to_string()))
}

fn note(body: &[u8], trail: &mut Trail) {
    trail.entries += 1;
    let entry: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let verb = entry["verb"].as_str().unwrap_or_default().to_owned();
    if let Some(key) = entry["key"].as_str() {
        *trail.keys.entry(key.to_owned()).or_default() += 1;
    }
    let Some(change) = entry["change"].as_str() else { return };
    if let (Some(key), true) = (entry["key"].as_str(), verb.starts_with("switch:")) {
        trail.by_key.entry(key.to_owned()).or_default().push(change.to_owned());
    }
    trail.by_change.entry(change.to_owned()).or_default().push(verb);
}

fn parse(link: &Value) -> Option<Link> {
    Some(Link {
        seq: link["seq"].as_u64()?,
        hash: unhex(link["hash"].as_str()?)?.try_into().ok()?,
        body: link["body"].as_str()?.as_bytes().to_vec(),
    })
}

fn checkpoints(heads: &Value) -> Vec<Checkpoint> {
    let list = heads["checkpoints"].as_array().cloned().unwrap_or_default();
    let head = |(lane, head): (&String, &Value)| {
        let hash = head["hash"].as_str().unwrap_or_default().to_owned();
        (lane.clone(), Head { seq: head["seq"].as_u64().unwrap_or(0), hash })
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let read = |c: &Value| Checkpoint {
        at: Timestamp(c["at"].as_i64().unwrap_or(0)),
        heads: c["heads"].as_object().map(|all| all.iter().map(head).collect()).unwrap_or_default(),
        previous: text(&c["previous"]),
        signature: text(&c["signature"]),
    };
    list.iter().map(read).collect()
}
