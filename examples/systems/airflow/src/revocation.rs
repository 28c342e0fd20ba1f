//! Logout, and the table of revoked tokens that Airflow has too (§3.6).

use std::convert::Infallible;

use portcullis_axum::{
    Authenticator, EndpointService,
    mint::{
        Minter,
        session::{Refresh, Sessions},
    },
    revocation::{CookieAttributes, LogoutEndpoint, Revocations},
};
use portcullis_sql::{PostgresStore, SqliteStore};
use url::Url;

use crate::{LEEWAY, Variables};

const DATABASE: &str = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN";
const BASE_URL: &str = "AIRFLOW__API__BASE_URL";
const TABLE: &str = "revoked_token";

pub(crate) fn revocations(variables: &Variables) -> Result<Revocations, String> {
    let leeway = variables.seconds(LEEWAY, 10)?;
    let (scheme, place) = match variables.text(DATABASE) {
        Some(url) => url.split_once("://").ok_or_else(|| format!("{DATABASE} is not a URL"))?,
        None => ("sqlite", ""),
    };
    let (engine, _driver) = scheme.split_once('+').unwrap_or((scheme, ""));
    let (path, _) = place.split_once('?').unwrap_or((place, ""));
    let failed = |error| format!("{DATABASE}: {error}");
    let revocations = match (engine, path.strip_prefix('/')) {
        ("sqlite", None | Some("" | ":memory:")) => {
            tracing::warn!("revoked tokens are kept in memory: set {DATABASE}");
            Revocations::memory()
        }
        ("sqlite", Some(path)) => {
            let table = SqliteStore::open(path).token_table(TABLE).map_err(failed)?;
            Revocations::new(table.leeway(leeway))
        }
        ("postgres" | "postgresql", _) => {
            let store = PostgresStore::open(&format!("postgres://{place}")).map_err(failed)?;
            Revocations::new(store.token_table(TABLE).map_err(failed)?.leeway(leeway))
        }
        _ => return Err(format!("{DATABASE} must start with sqlite:// or postgresql://")),
    };
    // Airflow accepts tokens that cannot be revoked.
    Ok(revocations.allow_missing_jti())
}

/// Returns the path below which the program is, and the cookies to remove: also one at `/`, where older versions set
/// it.
pub(crate) fn cookies(variables: &Variables) -> Result<(String, Vec<CookieAttributes>), String> {
    let url = variables.text(BASE_URL).map(Url::parse).transpose();
    let url = url.map_err(|error| format!("{BASE_URL}: {error}"))?;
    let path = url.as_ref().map_or("/", Url::path).trim_end_matches('/').to_owned() + "/";
    let is_secure = variables.text("AIRFLOW__API__SSL_CERT").is_some();
    let cookie = |path: &str| {
        let cookie = CookieAttributes::new(crate::COOKIE).path(path);
        if is_secure { cookie } else { cookie.dangerous_insecure() }
    };
    let mut cookies = vec![cookie(&path)];
    if path != "/" {
        cookies.push(cookie("/"));
    }
    Ok((path, cookies))
}

/// Renews nothing, as Airflow's own users do, and removes a cookie that has become invalid.
pub(crate) fn sessions(
    variables: &Variables,
    core: &Authenticator,
    minter: Minter,
) -> Result<Sessions, String> {
    let (_, cookies) = cookies(variables)?;
    let [cookie, old @ ..] = &*cookies else { return Err("no cookie".to_owned()) };
    let sessions = Sessions::builder(core, minter, cookie.clone()).at_every_request();
    let sessions = sessions.refresh(async |_| Ok::<_, Infallible>(Refresh::Keep));
    old.iter()
        .fold(sessions, |sessions, old| sessions.remove_old_cookie(old.clone()))
        .dangerous_without_issuer()
        .build()
        .map_err(|error| format!("{BASE_URL}: {error}"))
}

/// A link, in Airflow: another site can log a user out.
pub(crate) fn logout(
    variables: &Variables,
    core: &Authenticator,
) -> Result<EndpointService<LogoutEndpoint>, String> {
    let (path, cookies) = cookies(variables)?;
    let logout = LogoutEndpoint::new(core)
        .and_then(|logout| cookies.iter().try_fold(logout, LogoutEndpoint::remove_cookie))
        .and_then(|logout| logout.redirect(format!("{path}auth/login")))
        .map_err(|error| format!("{BASE_URL}: {error}"))?;
    Ok(EndpointService::new(logout.dangerous_allow_get()))
}
