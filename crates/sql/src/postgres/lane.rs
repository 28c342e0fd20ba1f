//! One connection, which is made again when it is lost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use portcullis::revocation::{StoreError, StoreErrorKind};
use tokio::sync::{Mutex, Semaphore};
use tokio_postgres::Client;

use super::{connect::Server, error::Failure};

/// How many statements may be sent and not yet answered. More calls wait.
const MAX_STATEMENTS: usize = 256;

/// After a failed attempt to connect, calls fail with the same error for this long. A server that is down or
/// starting must not get an attempt for each request.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// A connection for statements of one kind. They run one after the other.
pub(super) struct Lane(Arc<Inner>);

struct Inner {
    server: Server,
    places: Arc<Semaphore>,
    /// Held while connecting, so that there is one attempt at a time.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    client: Option<Arc<Client>>,
    failed: Option<(Instant, StoreError)>,
}

impl Lane {
    pub(super) fn new(server: &Server) -> Self {
        Self(Arc::new(Inner {
            server: server.clone(),
            places: Arc::new(Semaphore::new(MAX_STATEMENTS)),
            state: Mutex::default(),
        }))
    }

    /// Runs statements. They run to their end also if the caller is gone: an attempt to connect that takes longer
    /// than the caller waits is of use to the next one, and the number of statements stays bounded.
    pub(super) async fn run<T, W, F>(&self, action: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(Arc<Client>) -> F + Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let place = Arc::clone(&self.0.places).acquire_owned().await.map_err(|_| ended())?;
        let inner = Arc::clone(&self.0);
        let task = tokio::spawn(async move {
            let result = match inner.client().await {
                Ok(client) => work(client).await,
                Err(error) => Err(Failure::Store(error)),
            };
            drop(place);
            result.map_err(|failure| failure.into_store_error(action))
        });
        task.await.map_err(|_| ended())?
    }
}

impl Inner {
    async fn client(&self) -> Result<Arc<Client>, StoreError> {
        let mut state = self.state.lock().await;
        if let Some(client) = state.client.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        state.client = None;
        if let Some((at, error)) = &state.failed
            && at.elapsed() < RETRY_AFTER
        {
            return Err(error.clone());
        }
        let connected = self.server.connect(None).await;
        state.failed = connected.as_ref().err().map(|error| (Instant::now(), error.clone()));
        Ok(Arc::clone(state.client.insert(Arc::new(connected?))))
    }
}

fn ended() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the runtime ended during a call of PostgreSQL")
}
