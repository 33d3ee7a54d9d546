//! Lists that are fetched, and what is kept of them on disk.

use std::sync::{Arc, PoisonError};

use tokio::task::spawn_blocking;

use super::{Fetched, Tls, TlsError, fetch};

impl Tls {
    /// Fetches a list and lets it count.
    ///
    /// # Errors
    /// Why it was not fetched or cannot be used, with its address; what counted before counts on, as long as it may.
    pub async fn fetch(self: &Arc<Self>, list: &Fetched) -> Result<(), TlsError> {
        let fetched = fetch::fetch(&list.url).await;
        let bytes = fetched.map_err(|source| TlsError::Fetch {
            list: list.source.to_string(),
            source,
        })?;
        // A list may be large, and is kept on disk: nobody else waits for that.
        let (tls, list) = (Arc::clone(self), list.clone());
        let taken = spawn_blocking(move || tls.take(&list, &bytes));
        taken.await.map_err(|_| TlsError::Task)?
    }

    /// Lets a list that was fetched count, and keeps it.
    fn take(&self, list: &Fetched, bytes: &[u8]) -> Result<(), TlsError> {
        let now = self.clock.now();
        let mut parts = self.parts();
        let changed = parts.fetched(&list.source, bytes.to_vec(), now)?;
        list.source.fetched(now);
        if changed {
            self.count(&parts)?;
        }
        drop(parts);
        if let Some(copies) = &self.copies {
            let written = copies.write(&list.url, bytes, now);
            written.map_err(|source| TlsError::Copy {
                list: list.source.to_string(),
                source,
            })?;
        }
        self.keep_newest()
    }

    /// Keeps on disk how new the lists are that were taken, where copies are kept, so that no older one counts after
    /// a restart.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_newest(&self) -> Result<(), TlsError> {
        let Some(copies) = &self.copies else {
            return Ok(());
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = self.parts().newest.clone();
        if kept.as_ref() == Some(&newest) {
            return Ok(());
        }
        let written = copies.keep_newest(&newest);
        written.map_err(|source| TlsError::Newest {
            dir: copies.dir().to_owned(),
            source,
        })?;
        *kept = Some(newest);
        Ok(())
    }
}
