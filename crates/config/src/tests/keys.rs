//! Each key of the table is read and reaches the engine.

use std::{collections::BTreeSet, fs, path::PathBuf};

use super::super::{
    issuer::ISSUER,
    table::{Key, Keys, Kind},
    *,
};

/// A key, a configuration without it, and the same with it.
struct Case {
    path: String,
    without: String,
    with: String,
}

const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

/// A folder of files that the configurations name.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("portcullis-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let jwks = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        for (file, content) in [
            ("keys.json", jwks),
            ("key.pem", PEM),
            ("secret", "0123456789abcdef0123456789abcdef\n"),
            ("short", "hunter2\n"),
            ("tokens", "etl=4e1hvZ2m7pYcTq0sKfWbNw\n"),
        ] {
            fs::write(folder.join(file), content).unwrap();
        }
        Self(folder)
    }

    /// Reads a configuration that stands in the folder.
    fn read(&self, text: &str) -> Result<Config, ConfigError> {
        let file = self.0.join("portcullis.toml");
        fs::write(&file, text).unwrap();
        Config::from_file(&file)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn cases() -> Vec<Case> {
    let issuer = "[[issuer]]\nissuer = 'https://a.test'\n";
    let mut cases = Vec::new();
    // Outside of any section.
    for (path, line) in [
        ("production", "production = true"),
        ("optional_credentials", "optional_credentials = true"),
        ("dangerous_any_issuer_in_production", "dangerous_any_issuer_in_production = true"),
        ("audience", "audience = ['orders']"),
        ("realm", "realm = 'orders'"),
        ("resource_metadata", "resource_metadata = 'https://b.test/m'"),
        ("max_token_len", "max_token_len = '4KiB'"),
        ("strategy_timeout", "strategy_timeout = '3s'"),
        ("extract", "extract = { places = ['cookie'] }"),
        ("cookies", "cookies = { public_origin = 'https://b.test' }"),
        ("issuer", issuer),
        ("roles", "roles = { rank = ['reader'] }"),
        ("resource", "resource = { identifier = 'https://b.test' }"),
        ("static_token", "static_token = [{ name = 's', token = 't' }]"),
        ("revocation", "revocation = { store = 'memory:' }"),
    ] {
        cases.push(Case { path: path.to_owned(), without: String::new(), with: line.to_owned() });
    }
    // What stands around the key, at its mark.
    for (path, around, value) in [
        ("extract.places", "[extract]\n@", "places = ['query']"),
        ("extract.query", "[extract]\nplaces = ['query']\n@", "query = 't'"),
        ("extract.cookie", "[extract]\nplaces = ['cookie']\n@", "cookie = 't'"),
        (
            "extract.web_socket_protocol",
            "[extract]\nplaces = ['web_socket_protocol']\n@",
            "web_socket_protocol = 't'",
        ),
        ("extract.several", "[extract]\n@", "several = 'all'"),
        ("extract.remove_tokens", "[extract]\n@", "remove_tokens = true"),
        ("extract.places.kind", "[extract]\nplaces = [@]", "{ kind = 'query' }"),
        ("extract.places.name", "[extract]\nplaces = [{ kind = 'header' @ }]", ", name = 'x'"),
        ("extract.places.scheme", "[extract]\nplaces = [{ kind = 'header' @ }]", ", scheme = 'T'"),
        ("extract.places.prefix", "[extract]\nplaces = [{ kind = 'header' @ }]", ", prefix = 'p_'"),
        (
            "extract.places.exact_scheme",
            "[extract]\nplaces = [{ kind = 'header' @ }]",
            ", exact_scheme = true",
        ),
        (
            "extract.places.dangerous_repeated_prefix",
            "[extract]\nplaces = [{ kind = 'header', prefix = 'p' @ }]",
            ", dangerous_repeated_prefix = true",
        ),
        ("extract.places.issuer", "[extract]\nplaces = [{ kind = 'header' @ }]", ", issuer = 'i'"),
        ("cookies.allowed_origins", "[cookies]\n@", "allowed_origins = ['https://a.test']"),
        ("cookies.public_origin", "[cookies]\n@", "public_origin = 'https://b.test'"),
        (
            "cookies.dangerous_without_origin_check",
            "[cookies]\n@",
            "dangerous_without_origin_check = true",
        ),
        ("resource.identifier", "@", "[resource]\nidentifier = 'https://b.test'"),
        (
            "resource.authorization_servers",
            "[resource]\nidentifier = 'https://b.test'\n@",
            "authorization_servers = ['https://a.test']",
        ),
        (
            "resource.scopes_supported",
            "[resource]\nidentifier = 'b'\n@",
            "scopes_supported = ['s']",
        ),
        ("resource.name", "[resource]\nidentifier = 'b'\n@", "name = 'Orders'"),
        (
            "resource.documentation",
            "[resource]\nidentifier = 'b'\n@",
            "documentation = 'https://d'",
        ),
        ("resource.policy_uri", "[resource]\nidentifier = 'b'\n@", "policy_uri = 'https://d'"),
        ("resource.tos_uri", "[resource]\nidentifier = 'b'\n@", "tos_uri = 'https://d'"),
        ("issuer.issuer", "[[issuer]]\n@", "issuer = 'a'"),
        ("issuer.name", "[[issuer]]\ndangerous_any_issuer = true\n@", "name = 'a'"),
        ("issuer.dangerous_any_issuer", "[[issuer]]\nname = 'a'\n@", "dangerous_any_issuer = true"),
        (
            "issuer.dangerous_short_secrets",
            "[[issuer]]\nissuer = 'a'\nsecret_file = 'short'\n@",
            "dangerous_short_secrets = true",
        ),
        ("revocation.store", "@", "[revocation]\nstore = 'memory:'"),
        ("revocation.mode", "[revocation]\nstore = 'memory:'\n@", "mode = 'strict'"),
        ("revocation.max_staleness", "[revocation]\nstore = 'memory:'\n@", "max_staleness = '9s'"),
        ("revocation.poll", "[revocation]\nstore = 'memory:'\n@", "poll = '2s'"),
        ("revocation.timeout", "[revocation]\nstore = 'memory:'\n@", "timeout = '9ms'"),
        (
            "revocation.allow_missing_jti",
            "[revocation]\nstore = 'memory:'\n@",
            "allow_missing_jti = true",
        ),
        (
            "issuer.one_time",
            "[revocation]\nstore = 'memory:'\n[[issuer]]\nissuer = 'a'\n@",
            "one_time = true",
        ),
        ("roles.rank", "[roles]\n@", "rank = ['reader']"),
        ("roles.ignore_ascii_case", "[roles]\nrank = ['a']\n@", "ignore_ascii_case = true"),
        ("static_token.name", "[[static_token]]\ntoken = 't'\n@", "name = 's'"),
        ("static_token.token", "[[static_token]]\nname = 's'\n@", "token = ['t', 'u']"),
        (
            "static_token.token_env",
            "[[static_token]]\nname = 's'\n@",
            "token_env = 'CARGO_PKG_NAME'",
        ),
        ("static_token.token_file", "[[static_token]]\nname = 's'\n@", "token_file = 'tokens'"),
        (
            "static_token.format",
            "[[static_token]]\nname = 's'\ntoken_file = 'tokens'\n@",
            "format = 'whole'",
        ),
        (
            "static_token.optional_files",
            "[[static_token]]\nname = 's'\ntoken_file = 'tokens'\n@",
            "optional_files = true",
        ),
        (
            "static_token.reload_every",
            "[[static_token]]\nname = 's'\ntoken_file = 'tokens'\n@",
            "reload_every = '1m'",
        ),
        (
            "static_token.read_once",
            "[[static_token]]\nname = 's'\ntoken_file = 'tokens'\n@",
            "read_once = true",
        ),
        (
            "static_token.max_stale",
            "[[static_token]]\nname = 's'\ntoken_file = 'tokens'\n@",
            "max_stale = '1h'",
        ),
        ("static_token.subject", "[[static_token]]\nname = 's'\ntoken = 't'\n@", "subject = 'etl'"),
        ("static_token.roles", "[[static_token]]\nname = 's'\ntoken = 't'\n@", "roles = ['r']"),
        ("static_token.scope", "[[static_token]]\nname = 's'\ntoken = 't'\n@", "scope = ['r']"),
    ] {
        let (without, with) = (around.replace('@', ""), around.replace('@', value));
        cases.push(Case { path: path.to_owned(), without, with });
    }
    // Keys of an issuer.
    for (path, line) in [
        ("issuer.audience", "audience = ['b']"),
        ("issuer.algorithms", "algorithms = ['ES256']"),
        ("issuer.discovery", "discovery = true"),
        ("issuer.jwks_uri", "jwks_uri = ['https://b.test', 'https://c.test']"),
        ("issuer.jwks_file", "jwks_file = 'keys.json'"),
        ("issuer.pem_file", "pem_file = 'key.pem'"),
        ("issuer.secret_file", "secret_file = 'secret'"),
        ("issuer.secret_env", "secret_env = 'CARGO_PKG_DESCRIPTION'"),
        ("issuer.refresh", "refresh = '11m'"),
        ("issuer.min_refresh", "min_refresh = '31s'"),
        ("issuer.max_refresh", "max_refresh = '25h'"),
        ("issuer.max_stale", "max_stale = '25h'"),
        ("issuer.wait", "wait = '2s'"),
        ("issuer.timeout", "timeout = '6s'"),
        ("issuer.leeway", "leeway = '61s'"),
        ("issuer.profile", "profile = 'at+jwt'"),
        ("issuer.type", "type = ['', 'JWT']"),
        ("issuer.required_claims", "required_claims = ['jti']"),
        ("issuer.max_age", "max_age = '12h'"),
        ("issuer.max_lifetime", "max_lifetime = '12h'"),
        ("issuer.subject", "subject = ['alice']"),
        ("issuer.grant", "grant = { roles = ['r'] }"),
        ("issuer.grant.scope", "grant.scope = ['s']"),
        ("issuer.grant.roles", "grant.roles = ['s']"),
        ("issuer.grant.more_roles", "grant.more_roles = ['s']"),
        ("issuer.grant.groups", "grant.groups = ['s']"),
        ("issuer.grant.permissions", "grant.permissions = { claim = 'p' }"),
        ("issuer.grant.permissions.claim", "grant.permissions.claim = 'p'"),
    ] {
        let without = if path == "issuer.jwks_uri" || path == "issuer.discovery" {
            issuer.to_owned()
        } else {
            format!("{issuer}jwks_uri = 'https://k.test'\n")
        };
        let with = format!("{without}{line}\n");
        cases.push(Case { path: path.to_owned(), without, with });
    }
    // Flags of an issuer stand alone, apart from those above.
    for key in ISSUER.keys() {
        let path = format!("issuer.{}", key.name);
        if matches!(key.kind, Kind::Flag) && !cases.iter().any(|case| case.path == path) {
            let without = format!("{issuer}jwks_uri = 'https://k.test'\n");
            let with = format!("{without}{} = true\n", key.name);
            cases.push(Case { path, without, with });
        }
    }
    // The mark is at the end of what stands around the key.
    for (path, around, value) in [
        ("issuer.grant.permissions.separator", "claim = 'p'", "separator = '/'"),
        (
            "issuer.grant.permissions.pattern",
            "claim = 'p'",
            r"pattern = '(?<resource>.+):(?<level>.+)'",
        ),
        (
            "issuer.grant.permissions.dangerous_ignore_malformed",
            "claim = 'p'",
            "dangerous_ignore_malformed = true",
        ),
    ] {
        let without = format!("{issuer}grant.permissions = {{ {around} }}");
        let with = format!("{issuer}grant.permissions = {{ {around}, {value} }}");
        cases.push(Case { path: path.to_owned(), without, with });
    }
    cases
}

/// What the engine is built from.
fn built(config: &Result<Config, ConfigError>) -> String {
    match config {
        Ok(config) => format!("{:?} {:?}", config.builder(), config.ranks()),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn each_key_of_the_table_reaches_the_engine() {
    let folder = Folder::new("keys");
    let mut paths = BTreeSet::new();
    for Case { path, without, with } in cases() {
        assert!(paths.insert(path.clone()), "{path} twice");
        if path == "issuer.grant.permissions.pattern" && !cfg!(feature = "regex") {
            let error = folder.read(&with).unwrap_err().to_string();
            assert!(error.contains("`issuer[0].grant.permissions.pattern`"), "{error}");
            continue;
        }
        let (without, with) = (folder.read(&without), folder.read(&with));
        assert!(with.as_ref().is_ok_and(|config| config.builder().is_ok()), "{path}: {with:?}");
        assert_ne!(built(&without), built(&with), "{path}");
    }
    let mut known = BTreeSet::new();
    add_paths(&ROOT.keys(), "", &mut known);
    assert_eq!(paths, known);
}

fn add_paths(keys: &[Key], path: &str, paths: &mut BTreeSet<String>) {
    for key in keys {
        let path =
            if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        add_paths(&key.kind.keys(), &path, paths);
        paths.insert(path);
    }
}

#[test]
fn each_value_of_the_test_fits_the_schema() {
    let schema = super::schema::Validator::new();
    for Case { path, with, .. } in cases() {
        let result = schema.toml(&with);
        assert!(result.is_ok(), "{path}: {result:?}");
    }
}
