//! Airflow's two APIs: their settings, tokens, rights and responses.

mod answer;
mod core_api;
mod execution_api;
mod keys;
mod revocation;
mod variables;

use axum::Router;
use portcullis_axum::{Authenticator, Issuer, TokenLocation, mint::Minter};

use self::{core_api::Login, execution_api::TaskTokens, keys::Keys};
pub use self::{execution_api::Task, variables::Variables};

/// The program: an engine for each API, and what signs.
#[derive(Debug)]
pub struct Airflow {
    /// The engine of the Core API.
    pub core: Authenticator,
    /// The engine of the Execution API.
    pub execution: Authenticator<Task>,
    app: Router,
}

impl Airflow {
    /// Builds the program.
    ///
    /// # Errors
    ///
    /// What is wrong with the settings, for their operator.
    pub fn new(variables: &Variables) -> Result<Self, String> {
        let keys = Keys::new(variables)?;
        if keys.is_short_secret() {
            tracing::warn!(
                "jwt_secret is shorter than the hash of its algorithm: use a longer one"
            );
        }
        if variables.text(core_api::OLD_AUDIENCE).is_some() {
            tracing::warn!("[api] jwt_audience is deprecated: use [api_auth] jwt_audience");
        }
        let core = core_api::authenticator(variables, &keys)?;
        let execution = execution_api::authenticator(variables, &keys)?;
        let minter = Minter::new(keys.signing);
        let minter = match variables.list(ISSUER).first() {
            Some(first) => minter.issuer(*first),
            None => minter,
        };
        let life = variables.seconds("AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME", 86_400)?;
        let cli_life = variables.seconds("AIRFLOW__API_AUTH__JWT_CLI_EXPIRATION_TIME", 3_600)?;
        let login = Login {
            users: core_api::users(variables)?.into(),
            minter: minter.clone(),
            audience: core_api::audience(variables).to_owned(),
        };
        let tokens = TaskTokens {
            minter: minter.clone(),
            audience: execution_api::audiences(variables).swap_remove(0).to_owned(),
            life: variables.seconds("AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME", 600)?,
            workload_life: variables.seconds("AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT", 600)?,
        };
        let sessions = revocation::sessions(variables, &core, minter.lifetime(life))?;
        let app = core_api::app(&core, sessions, login, (life, cli_life))
            .route_service("/api/v2/auth/logout", revocation::logout(variables, &core)?)
            .merge(execution_api::app(&execution, tokens));
        Ok(Self { core, execution, app })
    }

    /// Returns the routes.
    pub fn app(&self) -> Router {
        self.app.clone()
    }
}

const ISSUER: &str = "AIRFLOW__API_AUTH__JWT_ISSUER";
const LEEWAY: &str = "AIRFLOW__API_AUTH__JWT_LEEWAY";
const COOKIE: &str = "_token";

/// The issuers of both APIs. Without a setting, Airflow does not look at `iss`.
fn issuers(variables: &Variables, keys: &Keys) -> Result<Vec<Issuer>, String> {
    let leeway = variables.seconds(LEEWAY, 10)?;
    let names = variables.list(ISSUER);
    let issuers = if names.is_empty() {
        vec![Issuer::dangerous_any("airflow")]
    } else {
        names.into_iter().map(Issuer::new).collect()
    };
    let issuers =
        issuers.into_iter().map(|issuer| keys.verify(issuer.leeway(leeway).whole_seconds()));
    issuers.collect()
}

/// `Authorization: Bearer`, in any case. One without a token does not count.
fn bearer() -> TokenLocation {
    TokenLocation::custom("bearer", [TokenLocation::bearer()], |values| match values {
        [Some(token)] if !token.is_empty() => Ok(Some((*token).to_owned())),
        _ => Ok(None),
    })
}
