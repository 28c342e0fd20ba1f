//! From checked values to settings.

use std::path::{Path, PathBuf};

use super::{
    check::{PlaceEntry, Section},
    error::SettingError,
    grant,
    settings::{
        ExtractSettings, GrantSettings, IssuerSettings, KeySettings, LocationKind,
        LocationSettings, ResourceSettings, RoleSettings, RuleSettings, StaticTokenSettings,
    },
};
use portcullis::{Algorithm, MultipleTokens, TokenFormat, TokenProfile, for_config::is_one_token};

type Result<T> = std::result::Result<T, SettingError>;

/// The parameter, cookie and subprotocol, unless they are named.
const ACCESS_TOKEN: &str = "access_token";

pub(super) fn extract(mut section: Section) -> Result<ExtractSettings> {
    let names = ["query", "cookie", "web_socket_protocol"].map(|kind| (kind, section.text(kind)));
    let entries = section.places("places");
    let is_used = |kind: &str| {
        let mut entries = entries.iter().flatten();
        entries.any(|entry| matches!(entry, PlaceEntry::Named(name) if name == kind))
    };
    if let Some((kind, _)) = names.iter().find(|(kind, name)| name.is_some() && !is_used(kind)) {
        let problem =
            format!("no place is `{kind}`, so it means nothing: add {kind:?} to `places`");
        return Err(SettingError::new(format!("extract.{kind}"), problem));
    }
    let name_of = |kind: &str| {
        let named = names.iter().find(|(known, _)| *known == kind);
        let name = named.and_then(|(_, name)| name.clone());
        name.unwrap_or_else(|| ACCESS_TOKEN.to_owned())
    };
    let read = |(index, entry)| place(entry, &name_of, &format!("extract.places[{index}]"));
    let places = entries.map(|entries| entries.into_iter().enumerate().map(read).collect());
    let places = places.transpose()?;
    let several = match section.text("several").as_deref() {
        Some("first") => MultipleTokens::First,
        Some("all") => MultipleTokens::All,
        _ => MultipleTokens::Reject,
    };
    Ok(ExtractSettings { places, several, remove_tokens: section.flag("remove_tokens") })
}

fn place(
    entry: PlaceEntry,
    name_of: &dyn Fn(&str) -> String,
    path: &str,
) -> Result<LocationSettings> {
    let mut section = match entry {
        PlaceEntry::Named(kind) => {
            let (kind, name, scheme) = names(&kind, None, None, name_of);
            return Ok(LocationSettings { kind, name, scheme, ..LocationSettings::default() });
        }
        PlaceEntry::Detailed(section) => section,
    };
    let kind = section.text("kind").unwrap_or_default();
    let (name, scheme) = (section.text("name"), section.text("scheme"));
    let (kind, name, scheme) = names(&kind, name, scheme, &|_| ACCESS_TOKEN.to_owned());
    let place = LocationSettings {
        kind,
        name,
        scheme,
        exact_scheme: section.flag("exact_scheme"),
        required_scheme: section.flag("required_scheme"),
        prefix: section.text("prefix"),
        required_prefix: section.flag("required_prefix"),
        repeated_prefix: section.flag("dangerous_repeated_prefix"),
        trimmed: section.flag("trimmed"),
        empty_is_absent: section.flag("empty_is_absent"),
        issuer: section.text("issuer"),
    };
    let lacks = |key: &str, needed: &str| {
        let problem = format!("there is no `{needed}`, so it means nothing: add one");
        Err(SettingError::new(format!("{path}.{key}"), problem))
    };
    match &place {
        place if place.exact_scheme && place.scheme.is_none() => lacks("exact_scheme", "scheme"),
        place if place.required_scheme && place.scheme.is_none() => {
            lacks("required_scheme", "scheme")
        }
        place if place.required_scheme && place.exact_scheme => {
            let problem = "it contradicts `exact_scheme`: leave one of them out";
            Err(SettingError::new(format!("{path}.required_scheme"), problem))
        }
        place if place.required_prefix && place.prefix.is_none() => {
            lacks("required_prefix", "prefix")
        }
        place if place.repeated_prefix && place.prefix.is_none() => {
            lacks("dangerous_repeated_prefix", "prefix")
        }
        _ => Ok(place),
    }
}

/// Fills in what is not named.
fn names(
    kind: &str,
    name: Option<String>,
    scheme: Option<String>,
    name_of: &dyn Fn(&str) -> String,
) -> (LocationKind, String, Option<String>) {
    let kind_of = match kind {
        "query" => LocationKind::Query,
        "cookie" => LocationKind::Cookie,
        "web_socket_protocol" => LocationKind::WebSocketProtocol,
        _ => {
            let name = name.unwrap_or_else(|| "authorization".to_owned());
            let bearer = name.eq_ignore_ascii_case("authorization").then(|| "Bearer".to_owned());
            return (LocationKind::Header, name, scheme.or(bearer));
        }
    };
    (kind_of, name.unwrap_or_else(|| name_of(kind)), scheme)
}

pub(super) fn resource(mut section: Section) -> ResourceSettings {
    ResourceSettings {
        identifier: section.text("identifier").unwrap_or_default(),
        authorization_servers: section.texts("authorization_servers"),
        scopes_supported: section.texts("scopes_supported").unwrap_or_default(),
        name: section.text("name"),
        documentation: section.text("documentation"),
        policy_uri: section.text("policy_uri"),
        tos_uri: section.text("tos_uri"),
    }
}

pub(super) fn issuer(mut section: Section, path: &str, folder: &Path) -> Result<IssuerSettings> {
    let any_issuer = section.flag("dangerous_any_issuer");
    let name = match (section.text("issuer"), section.text("name"), any_issuer) {
        (Some(issuer), None, false) => issuer,
        (None, Some(name), true) => name,
        (Some(_), _, true) => {
            let problem = "with `dangerous_any_issuer` it names nobody: say `name` instead";
            return Err(SettingError::new(format!("{path}.issuer"), problem));
        }
        (_, Some(_), false) => {
            let problem = "goes with `dangerous_any_issuer = true`: say `issuer` for the `iss` of \
                           one issuer's tokens";
            return Err(SettingError::new(format!("{path}.name"), problem));
        }
        (None, None, _) => {
            let problem = "it is missing; expected the `iss` of the issuer's tokens, byte for byte";
            return Err(SettingError::new(format!("{path}.issuer"), problem));
        }
    };
    Ok(IssuerSettings {
        name,
        any_issuer,
        audiences: filled(section.texts("audience"), path, "audience")?.unwrap_or_default(),
        any_audience: section.flag("dangerous_any_audience"),
        algorithms: filled(section.texts("algorithms"), path, "algorithms")?
            .map(|names| names.iter().filter_map(|name| name.parse::<Algorithm>().ok()).collect()),
        keys: keys(&mut section, path, folder)?,
        rules: rules(&mut section, path)?,
        grant: match section.section("grant") {
            Some(section) => grant::read(section, &format!("{path}.grant"))?,
            None => GrantSettings::default(),
        },
    })
}

/// A list that is there must not be empty: everything or nothing would fit it.
pub(super) fn filled(
    texts: Option<Vec<String>>,
    path: &str,
    key: &str,
) -> Result<Option<Vec<String>>> {
    match texts {
        Some(texts) if texts.is_empty() => {
            let problem = "found an empty list: give a value, or leave the key out";
            Err(SettingError::new(format!("{path}.{key}"), problem))
        }
        texts => Ok(texts),
    }
}

fn keys(section: &mut Section, path: &str, folder: &Path) -> Result<KeySettings> {
    let mut list = |key| filled(section.texts(key), path, key).map(Option::unwrap_or_default);
    let files = |texts: Vec<String>| texts.into_iter().map(|text| folder.join(text)).collect();
    let keys = KeySettings {
        jwks_uris: list("jwks_uri")?,
        jwks_files: files(list("jwks_file")?),
        pem_files: files(list("pem_file")?),
        secret_files: files(list("secret_file")?),
        secret_variables: list("secret_env")?,
        discovery: section.flag("discovery"),
        short_secrets: section.flag("dangerous_short_secrets"),
        try_all_keys: section.flag("try_all_keys"),
        match_key_ids: section.flag("match_key_ids"),
        last_key_of_id_wins: section.flag("last_key_of_id_wins"),
        refresh: section.duration("refresh"),
        min_refresh: section.duration("min_refresh"),
        max_refresh: section.duration("max_refresh"),
        max_stale: section.duration("max_stale"),
        unlimited_staleness: section.flag("dangerous_unlimited_staleness"),
        wait: section.duration("wait"),
        timeout: section.duration("timeout"),
        allow_http: section.flag("dangerous_allow_http"),
    };
    if keys.unlimited_staleness && keys.max_stale.is_some() {
        let problem = "it contradicts `dangerous_unlimited_staleness`: leave one of them out";
        return Err(SettingError::new(format!("{path}.max_stale"), problem));
    }
    if keys.try_all_keys && keys.match_key_ids {
        let problem = "it contradicts `match_key_ids`: leave one of them out";
        return Err(SettingError::new(format!("{path}.try_all_keys"), problem));
    }
    Ok(keys)
}

fn rules(section: &mut Section, path: &str) -> Result<RuleSettings> {
    let rules = RuleSettings {
        leeway: section.duration("leeway"),
        profile: section.text("profile").map(|_| TokenProfile::AtJwt),
        types: filled(section.texts("type"), path, "type")?,
        required_claims: section.texts("required_claims").unwrap_or_default(),
        max_age: section.duration("max_age"),
        max_lifetime: section.duration("max_lifetime"),
        subjects: filled(section.texts("subject"), path, "subject")?,
        whole_seconds: section.flag("whole_seconds"),
        optional_expiry: section.flag("dangerous_optional_expiry"),
        zero_is_no_date: section.flag("dangerous_zero_is_no_date"),
        any_token_type: section.flag("dangerous_any_token_type"),
        optional_subject: section.flag("dangerous_optional_subject"),
        ignore_binding: section.flag("dangerous_ignore_binding"),
    };
    if rules.any_token_type && (rules.types.is_some() || rules.profile.is_some()) {
        let problem = "it contradicts `type` and `profile`: leave one of them out";
        return Err(SettingError::new(format!("{path}.dangerous_any_token_type"), problem));
    }
    Ok(rules)
}

pub(super) fn roles(mut section: Section) -> Result<RoleSettings> {
    let rank = section.texts("rank").unwrap_or_default();
    let ignore_ascii_case = section.flag("ignore_ascii_case");
    let folded = |name: &str| {
        if ignore_ascii_case { name.to_ascii_lowercase() } else { name.to_owned() }
    };
    for (index, role) in rank.iter().enumerate() {
        let is_twice = rank.iter().take(index).any(|other| folded(other) == folded(role));
        if role.is_empty() || is_twice {
            let problem = "it is empty, or there twice: name each role once, from low to high";
            return Err(SettingError::new(format!("roles.rank[{index}]"), problem));
        }
    }
    Ok(RoleSettings { rank, ignore_ascii_case })
}

pub(super) fn static_token(
    mut section: Section,
    path: &str,
    folder: &Path,
) -> Result<StaticTokenSettings> {
    let format = section.text("format");
    let mut list = |key| section.texts(key).unwrap_or_default();
    let files =
        list("token_file").into_iter().map(|file| folder.join(file)).collect::<Vec<PathBuf>>();
    let settings = StaticTokenSettings {
        tokens: list("token"),
        variables: list("token_env"),
        files,
        roles: list("roles"),
        scope: list("scope"),
        format: match format.as_deref() {
            Some("whole") => TokenFormat::Whole,
            Some("list") => TokenFormat::List,
            _ => TokenFormat::Lines,
        },
        optional_files: section.flag("optional_files"),
        reload_every: section.duration("reload_every"),
        read_once: section.flag("read_once"),
        max_stale: section.duration("max_stale"),
        name: section.text("name").unwrap_or_default(),
        subject: section.text("subject"),
    };
    if settings.tokens.is_empty() && settings.variables.is_empty() && settings.files.is_empty() {
        let problem = "it has no token: add `token_file`, `token_env` or `token`";
        return Err(SettingError::new(path, problem));
    }
    for (index, token) in settings.tokens.iter().enumerate() {
        if !is_one_token(token) {
            let problem = "it has `=` inside: give the token alone, or write `name=token` in a \
                           `token_file`";
            return Err(SettingError::new(format!("{path}.token[{index}]"), problem));
        }
    }
    let has_no_file = settings.files.is_empty();
    let wrong = |key: &str, problem: &str| {
        Err(SettingError::new(format!("{path}.{key}"), problem.to_owned()))
    };
    let no_file = "there is no `token_file`, so it means nothing: add one";
    match &settings {
        _ if format.is_some() && has_no_file && settings.variables.is_empty() => {
            let problem =
                "there is no `token_file` and no `token_env`, so it means nothing: add one";
            wrong("format", problem)
        }
        settings if settings.optional_files && has_no_file => wrong("optional_files", no_file),
        settings if settings.reload_every.is_some() && has_no_file => {
            wrong("reload_every", no_file)
        }
        settings if settings.read_once && has_no_file => wrong("read_once", no_file),
        settings if settings.max_stale.is_some() && has_no_file => wrong("max_stale", no_file),
        settings if settings.read_once && settings.reload_every.is_some() => {
            wrong("read_once", "it contradicts `reload_every`: leave one of them out")
        }
        settings if settings.read_once && settings.max_stale.is_some() => {
            wrong("read_once", "it contradicts `max_stale`: leave one of them out")
        }
        _ => Ok(settings),
    }
}
