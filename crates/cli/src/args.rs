//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use portcullis::{Algorithm, NumericDate};

use crate::{date, duration, output::Format};

/// Tells why a token is rejected, and makes keys and tokens to try it with.
#[derive(Debug, Parser)]
#[command(
    name = "portcullis",
    version,
    max_term_width = 80,
    after_help = "Exit status: 0 if all is fine, 1 if something was rejected, 2 for a mistake in usage or \
                  configuration.",
    after_long_help = "Exit status: 0 if all is fine, 1 if something was rejected, 2 for a mistake in \
                       usage or configuration.\n\n\
                       Examples:\n  \
                       portcullis explain --config portcullis.toml \"$TOKEN\"\n  \
                       portcullis verify --config portcullis.toml < tokens.txt\n  \
                       portcullis jwks check --issuer https://idp.example.com"
)]
pub(crate) struct Arguments {
    /// How results are written; text on a terminal and JSON lines elsewhere by default
    #[arg(long, global = true, value_enum, default_value_t, hide_default_value = true)]
    pub(crate) format: Format,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge tokens from standard input, one a line, as a request would be
    ///
    /// Each line gives one line, in the same order. A line that is no token is rejected, and the next
    /// one is judged.
    #[command(after_long_help = "Examples:\n  \
        portcullis verify --config portcullis.toml < tokens.txt\n  \
        grep -o 'eyJ[^\"]*' access.log | portcullis verify --config portcullis.toml \\\n    \
        | jq -r 'select(.result == \"rejected\") | .code' | sort | uniq -c")]
    Verify(VerifyArguments),

    /// Explain one token, stage by stage, with help
    #[command(after_long_help = "Examples:\n  \
        portcullis explain --config portcullis.toml \"$TOKEN\"\n  \
        pbpaste | portcullis explain --config portcullis.toml\n  \
        portcullis explain --config portcullis.toml --now 1795000000 \"$TOKEN\"")]
    Explain(ExplainArguments),

    /// Show what a token says, without verifying anything
    #[command(after_long_help = "Examples:\n  \
        portcullis inspect \"$TOKEN\"\n  \
        portcullis inspect --format json < token.txt | jq .claims")]
    Inspect(InspectArguments),

    /// Work with JWS that are no access tokens
    Jws {
        #[command(subcommand)]
        command: JwsCommand,
    },

    /// Work with sets of public keys
    Jwks {
        #[command(subcommand)]
        command: JwksCommand,
    },

    /// Generate a key that signs
    ///
    /// The file is readable by its owner alone. The key id is the thumbprint of RFC 7638. For HMAC the
    /// file holds the secret, as base64url text: that text is the secret.
    #[command(after_long_help = "Examples:\n  \
        portcullis keygen --alg ES256 --out key.pem --jwk key.json\n  \
        portcullis keygen --alg HS256 --out secret.txt")]
    Keygen(KeygenArguments),

    /// Make a token
    ///
    /// iat, nbf, exp and jti are set, unless the claims have them.
    #[command(after_long_help = "Examples:\n  \
        portcullis mint --key key.pem --ttl 10m \\\n    \
        --claims '{\"iss\":\"http://localhost\",\"sub\":\"alice\",\"aud\":\"orders\"}'\n  \
        portcullis mint --key key.pem --claims '{\"exp\":1}'   # one that has expired")]
    Mint(MintArguments),

    /// Serve the public halves of keys, as an issuer does
    ///
    /// The set is at /.well-known/jwks.json and at /jwks.json. It ends at SIGTERM or Ctrl-C.
    #[command(after_long_help = "Examples:\n  \
        portcullis serve-jwks --key key.pem --listen 127.0.0.1:8000 --discovery\n  \
        portcullis serve-jwks --key old.pem new.pem --rotate-every 10s")]
    ServeJwks(ServeArguments),

    /// Revoke tokens before they expire
    ///
    /// The entry is written to the store that the replicas of a service follow. When the command ends
    /// with status 0, the store has kept it. Times are seconds since 1970, dates such as
    /// 2027-01-15T08:00:00Z, or `now`.
    #[command(
        override_usage = "portcullis revoke --store <URL> --issuer <ISSUER>\n           \
                          <--jti <JTI> --exp <TIME> | --subject <SUB> --before <TIME> |\n           \
                          --session <SID> | --client <ID> --before <TIME> |\n           \
                          --key <THUMBPRINT>> [--until <TIME>]",
        after_long_help = "Examples:\n  \
        portcullis revoke --store sqlite:revoked.db --issuer https://idp.example.com \\\n    \
        --jti 6f1c… --exp 1795000000\n  \
        portcullis revoke --store '${DATABASE_URL}' --issuer https://idp.example.com \\\n    \
        --subject alice --before now"
    )]
    Revoke(RevokeArguments),

    /// List the entries of a store of revocations
    ///
    /// An entry may be listed twice if it changes while the command runs.
    #[command(after_long_help = "Examples:\n  \
        portcullis revoked --store sqlite:revoked.db\n  \
        portcullis revoked --store '${DATABASE_URL}' --format json \\\n    \
        | jq -r 'select(.kind == \"subject\") | .id'")]
    Revoked(RevokedArguments),

    /// Check a configuration file, or describe its form
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },

    /// Print completions for a shell
    #[command(after_long_help = "Example:\n  \
        portcullis completions bash > ~/.local/share/bash-completion/completions/portcullis")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },

    /// Print the manual page, or write one for each command into a folder
    #[command(after_long_help = "Examples:\n  \
        portcullis man | man -l -\n  \
        portcullis man --out /usr/local/share/man/man1")]
    Man {
        /// The folder
        #[arg(long = "out", value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum JwsCommand {
    /// Verify the signatures of compact JWS from standard input, one a line
    ///
    /// Nothing but the signature is judged; the payload may be any bytes.
    #[command(
        override_usage = "portcullis jws verify [--alg <ALG>]...\n           <--jwks <FILE> | --key <PEM> | --secret <FILE>>",
        after_long_help = "Examples:\n  \
        portcullis jws verify --jwks keys.json < signed.txt\n  \
        portcullis jws verify --key public.pem --alg PS256 < signed.txt\n  \
        portcullis jws verify --secret secret.txt < signed.txt"
    )]
    Verify(JwsArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum JwksCommand {
    /// Tell of each key of a set whether it can be used, and what is odd about the set
    #[command(after_long_help = "Examples:\n  \
        portcullis jwks check keys.json\n  \
        portcullis jwks check https://idp.example.com/.well-known/jwks.json\n  \
        portcullis jwks check --issuer https://idp.example.com")]
    Check(JwksArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a configuration file, without any network
    #[command(after_long_help = "Example:\n  portcullis config check portcullis.toml")]
    Check {
        /// The file, in TOML or JSON
        file: PathBuf,
    },
    /// Print the JSON Schema of the configuration file
    #[command(after_long_help = "Example:\n  portcullis config schema > portcullis.schema.json")]
    Schema,
}

#[derive(Args, Debug)]
pub(crate) struct EngineArguments {
    /// The configuration file, in TOML or JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// The time to judge by, in seconds since 1970, in place of the clock
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) now: Option<i64>,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    pub(crate) engine: EngineArguments,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    pub(crate) engine: EngineArguments,

    /// The token; read from standard input if it is not given
    pub(crate) token: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct InspectArguments {
    /// The token; read from standard input if it is not given
    pub(crate) token: Option<String>,

    /// The time to compare with, in seconds since 1970, in place of the clock
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) now: Option<i64>,
}

#[derive(Args, Debug)]
#[group(id = "keys", required = true, multiple = false)]
pub(crate) struct JwsKeys {
    /// A JWK Set or a single JWK; it may hold secrets
    #[arg(long, value_name = "FILE", group = "keys")]
    pub(crate) jwks: Option<PathBuf>,

    /// A public key, a certificate, or a private key whose public half counts
    #[arg(long, value_name = "PEM", group = "keys")]
    pub(crate) key: Option<PathBuf>,

    /// A secret: the bytes of the file, less one line break at the end
    #[arg(long, value_name = "FILE", group = "keys")]
    pub(crate) secret: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct JwsArguments {
    #[command(flatten)]
    pub(crate) keys: JwsKeys,

    /// An algorithm that is allowed; may be given several times. Default: those of the keys
    #[arg(long = "alg", value_name = "ALG")]
    pub(crate) algorithms: Vec<Algorithm>,
}

#[derive(Args, Debug)]
pub(crate) struct JwksArguments {
    /// A file or a URL
    #[arg(required_unless_present = "issuer", conflicts_with = "issuer")]
    pub(crate) source: Option<String>,

    /// An issuer, whose metadata tell where its keys are
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct KeygenArguments {
    /// The algorithm: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, HS256,
    /// HS384 or HS512
    #[arg(long = "alg", value_name = "ALG")]
    pub(crate) algorithm: Algorithm,

    /// The file for the private key or the secret
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// A file for the public JWK
    #[arg(long, value_name = "FILE")]
    pub(crate) jwk: Option<PathBuf>,

    /// Overwrite files that exist
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct MintArguments {
    /// The private key (PKCS#8 in PEM) or the secret
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,

    /// The key id in the header. Default: the thumbprint of the key; none for a secret
    #[arg(long, value_name = "KID")]
    pub(crate) kid: Option<String>,

    /// The algorithm, where the key fits several. Default: the one that keygen made it for
    #[arg(long = "alg", value_name = "ALG")]
    pub(crate) algorithm: Option<Algorithm>,

    /// The `typ` in the header; an empty one leaves it out
    #[arg(long = "type", value_name = "TYPE", default_value = "JWT")]
    pub(crate) token_type: String,

    /// How long the token is good
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration::parse)]
    pub(crate) ttl: Duration,

    /// The claims, as a JSON object
    #[arg(long, value_name = "JSON")]
    pub(crate) claims: String,

    /// A text in front of the token
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,

    /// The time to date it by, in seconds since 1970, in place of the clock
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) now: Option<i64>,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArguments {
    /// The private keys (PKCS#8 in PEM) whose public halves are served
    #[arg(long = "key", value_name = "PEM", required = true, num_args = 1..)]
    pub(crate) keys: Vec<PathBuf>,

    /// The address to listen on; port 0 means any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,

    /// Go on to the next key after each such time: the set has it and the one before. With a single
    /// key, new ones are generated
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) rotate_every: Option<Duration>,

    /// Serve the metadata of an issuer too, of OpenID Connect Discovery and of RFC 8414
    #[arg(long)]
    pub(crate) discovery: bool,
}

#[derive(Args, Debug)]
pub(crate) struct StoreArguments {
    /// The store: `sqlite:FILE`, `postgres://…` or `redis://…`. `${NAME}` stands for an environment
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

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Json, Self::Text]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        let value = match self {
            Self::Auto => clap::builder::PossibleValue::new("auto").hide(true),
            Self::Json => clap::builder::PossibleValue::new("json"),
            Self::Text => clap::builder::PossibleValue::new("text"),
        };
        Some(value)
    }
}
