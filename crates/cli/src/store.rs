//! The store of revocations that a command works on.

use std::{future::Future, sync::Arc, time::Duration};

use portcullis::revocation::{RevocationStore, StoreError};
use portcullis_config::StoreUrl;
use tokio::{runtime::Runtime, time::timeout};

use crate::{
    args::StoreArguments,
    failure::{Failure, warn},
};

/// The longest time that one call of the store may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What to do about a file that does not exist.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum IfMissing {
    Create,
    Fail,
}

/// A store that is ready, and the runtime of its connections.
pub(crate) struct Store {
    store: Arc<dyn RevocationStore>,
    runtime: Runtime,
}

impl Store {
    /// Opens the store that a URL names, and connects to it.
    pub(crate) fn open(arguments: &StoreArguments, missing: IfMissing) -> Result<Self, Failure> {
        let wrong = |message: String| Failure::mistake(format!("--store: {message}"));
        let url: StoreUrl = arguments.store.parse().map_err(wrong)?;
        if url.is_in_memory() {
            return Err(wrong("a store in memory belongs to the process that has it".to_owned()));
        }
        if let Some(file) = url.file().filter(|file| !file.exists()) {
            let file = file.display();
            if missing == IfMissing::Fail {
                return Err(wrong(format!("{file}: no such file")));
            }
            // A path that is mistyped must be noticed: no service reads that file.
            warn(&format!("{file} did not exist, and is created"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let opened = {
            let _entered = runtime.enter();
            url.revocation_store()
        };
        let store = Self { store: opened.map_err(|error| Failure::because(&error))?, runtime };
        store.call(|store| store.prepare())?;
        Ok(store)
    }

    /// Calls the store, for a limited time.
    pub(crate) fn call<'s, T, F>(
        &'s self,
        call: impl FnOnce(&'s dyn RevocationStore) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let answered = self.runtime.block_on(async { timeout(TIMEOUT, call(&*self.store)).await });
        match answered {
            Ok(answer) => answer.map_err(|error| Failure::because(&error)),
            Err(_) => Err(Failure::mistake("the store did not answer within 10 seconds")),
        }
    }
}
