//! Connections to the server.

use std::{
    fs,
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis::{
    future::BoxFuture,
    revocation::{StoreError, StoreErrorKind},
};
use tokio::time::timeout;
use tokio_postgres::{
    AsyncMessage, Client, Config, Connection, NoTls, Socket,
    config::{Host, SslMode},
    tls::{MakeTlsConnect, TlsConnect},
};

use super::error;

/// How long a new connection may take in all: addresses, TLS, password.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Statements of the store take milliseconds. One that takes longer waits for something that may never happen.
///
/// The isolation level is that of PostgreSQL unless a server has another default: a statement must see what was
/// committed while it waited for a lock.
const SETTINGS: &str = "SET statement_timeout = '5s'; SET lock_timeout = '2s'; \
                        SET client_min_messages = 'error'; \
                        SET default_transaction_isolation = 'read committed'";

/// How to connect.
#[derive(Clone)]
pub(super) struct Server {
    config: Config,
    password_file: Option<PathBuf>,
    connector: Connector,
    has_tls: bool,
}

/// Called for each notification.
pub(super) type OnNotification = Box<dyn Fn() + Send>;

/// Connects, and returns the future that does the work of the connection until it is closed.
type Connector =
    Arc<dyn Fn(Config, Option<OnNotification>) -> BoxFuture<'static, Connected> + Send + Sync>;
type Connected = Result<(Client, BoxFuture<'static, ()>), tokio_postgres::Error>;

impl Server {
    pub(super) fn new(config: Config) -> Self {
        Self { config, password_file: None, connector: connector(NoTls), has_tls: false }
    }

    pub(super) fn password_file(self, path: PathBuf) -> Self {
        Self { password_file: Some(path), ..self }
    }

    pub(super) fn tls<T>(self, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        Self { connector: connector(tls), has_tls: true, ..self }
    }

    /// Connects. The connection is closed when the client is dropped.
    pub(super) async fn connect(
        &self,
        on_notification: Option<OnNotification>,
    ) -> Result<Client, StoreError> {
        let config = self.config_for_connection().await?;
        let connect = async {
            let (client, connection) = (self.connector)(config, on_notification).await?;
            tokio::spawn(connection);
            client.batch_execute(SETTINGS).await?;
            Ok(client)
        };
        match timeout(CONNECT_TIMEOUT, connect).await {
            Ok(result) => result.map_err(|error| error::store_error("connect to", &error)),
            Err(_) => Err(unavailable("cannot connect to PostgreSQL within 10 s")),
        }
    }

    async fn config_for_connection(&self) -> Result<Config, StoreError> {
        let mut config = self.config.clone();
        config.ssl_mode(self.ssl_mode()?);
        if let Some(path) = self.password_file.clone() {
            let password = tokio::task::spawn_blocking(move || fs::read(path))
                .await
                .ok()
                .and_then(Result::ok)
                .ok_or_else(|| unavailable("cannot read the password file of PostgreSQL"))?;
            let password = password.strip_suffix(b"\n").unwrap_or(&password);
            config.password(password.strip_suffix(b"\r").unwrap_or(password));
        }
        Ok(config)
    }

    /// `prefer`, the default, would let anyone on the network remove the encryption.
    fn ssl_mode(&self) -> Result<SslMode, StoreError> {
        match (self.config.get_ssl_mode(), self.has_tls) {
            (SslMode::Prefer, _) if self.is_this_host() => Ok(SslMode::Prefer),
            (SslMode::Disable, _) => Ok(SslMode::Disable),
            (SslMode::Prefer | SslMode::Require, true) => Ok(SslMode::Require),
            _ => Err(StoreError::new(
                StoreErrorKind::Unusable,
                "the connection to PostgreSQL needs TLS, but the store has no TLS connector; \
                 help: set one with PostgresStore::tls, or add sslmode=disable to the URL if the \
                 network is trusted",
            )),
        }
    }

    fn is_this_host(&self) -> bool {
        let has_remote_address = self.config.get_hostaddrs().iter().any(|ip| !ip.is_loopback());
        !has_remote_address
            && self.config.get_hosts().iter().all(|host| match host {
                Host::Tcp(host) => {
                    host == "localhost"
                        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
                }
                #[cfg(unix)]
                Host::Unix(_) => true,
            })
    }
}

fn connector<T>(tls: T) -> Connector
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    // `connect` takes the connector by value, and nothing asks it to be `Sync` while it is in use.
    let tls = Mutex::new(tls);
    Arc::new(move |config, on_notification| {
        let tls = tls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            let (client, connection) = config.connect(tls).await?;
            let work: BoxFuture<'static, ()> = Box::pin(drive(connection, on_notification));
            Ok((client, work))
        })
    })
}

async fn drive<T>(mut connection: Connection<Socket, T>, on_notification: Option<OnNotification>)
where
    T: tokio_postgres::tls::TlsStream + Unpin + Send,
{
    // An error ends the connection, and all calls on it return an error.
    while let Some(Ok(message)) =
        std::future::poll_fn(|context| connection.poll_message(context)).await
    {
        if let (AsyncMessage::Notification(_), Some(notify)) = (&message, &on_notification) {
            notify();
        }
    }
}

fn unavailable(text: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, text)
}
