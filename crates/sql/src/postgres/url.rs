//! The URL of a database.

use std::time::Duration;

use portcullis::revocation::{StoreError, StoreErrorKind};
use tokio_postgres::{
    Config,
    config::{Host, TargetSessionAttrs},
};

/// How long a connection attempt may take, for each address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// After this time without an acknowledgement, the connection is dead.
const SILENCE: Duration = Duration::from_secs(10);

/// What tokio-postgres has if the URL does not set `keepalives_idle`.
const DEFAULT_KEEPALIVES_IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// Reads a URL. Returns a label without credentials.
///
/// No error contains a part of the URL: a password that is not percent-encoded may be in any part.
pub(super) fn parse(url: &str) -> Result<(Config, Box<str>), StoreError> {
    let Some(rest) = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))
    else {
        return Err(unusable("the URL of the database must start with postgres://"));
    };
    // A password with a bare @ would be read as part of the host or the database.
    let before_query = rest.split_once('?').map_or(rest, |(before, _)| before);
    if before_query.matches('@').count() > 1 {
        return Err(unusable(
            "the URL of the database has two @; help: percent-encode the password (@ is %40)",
        ));
    }
    let mut config: Config =
        url.parse().map_err(|_| unusable("the URL of the database cannot be read"))?;
    if !config.get_hosts().iter().all(is_a_host) || config.get_hosts().is_empty() {
        return Err(unusable(
            "the URL of the database has no host, or one with characters that a host cannot have; \
             help: percent-encode the password",
        ));
    }
    set_defaults(&mut config);
    let label = label(&config);
    Ok((config, label))
}

fn set_defaults(config: &mut Config) {
    if config.get_application_name().is_none() {
        config.application_name("portcullis");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    if config.get_keepalives_idle() == DEFAULT_KEEPALIVES_IDLE {
        config.keepalives_idle(SILENCE).keepalives_interval(SILENCE / 2).keepalives_retries(3);
    }
    // After a failover the old primary may still answer, as a standby.
    if config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
}

/// The first host: no user, no password, no parameter.
fn label(config: &Config) -> Box<str> {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match config.get_hosts().first() {
        Some(Host::Tcp(host)) => format!("postgres:{host}:{port}").into(),
        _ => "postgres".into(),
    }
}

fn is_a_host(host: &Host) -> bool {
    match host {
        Host::Tcp(host) => {
            !host.is_empty()
                && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:".contains(c))
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn unusable(text: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Unusable, text)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_label_has_no_credentials() {
        let (_, label) =
            parse("postgres://ann:s3cret@db.example.com:6000/orders?sslmode=disable").unwrap();
        assert_eq!(&*label, "postgres:db.example.com:6000");
    }

    #[test]
    fn an_error_contains_no_part_of_the_url() {
        for url in [
            "s3cret",
            "mysql://ann:s3cret@db/x",
            "postgres://ann:p@s3cret@db/x",
            "postgres://ann:p@s3cret/x@db/x",
            "postgres://ann:s3cret@db:s3cret/x",
            "postgres://ann:p@s3c%ret/x",
            "postgres://ann:s3cret@db/x?s3cret",
            "postgres://ann:s3cret@db/x?s3cret=1",
            "postgres://ann:s3cret@db/x?sslmode=s3cret",
            "postgres://ann:s3cret@/x",
        ] {
            let error = parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3c"), "{error:?}");
        }
    }
}
