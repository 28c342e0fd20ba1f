//! One connection to the server, made again when it fails.

use std::{
    future::Future,
    hash::{BuildHasher, RandomState},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use portcullis::revocation::StoreError;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, RedisError, aio::MultiplexedConnection,
};
use tokio::{runtime::Handle, sync::Mutex, time::Instant};

use crate::{
    error::{needs_new_connection, store_error, unavailable, unusable},
    server::ServerInfo,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Where and how to connect.
pub(crate) struct Target {
    pub(crate) info: ConnectionInfo,
    pub(crate) password_file: Option<PathBuf>,
}

/// A connection that several tasks share.
///
/// A command runs in a task of its own. A caller that does not wait for the answer leaves the connection
/// usable, and an answer that never arrives is noticed, however short the caller's time limit is.
pub(crate) struct Link {
    target: Arc<Target>,
    response_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that a failure discards only the connection that it is from.
    generation: u64,
    failures: u32,
    /// Until when calls fail at once, and why.
    pause: Option<(Instant, StoreError)>,
}

impl Link {
    pub(crate) fn new(target: Arc<Target>, response_timeout: Duration) -> Arc<Self> {
        Arc::new(Self { target, response_timeout, state: Mutex::default() })
    }

    /// Runs commands in a task of their own. Dropping the future does not stop them.
    pub(crate) async fn run<T, F>(
        self: &Arc<Self>,
        commands: impl FnOnce(MultiplexedConnection) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, RedisError>> + Send,
    {
        let runtime =
            Handle::try_current().map_err(|_| unusable("Redis needs the runtime of tokio"))?;
        let link = Arc::clone(self);
        let task = runtime.spawn(async move { link.run_here(commands).await });
        task.await.unwrap_or_else(|_| Err(unavailable("the runtime is shutting down")))
    }

    /// Runs commands in the caller's task.
    pub(crate) async fn run_here<T, F>(
        &self,
        commands: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let (generation, connection) = self.connection().await?;
        match commands(connection).await {
            Ok(value) => Ok(value),
            Err(error) => {
                if needs_new_connection(&error) {
                    self.discard(generation).await;
                }
                Err(store_error(&error))
            }
        }
    }

    /// Tests the server's version and settings again.
    pub(crate) async fn check(self: &Arc<Self>) -> Result<(), StoreError> {
        let info = self
            .run(|mut connection| async move { ServerInfo::read(&mut connection).await })
            .await?;
        info.check()
    }

    /// Returns the connection, or makes one. While one call connects, the others wait for it.
    async fn connection(&self) -> Result<(u64, MultiplexedConnection), StoreError> {
        let mut state = self.state.lock().await;
        if let Some(connection) = &state.connection {
            return Ok((state.generation, connection.clone()));
        }
        if let Some((until, error)) = &state.pause
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        match self.connect().await {
            Ok(connection) => {
                state.generation = state.generation.wrapping_add(1);
                state.failures = 0;
                state.pause = None;
                state.connection = Some(connection.clone());
                Ok((state.generation, connection))
            }
            Err(error) => {
                state.pause = Some((Instant::now() + pause(state.failures), error.clone()));
                state.failures = state.failures.saturating_add(1);
                Err(error)
            }
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, StoreError> {
        let connect = async {
            let client = Client::open(self.target.connection_info().await?)
                .map_err(|error| store_error(&error))?;
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT_TIMEOUT))
                .set_response_timeout(Some(self.response_timeout));
            let mut connection = client
                .get_multiplexed_async_connection_with_config(&config)
                .await
                .map_err(|error| store_error(&error))?;
            let info =
                ServerInfo::read(&mut connection).await.map_err(|error| store_error(&error))?;
            info.check()?;
            Ok(connection)
        };
        tokio::time::timeout(2 * CONNECT_TIMEOUT, connect)
            .await
            .unwrap_or_else(|_| Err(unavailable("Redis did not answer in time")))
    }

    async fn discard(&self, generation: u64) {
        let mut state = self.state.lock().await;
        if state.generation == generation {
            state.connection = None;
        }
    }
}

impl Target {
    /// Returns what to connect with. The password is read each time, so that it can be replaced.
    async fn connection_info(&self) -> Result<ConnectionInfo, StoreError> {
        let Some(path) = self.password_file.clone() else { return Ok(self.info.clone()) };
        let text = tokio::task::spawn_blocking(move || std::fs::read_to_string(path))
            .await
            .map_err(|_| unavailable("the runtime is shutting down"))?
            .map_err(|error| {
                unusable(format!("cannot read the password file of Redis: {error}"))
            })?;
        let password = text.trim_end_matches(['\r', '\n']);
        let settings = self.info.redis_settings().clone().set_password(password);
        Ok(self.info.clone().set_redis_settings(settings))
    }
}

/// Returns for how long calls fail after a failure to connect: longer each time, with jitter so that
/// replicas do not connect all at once.
fn pause(failures: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
    // A new state hashes with new keys.
    let jitter = RandomState::new().hash_one(failures) % 50;
    longest.mul_f64(0.5 + f64::from(u32::try_from(jitter).unwrap_or(0)) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_and_is_bounded() {
        for (failures, longest) in [(0, 50), (1, 100), (3, 400), (6, 2_000), (u32::MAX, 2_000)] {
            let longest = Duration::from_millis(longest);
            for _ in 0..20 {
                let pause = pause(failures);
                assert!(pause >= longest / 2 && pause <= longest, "{failures}: {pause:?}");
            }
        }
    }
}
