//! The arguments of `revoke` and `revoked`.

use clap::Args;
use portcullis::NumericDate;

use crate::date;

#[derive(Args, Debug)]
pub(crate) struct StoreArguments {
    /// The store: `sqlite:FILE`, `postgres://…` or `redis://…`. `${NAME}` is replaced by an environment
    /// variable, which keeps a password out of the list of processes
    #[arg(long, value_name = "URL")]
    pub(crate) store: String,
}

#[derive(Args, Debug)]
pub(crate) struct RevokeArguments {
    #[command(flatten)]
    pub(crate) store: StoreArguments,

    /// The issuer of the tokens: their `iss`, or the `name` of an issuer whose tokens have none
    #[arg(long)]
    pub(crate) issuer: String,

    #[command(flatten)]
    pub(crate) what: WhatToRevoke,

    /// When the token expires, with `--jti`. The entry is kept for a day longer
    #[arg(long, value_name = "TIME", value_parser = date::parse, conflicts_with_all = ["subject", "session", "client", "key"], allow_negative_numbers = true)]
    pub(crate) exp: Option<NumericDate>,

    /// The last time of issue (`iat`) of the tokens that are revoked, with `--subject` and `--client`.
    /// Tokens without `iat` are revoked too
    #[arg(long, value_name = "TIME", value_parser = date::parse, conflicts_with_all = ["jti", "session", "key"], allow_negative_numbers = true)]
    pub(crate) before: Option<NumericDate>,

    /// When the last of the tokens has expired, so that the entry can go. Default: never
    #[arg(long, value_name = "TIME", value_parser = date::parse, conflicts_with = "jti", allow_negative_numbers = true)]
    pub(crate) until: Option<NumericDate>,
}

#[derive(Args, Debug)]
#[group(id = "what", required = true, multiple = true)]
pub(crate) struct WhatToRevoke {
    /// Revoke the token with this `jti`
    #[arg(long, requires = "exp", conflicts_with_all = ["subject", "session", "client", "key"])]
    pub(crate) jti: Option<String>,

    /// Revoke the tokens of this subject
    #[arg(long, value_name = "SUB", requires = "before", conflicts_with_all = ["session", "client", "key"])]
    pub(crate) subject: Option<String>,

    /// Revoke the tokens of this session, which their `sid` names
    #[arg(long, value_name = "SID", conflicts_with_all = ["client", "key"])]
    pub(crate) session: Option<String>,

    /// Revoke the tokens of this client (`client_id`, else `azp`)
    #[arg(long, value_name = "ID", requires = "before", conflicts_with = "key")]
    pub(crate) client: Option<String>,

    /// Revoke the tokens that were signed with the key of this thumbprint (RFC 7638, SHA-256)
    #[arg(long, value_name = "THUMBPRINT")]
    pub(crate) key: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct RevokedArguments {
    #[command(flatten)]
    pub(crate) store: StoreArguments,
}
