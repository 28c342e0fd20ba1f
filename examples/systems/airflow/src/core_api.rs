//! The Core API: users, their roles, login and logout (§3.2, §3.4, §3.7).

use std::{sync::Arc, time::Duration};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    Json, Router,
    extract::rejection::JsonRejection,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use portcullis_axum::{
    AuthError, AuthErrorKind, Authenticator, GrantMapping, JwtAuthLayer, Principal, RequireLayer,
    TokenLocation,
    mint::{Minter, session::Sessions},
    policy::RoleHierarchy,
};
use serde::Deserialize;
use serde_json::json;

use crate::{COOKIE, Keys, Variables, answer, bearer, issuers, revocation::revocations};

/// A name of earlier releases.
pub(crate) const OLD_AUDIENCE: &str = "AIRFLOW__API__JWT_AUDIENCE";
const ROLES: [&str; 4] = ["VIEWER", "USER", "OP", "ADMIN"];

pub(crate) fn audience(variables: &Variables) -> &str {
    let named = variables.text("AIRFLOW__API_AUTH__JWT_AUDIENCE");
    named.or_else(|| variables.text(OLD_AUDIENCE)).unwrap_or("apache-airflow")
}

pub(crate) fn authenticator(variables: &Variables, keys: &Keys) -> Result<Authenticator, String> {
    let issuers = issuers(variables, keys)?.into_iter().map(|issuer| {
        let issuer = issuer.audience(audience(variables)).required_claims(["iat", "nbf"]);
        issuer.validate(has_known_role).grant_mapping(GrantMapping::empty().roles(["role"]))
    });
    Authenticator::builder()
        .issuers(issuers)
        .locations([bearer(), TokenLocation::cookie(COOKIE)])
        .revocations(revocations(variables)?)
        .build()
        .map_err(|error| error.to_string())
}

/// Airflow answers 500 to a role that it does not know.
fn has_known_role(caller: &Principal) -> Result<(), AuthError> {
    let role: Option<String> = caller.claim("role")?;
    let is_known =
        role.is_some_and(|role| ROLES.iter().any(|known| role.eq_ignore_ascii_case(known)));
    if is_known { Ok(()) } else { Err(AuthErrorKind::MalformedClaim.into()) }
}

/// Name, password and role.
type User = (String, String, String);

/// Reads `alice:secret:ADMIN,bob:secret:VIEWER`.
pub(crate) fn users(variables: &Variables) -> Result<Vec<User>, String> {
    const USERS: &str = "AIRFLOW_EXAMPLE_USERS";
    let users = variables.list(USERS).into_iter().map(|user| {
        match *user.split(':').collect::<Vec<_>>().as_slice() {
            [name, password, role] if ROLES.contains(&role) => {
                Ok((name.to_owned(), password.to_owned(), role.to_owned()))
            }
            _ => Err(format!("{USERS} must be like alice:secret:ADMIN,bob:secret:VIEWER")),
        }
    });
    users.collect()
}

/// Signs the tokens of users.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) users: Arc<[User]>,
    pub(crate) minter: Minter,
    pub(crate) audience: String,
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

impl Login {
    fn respond(&self, body: Result<Json<Credentials>, JsonRejection>, life: Duration) -> Response {
        let Json(body) = match body {
            Ok(body) => body,
            Err(error) => {
                return answer::detail(StatusCode::UNPROCESSABLE_ENTITY, error.body_text());
            }
        };
        if body.username.is_empty() || body.password.is_empty() {
            let text = "Username and password must be provided";
            return answer::detail(StatusCode::BAD_REQUEST, text);
        }
        let user = self.users.iter().find(|(name, password, _)| {
            let is_equal = verify_slices_are_equal(password.as_bytes(), body.password.as_bytes());
            *name == body.username && is_equal.is_ok()
        });
        let Some((name, _, role)) = user else {
            return answer::detail(StatusCode::UNAUTHORIZED, "Invalid credentials");
        };
        let claims = json!({"sub": name, "role": role, "teams": [], "aud": self.audience});
        answer::minted(self.minter.clone().lifetime(life).mint(&claims), |token| {
            (StatusCode::CREATED, Json(json!({"access_token": token})))
        })
    }
}

pub(crate) fn app(
    auth: &Authenticator,
    sessions: Sessions,
    login: Login,
    lives: (Duration, Duration),
) -> Router {
    let ranks = RoleHierarchy::new(ROLES).ignoring_ascii_case();
    let layer = |role: &str| {
        RequireLayer::new(ranks.role_at_least(role)).response_for_rejection(answer::core)
    };
    let resource = |to_read, to_write| {
        let read = get(async || Json(json!({}))).route_layer(layer(to_read));
        read.merge(
            post(async || (StatusCode::CREATED, Json(json!({})))).route_layer(layer(to_write)),
        )
    };
    let only_all_admins = async || {
        let text =
            "This method is only allowed if ``[core] simple_auth_manager_all_admins`` is True";
        answer::detail(StatusCode::FORBIDDEN, text)
    };
    let judge = JwtAuthLayer::new(auth.clone()).response_for_rejection(answer::core);
    let (for_cli, (life, cli_life)) = (login.clone(), lives);
    Router::new()
        .route("/api/v2/dags", resource("VIEWER", "USER"))
        .route("/api/v2/pools", resource("VIEWER", "OP"))
        .route("/api/v2/connections", resource("OP", "OP"))
        .route_layer(judge.with_sessions(sessions))
        .route(
            "/auth/token",
            post(async move |body| login.respond(body, life)).get(only_all_admins),
        )
        .route("/auth/token/cli", post(async move |body| for_cli.respond(body, cli_life)))
}
