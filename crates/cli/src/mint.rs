//! `mint`: makes a token.

use portcullis::NumericDate;
use portcullis_mint::Minter;
use serde_json::{Map, Value, json};

use crate::{
    args::MintArguments,
    failure::{Failure, Finding, with_causes},
    input::{StandingClock, time},
    output::{self, Format},
    signing_key,
};

pub(crate) fn run(arguments: &MintArguments, format: Format) -> Result<Finding, Failure> {
    let claims: Map<String, Value> = serde_json::from_str(&arguments.claims)
        .map_err(|error| Failure::mistake(format!("--claims: not a JSON object: {error}")))?;
    let mut key = signing_key::read(&arguments.key, arguments.algorithm)?;
    if let Some(key_id) = &arguments.kid {
        key = key.with_key_id(key_id);
    }
    let minter = Minter::new(key)
        .token_type(arguments.token_type.as_str())
        .lifetime(arguments.ttl)
        .clock(StandingClock(time(arguments.now)));
    let minted = minter.mint(&claims).map_err(|error| Failure::mistake(with_causes(&error)))?;
    let token = format!("{}{}", arguments.prefix, minted.token());
    // A token is what scripts want of this, so that JSON must be asked for.
    if format == Format::Json {
        let expires_at = minted.expires_at().map(NumericDate::seconds);
        output::json_line(&json!({"token": token, "jti": minted.token_id(), "exp": expires_at}))?;
    } else {
        output::raw(format!("{token}\n").as_bytes())?;
    }
    Ok(Finding::AllFine)
}
