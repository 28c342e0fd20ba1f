//! Where keys and token endpoints are, and which URLs may be used.

use url::Url;

use super::{KeySourceError, KeyTransport, discovery::Metadata};
use crate::key_source::{
    address::{is_loopback, names_this_machine},
    public_url,
};

/// Where the keys or the token endpoint of an issuer are.
pub(super) struct Location {
    place: Place,
    label: Box<str>,
    http_allowed: bool,
}

enum Place {
    Known(String),
    Issuer(String),
}

impl Location {
    pub(super) fn known(uri: String) -> Self {
        Self::at(Place::Known(uri))
    }

    pub(super) fn of_issuer(issuer: String) -> Self {
        Self::at(Place::Issuer(issuer))
    }

    fn at(place: Place) -> Self {
        let label = public_url::shown(place.text()).into();
        Self { place, label, http_allowed: false }
    }

    pub(super) fn allow_http(&mut self) {
        self.http_allowed = true;
    }

    /// Returns what may be shown of the URL.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Returns the whole URL, which may hold secrets.
    pub(super) fn text(&self) -> &str {
        self.place.text()
    }

    /// Returns the URL of the place itself, if no metadata need be asked.
    pub(super) fn known_url(&self) -> Result<Option<String>, KeySourceError> {
        match &self.place {
            Place::Known(uri) => self.checked(uri).map(|_| Some(uri.clone())),
            Place::Issuer(_) => Ok(None),
        }
    }

    /// Returns where the metadata may be, the most usual place first.
    pub(super) fn metadata_urls(&self) -> Result<Vec<String>, KeySourceError> {
        let Place::Issuer(issuer) = &self.place else { return Ok(Vec::new()) };
        let mut url = self.checked(issuer)?;
        let path = url.path().trim_end_matches('/').to_owned();
        let mut urls =
            vec![format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))];
        for name in ["oauth-authorization-server", "openid-configuration"] {
            // The path of the issuer comes behind the well-known one (RFC 8414 §3.1).
            url.set_path(&format!("/.well-known/{name}{path}"));
            if !urls.iter().any(|known| known == url.as_str()) {
                urls.push(url.to_string());
            }
        }
        Ok(urls)
    }

    /// Checks that the metadata are the issuer's own, and that they name a safe place.
    pub(super) fn check(&self, metadata: &impl Metadata) -> Result<(), KeySourceError> {
        if let Place::Issuer(issuer) = &self.place
            && *issuer != metadata.issuer()
        {
            let message = format!("the metadata are those of issuer `{}`", metadata.issuer());
            return Err(KeySourceError::new(message));
        }
        let place = self.checked(metadata.place())?;
        if self.rejects_this_machine(&place) && names_this_machine(&place) {
            return Err(KeySourceError::new("the metadata name a place on this machine"));
        }
        Ok(())
    }

    /// Returns whether a place that the metadata name must not be on this machine: an issuer out there must
    /// not send this service to a port of its own machine. The issuer's own host and port are those that
    /// the metadata come from, and whose name may lead here.
    pub(super) fn rejects_this_machine(&self, found: &Url) -> bool {
        let Ok(issuer) = Url::parse(self.text()) else { return true };
        let place = |url: &Url| (url.host_str().map(str::to_owned), url.port_or_known_default());
        !self.http_allowed && !names_this_machine(&issuer) && place(&issuer) != place(found)
    }

    /// Returns how what is fetched comes here. Metadata may name keys elsewhere, over plain http too
    /// where that is allowed.
    pub(super) fn transport(&self) -> KeyTransport {
        let url = Url::parse(self.text());
        let is_plain = url.as_ref().is_ok_and(|url| url.scheme() == "http");
        match (self.http_allowed, is_plain, url.as_ref().is_ok_and(is_loopback)) {
            (false, true, true) => KeyTransport::Loopback,
            (false, false, _) => KeyTransport::Protected,
            (true, _, _) | (_, true, false) => KeyTransport::PlainHttp,
        }
    }

    fn checked(&self, text: &str) -> Result<Url, KeySourceError> {
        let shown = public_url::shown(text);
        let url = Url::parse(text)
            .map_err(|error| KeySourceError::new(format!("the location is not a URL: {error}")))?;
        let safe = match url.scheme() {
            "https" => true,
            "http" => self.http_allowed || is_loopback(&url),
            _ => false,
        };
        if !safe {
            let message = format!("`{shown}` is not https, and not http on this machine");
            return Err(KeySourceError::new(message));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(KeySourceError::new("a URL must not hold a password"));
        }
        Ok(url)
    }
}

impl Place {
    fn text(&self) -> &str {
        match self {
            Self::Known(uri) => uri,
            Self::Issuer(issuer) => issuer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_source::remote::discovery::KeyMetadata;

    fn urls(issuer: &str) -> Vec<String> {
        Location::of_issuer(issuer.to_owned()).metadata_urls().unwrap()
    }

    #[test]
    fn metadata_are_looked_for_in_each_standard_place() {
        assert_eq!(
            urls("https://idp.test"),
            [
                "https://idp.test/.well-known/openid-configuration",
                "https://idp.test/.well-known/oauth-authorization-server",
            ]
        );
        assert_eq!(
            urls("https://idp.test/realms/a/"),
            [
                "https://idp.test/realms/a/.well-known/openid-configuration",
                "https://idp.test/.well-known/oauth-authorization-server/realms/a",
                "https://idp.test/.well-known/openid-configuration/realms/a",
            ]
        );
    }

    #[test]
    fn only_safe_urls_are_fetched() {
        let location = Location::known("https://x".to_owned());
        for url in
            ["https://idp.test/k", "http://127.0.0.1:1/k", "http://[::1]/k", "http://localhost/"]
        {
            assert!(location.checked(url).is_ok(), "{url}");
        }
        for url in [
            "http://idp.test/k",
            "http://127.0.0.1.evil.test/",
            "http://localhost.evil.test/",
            "file:///etc/passwd",
            "ftp://x/",
            "https://user:pw@idp.test/",
            "not a url",
            "",
        ] {
            assert!(location.checked(url).is_err(), "{url}");
        }
    }

    #[test]
    fn metadata_of_another_issuer_or_with_unsafe_keys_are_rejected() {
        let location = Location::of_issuer("https://idp.test".to_owned());
        let check = |issuer: &str, jwks_uri: &str| {
            location
                .check(&KeyMetadata { issuer: issuer.to_owned(), jwks_uri: jwks_uri.to_owned() })
        };
        assert!(check("https://idp.test", "https://keys.elsewhere.test/k").is_ok());
        assert!(check("https://idp.test/", "https://idp.test/k").is_err());
        assert!(check("https://idp.test", "http://idp.test/k").is_err());
        assert!(check("https://idp.test", "http://127.0.0.1/k").is_err());
        for here in [
            "localhost",
            "localhost.",
            "idp.localhost",
            "127.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(check("https://idp.test", &format!("https://{here}/k")).is_err(), "{here}");
        }
    }

    #[test]
    fn only_what_the_operator_names_may_be_on_this_machine() {
        let rejects = |issuer: &str, keys: &str| {
            let location = Location::of_issuer(issuer.to_owned());
            location.rejects_this_machine(&Url::parse(keys).unwrap())
        };
        assert!(rejects("https://idp.test", "https://keys.test/k"));
        assert!(rejects("https://idp.test", "https://idp.test:8443/k"));
        for (issuer, keys) in [
            ("https://idp.test/realms/a", "https://idp.test/k"),
            ("https://idp.test", "https://idp.test:443/k"),
            ("http://127.0.0.1:8080", "http://localhost:9090/k"),
            ("https://idp.localhost", "https://keys.localhost/k"),
        ] {
            assert!(!rejects(issuer, keys), "{issuer} {keys}");
        }
        let mut location = Location::of_issuer("https://idp.test".to_owned());
        location.allow_http();
        assert!(!location.rejects_this_machine(&Url::parse("http://keys.test/k").unwrap()));
    }
}
