//! The engine of a configuration file, ready to judge.

use std::{sync::Arc, time::Duration};

use portcullis::{
    AuthError, Authenticator, NumericDate, adapter::Authenticated, future::MaybePending,
    revocation::MemoryStore,
};
use portcullis_config::Config;
use tokio::runtime::Runtime;

use crate::{
    args::EngineArguments,
    failure::{Failure, warn, with_causes},
    input::{StandingClock, time},
};

/// How long to wait for the keys of all issuers at the start.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The longest token that is read, unless the configuration says otherwise.
const MAX_TOKEN_LEN: usize = 16 * 1024;

/// An engine, and the runtime that its tasks fetch keys on.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    auth: Authenticator,
    runtime: Arc<Runtime>,
    max_token_len: usize,
    now: Option<i64>,
}

impl Engine {
    /// Builds the engine, and waits until it has keys.
    pub(crate) fn load(arguments: &EngineArguments) -> Result<Self, Failure> {
        let config = Config::from_file(&arguments.config).map_err(|e| Failure::because(&e))?;
        let config = config.fixed_files();
        let builder = config.builder().map_err(|error| Failure::because(&error))?;
        // A token that is looked at here may still be used once at the service.
        let builder = builder.replay_store(MemoryStore::new());
        let builder = match arguments.now {
            None => builder,
            Some(now) => builder.clock(StandingClock(NumericDate::from_seconds(now))),
        };
        let auth = builder.build().map_err(|error| Failure::because(&error))?;
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = Arc::new(runtime.worker_threads(1).enable_all().build()?);
        let ready =
            runtime.block_on(async { tokio::time::timeout(READY_WITHIN, auth.ready()).await });
        match ready {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn(&with_causes(&error)),
            Err(_) => warn("not every issuer's keys came within 30 seconds"),
        }
        let max_token_len = config.max_token_len().unwrap_or(MAX_TOKEN_LEN);
        Ok(Self { auth, runtime, max_token_len, now: arguments.now })
    }

    pub(crate) fn auth(&self) -> &Authenticator {
        &self.auth
    }

    pub(crate) fn max_token_len(&self) -> usize {
        self.max_token_len
    }

    pub(crate) fn now(&self) -> NumericDate {
        time(self.now)
    }

    /// Judges a token, and waits for a key that a source may still bring.
    pub(crate) fn judge(&self, token: &str) -> Result<Authenticated, AuthError> {
        let _entered = self.runtime.enter();
        match self.auth.authenticate_token(token) {
            MaybePending::Ready(result) => result,
            MaybePending::Pending(result) => self.runtime.block_on(result),
        }
    }

    /// Runs what needs the runtime.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.runtime.enter();
        work()
    }
}
