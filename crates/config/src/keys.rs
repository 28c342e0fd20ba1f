//! The one table of keys: it drives the check, the JSON Schema and the documentation.

use super::kind::{
    Key,
    Kind::{
        Duration, Flag, Places, Section, Sections, Size, Text, TextOrTexts, Texts, Word, Words,
    },
};

/// The names of signature algorithms.
pub(super) const ALGORITHMS: &[&str] = &[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "HS256", "HS384", "HS512",
];

/// The kinds of places that a token may be in.
pub(super) const PLACES: &[&str] = &["header", "query", "cookie", "web_socket_protocol"];

/// How files and variables hold static tokens.
pub(super) const TOKEN_FORMATS: &[&str] = &["lines", "whole", "list"];

/// The default of a key that must be there.
pub(super) const REQUIRED: &str = "required";

/// Name, kind, default and meaning of each key.
macro_rules! keys {
    ($($name:tt: $kind:expr, $default:expr, $about:expr;)*) => {
        &[$(Key { name: stringify!($name), kind: $kind, default: $default, about: $about }),*]
    };
}

/// The keys outside of any section.
pub(super) const ROOT: &[Key] = keys! {
    production: Flag, "false",
        "Refuses to start with settings that are for trying out; so does the environment \
         variable `PORTCULLIS_PRODUCTION=1`";
    optional_credentials: Flag, "false",
        "Routes may let requests without credentials through in production; bad credentials are \
         rejected all the same";
    dangerous_any_issuer_in_production: Flag, "false",
        "Lets `dangerous_any_issuer` stand in production; an audience is needed all the same";
    audience: Texts, "none",
        "Who this service is in `aud`, any of these, for issuers without an `audience` of their \
         own";
    realm: Text, "none",
        "The realm that challenges name";
    resource_metadata: Text, "that of `[resource]`",
        "The URL of the protected resource metadata that challenges name";
    max_token_len: Size, "16KiB",
        "The longest token";
    strategy_timeout: Duration, "2s",
        "The longest time that a strategy, such as one of the application's, may take for a token";
    extract: Section(EXTRACT), "see its keys",
        "Where in a request the token is";
    resource: Section(RESOURCE), "none",
        "What clients know this service as (RFC 9728)";
    issuer: Sections(ISSUER), "none",
        "An issuer that is trusted, its keys, and the rules for its tokens";
    roles: Section(ROLES), "see its keys",
        "The order of roles";
    static_token: Sections(STATIC_TOKEN), "none",
        "Tokens and API keys that are known beforehand";
};

const EXTRACT: &[Key] = keys! {
    places: Places(PLACE), "[\"header\"]",
        "The places in order, each by its name or as a table";
    query: Text, "access_token",
        "The query parameter of the place `query`";
    cookie: Text, "access_token",
        "The cookie of the place `cookie`";
    web_socket_protocol: Text, "access_token",
        "The subprotocol before the token, of the place `web_socket_protocol`";
    several: Word(&["refuse", "first", "all"]), "refuse",
        "More than one token: two explicit ones are an error, and a cookie yields to an \
         explicit one; or the first counts; or all must be good";
    remove_tokens: Flag, "false",
        "Takes tokens out of header fields and cookies too before handlers see the request; \
         trailers are not changed";
};

const PLACE: &[Key] = keys! {
    kind: Word(PLACES), REQUIRED,
        "Which part of the request";
    name: Text, "`authorization`, or `access_token`",
        "The header field, query parameter, cookie or subprotocol";
    scheme: Text, "`Bearer` for `authorization`, else none",
        "The scheme before the token in a header field";
    prefix: Text, "none",
        "What the token has in front of it in this place; it is taken off";
    exact_scheme: Flag, "false",
        "The scheme counts letter by letter, with one space behind it";
    required_scheme: Flag, "false",
        "Every field has the scheme, with one space behind it: any other is bad credentials";
    required_prefix: Flag, "false",
        "Every token in this place has the prefix: one without it is malformed";
    dangerous_repeated_prefix: Flag, "false",
        "Takes the prefix off as often as it is there";
    trimmed: Flag, "false",
        "Takes white space off both ends of the token";
    empty_is_absent: Flag, "false",
        "An empty token is none, instead of a malformed one";
    issuer: Text, "any",
        "The only issuer, or the only `name`, whose tokens the place may hold";
};

const RESOURCE: &[Key] = keys! {
    identifier: Text, REQUIRED,
        "The URL that clients use, byte for byte; it is an audience too";
    authorization_servers: Texts, "all issuers",
        "The issuers that clients can get tokens from";
    scopes_supported: Texts, "none",
        "The scopes that clients can ask for";
    name: Text, "none",
        "A name for people";
    documentation: Text, "none",
        "The URL of documentation for developers";
    policy_uri: Text, "none",
        "The URL of the policy for clients";
    tos_uri: Text, "none",
        "The URL of the terms of service";
};

const ISSUER: &[Key] = keys! {
    issuer: Text, "required, or `name`",
        "The `iss` of its tokens, byte for byte";
    name: Text, "none",
        "Stands in place of `issuer`, with `dangerous_any_issuer`";
    dangerous_any_issuer: Flag, "false",
        "Trusts tokens with any `iss` or none that its keys verify";
    audience: Texts, "that above",
        "Who this service is in `aud`: any of these; required unless `dangerous_any_audience`";
    dangerous_any_audience: Flag, "false",
        "Accepts tokens that are meant for anyone";
    algorithms: Words(ALGORITHMS), "every asymmetric one that its keys allow; `HS256` for secrets",
        "The signature algorithms that are allowed";
    discovery: Flag, "false",
        "Finds the keys by OpenID Connect Discovery or RFC 8414";
    jwks_uri: TextOrTexts, "none",
        "URLs of JWK Sets";
    jwks_file: TextOrTexts, "none",
        "Files that hold a JWK Set or a single JWK, read again when they change";
    pem_file: TextOrTexts, "none",
        "Files that hold a public key or certificate, read again when they change";
    secret_file: TextOrTexts, "none",
        "Files that hold a shared secret, their bytes less one final newline, read again when they \
         change";
    secret_env: TextOrTexts, "none",
        "Environment variables that hold a shared secret";
    dangerous_short_secrets: Flag, "false",
        "Accepts secrets that are shorter than the hash";
    try_all_keys: Flag, "false",
        "Tries every key that fits, four at most, for a token without `kid`";
    match_key_ids: Flag, "false",
        "Finds keys by their ids alone: a token without `kid` is for PEM files and secrets, which are \
         not watched then";
    last_key_of_id_wins: Flag, "false",
        "Of several keys with one id the last counts, of those that fit";
    refresh: Duration, "10m",
        "How often keys are fetched where their document names no lifetime";
    min_refresh: Duration, "30s",
        "The shortest lifetime that a document may name";
    max_refresh: Duration, "24h",
        "The longest lifetime that a document may name";
    max_stale: Duration, "24h",
        "How long keys stay usable after the last success";
    dangerous_unlimited_staleness: Flag, "false",
        "Keys stay usable for ever after one success";
    wait: Duration, "1s",
        "How long a request waits for a key that is not there yet";
    timeout: Duration, "5s",
        "The longest time to fetch one document";
    dangerous_allow_http: Flag, "false",
        "Fetches plain `http` from other machines too";
    leeway: Duration, "60s",
        "How far clocks may differ";
    profile: Word(&["at+jwt"]), "none",
        "The rules of RFC 9068 for access tokens, on top";
    type: Texts, "[\"\", \"JWT\", \"at+jwt\"]",
        "The types that `typ` may name; `\"\"`: it is absent";
    required_claims: Texts, "none",
        "Claims that must be there, beside those that the rules need";
    max_age: Duration, "no limit",
        "The longest time since `iat`, which then must be there";
    max_lifetime: Duration, "no limit",
        "The longest time from `iat` to `exp`, which then must be there";
    subject: Texts, "all",
        "The subjects that the issuer may speak for";
    whole_seconds: Flag, "false",
        "Cuts the fractions of `exp`, `nbf` and `iat` off";
    dangerous_optional_expiry: Flag, "false",
        "Accepts tokens without `exp`";
    dangerous_zero_is_no_date: Flag, "false",
        "Takes an `exp`, `nbf` or `iat` of `0` for one that is not there";
    dangerous_any_token_type: Flag, "false",
        "Accepts tokens whatever their `typ` says";
    dangerous_optional_subject: Flag, "false",
        "Accepts tokens without `sub`";
    dangerous_ignore_binding: Flag, "false",
        "Accepts tokens that are bound to their sender without checking that";
    grant: Section(GRANT), "see its keys",
        "Which claims hold the rights";
};

const GRANT: &[Key] = keys! {
    scope: Texts, "[\"scope\", \"scp\"]",
        "Claims that may hold the scope, the first that is there counts; a leading slash makes \
         a JSON pointer";
    roles: Texts, "[\"roles\"]",
        "Claims that may hold roles";
    more_roles: Texts, "none",
        "Claims whose roles are added, each that is there";
    known_roles: Texts, "all",
        "The roles that count; others are left out, as if the token did not name them";
    default_roles: Texts, "none",
        "The roles of a token that has none in any claim, or none that is known";
    groups: Texts, "[\"groups\"]",
        "Claims that may hold groups";
    permissions: Section(PERMISSIONS), "none",
        "The claim that holds permissions";
};

const PERMISSIONS: &[Key] = keys! {
    claim: Text, REQUIRED,
        "The claim";
    separator: Text, ":",
        "What stands between resource and level in each entry";
    pattern: Text, "none",
        "In place of `separator`: a regular expression with the groups `resource` and `level` (feature `regex`)";
    listed: Text, "none",
        "In place of `separator`: entries are lists of a resource and flags, and this is the level \
         of whoever has the resource in one";
    flags: Texts, "none",
        "With `listed`: the level that each flag stands for";
    levels_in_lower_case: Flag, "false",
        "Takes `Admin` and `ADMIN` for the level `admin`";
    dangerous_ignore_malformed: Flag, "false",
        "Takes permissions of another JSON type for none";
};

const ROLES: &[Key] = keys! {
    rank: Texts, "none",
        "Roles from low to high; a higher one satisfies a lower one";
    ignore_ascii_case: Flag, "false",
        "Takes `Admin` and `ADMIN` for `admin`";
};

const STATIC_TOKEN: &[Key] = keys! {
    name: Text, REQUIRED,
        "Stands for the issuer of these callers";
    token: TextOrTexts, "none",
        "Tokens, or `sha256:` and the 64 hexadecimal digits of a token's SHA-256; names in front of tokens \
         are for files and variables";
    token_env: TextOrTexts, "none",
        "Environment variables that hold tokens";
    token_file: TextOrTexts, "none",
        "Files that hold tokens, read again when they change";
    format: Word(TOKEN_FORMATS), "lines",
        "What variables and files hold: a token, `name=token` or digest a line, and comments; or \
         one token as a whole; or tokens with commas or line breaks between";
    optional_files: Flag, "false",
        "A file that is not there is one without tokens, instead of an error";
    reload_every: Duration, "2s",
        "How often files are read again";
    read_once: Flag, "false",
        "Files are read at the start, and not again";
    max_stale: Duration, "24h",
        "How long tokens from files stay good after the files were read the last time; then they are \
         answered with 503";
    subject: Text, "the `name`",
        "Who the caller is, unless the token's line names one";
    roles: Texts, "none",
        "The caller's roles";
    scope: Texts, "none",
        "The caller's scope";
};
