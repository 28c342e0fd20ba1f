//! `[[static_token]]`: tokens that are known beforehand.

use portcullis::{
    AuthenticatorBuilder, ConfigError, StaticTokens,
    for_config::is_one_token,
    strategy::{Identity, StaticTokensBuilder, TokenFile, TokenFormat},
};

use crate::{
    apply::Applying,
    mistakes::Mistakes,
    section::Section,
    table::{
        Apply::{Duration, Flag, Together},
        Kind, REQUIRED, Table, rows,
    },
};

/// How files and variables hold static tokens.
const FORMATS: &[&str] = &["lines", "whole", "list"];

pub(crate) static STATIC_TOKEN: Table<StaticTokensBuilder> = Table {
    rows: rows! {
        name: Together(Kind::Text), REQUIRED,
            "Stands for the issuer of these callers";
        token: Together(Kind::TextOrTexts), "none",
            "Tokens, or `sha256:` and the 64 hexadecimal digits of a token's SHA-256; names in \
             front of tokens are for files and variables";
        token_env: Together(Kind::TextOrTexts), "none",
            "Environment variables that hold tokens";
        token_file: Together(Kind::TextOrTexts), "none",
            "Files that hold tokens, read again when they change";
        format: Together(Kind::Word(FORMATS)), "lines",
            "What variables and files hold: a token, `name=token` or digest a line, and comments; \
             or one token as a whole; or tokens with commas or line breaks between";
        optional_files: Together(Kind::Flag), "false",
            "A file that is not there is one without tokens, instead of an error";
        reload_every: Duration(StaticTokensBuilder::reload_every), "2s",
            "How often files are read again";
        read_once: Flag(StaticTokensBuilder::read_once), "false",
            "Files are read at the start, and not again";
        max_stale: Duration(StaticTokensBuilder::max_stale), "24h",
            "How long tokens from files stay good after the files were read the last time; then \
             they are answered with 503";
        subject: Together(Kind::Text), "the `name`",
            "Who the caller is, unless the token's line names one";
        roles: Together(Kind::Texts), "none",
            "The caller's roles";
        scope: Together(Kind::Texts), "none",
            "The caller's scope";
    },
    check,
};

fn check(section: &Section, mistakes: &mut Mistakes) {
    let [token, token_env, token_file] =
        ["token", "token_env", "token_file"].map(|key| !section.texts(key).is_empty());
    let mut wrong = |key: &str, message: &str, help: &str| {
        mistakes.add(section.path_of(key), message, help);
    };
    let is_complete = !section.lacks_values();
    if !token && !token_env && !token_file && is_complete {
        wrong("", "it has no token", "add `token_file`, `token_env` or `token`");
    }
    for (index, token) in section.texts("token").iter().enumerate() {
        if !is_one_token(token) {
            let help = "give the token alone, or write `name=token` in a `token_file`";
            wrong(&format!("token[{index}]"), "it has `=` inside", help);
        }
    }
    if section.has("format") && !token_file && !token_env && is_complete {
        let message = "there is no `token_file` and no `token_env`, so it means nothing";
        wrong("format", message, "add one");
    }
    for key in ["optional_files", "reload_every", "read_once", "max_stale"] {
        let is_set = section.flag(key) || section.duration(key).is_some();
        if is_set && !token_file && is_complete {
            wrong(key, "there is no `token_file`, so it means nothing", "add one");
        }
    }
    for other in ["reload_every", "max_stale"] {
        if section.flag("read_once") && section.has(other) {
            wrong("read_once", &format!("it contradicts `{other}`"), "leave one of them out");
        }
    }
}

pub(crate) fn apply(
    builder: AuthenticatorBuilder,
    section: &Section,
    applying: &Applying<'_>,
) -> AuthenticatorBuilder {
    builder.strategies(tokens(section, applying))
}

/// Reads the tokens. `None`: a mistake was added.
pub(crate) fn tokens(section: &Section, applying: &Applying<'_>) -> Option<StaticTokens> {
    let name = section.text("name").unwrap_or_default();
    let subject = section.text("subject").unwrap_or(name);
    let mut identity = Identity::new(subject).roles(section.texts("roles").iter().cloned());
    if !section.texts("scope").is_empty() {
        identity = identity.scope(section.texts("scope").join(" "));
    }
    let format = format(section);
    let mut builder = StaticTokens::builder(name).identity(identity);
    builder = section.texts("token").iter().fold(builder, StaticTokensBuilder::text);
    for variable in section.texts("token_env") {
        builder = builder.env_of_format(variable, format);
    }
    for path in section.texts("token_file") {
        let file = TokenFile::new(applying.path(path)).format(format);
        builder = builder.file(if section.flag("optional_files") { file.optional() } else { file });
    }
    let tokens = STATIC_TOKEN.apply(builder, section, applying).build();
    let key = |error: &ConfigError| match error {
        ConfigError::File(_) => "token_file",
        ConfigError::Variable(_) => "token_env",
        _ => "",
    };
    tokens.map_err(|error| applying.reject(section, key(&error), error)).ok()
}

/// Returns what variables and files hold.
pub(crate) fn format(section: &Section) -> TokenFormat {
    match section.text("format") {
        Some("whole") => TokenFormat::Whole,
        Some("list") => TokenFormat::List,
        _ => TokenFormat::Lines,
    }
}
