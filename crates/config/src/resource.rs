//! `[resource]`: what clients know the service as.

use portcullis::{AuthenticatorBuilder, resource_metadata::ProtectedResource};

use crate::{
    apply::Applying,
    section::Section,
    table::{Kind, REQUIRED, Row, Table},
};

pub(crate) static RESOURCE: Table<ProtectedResource> = Table {
    rows: &[
        Row::together(
            "identifier",
            Kind::Text,
            REQUIRED,
            "The URL that clients use, byte for byte; it is an audience too",
        ),
        Row::texts(
            "authorization_servers",
            "all issuers",
            "The issuers that clients can get tokens from",
            ProtectedResource::authorization_servers,
        ),
        Row::texts(
            "scopes_supported",
            "none",
            "The scopes that clients can ask for",
            ProtectedResource::scopes_supported,
        ),
        Row::text("name", "none", "A name for people", ProtectedResource::resource_name),
        Row::text(
            "documentation",
            "none",
            "The URL of documentation for developers",
            ProtectedResource::resource_documentation,
        ),
        Row::text(
            "policy_uri",
            "none",
            "The URL of the policy for clients",
            ProtectedResource::resource_policy_uri,
        ),
        Row::text(
            "tos_uri",
            "none",
            "The URL of the terms of service",
            ProtectedResource::resource_tos_uri,
        ),
    ],
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
