//! The keys outside of any section.

use portcullis::AuthenticatorBuilder;

use crate::{
    extract::{self, EXTRACT},
    issuer::{self, ISSUER},
    resource::{self, RESOURCE},
    roles::ROLES,
    static_token::{self, STATIC_TOKEN},
    table::{Row, Table},
};

pub(crate) static ROOT: Table<AuthenticatorBuilder> = Table {
    rows: &[
        Row::flag(
            "production",
            "Refuses to start with settings that are for trying out; so does the environment \
             variable `PORTCULLIS_PRODUCTION=1`",
            AuthenticatorBuilder::production,
        ),
        Row::flag(
            "optional_credentials",
            "Routes may let requests without credentials through in production; bad credentials are \
             rejected all the same",
            AuthenticatorBuilder::optional_credentials,
        ),
        Row::flag(
            "dangerous_any_issuer_in_production",
            "Lets `dangerous_any_issuer` stand in production; an audience is needed all the same",
            AuthenticatorBuilder::dangerous_any_issuer_in_production,
        ),
        Row::each(
            "audience",
            "none",
            "Who this service is in `aud`, any of these, for issuers without an `audience` of their \
             own",
            AuthenticatorBuilder::audience,
        ),
        Row::text("realm", "none", "The realm that challenges name", AuthenticatorBuilder::realm),
        Row::text(
            "resource_metadata",
            "that of `[resource]`",
            "The URL of the protected resource metadata that challenges name",
            AuthenticatorBuilder::resource_metadata,
        ),
        Row::size(
            "max_token_len",
            "16KiB",
            "The longest token",
            AuthenticatorBuilder::max_token_len,
        ),
        Row::duration(
            "strategy_timeout",
            "2s",
            "The longest time that a strategy, such as one of the application's, may take for a token",
            AuthenticatorBuilder::strategy_timeout,
        ),
        Row::section(
            "extract",
            &EXTRACT,
            "see its keys",
            "Where in a request the token is",
            extract::apply,
        ),
        Row::section(
            "resource",
            &RESOURCE,
            "none",
            "What clients know this service as (RFC 9728)",
            resource::apply,
        ),
        Row::sections(
            "issuer",
            &ISSUER,
            "An issuer that is trusted, its keys, and the rules for its tokens",
            issuer::apply,
        ),
        // For the policies of the application.
        Row::section("roles", &ROLES, "see its keys", "The order of roles", |builder, _, _| {
            builder
        }),
        Row::sections(
            "static_token",
            &STATIC_TOKEN,
            "Tokens and API keys that are known beforehand",
            static_token::apply,
        ),
    ],
    check: |_, _| {},
};
