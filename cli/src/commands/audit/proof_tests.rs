use super::*;
use rein_domain::audit::{Hash, Head, link};
use rein_domain::time::Timestamp;
use ring::signature::{Ed25519KeyPair, KeyPair};

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn lane(n: u64) -> Vec<Link> {
    let mut hash: Hash = [0; 32];
    (1..=n)
        .map(|seq| {
            let body = format!("entry {seq}").into_bytes();
            hash = link(&hash, seq, &body);
            Link { seq, hash, body }
        })
        .collect()
}

/// Checkpoints over these heads of lane `a`, chained and signed.
fn signed(pair: &Ed25519KeyPair, links: &[Link], seqs: &[u64]) -> Vec<Checkpoint> {
    let mut previous = String::new();
    seqs.iter()
        .map(|seq| {
            let head = Head { seq: *seq, hash: hex(&links[*seq as usize - 1].hash) };
            let mut checkpoint = Checkpoint {
                at: Timestamp(*seq as i64),
                heads: [("a".to_owned(), head)].into(),
                previous: previous.clone(),
                signature: String::new(),
            };
            checkpoint.signature = hex(pair.sign(&checkpoint.signed_bytes()).as_ref());
            previous = checkpoint.digest();
            checkpoint
        })
        .collect()
}

fn verify(
    key: &[u8],
    links: &[Link],
    ours: &[Checkpoint],
    outside: &[Checkpoint],
) -> Result<LaneProof, Fault> {
    checkpoints(key, ours, outside)?;
    let mut lane = Lane::new("a", ours, outside)?;
    links.iter().try_for_each(|link| lane.step(link))?;
    lane.finish()
}

#[test]
fn an_honest_trail_says_what_rests_on_whose_word() {
    let (pair, links) = (pair(1), lane(10));
    let key = pair.public_key().as_ref();
    let ours = signed(&pair, &links, &[2, 5, 8]);
    let proof = verify(key, &links, &ours, &ours[..2]).unwrap();
    assert_eq!((proof.proved, proof.signed, proof.unproved), (5, 3, 2));
    let proof = verify(key, &links, &ours, &[]).unwrap();
    assert_eq!((proof.proved, proof.signed, proof.unproved), (0, 8, 2));
    // Heads kept long ago, which the server no longer lists, still bind it.
    let proof = verify(key, &links, &ours[1..], &ours[..1]).unwrap();
    assert_eq!((proof.proved, proof.signed, proof.unproved), (2, 6, 2));
}

#[test]
fn every_forgery_is_found() {
    let (honest, thief, links) = (pair(1), pair(2), lane(10));
    let key = honest.public_key().as_ref();
    let ours = signed(&honest, &links, &[2, 5, 8]);

    let strangers = signed(&thief, &links, &[2, 5, 8]);
    assert!(matches!(verify(key, &links, &strangers, &[]), Err(Fault::Audit(AuditError::Signature(_)))));

    let gap = [ours[0].clone(), ours[2].clone()];
    assert_eq!(verify(key, &links, &gap, &[]), Err(Fault::Chain { at: 8 }));

    let mut altered = links.clone();
    altered[3].body = b"entry X".to_vec();
    assert!(matches!(
        verify(key, &altered, &ours, &[]),
        Err(Fault::Audit(AuditError::Altered { seq: 4, .. }))
    ));

    // Cut behind the last head, with the server's own heads cut as well: only what is outside shows it.
    assert!(verify(key, &links[..5], &ours[..2], &[]).is_ok());
    assert_eq!(verify(key, &links[..5], &ours[..2], &ours[2..]), Err(Fault::Forked { at: 8 }));

    // Everything rewritten and signed anew with the right key: the same.
    let mut other = lane(10);
    let mut hash = [0; 32];
    for link_ in &mut other {
        link_.body = format!("forged {}", link_.seq).into_bytes();
        hash = link(&hash, link_.seq, &link_.body);
        link_.hash = hash;
    }
    let forged = signed(&honest, &other, &[2, 5, 8]);
    assert!(verify(key, &other, &forged, &[]).is_ok());
    assert_eq!(verify(key, &other, &forged, &ours[1..2]), Err(Fault::Forked { at: 5 }));
    assert!(matches!(
        verify(key, &other, &forged[2..], &ours[..1]),
        Err(Fault::Audit(AuditError::Rewritten { seq: 2, .. }))
    ));

    assert_eq!(verify(key, &[], &[], &ours), Err(Fault::Forked { at: 2 }));
}
