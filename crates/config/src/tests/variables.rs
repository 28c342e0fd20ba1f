//! What a variable holds is part of no error and of no log.

use std::{error::Error, fs, path::PathBuf};

use super::super::{
    table::{Key, Keys},
    *,
};

/// Parts of the values. None is part of anything else.
const SECRETS: [&str; 3] = ["hunter2pass", "secrethost", "k3yk3yk3y"];

/// Values that most keys cannot use.
fn values() -> Vec<String> {
    let mut values: Vec<_> = [
        "",
        "Hunter2Pass",
        "ftp://user:Hunter2Pass@secrethost.test/a?api_key=K3yK3yK3y",
        "http://secrethost.test/Hunter2Pass",
        "https://user:Hunter2Pass@secrethost.test/?api_key=K3yK3yK3y",
        "https://SecretHost.test:99999/?api_key=K3yK3yK3y",
        "file://secrethost/Hunter2Pass",
        "//Hunter2Pass",
        "/Hunter2Pass~2",
        "(Hunter2Pass",
        "5hunter2pass",
        "Hunter2Pass=0",
        "Hunter2Pass K3yK3yK3y",
        "Hunter2Pass\n\"\u{1}\u{e9}",
    ]
    .map(ToOwned::to_owned)
    .into();
    values.push("Hunter2Pass".repeat(100));
    values
}

/// The rest of a section, for a key to be usable but for its value: a key that is set is left out of it.
fn rest(section: &str) -> &'static [(&'static str, &'static str)] {
    match section {
        "extract" => &[("places", "['query', 'cookie', 'web_socket_protocol']")],
        "extract.places" => &[("kind", "'header'"), ("scheme", "'s'"), ("prefix", "'p'")],
        "resource" => &[("identifier", "'https://b.test'")],
        "issuer" => {
            &[("issuer", "'https://a.test'"), ("audience", "['b']"), ("jwks_uri", "'https://k'")]
        }
        "issuer.grant.permissions" => &[("claim", "'p'")],
        "static_token" => &[("name", "'s'"), ("token_file", "'tokens'")],
        "revocation" => &[("store", "'memory:'")],
        _ => &[],
    }
}

/// Writes a section in one line, with a key set to a value.
fn line(section: &str, key: &str, value: &str) -> String {
    let instead = match key {
        "name" if section == "issuer" => "issuer",
        key => key,
    };
    let mut members = vec![format!("{key} = {value}")];
    members.extend(
        rest(section)
            .iter()
            .filter(|(name, _)| *name != key && *name != instead)
            .map(|(name, value)| format!("{name} = {value}")),
    );
    if instead != key {
        members.push("dangerous_any_issuer = true".to_owned());
    }
    members.join(", ")
}

/// Adds a configuration for each way to set each key to the variable.
fn add_texts(keys: &[Key], section: &str, texts: &mut Vec<String>) {
    for key in keys {
        for value in ["'${V}'", "['${V}']", "'x${V}y'"] {
            let inner = line(section, key.name, value);
            let text = match section {
                "" => inner.clone(),
                "extract.places" => format!("extract.places = [{{ {inner} }}]"),
                "issuer" => format!("issuer = [{{ {inner} }}]"),
                "static_token" => format!("static_token = [{{ {inner} }}]"),
                "issuer.grant" | "issuer.grant.permissions" => {
                    let issuer = line("issuer", "dangerous_any_audience", "false");
                    let grant = section.strip_prefix("issuer.").unwrap();
                    format!("issuer = [{{ {issuer}, {grant} = {{ {inner} }} }}]")
                }
                section => format!("{section} = {{ {inner} }}"),
            };
            let issuer = line("issuer", "dangerous_any_audience", "false");
            let more = if text.starts_with("issuer") {
                String::new()
            } else {
                format!("issuer = [{{ {issuer} }}]\n")
            };
            texts.push(format!("{text}\n{more}"));
        }
        let path = if section.is_empty() {
            key.name.to_owned()
        } else {
            format!("{section}.{}", key.name)
        };
        add_texts(&key.kind.keys(), &path, texts);
    }
}

/// Configurations that are unusable for another reason than the value, and whose errors name it.
const OTHERS: &[&str] = &[
    "issuer = [{ issuer = '${V}', jwks_uri = 'https://k' }]",
    "issuer = [{ issuer = '${V}', audience = ['b'] }]",
    "issuer = [{ issuer = '${V}', audience = [''], jwks_uri = 'https://k' }]",
    "issuer = [{ issuer = '${V}', audience = ['b'], secret_file = 'secret', algorithms = ['RS256'] }]",
    "issuer = [{ issuer = '${V}', audience = ['b'], discovery = true }]",
    "issuer = [{ issuer = '${V}', dangerous_any_audience = true, jwks_uri = 'https://k' }]",
    "issuer = [{ issuer = '${V}', audience = ['b'], jwks_uri = 'http://k', dangerous_allow_http = true }]",
    "issuer = [{ issuer = '${V}', audience = ['b'], jwks_uri = 'https://k', dangerous_unlimited_staleness = true }]",
    "issuer = [{ issuer = '${V}', audience = ['b'], secret_file = 'short', dangerous_short_secrets = true }]",
    "issuer = [{ name = '${V}', dangerous_any_issuer = true, audience = ['b'], jwks_uri = 'https://k' }]",
    "issuer = [{ issuer = '${V}', audience = ['b'], jwks_uri = 'https://k' }, { issuer = '${V}', audience = ['b'], jwks_uri = 'https://k' }]",
    "issuer = [{ issuer = '${V}', audience = ['b'], jwks_uri = 'https://k' }]\nstatic_token = [{ name = '${V}', token = 't' }]",
    "issuer = [{ issuer = 'a', audience = ['b'], jwks_uri = '${V}', dangerous_allow_http = true }]",
    "issuer = [{ issuer = 'a', audience = ['b'], jwks_file = '${V}/keys.json' }]",
    "extract = { places = [{ kind = 'header', issuer = '${V}' }] }\nstatic_token = [{ name = 's', token = 't' }]",
    "extract = { places = [{ kind = 'header', name = '${V}' }, { kind = 'header', name = '${V}' }] }\nstatic_token = [{ name = 's', token = 't' }]",
    "static_token = [{ name = '${V}', token = 't' }]",
    "revocation = { store = 'postgres://user:${V}@localhost/db' }",
    "revocation = { store = 'sqlite:${V}/revoked.db' }",
    "issuer = [{ issuer = '${V}', audience = ['b'], jwks_uri = 'https://k', one_time = true }]",
    "leeway = 1\nrevocation = { store = 'redis://:${V}@localhost' }",
    // More than one mistake: the rest of the file is tried out too.
    "leeway = 1\nissuer = [{ issuer = '${V}', audience = ['b'], jwks_file = '${V}/keys.json' }]",
    "leeway = 1\nissuer = [{ issuer = '${V}', jwks_uri = 'https://k', audience = [''] }, { issuer = '${V}', leeway = '${V}' }]",
    "leeway = 1\nissuer = [{ issuer = 'a', audience = ['b'], jwks_uri = '${V}', grant.roles = ['/~${V}'] }]",
    "leeway = 1\nrealm = '${V}'\nresource = { identifier = '${V}' }\nstatic_token = [{ name = '${V}', token_file = '${V}' }]",
    "leeway = 1\nextract = { places = [{ kind = 'header', name = '${V}', issuer = '${V}' }] }\nstatic_token = [{ name = 's', token_env = '${V}' }]",
];

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns everything that an error shows.
fn shown(error: &dyn Error) -> String {
    let mut shown = format!("{error} {error:?} {error:#?}");
    let mut next = error.source();
    while let Some(cause) = next {
        shown += &format!(" {cause} {cause:?} {cause:#?}");
        next = cause.source();
    }
    shown
}

fn check(text: &str, value: &str, shown: &str) {
    let found = shown.to_lowercase();
    for secret in SECRETS {
        assert!(!found.contains(secret), "{text}{value:?}\n{shown}");
    }
    assert!(value.len() < 10 || !shown.contains(value), "{text}{value:?}\n{shown}");
}

#[test]
fn what_a_variable_holds_is_part_of_no_error_and_of_no_log() {
    let folder = Folder(env::temp_dir().join(format!("portcullis-vars-{}", std::process::id())));
    fs::create_dir_all(&folder.0).unwrap();
    fs::write(folder.0.join("tokens"), "etl=4e1hvZ2m7pYcTq0sKfWbNw\n").unwrap();
    fs::write(folder.0.join("secret"), "0123456789abcdef0123456789abcdef\n").unwrap();
    fs::write(folder.0.join("short"), "0123456789\n").unwrap();
    let file = folder.0.join("portcullis.toml");
    let mut texts: Vec<String> = OTHERS.iter().map(|text| format!("{text}\n")).collect();
    add_texts(&ROOT.keys(), "", &mut texts);
    let (mut rejected, mut keys) = (0, 0);
    for text in &texts {
        keys += 1;
        for value in values() {
            for production in [false, true] {
                // It would be there twice.
                if production && text.starts_with("production") {
                    continue;
                }
                let whole = format!("production = {production}\n{text}");
                let whole = if text.starts_with("production") { text } else { &whole };
                let variables = |name: &str| (name == "V").then(|| value.clone());
                let source = Source { file: Some(&file), variables: &variables };
                let before = rejected;
                let told = super::log::all_told(|| match source.read(Node::from_toml(whole)) {
                    Err(error) => {
                        rejected += 1;
                        check(whole, &value, &shown(&error));
                    }
                    Ok(config) => {
                        let built = super::engine(&config).map(|_| ());
                        // As an application does that goes on in code.
                        let in_code = config.builder().and_then(|builder| builder.build());
                        for error in [built.err(), in_code.err()].into_iter().flatten() {
                            rejected += 1;
                            check(whole, &value, &shown(&error));
                        }
                    }
                });
                // Where the value is of use, it may be the name of an issuer, which the log has.
                if rejected > before {
                    check(whole, &value, &told.join("\n"));
                }
            }
        }
    }
    assert!(keys > 200 && rejected > 1000, "{keys} {rejected}");
}

#[test]
fn an_error_shows_the_name_of_the_variable_and_what_is_wrong() {
    let read = |text: &str| {
        let variables = |name: &str| Some(format!("value-of-{name}"));
        let source = Source { file: None, variables: &variables };
        let config = source.read(Node::from_toml(text)).unwrap();
        let error = super::engine(&config).unwrap_err();
        error.to_string()
    };
    for (text, expected) in [
        (
            "issuer = [{ issuer = '${IDP}', jwks_uri = 'https://k' }]",
            "issuer `${IDP}` has no audience",
        ),
        (
            "issuer = [{ issuer = 'a', audience = ['b'], jwks_file = '${DIR}/k.json' }]",
            "cannot read `${DIR}/k.json`",
        ),
        (
            "issuer = [{ issuer = 'a', audience = ['b'], secret_env = '${NAME}' }]",
            "the environment variable `${NAME}` is not set",
        ),
        (
            "issuer = [{ issuer = 'a', audience = ['b'], jwks_uri = '${URI}' }]",
            "`issuer[0].jwks_uri`: keys can never be fetched from there",
        ),
        // A text that is written in the file is shown.
        ("issuer = [{ issuer = 'a', jwks_uri = 'https://${HOST}' }]", "issuer `a` has no audience"),
    ] {
        let error = read(text);
        assert!(error.contains(expected), "{text}\n{error}");
        assert!(!error.contains("value-of"), "{error}");
    }
}
