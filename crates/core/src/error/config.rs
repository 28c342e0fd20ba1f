//! Errors of configuration: they stop a program at its start, and say the way out.

use std::{error::Error, fmt, io, path::PathBuf};

/// A configuration that cannot be used.
///
/// The text of each says what to change. Secrets never appear in it.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// No issuer was added.
    NoIssuer,
    /// Two issuers have the same name.
    DuplicateIssuer {
        /// The name.
        issuer: String,
    },
    /// An issuer has no name.
    EmptyIssuer,
    /// An issuer's tokens could be meant for anyone.
    NoAudience {
        /// The issuer.
        issuer: String,
    },
    /// An issuer has no key.
    NoKeys {
        /// The issuer.
        issuer: String,
    },
    /// A source of keys could never bring any, such as one at a text that is no URL.
    InvalidKeySource {
        /// What is wrong with it.
        reason: String,
    },
    /// A file of keys is on another machine, which a `file` URI may say.
    RemoteFile {
        /// The URI.
        uri: String,
    },
    /// No key of the issuer can be used with any algorithm that the issuer allows.
    NoKeyForAlgorithms {
        /// The issuer.
        issuer: String,
    },
    /// A setting of an issuer is empty, so that nothing or everything would fit it.
    EmptySetting {
        /// The issuer.
        issuer: String,
        /// The setting.
        setting: &'static str,
    },
    /// There is no place to take a token from.
    NoPlaces,
    /// Two places are the same, so that each token would count twice.
    DuplicatePlace {
        /// The name of the header field, query parameter or cookie.
        name: String,
    },
    /// A place or a requirement names an issuer that is not trusted.
    UntrustedRequirement {
        /// The issuer.
        issuer: String,
    },
    /// A requirement has no part, or an empty one, so that nothing or everything would meet it.
    EmptyRequirement {
        /// The part.
        part: &'static str,
    },
    /// A text that challenges name would not arrive as it is.
    InvalidChallengeText {
        /// The setting.
        setting: &'static str,
    },
    /// A URL cannot be the resource identifier of a service ([RFC 9728 §1.2]).
    ///
    /// [RFC 9728 §1.2]: https://www.rfc-editor.org/rfc/rfc9728#section-1.2
    InvalidResource {
        /// The URL, without a password.
        resource: String,
        /// What to change.
        reason: &'static str,
    },
    /// The metadata of the resource cannot hold a parameter.
    InvalidResourceMetadata {
        /// The parameter.
        parameter: String,
        /// Why not.
        reason: String,
    },
    /// Metadata are to be served, and the service has no name.
    NoResource,
    /// The name of a header field, query parameter or cookie cannot be one.
    InvalidPlace {
        /// The name.
        name: String,
    },
    /// A claim is named by a malformed JSON pointer or by nothing.
    InvalidClaimPath {
        /// The path.
        path: String,
    },
    /// A pattern of permissions is no regular expression, or tells no resource and level.
    InvalidPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A text is not a JWK Set.
    InvalidJwkSet {
        /// What is wrong with it.
        reason: String,
    },
    /// A JWK Set has no key that can be used.
    NoUsableKey {
        /// For each key, why not.
        reasons: Vec<String>,
    },
    /// A key cannot be used.
    UnusableKey {
        /// Why not.
        reason: String,
    },
    /// A text is not a PEM file with one public key or certificate.
    InvalidPem {
        /// What is wrong with it.
        reason: String,
    },
    /// A text is not a PEM file with one private key.
    InvalidSigningKey {
        /// What is wrong with it.
        reason: String,
    },
    /// A private key stands where a public one is meant.
    PrivateKey {
        /// The label of the PEM block, or the JWK member.
        found: String,
    },
    /// A line of static tokens is none.
    InvalidToken {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it. The token is not told.
        reason: &'static str,
    },
    /// A setting is for trying out, and the engine is for production.
    NotForProduction(crate::ProductionError),
    /// An environment variable holds something else than it may.
    InvalidVariable {
        /// The variable.
        variable: String,
        /// What it may hold.
        expected: &'static str,
    },
    /// An environment variable is not set, or no text.
    MissingVariable {
        /// The variable.
        variable: String,
    },
    /// A secret is shorter than the algorithm's hash ([RFC 7518 §3.2]).
    ///
    /// [RFC 7518 §3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
    SecretTooShort {
        /// The algorithm.
        algorithm: crate::Algorithm,
        /// The length needed, in bytes.
        needed: usize,
        /// The length of the secret, in bytes.
        found: usize,
    },
    /// A secret looks like a public key, which everyone may know.
    SecretIsPublicKey,
    /// A token would be renewed before it is made. Feature `mint`.
    #[cfg(feature = "mint")]
    MarginTooLong {
        /// How long before its end a token is renewed.
        margin: std::time::Duration,
        /// How long a token is good.
        lifetime: std::time::Duration,
    },
    /// The claims of tokens that are renewed cannot be those of each of them. Feature `mint`.
    #[cfg(feature = "mint")]
    InvalidTokenClaims {
        /// What is wrong with them. No value of a claim is told.
        reason: String,
    },
    /// A text does not say where tokens may be sent, or they would be sent in clear text. Feature `mint`.
    #[cfg(feature = "mint")]
    InvalidOrigin {
        /// The origin.
        origin: String,
        /// What to change.
        reason: &'static str,
    },
    /// A setting of a configuration cannot be used. Feature `config`.
    #[cfg(feature = "config")]
    InvalidSetting(crate::SettingError),
    /// An issuer that has keys would have none.
    KeysWouldBeLost(crate::NotReady),
    /// A file cannot be read.
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What a file holds cannot be used.
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        source: Box<Self>,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIssuer => f.write_str(
                "no issuer is trusted, so every token would be rejected: add one with `issuer(…)`",
            ),
            Self::DuplicateIssuer { issuer } => {
                write!(f, "issuer `{issuer}` is there twice: add all its keys to one `Issuer`")
            }
            Self::EmptyIssuer => f.write_str(
                "an issuer has an empty name: give the `iss` of its tokens, byte for byte",
            ),
            Self::NoAudience { issuer } => write!(
                f,
                "issuer `{issuer}` has no audience, so its tokens for other services would be \
                 accepted: set `audience(…)` to the `aud` meant for this service, or say \
                 `dangerous_any_audience()`"
            ),
            Self::NoKeys { issuer } => {
                write!(f, "issuer `{issuer}` has no key: add some with `jwk_set(…)` or `key(…)`")
            }
            Self::InvalidKeySource { reason } => write!(
                f,
                "keys can never be fetched from there: {reason}; use https, or http from this very \
                 machine, or say `dangerous_allow_http`"
            ),
            Self::RemoteFile { uri } => {
                write!(f, "file URI with remote host is not supported: {uri}")
            }
            Self::NoKeyForAlgorithms { issuer } => write!(
                f,
                "no key of issuer `{issuer}` fits its `algorithms(…)`, so every token would be \
                 rejected: allow an algorithm of one of its keys"
            ),
            Self::EmptySetting { issuer, setting } => write!(
                f,
                "`{setting}` of issuer `{issuer}` is empty: give a value, or leave the setting out"
            ),
            Self::DuplicatePlace { name } => {
                write!(f, "place `{name}` is there twice: name each place once")
            }
            Self::UntrustedRequirement { issuer } => write!(
                f,
                "a place or requirement names the issuer `{issuer}`, which is not trusted, so no \
                 token would ever do: add it with `issuer(…)`, under the same name"
            ),
            Self::EmptyRequirement { part } => {
                write!(f, "`{part}` of a requirement is empty: say what it asks for")
            }
            Self::InvalidChallengeText { setting } => write!(
                f,
                "`{setting}` must be visible ASCII and spaces, 256 characters at most, to arrive \
                 in a challenge as it is"
            ),
            Self::InvalidResource { resource, reason } => {
                write!(
                    f,
                    "`{resource}` cannot be the resource identifier of this service: {reason}"
                )
            }
            Self::InvalidResourceMetadata { parameter, reason } => {
                write!(f, "the metadata of the resource cannot hold this `{parameter}`: {reason}")
            }
            Self::NoResource => f.write_str(
                "there are no metadata to serve: name this service with `resource(…)` where the \
                 engine is built",
            ),
            Self::NoPlaces => f.write_str(
                "there is no place to take a token from: name one with `places(…)`, or leave the \
                 default",
            ),
            Self::InvalidPlace { name } => write!(
                f,
                "`{name}` cannot name a header field, scheme, query parameter or cookie: use letters, \
                 digits, `-` and `_`; a scheme goes with a header field, and cookies with \
                 `TokenLocation::cookie`"
            ),
            Self::InvalidClaimPath { path } => write!(
                f,
                "`{path}` names no claim: give a member name, or a JSON pointer with `~0` for `~` \
                 and `~1` for `/`"
            ),
            Self::InvalidPattern { pattern, reason } => write!(
                f,
                "`{pattern}` is no pattern of permissions: {reason}; give a regular expression with \
                 the named groups `resource` and `level`, as in `^(?<resource>.+):(?<level>.+)$`"
            ),
            Self::InvalidJwkSet { reason } => {
                write!(f, "not a JWK Set: {reason}; expected an object with a list `keys`")
            }
            Self::NoUsableKey { reasons } if reasons.is_empty() => {
                f.write_str("the JWK Set has no key")
            }
            Self::NoUsableKey { reasons } => {
                write!(f, "no key of the JWK Set can be used: {}", reasons.join("; "))
            }
            Self::UnusableKey { reason } => write!(f, "the key cannot be used: {reason}"),
            Self::InvalidPem { reason } => write!(
                f,
                "not a PEM text with a public key: {reason}; expected one block `PUBLIC KEY`, \
                 `RSA PUBLIC KEY` or `CERTIFICATE`"
            ),
            Self::InvalidSigningKey { reason } => write!(
                f,
                "not a PEM text with a private key: {reason}; expected one block `PRIVATE KEY` \
                 (PKCS#8)"
            ),
            Self::PrivateKey { found } => write!(
                f,
                "found a private key (`{found}`) where a public one is meant: give the public \
                 half, and keep the private one where tokens are signed"
            ),
            Self::InvalidToken { line, reason } => write!(
                f,
                "line {line} is no token: {reason}; give one token a line, or `name=token`, where \
                 `sha256:` and 64 hexadecimal digits may stand for the token"
            ),
            Self::MissingVariable { variable } => {
                write!(f, "the environment variable `{variable}` is not set: set it to a text")
            }
            Self::NotForProduction(error) => error.fmt(f),
            Self::InvalidVariable { variable, expected } => {
                write!(
                    f,
                    "the environment variable `{variable}` is none of {expected}: set it to one"
                )
            }
            Self::SecretTooShort { algorithm, needed, found } => write!(
                f,
                "the secret has {found} bytes, and {algorithm} needs at least {needed} of them \
                 chosen at random (RFC 7518 §3.2)"
            ),
            Self::SecretIsPublicKey => f.write_str(
                "the secret is the text of a key or certificate, which others may know: for \
                 tokens signed with its private half, add it as a public key instead",
            ),
            #[cfg(feature = "mint")]
            Self::MarginTooLong { margin, lifetime } => write!(
                f,
                "a token is good for {lifetime:?} and would be renewed {margin:?} before its end: set a \
                 `margin(…)` that is shorter than `lifetime(…)`, which is at least a second"
            ),
            #[cfg(feature = "mint")]
            Self::InvalidTokenClaims { reason } => {
                write!(f, "no token can be renewed with these claims: {reason}")
            }
            #[cfg(feature = "mint")]
            Self::InvalidOrigin { origin, reason } => {
                write!(f, "tokens cannot be meant for `{origin}`: {reason}")
            }
            #[cfg(feature = "config")]
            Self::InvalidSetting(error) => error.fmt(f),
            Self::KeysWouldBeLost(not_ready) => write!(
                f,
                "issuer `{}` has keys now and would have none, so the engine was not replaced: \
                 help where its keys are said to be, or wait until they can be fetched",
                not_ready.issuer()
            ),
            Self::File { path, .. } => write!(f, "cannot read `{}`", path.display()),
            Self::InFile { path, .. } => write!(f, "cannot use `{}`", path.display()),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // It is this very error, with its own source.
            #[cfg(feature = "config")]
            Self::InvalidSetting(error) => error.source(),
            Self::KeysWouldBeLost(not_ready) => Some(not_ready),
            Self::File { source, .. } => Some(source),
            Self::InFile { source, .. } => Some(source),
            _ => None,
        }
    }
}
