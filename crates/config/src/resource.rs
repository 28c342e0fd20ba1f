//! `[resource]`: what clients know the service as.

use portcullis::{AuthenticatorBuilder, resource_metadata::ProtectedResource};

use crate::{
    apply::Applying,
    section::Section,
    table::{
        Apply::{Text, Texts, Together},
        Kind, REQUIRED, Table, rows,
    },
};

pub(crate) static RESOURCE: Table<ProtectedResource> = Table {
    rows: rows! {
        identifier: Together(Kind::Text), REQUIRED,
            "The URL that clients use, byte for byte; it is an audience too";
        authorization_servers: Texts(ProtectedResource::authorization_servers), "all issuers",
            "The issuers that clients can get tokens from";
        scopes_supported: Texts(ProtectedResource::scopes_supported), "none",
            "The scopes that clients can ask for";
        name: Text(ProtectedResource::resource_name), "none",
            "A name for people";
        documentation: Text(ProtectedResource::resource_documentation), "none",
            "The URL of documentation for developers";
        policy_uri: Text(ProtectedResource::resource_policy_uri), "none",
            "The URL of the policy for clients";
        tos_uri: Text(ProtectedResource::resource_tos_uri), "none",
            "The URL of the terms of service";
    },
    check: |_, _| {},
};

pub(crate) fn apply(
    builder: AuthenticatorBuilder,
    section: &Section,
    applying: &Applying<'_>,
) -> AuthenticatorBuilder {
    let resource = ProtectedResource::new(section.text("identifier").unwrap_or_default());
    builder.resource(RESOURCE.apply(resource, section, applying))
}
