//! The Execution API: tasks and their tokens (§3.5, §3.6).

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Path, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, patch, post, put},
};
use portcullis_axum::{
    AuthError, AuthErrorKind, Authenticator, Granted, JwtAuthLayer, Principal, ReissueLayer,
    RequireLayer,
    mint::{MintError, MintedToken, Minter, Reissuer},
    policy::{self, Policy, allow_if, path_parameter},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Keys, Variables, answer, bearer, issuers};

const AUDIENCE: &str = "AIRFLOW__EXECUTION_API__JWT_AUDIENCE";
const REISSUED: &str = "Refreshed-API-Token";

/// The scope of a task that runs, and of one that waits.
const EXECUTION: &str = "execution";
const WORKLOAD: &str = "workload";

/// Whom a token of the Execution API is for, and its scope.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    id: Uuid,
    scope: &'static str,
}

/// The first one signs, and all are accepted.
pub(crate) fn audiences(variables: &Variables) -> Vec<&str> {
    let audiences = variables.list(AUDIENCE);
    if audiences.is_empty() { vec!["urn:airflow.apache.org:task"] } else { audiences }
}

pub(crate) fn authenticator(
    variables: &Variables,
    keys: &Keys,
) -> Result<Authenticator<Task>, String> {
    let issuers = issuers(variables, keys)?.into_iter().map(|issuer| {
        let issuer = issuer.required_claims(["iat"]);
        audiences(variables).into_iter().fold(issuer, portcullis_axum::Issuer::audience)
    });
    Authenticator::builder()
        .issuers(issuers)
        .locations([bearer()])
        .with_grant_from(task)
        .build()
        .map_err(|error| error.to_string())
}

fn task(caller: &Principal) -> Result<Task, AuthError> {
    let id = Uuid::parse_str(caller.subject()).map_err(|_| AuthErrorKind::MalformedClaim)?;
    let scope = match caller.claim::<Value>("scope")?.as_ref().map(Value::as_str) {
        None | Some(Some(EXECUTION)) => EXECUTION,
        Some(Some(WORKLOAD)) => WORKLOAD,
        Some(_) => {
            let reason = "Invalid auth token: scope must be 'execution' or 'workload'";
            return Err(AuthError::with_source(AuthErrorKind::NotPermitted, reason));
        }
    };
    Ok(Task { id, scope })
}

fn one_of(scopes: &'static [&'static str]) -> Policy<Task> {
    policy::check(move |_, Task { scope, .. }: &Task| {
        allow_if(scopes.contains(scope), || {
            let allowed = scopes.join(", ");
            format!("Token type '{scope}' not allowed for this endpoint. Allowed types: {allowed}")
        })
    })
}

/// The token is for the task, or the test of a connection, that the path names.
fn own(parameter: &str, what: &'static str) -> Policy<Task> {
    path_parameter(parameter).check(move |id, _, task: &Task| {
        let reason = || format!("Token subject does not match {what} ID");
        allow_if(task.id.to_string() == id, reason)
    })
}

/// Signs the tokens of tasks.
#[derive(Clone, Debug)]
pub(crate) struct TaskTokens {
    pub(crate) minter: Minter,
    pub(crate) audience: String,
    pub(crate) life: Duration,
    pub(crate) workload_life: Duration,
}

impl TaskTokens {
    fn mint(&self, id: Uuid, scope: &str) -> Result<MintedToken, MintError> {
        let life = if scope == WORKLOAD { self.workload_life } else { self.life };
        let claims = json!({"sub": id.to_string(), "scope": scope, "aud": self.audience});
        self.minter.clone().lifetime(life).mint(&claims)
    }

    /// Starts a task. A token of a task that waited is replaced by one of a task that runs.
    fn run(&self, task: Task) -> Response {
        let body = Json(json!({}));
        if task.scope == EXECUTION {
            return body.into_response();
        }
        answer::minted(self.mint(task.id, EXECUTION), |token| ([(REISSUED, token)], body))
    }

    /// Plays the scheduler, which gives a token to each task that it queues.
    fn queue(&self, body: Result<Json<Queued>, JsonRejection>) -> Response {
        let id = body.map_err(|error| error.body_text()).and_then(|Json(queued)| {
            let id = Uuid::parse_str(&queued.task_instance_id);
            id.map_err(|error| format!("task_instance_id: {error}"))
        });
        match id {
            Ok(id) => answer::minted(self.mint(id, WORKLOAD), |token| {
                (StatusCode::CREATED, Json(json!({"token": token})))
            }),
            Err(text) => answer::detail(StatusCode::UNPROCESSABLE_ENTITY, text),
        }
    }
}

#[derive(Deserialize)]
struct Queued {
    task_instance_id: String,
}

pub(crate) fn app(auth: &Authenticator<Task>, tokens: TaskTokens) -> Router {
    let layer = |policy| RequireLayer::new(policy).response_for_rejection(answer::execution);
    let ti_self = own("task_instance_id", "task instance");
    let run = one_of(&[EXECUTION, WORKLOAD]).and(ti_self.clone());
    let heartbeat = one_of(&[EXECUTION]).and(ti_self);
    let test = one_of(&[WORKLOAD]).and(own("connection_test_id", "connection test"));
    let scheduler = tokens.clone();
    // Airflow renews tokens for as long as a task runs.
    let reissuer = Reissuer::new(tokens.minter.clone())
        .lifetime(tokens.life)
        .max_session_age(Duration::MAX)
        .scopes_without_renewal([WORKLOAD]);
    let variable = async |Path(key): Path<String>| Json(json!({"key": key, "value": null}));
    Router::new()
        .route(
            "/execution/task-instances/{task_instance_id}/run",
            patch(async move |Granted(task): Granted<Task>| tokens.run(*task))
                .route_layer(layer(run)),
        )
        .route(
            "/execution/task-instances/{task_instance_id}/heartbeat",
            put(async || StatusCode::NO_CONTENT).route_layer(layer(heartbeat)),
        )
        .route("/execution/variables/{key}", get(variable).route_layer(layer(one_of(&[EXECUTION]))))
        .route(
            "/execution/connection-tests/{connection_test_id}/run",
            post(async || Json(json!({}))).route_layer(layer(test)),
        )
        .route_layer(ReissueLayer::new(reissuer))
        .route_layer(JwtAuthLayer::new(auth.clone()).response_for_rejection(answer::execution))
        .route("/execution/health", get(async || Json(json!({"status": "healthy"}))))
        .route("/example/workload-token", post(async move |body| scheduler.queue(body)))
}
