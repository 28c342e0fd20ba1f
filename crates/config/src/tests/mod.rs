mod broken;
mod docs;
mod keys;
#[cfg(feature = "tracing")]
mod log;
mod revocation;
mod schema;
#[cfg(feature = "tracing")]
mod variables;

use portcullis::Authenticator;

use super::*;

fn engine(config: &Config) -> Result<Authenticator, ConfigError> {
    config.builder()?.build()
}

/// Reads TOML with these environment variables.
fn read(text: &str) -> Result<Config, SettingErrors> {
    let variables = |name: &str| match name {
        "AUDIENCE" => Some("orders".to_owned()),
        "LEEWAY" => Some("a secret".to_owned()),
        _ => None,
    };
    Source { file: None, variables: &variables }.read(Node::from_toml(text))
}

/// The sample of the documentation.
const SAMPLE: &str = r#"
production = true

[extract]
places = ["header", "query", "cookie"]
query = "access_token"
cookie = "access_token"
several = "refuse"

[[issuer]]
issuer = "https://idp.example.com"
audience = ["orders"]
algorithms = ["RS256", "ES256"]
discovery = true
refresh = "10m"
max_stale = "24h"
leeway = "60s"
type = ["at+jwt"]
required_claims = ["sub"]
max_age = "12h"
[issuer.grant]
scope = ["scope", "scp"]
roles = ["/realm_access/roles", "https://krishiv/roles"]
groups = ["groups"]
permissions = { claim = "permissions", separator = ":" }

[roles]
rank = ["reader", "writer", "admin"]

[[static_token]]
name = "service"
token = "sha256:b1946ac92492d2347c6235b4d2611184cbd6a2b4f2b1b0dd2b5a2f2d5c3c1c1a"
subject = "service:etl"
roles = ["writer"]
"#;

#[test]
fn the_sample_builds_an_engine() {
    let config = read(SAMPLE).unwrap();
    let auth = engine(&config).unwrap();
    assert_eq!(auth.strategies(), ["service"]);
}

#[test]
fn errors_name_place_key_value_and_what_is_allowed() {
    let issuer = "[[issuer]]\nissuer = \"https://a\"\n";
    for (text, expected) in [
        (
            "produktion = true",
            "line 1, column 1: `produktion`: unknown key; did you mean \"production\"? known here: production,",
        ),
        (
            "production = 'yes'",
            "line 1, column 14: `production`: found \"yes\"; expected `true` or `false`",
        ),
        (
            "leeway = '1s'",
            "line 1, column 1: `leeway`: unknown key; `leeway` is a key of [[issuer]]; ",
        ),
        (
            "[cookies]\nallowed_origins = ['https://a.test', 'https://a.test/']",
            "line 2, column 38: `cookies.allowed_origins[1]`: it is not an origin; write scheme, host",
        ),
        (
            "[cookies]\npublic_origin = '*'",
            "line 2, column 17: `cookies.public_origin`: it is not an origin; write scheme, host",
        ),
        (
            "[revocations]\nstore = 'memory:'",
            "line 1, column 2: `revocations`: unknown key; did you mean \"revocation\"? known here: ",
        ),
        (
            "[issuer]\nissuer='a'",
            "line 1, column 1: `issuer`: found a table; expected a list of tables",
        ),
        (
            &format!("{issuer}leeway = 60"),
            "line 3, column 10: `issuer[0].leeway`: found 60; expected a duration in quotes, such as",
        ),
        (
            &format!("{issuer}leeway = '60'"),
            "line 3, column 10: `issuer[0].leeway`: found \"60\": it has no unit; expected a duration",
        ),
        (
            &format!("{issuer}leeway = '${{LEEWAY}}'"),
            "line 3, column 10: `issuer[0].leeway`: found \"${LEEWAY}\": it does not begin with a whole number; ",
        ),
        (
            &format!("{issuer}audience = ['${{AUDIENC}}']"),
            "line 3, column 13: `issuer[0].audience[0]`: the environment variable `AUDIENC` is not set",
        ),
        (
            &format!("{issuer}algorithms = ['RS256', 'rs512']"),
            "line 3, column 24: `issuer[0].algorithms[1]`: found \"rs512\"; did you mean \"RS512\"? expected",
        ),
        (
            "[extract]\nquery = 'token'",
            "line 2, column 9: `extract.query`: no place is `query`, so it means nothing; add \"query\" to `places`",
        ),
        (
            "[extract]\nplaces = ['headers']",
            "line 2, column 11: `extract.places[0]`: found \"headers\"; did you mean \"header\"? expected one of",
        ),
        (
            "[extract]\nplaces = [{ name = 'x' }]",
            "line 2, column 11: `extract.places[0].kind`: it is missing; expected one of \"header\"",
        ),
        (
            "[[static_token]]\nname = 's'\ntoken = 17",
            "line 3, column 9: `static_token[0].token`: found a secret; expected a text",
        ),
        (
            "max_token_len = '16KB'",
            "line 1, column 17: `max_token_len`: found \"16KB\": `KB` may mean 1000 or 1024: write",
        ),
        (
            &format!("{issuer}algorithms = []"),
            "line 3, column 14: `issuer[0].algorithms`: found an empty list; give a value",
        ),
        (
            &format!(
                "{issuer}grant.permissions = {{ claim = 'p', separator = '/', pattern = 'x' }}"
            ),
            "line 3, column 63: `issuer[0].grant.permissions.pattern`: entries have one form",
        ),
        (
            &format!("{issuer}type = ['JWT']\ndangerous_any_token_type = true"),
            "line 4, column 28: `issuer[0].dangerous_any_token_type`: it contradicts `type`",
        ),
        (
            &format!("{issuer}profile = 'at+jwt'\ndangerous_any_token_type = true"),
            "line 4, column 28: `issuer[0].dangerous_any_token_type`: it contradicts `type`",
        ),
        (
            "[extract]\nplaces = [{ kind = 'header', name = 'x', exact_scheme = true }]",
            "line 2, column 57: `extract.places[0].exact_scheme`: there is no `scheme`",
        ),
        (
            "[[static_token]]\nname = 's'\ntoken = 't'\nformat = 'list'",
            "line 4, column 10: `static_token[0].format`: there is no `token_file` and no `token_env`",
        ),
        (
            "[[static_token]]\nname = 's'\ntoken = 't'\noptional_files = true",
            "line 4, column 18: `static_token[0].optional_files`: there is no `token_file`, so it",
        ),
        (
            "[[static_token]]\nname = 's'\ntoken = 't'\nreload_every = '1s'",
            "line 4, column 16: `static_token[0].reload_every`: there is no `token_file`, so it",
        ),
        (
            "[[static_token]]\nname = 's'\ntoken = 't'\nread_once = true",
            "line 4, column 13: `static_token[0].read_once`: there is no `token_file`, so it",
        ),
        (
            "[[static_token]]\nname = 's'\ntoken_file = 't'\nreload_every = '1s'\nread_once = true",
            "line 5, column 13: `static_token[0].read_once`: it contradicts `reload_every`; leave",
        ),
        ("production = ", "line 1, column 1"),
    ] {
        let errors = read(text).unwrap_err().to_string();
        let is_found = errors.lines().any(|error| error.starts_with(expected));
        assert!(is_found, "{text}\n{errors}\n{expected}");
    }
}

#[test]
fn a_mapping_that_cannot_be_names_its_key() {
    let issuer = "[[issuer]]\nissuer = 'a'\naudience = ['b']\njwks_uri = 'https://k'\n";
    for (line, key) in [
        ("grant.permissions = { claim = 'p', pattern = '(' }", "grant.permissions.pattern"),
        ("grant.permissions = { claim = 'p', pattern = 'x' }", "grant.permissions.pattern"),
        ("grant.permissions = { claim = 'p', separator = '' }", "grant"),
        ("grant.roles = ['/a~2']", "grant"),
    ] {
        // Without the feature `regex` a pattern is a mistake before it is compiled.
        let config = read(&format!("{issuer}{line}")).map_err(ConfigError::from);
        let error = config.and_then(|config| engine(&config)).unwrap_err().to_string();
        let expected = format!("line 5, column {}: `issuer[0].{key}`: ", error_column(line, key));
        assert!(error.starts_with(&expected), "{line}\n{error}\n{expected}");
    }
}

/// A file with a mistake of each sort, but for its syntax.
const MISTAKEN: &str = r#"realm = "a\nb"
leeway = "1s"

[extract]
places = ["header", "heder"]
remove_tokens = "yes"

[[issuer]]
issuer = "https://a.test"
jwks_uri = "https://a.test/keys"
jwks_file = "no-such-file.json"
audience = []
leway = "60s"
try_all_keys = true
match_key_ids = true

[[issuer]]
audience = ["b"]

[[issuer]]
issuer = "https://c.test"
audience = ["b"]
required_claims = ["/a~b"]
jwks_uri = "https://c.test/keys"

[[issuer]]
issuer = "https://d.test"
audience = ["b"]

[[issuer]]
issuer = "https://e.test"
audience = ["b"]
jwks_uri = ["https://e.test/keys", "ftp://e.test/keys"]
secret_env = "NO_SUCH_VARIABLE_OF_PORTCULLIS"

[[static_token]]
name = "https://e.test"
token = "sha256:1234"

[[static_token]]
name = "s"
token_file = "no-such-tokens"
read_once = true
max_stale = "1h"
"#;

#[test]
fn all_mistakes_of_a_file_are_reported_in_its_order() {
    let errors = read(MISTAKEN).unwrap_err();
    let found: Vec<_> =
        errors.errors().iter().map(|error| (error.line().unwrap(), error.key())).collect();
    let expected = [
        (1, "realm"),
        (2, "leeway"),
        (5, "extract.places[1]"),
        (6, "extract.remove_tokens"),
        (11, "issuer[0].jwks_file"),
        (12, "issuer[0].audience"),
        (13, "issuer[0].leway"),
        (14, "issuer[0].try_all_keys"),
        (17, "issuer[1].issuer"),
        (23, "issuer[2].required_claims"),
        (26, "issuer[3]"),
        (33, "issuer[4].jwks_uri"),
        (34, "issuer[4].secret_env"),
        (36, "static_token[0]"),
        (42, "static_token[1].token_file"),
        (43, "static_token[1].read_once"),
    ];
    assert_eq!(found, expected, "{errors}");
    assert_eq!(errors.to_string().lines().count(), expected.len());
}

#[test]
fn mistakes_that_only_the_engine_finds_are_all_reported() {
    let config = read(
        "production = true\n[[issuer]]\nissuer = 'a'\njwks_uri = 'https://k'\n\
         [[issuer]]\nissuer = 'b'\naudience = ['c']\njwks_uri = 'http://k'\ndangerous_allow_http = true\n\
         [[issuer]]\nissuer = 'd'\naudience = ['c']\njwks_uri = 'https://k'\n\
         [[issuer]]\nissuer = 'd'\naudience = ['c']\njwks_uri = 'https://k'\n\
         [[static_token]]\nname = 's'\ntoken = 'short'\n\
         [resource]\nidentifier = 'b.test'\n",
    );
    let error = engine(&config.unwrap()).unwrap_err();
    let errors = SettingErrors::of(&error).unwrap();
    let found: Vec<_> = errors.errors().iter().map(SettingError::key).collect();
    // Without the resource the first issuer would have no audience; its identifier is one.
    let expected =
        ["issuer[1].dangerous_allow_http", "issuer[3]", "static_token[0]", "resource.identifier"];
    assert_eq!(found, expected, "{errors}");
}

#[test]
fn a_mistake_is_no_cause_of_others() {
    let issuer = "[[issuer]]\nissuer = 'a'\njwks_uri = 'https://k'\n";
    for text in [
        &format!("audiense = ['b']\n{issuer}"),
        &format!("{issuer}audiense = ['b']"),
        "[[issuer]]\nissuer = 'a'\naudience = ['b']\njwks_ury = 'https://k'",
        "[[issuer]]\nisuer = 'a'\naudience = ['b']",
        "[[static_token]]\nname = 's'\ntoken_fil = 't'\nread_once = true",
        "[extract]\nplaces = ['querry']\nquery = 't'",
        "[extract]\nplaces = [{ kind = 'header', name = 'x', shceme = 's', exact_scheme = true }]",
        &format!("extract.places = [{{ kind = 'header', issuer = 'a' }}]\n{issuer}audience = 'b'"),
    ] {
        let errors = read(text).unwrap_err();
        assert_eq!(errors.errors().len(), 1, "{text}\n{errors}");
    }
}

#[test]
fn errors_name_keys_and_never_builder_methods() {
    let issuer = "[[issuer]]\nissuer = 'a'\n";
    for (text, key, help) in [
        (String::new(), "", "add an `[[issuer]]`"),
        (format!("{issuer}jwks_uri = 'https://k'"), "issuer[0].audience", "set `audience`"),
        (format!("{issuer}audience = ['b']"), "issuer[0]", "add `discovery`"),
        (
            format!("{issuer}audience = ['b']\njwks_uri = 'https://k'\nsubject = ['']\nalgorithms = ['HS256']\n{issuer}audience = ['b']\njwks_uri = 'https://k'"),
            "issuer[1]",
            "add all its keys to one `[[issuer]]`",
        ),
        (
            format!("extract.places = []\n{issuer}audience = ['b']\njwks_uri = 'https://k'"),
            "extract.places",
            "add one to `places`",
        ),
        (
            format!("extract.places = [{{ kind = 'header', issuer = 'c' }}]\n{issuer}audience = ['b']\njwks_uri = 'https://k'"),
            "extract.places",
            "add it as an `[[issuer]]`",
        ),
        (
            format!("resource = {{ identifier = 'https://b.test', authorization_servers = ['c'] }}\n{issuer}jwks_uri = 'https://k'"),
            "resource",
            "add it as an `[[issuer]]`",
        ),
        (
            "production = true\n[[issuer]]\nname = 'a'\ndangerous_any_issuer = true\njwks_uri = 'https://k'\naudience = ['b']".to_owned(),
            "issuer[0].dangerous_any_issuer",
            "have the signer write an `iss`",
        ),
        (
            "production = true\n[[static_token]]\nname = 'a'\ntoken = 'b'".to_owned(),
            "static_token[0]",
            "make one of at least 32 random bytes",
        ),
    ] {
        let error = engine(&read(&text).unwrap()).unwrap_err();
        let [found] = SettingErrors::of(&error).unwrap().errors() else { panic!("{text}\n{error}") };
        assert_eq!(found.key(), key, "{text}\n{error}");
        assert!(found.help().is_some_and(|found| found.starts_with(help)), "{text}\n{error}");
        let has_method = found.to_string().contains(['…', '(']);
        assert!(!has_method, "{error}");
    }
}

#[test]
fn secrets_are_part_of_no_error() {
    let secret = "4e1hvZ2m7pYcTq0sKfWbNw";
    for value in [
        format!("'a=b={secret}'"),
        format!("'sha256:{secret}'"),
        format!("'${{{secret}-}}'"),
        format!("'${{{secret}'"),
        format!("['{secret} {secret}', '{secret}={secret}', 17]"),
        format!("{{ {secret} = 1 }}"),
    ] {
        let text = format!("unknown = 1\n[[static_token]]\nname = 's'\ntoken = {value}\n");
        let errors = read(&text).unwrap_err();
        assert!(errors.errors().len() > 1, "{text}\n{errors}");
        assert!(!format!("{errors} {errors:?} {errors:#?}").contains(secret), "{errors}");
    }
}

/// Where the value of the last part of a key begins; a table that is made of dots begins with it.
fn error_column(line: &str, key: &str) -> usize {
    match key.rsplit_once('.') {
        Some((_, last)) => line.find(&format!("{last} = ")).unwrap() + last.len() + 4,
        None => 1,
    }
}
