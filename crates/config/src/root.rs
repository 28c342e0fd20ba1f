//! The keys outside of any section.

use portcullis::AuthenticatorBuilder;

use crate::{
    cookies::COOKIES,
    extract::{self, EXTRACT},
    issuer::{self, ISSUER},
    resource::{self, RESOURCE},
    revocation::{self, REVOCATION},
    roles::ROLES,
    static_token::{self, STATIC_TOKEN},
    table::{
        Apply::{Duration, Each, Flag, ManySections, OneSection, Size, Text},
        Table, rows,
    },
};

pub(crate) static ROOT: Table<AuthenticatorBuilder> = Table {
    rows: rows! {
        production: Flag(AuthenticatorBuilder::production), "false",
            "Refuses to start with settings that are for trying out; so does the environment \
             variable `PORTCULLIS_PRODUCTION=1`";
        optional_credentials: Flag(AuthenticatorBuilder::optional_credentials), "false",
            "Routes may let requests without credentials through in production; bad credentials \
             are rejected all the same";
        dangerous_any_issuer_in_production:
            Flag(AuthenticatorBuilder::dangerous_any_issuer_in_production), "false",
            "Lets `dangerous_any_issuer` stand in production; an audience is needed all the same";
        audience: Each(AuthenticatorBuilder::audience), "none",
            "Who this service is in `aud`, any of these, for issuers without an `audience` of \
             their own";
        realm: Text(AuthenticatorBuilder::realm), "none",
            "The realm that challenges name";
        resource_metadata: Text(AuthenticatorBuilder::resource_metadata), "that of `[resource]`",
            "The URL of the protected resource metadata that challenges name";
        max_token_len: Size(AuthenticatorBuilder::max_token_len), "16KiB",
            "The longest token";
        strategy_timeout: Duration(AuthenticatorBuilder::strategy_timeout), "2s",
            "The longest time that a strategy, such as one of the application's, may take for a \
             token";
        extract: OneSection(&EXTRACT, extract::apply), "see its keys",
            "Where in a request the token is";
        cookies: OneSection(&COOKIES, |builder, section, applying| {
            COOKIES.apply(builder, section, applying)
        }), "see its keys",
            "Which sites may send requests with a token in a cookie";
        resource: OneSection(&RESOURCE, resource::apply), "none",
            "What clients know this service as (RFC 9728)";
        issuer: ManySections(&ISSUER, issuer::apply), "none",
            "An issuer that is trusted, its keys, and the rules for its tokens";
        revocation: OneSection(&REVOCATION, revocation::apply), "none",
            "Ends tokens before they expire";
        // For the policies of the application.
        roles: OneSection(&ROLES, |builder, _, _| {
            builder
        }), "see its keys",
            "The order of roles";
        static_token: ManySections(&STATIC_TOKEN, static_token::apply), "none",
            "Tokens and API keys that are known beforehand";
    },
    check: revocation::check_issuers,
};
