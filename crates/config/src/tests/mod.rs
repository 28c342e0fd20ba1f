mod broken;
mod docs;
mod keys;
#[cfg(feature = "tracing")]
mod log;
mod schema;
#[cfg(feature = "tracing")]
mod variables;

use portcullis::Authenticator;

use super::*;

fn engine(config: &Config) -> Result<Authenticator, ConfigError> {
    config.builder()?.build()
}

/// Reads TOML with these environment variables.
fn read(text: &str) -> Result<Config, SettingError> {
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
            "[revocation]\nstore = 'memory:'",
            "line 1, column 2: `revocation`: unknown key; known here: production, ",
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
            "line 3, column 24: `issuer[0].algorithms[1]`: found \"rs512\": did you mean \"RS512\"? expected",
        ),
        (
            "[extract]\nquery = 'token'",
            "line 2, column 9: `extract.query`: no place is `query`, so it means nothing: add \"query\" to `places`",
        ),
        (
            "[extract]\nplaces = ['headers']",
            "line 2, column 11: `extract.places[0]`: found \"headers\": did you mean \"header\"? expected one of",
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
            &format!("{issuer}grant.known_roles = []"),
            "line 3, column 21: `issuer[0].grant.known_roles`: found an empty list: give a value",
        ),
        (
            &format!(
                "{issuer}grant.permissions = {{ claim = 'p', separator = '/', pattern = 'x' }}"
            ),
            "line 3, column 63: `issuer[0].grant.permissions.pattern`: entries have one form",
        ),
        (
            &format!(
                "{issuer}grant.permissions = {{ claim = 'p', separator = '/', listed = 'x' }}"
            ),
            "line 3, column 62: `issuer[0].grant.permissions.listed`: it contradicts `separator`",
        ),
        (
            &format!("{issuer}grant.permissions = {{ claim = 'p', flags = ['x'] }}"),
            "line 3, column 44: `issuer[0].grant.permissions.flags`: there is no `listed`, so it",
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
            "[extract]\nplaces = [{ kind = 'header', exact_scheme = true, required_scheme = true }]",
            "line 2, column 69: `extract.places[0].required_scheme`: it contradicts `exact_scheme`",
        ),
        (
            "[extract]\nplaces = [{ kind = 'header', name = 'x', required_scheme = true }]",
            "line 2, column 60: `extract.places[0].required_scheme`: there is no `scheme`",
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
            "line 5, column 13: `static_token[0].read_once`: it contradicts `reload_every`: leave",
        ),
        ("production = ", "line 1, column 1"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}\n{error}\n{expected}");
    }
}

#[test]
fn a_mapping_that_cannot_be_names_its_key() {
    let issuer = "[[issuer]]\nissuer = 'a'\naudience = ['b']\njwks_uri = 'https://k'\n";
    for (line, key) in [
        ("grant.permissions = { claim = 'p', pattern = '(' }", "grant.permissions.pattern"),
        ("grant.permissions = { claim = 'p', pattern = 'x' }", "grant.permissions.pattern"),
        ("grant.permissions = { claim = 'p', separator = '' }", "grant"),
        ("grant.permissions = { claim = 'p', listed = '' }", "grant"),
        ("grant.roles = ['/a~2']", "grant"),
    ] {
        let config = read(&format!("{issuer}{line}")).unwrap();
        let error = engine(&config).unwrap_err().to_string();
        let expected =
            format!("line 5, column {}: `issuer[0].{key}` cannot be used", error_column(line, key));
        assert!(error.starts_with(&expected), "{line}\n{error}\n{expected}");
    }
}

/// Where the value of the last part of a key begins; a table that is made of dots begins with it.
fn error_column(line: &str, key: &str) -> usize {
    match key.rsplit_once('.') {
        Some((_, last)) => line.find(&format!("{last} = ")).unwrap() + last.len() + 4,
        None => 1,
    }
}
