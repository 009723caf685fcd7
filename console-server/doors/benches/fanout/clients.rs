//! The other process: clients that say when each set reached them.

use crate::caller::{Ask, call, dial};
use crate::micros;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;

/// Takes orders from standard input: `STREAMS CONNECTIONS STALLED`, then `stall`. Says `ready`,
/// `stalled`, and after each set the moments of receipt, in microseconds since 1970.
pub(crate) async fn run(address: SocketAddr) {
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    let order = orders.next_line().await.expect("a pipe").expect("an order");
    let numbers: Vec<usize> = order.split(' ').map(|n| n.parse().expect("a number")).collect();
    let (streams, connections, stalled) = (numbers[0], numbers[1], numbers[2]);
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut number = 0;
    for n in 0..connections {
        let (mut send, connection) = dial(address, 1 << 20).await;
        tokio::spawn(connection);
        for _ in 0..streams / connections + usize::from(n < streams % connections) {
            let provider = format!("order/i-{number}");
            let ask = Ask { provider: &provider, ..Ask::default() };
            let mut stream = call(&mut send, "SyncFlags", ask).await;
            let tell = tell.clone();
            number += 1;
            tokio::spawn(
                async move { while stream.skip().await.is_some() && tell.send(micros()).is_ok() {} },
            );
        }
    }
    for _ in 0..streams {
        told.recv().await;
    }
    println!("ready");
    let rounds = tokio::spawn(async move {
        loop {
            let mut line = String::with_capacity(streams * 17);
            for _ in 0..streams {
                let Some(at) = told.recv().await else { return };
                line.push_str(&at.to_string());
                line.push(' ');
            }
            println!("{}", line.trim_end());
        }
    });
    if let Ok(Some(_)) = orders.next_line().await {
        let mut kept = Vec::with_capacity(stalled);
        for _ in 0..stalled {
            // A window smaller than the message, never widened.
            let (mut send, connection) = dial(address, 4_096).await;
            tokio::spawn(connection);
            kept.push((call(&mut send, "SyncFlags", Ask::default()).await, send));
        }
        println!("stalled");
        // Ends with the pipe.
        let _ = orders.next_line().await;
    }
    rounds.abort();
}
