//! One look for all writes that wait for one. A write has to look at every peer first, and a look costs as
//! much as the peers hold: a thousand writes with a look each would read a million silences.
//!
//! Each gets a look that began after it asked, so it sees all that was done before.

use crate::Backend;
use crate::cell::Cell;
use crate::look::Look;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How long is waited for writes that have had their look, at most. One that is alone waits for nobody.
const LINGER: Duration = Duration::from_millis(20);
/// How often is looked whether they are done.
const STEP: Duration = Duration::from_millis(1);

/// Those who wait for a look.
#[derive(Default)]
pub(crate) struct Together {
    waiting: Mutex<Vec<(Cell, oneshot::Sender<Arc<Look>>)>>,
    /// Held by whoever looks, for all who wait.
    turn: tokio::sync::Mutex<()>,
}

impl Backend {
    /// What all peers hold in this cell, and maybe in others.
    pub(crate) async fn look_together(&self, cell: &Cell) -> Arc<Look> {
        let (tell, mut told) = oneshot::channel();
        self.together.waiting.lock().push((cell.clone(), tell));
        let _turn = tokio::select! {
            biased;
            Ok(look) = &mut told => return look,
            turn = self.together.turn.lock() => turn,
        };
        // Somebody may have looked for this one as well, just before.
        if let Ok(look) = told.try_recv() {
            return look;
        }
        // Whoever has had the last look is about to make room for the next write, which then looks as well.
        let linger = Instant::now() + LINGER;
        while self.writes.load(Ordering::Relaxed) > self.together.waiting.lock().len()
            && Instant::now() < linger
        {
            tokio::time::sleep(STEP).await;
        }
        let waiting = std::mem::take(&mut *self.together.waiting.lock());
        let cells: Vec<Cell> = waiting.iter().map(|(cell, _)| cell.clone()).chain([cell.clone()]).collect();
        let look = Arc::new(self.look(&cells, self.settings.timeout).await);
        for (_, tell) in waiting {
            // Who has given up meanwhile wants it no more.
            let _ = tell.send(Arc::clone(&look));
        }
        look
    }
}
