//! The settings, each as plain data. What is not set is left to the engine's defaults.

use std::{fmt, path::PathBuf, time::Duration};

use portcullis::{Algorithm, MultipleTokens, TokenFormat, TokenProfile};

/// `[extract]`: where in a request the token is.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ExtractSettings {
    /// The places, in order. `None`: `Authorization: Bearer`.
    pub places: Option<Vec<LocationSettings>>,
    /// What happens when a request brings more than one token.
    pub several: MultipleTokens,
    /// Whether tokens are taken out of header fields and cookies too before handlers see them.
    pub remove_tokens: bool,
}

/// A place that a token may be in.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LocationSettings {
    /// Which part of the request.
    pub kind: LocationKind,
    /// The header field, query parameter, cookie or subprotocol.
    pub name: String,
    /// The scheme before the token in a header field.
    pub scheme: Option<String>,
    /// Whether the scheme counts letter by letter.
    pub exact_scheme: bool,
    /// Whether every field has the scheme.
    pub required_scheme: bool,
    /// What the token has in front of it in this place.
    pub prefix: Option<String>,
    /// Whether a value without the prefix is malformed.
    pub required_prefix: bool,
    /// Whether the prefix is taken off as often as it is there.
    pub repeated_prefix: bool,
    /// Whether white space around the token is taken off.
    pub trimmed: bool,
    /// Whether an empty token is none.
    pub empty_is_absent: bool,
    /// The only issuer whose tokens the place may hold.
    pub issuer: Option<String>,
}

/// Which part of a request holds a token.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum LocationKind {
    /// A header field.
    #[default]
    Header,
    /// A parameter of the query.
    Query,
    /// A cookie.
    Cookie,
    /// The WebSocket subprotocol after one of a name.
    WebSocketProtocol,
}

/// `[resource]`: what clients know the service as.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResourceSettings {
    /// The URL that clients use.
    pub identifier: String,
    /// The issuers that clients can get tokens from. `None`: all.
    pub authorization_servers: Option<Vec<String>>,
    /// The scopes that clients can ask for.
    pub scopes_supported: Vec<String>,
    /// A name for people.
    pub name: Option<String>,
    /// The URL of documentation for developers.
    pub documentation: Option<String>,
    /// The URL of the policy for clients.
    pub policy_uri: Option<String>,
    /// The URL of the terms of service.
    pub tos_uri: Option<String>,
}

/// `[[issuer]]`: an issuer that is trusted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuerSettings {
    /// The `iss` of its tokens, or the `name` of one that stands in for all others.
    pub name: String,
    /// Whether it stands in for all others.
    pub any_issuer: bool,
    /// Who the service is in `aud`. Empty: as the configuration as a whole says.
    pub audiences: Vec<String>,
    /// Whether tokens are accepted that are meant for anyone.
    pub any_audience: bool,
    /// The signature algorithms that are allowed. `None`: those that the keys allow.
    pub algorithms: Option<Vec<Algorithm>>,
    /// Where the keys are.
    pub keys: KeySettings,
    /// The rules for its tokens.
    pub rules: RuleSettings,
    /// Which claims hold the rights.
    pub grant: GrantSettings,
}

/// Where the keys of an issuer are, and when they are fetched.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KeySettings {
    /// Whether the keys are found by discovery.
    pub discovery: bool,
    /// URLs of JWK Sets.
    pub jwks_uris: Vec<String>,
    /// Files that hold a JWK Set, or a single JWK.
    pub jwks_files: Vec<PathBuf>,
    /// Files that hold a public key or certificate.
    pub pem_files: Vec<PathBuf>,
    /// Files that hold a shared secret.
    pub secret_files: Vec<PathBuf>,
    /// Environment variables that hold a shared secret.
    pub secret_variables: Vec<String>,
    /// Whether secrets may be shorter than the hash.
    pub short_secrets: bool,
    /// Whether every key that fits is tried for a token without `kid`.
    pub try_all_keys: bool,
    /// Whether keys are found by their ids alone.
    pub match_key_ids: bool,
    /// Whether the last of several keys with one id counts.
    pub last_key_of_id_wins: bool,
    /// How often keys are fetched where their document names no lifetime.
    pub refresh: Option<Duration>,
    /// The shortest lifetime that a document may name.
    pub min_refresh: Option<Duration>,
    /// The longest lifetime that a document may name.
    pub max_refresh: Option<Duration>,
    /// How long keys stay usable after the last success.
    pub max_stale: Option<Duration>,
    /// Whether they stay usable for ever.
    pub unlimited_staleness: bool,
    /// How long a request waits for a key that is not there yet.
    pub wait: Option<Duration>,
    /// The longest time to fetch one document.
    pub timeout: Option<Duration>,
    /// Whether plain `http` is fetched from other machines too.
    pub allow_http: bool,
}

/// The rules for the tokens of an issuer.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RuleSettings {
    /// How far clocks may differ.
    pub leeway: Option<Duration>,
    /// Published rules, on top.
    pub profile: Option<TokenProfile>,
    /// The types that `typ` may name. An empty one: it is absent.
    pub types: Option<Vec<String>>,
    /// Claims that must be there.
    pub required_claims: Vec<String>,
    /// The longest time since `iat`.
    pub max_age: Option<Duration>,
    /// The longest time from `iat` to `exp`.
    pub max_lifetime: Option<Duration>,
    /// The subjects that the issuer may speak for. `None`: all.
    pub subjects: Option<Vec<String>>,
    /// Whether dates have no fractions.
    pub whole_seconds: bool,
    /// Whether tokens without `exp` are accepted.
    pub optional_expiry: bool,
    /// Whether a date of zero is none.
    pub zero_is_no_date: bool,
    /// Whether tokens are accepted whatever their `typ` says.
    pub any_token_type: bool,
    /// Whether tokens without `sub` are accepted.
    pub optional_subject: bool,
    /// Whether tokens that are bound to their sender are accepted from anyone.
    pub ignore_binding: bool,
}

/// `[issuer.grant]`: which claims hold the rights. `None`: as the engine does.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GrantSettings {
    /// Claims that may hold the scope.
    pub scope: Option<Vec<String>>,
    /// Claims that may hold roles.
    pub roles: Option<Vec<String>>,
    /// Claims whose roles are added.
    pub more_roles: Vec<String>,
    /// The roles that count. `None`: all.
    pub known_roles: Option<Vec<String>>,
    /// The roles of a token that has none.
    pub default_roles: Vec<String>,
    /// Claims that may hold groups.
    pub groups: Option<Vec<String>>,
    /// The claim that holds permissions.
    pub permissions: Option<PermissionSettings>,
}

/// `[issuer.grant.permissions]`: the claim that holds permissions.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PermissionSettings {
    /// The claim.
    pub claim: String,
    /// How an entry tells resource and level.
    pub form: PermissionForm,
    /// Whether `Admin` is the level `admin`.
    pub levels_in_lower_case: bool,
    /// Whether what is malformed counts as nothing.
    pub ignore_malformed: bool,
}

/// How an entry of the permissions tells resource and level.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PermissionForm {
    /// By what stands between them.
    Separator(String),
    /// By a regular expression with groups of these names.
    Pattern(String),
    /// As a list: the resource, and a flag for each level.
    Tuple {
        /// The level of whoever has the resource in the list.
        listed: String,
        /// The levels of the flags, in order.
        flags: Vec<String>,
    },
}

/// `[roles]`: the order of roles.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RoleSettings {
    /// Roles from low to high.
    pub rank: Vec<String>,
    /// Whether `Admin` is `admin`.
    pub ignore_ascii_case: bool,
}

/// `[[static_token]]`: tokens that are known beforehand. `Debug` does not show them.
#[derive(Clone)]
#[non_exhaustive]
pub struct StaticTokenSettings {
    /// Stands for the issuer of the callers.
    pub name: String,
    /// Tokens, or their digests.
    pub tokens: Vec<String>,
    /// Environment variables that hold tokens.
    pub variables: Vec<String>,
    /// Files that hold tokens.
    pub files: Vec<PathBuf>,
    /// What variables and files hold.
    pub format: TokenFormat,
    /// Whether a file that is not there is one without tokens.
    pub optional_files: bool,
    /// How often files are read again.
    pub reload_every: Option<Duration>,
    /// Whether files are read at the start alone.
    pub read_once: bool,
    /// How long tokens from files stay good after the last success.
    pub max_stale: Option<Duration>,
    /// Who the caller is. `None`: the name.
    pub subject: Option<String>,
    /// The caller's roles.
    pub roles: Vec<String>,
    /// The caller's scope.
    pub scope: Vec<String>,
}

impl fmt::Debug for StaticTokenSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticTokenSettings")
            .field("name", &self.name)
            .field("tokens", &format_args!("{} ***", self.tokens.len()))
            .field("variables", &self.variables)
            .field("files", &self.files)
            .field("format", &self.format)
            .field("optional_files", &self.optional_files)
            .field("reload_every", &self.reload_every)
            .field("read_once", &self.read_once)
            .field("max_stale", &self.max_stale)
            .field("subject", &self.subject)
            .field("roles", &self.roles)
            .field("scope", &self.scope)
            .finish()
    }
}
