//! What plugins in Rust keep of the backend they were told of.

use crate::types::Fault;
use parking_lot::RwLock;
use std::sync::Arc;

/// The backend a plugin works on, from `Configure` on.
#[derive(Debug)]
pub struct Told<B>(RwLock<Option<Arc<B>>>);

impl<B> Default for Told<B> {
    fn default() -> Self {
        Self(RwLock::new(None))
    }
}

impl<B> Told<B> {
    /// This one from now on. Calls under way go on with the one before.
    pub fn set(&self, backend: B) {
        *self.0.write() = Some(Arc::new(backend));
    }

    /// The backend.
    ///
    /// # Errors
    /// [`Fault::NotDone`] before there is one.
    pub fn get(&self) -> Result<Arc<B>, Fault> {
        self.0.read().clone().ok_or_else(|| {
            Fault::NotDone("the plugin has not been told of its backend yet; Configure comes first".into())
        })
    }
}

/// Carries a write to its end, also where the caller gives up: one cut in two would be unknown for ever, and
/// what repeats it waits for its end.
///
/// # Errors
/// The write's own; [`Fault::Unknown`] where it panicked.
pub async fn to_its_end(
    write: impl Future<Output = Result<(), Fault>> + Send + 'static,
) -> Result<(), Fault> {
    let written = tokio::spawn(write).await;
    written.unwrap_or_else(|error| Err(Fault::Unknown(format!("the write broke off: {error}"))))
}
