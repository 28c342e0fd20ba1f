//! Where keys are, and from where they may be fetched.

use url::Url;

use super::{KeySourceError, KeyTransport, discovery::Metadata};
use crate::key_source::address::is_loopback;

/// Where the keys of an issuer are.
#[derive(Debug)]
pub(super) struct Location {
    place: Place,
    http_allowed: bool,
}

#[derive(Debug)]
enum Place {
    Keys(String),
    Issuer(String),
}

impl Location {
    pub(super) fn known(uri: String) -> Self {
        Self { place: Place::Keys(uri), http_allowed: false }
    }

    pub(super) fn of_issuer(issuer: String) -> Self {
        Self { place: Place::Issuer(issuer), http_allowed: false }
    }

    pub(super) fn allow_http(&mut self) {
        self.http_allowed = true;
    }

    pub(super) fn label(&self) -> &str {
        match &self.place {
            Place::Keys(uri) => uri,
            Place::Issuer(issuer) => issuer,
        }
    }

    /// Returns the URL of the keys, if no metadata need be asked.
    pub(super) fn keys(&self) -> Result<Option<String>, KeySourceError> {
        match &self.place {
            Place::Keys(uri) => self.checked(uri).map(|_| Some(uri.clone())),
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
    pub(super) fn check(&self, metadata: &Metadata) -> Result<(), KeySourceError> {
        if let Place::Issuer(issuer) = &self.place
            && *issuer != metadata.issuer
        {
            let message = format!("the metadata are those of issuer `{}`", metadata.issuer);
            return Err(KeySourceError::new(message));
        }
        let keys = self.checked(&metadata.jwks_uri)?;
        let here = Url::parse(self.label()).ok();
        // An issuer out there must not send this service to a port of its own machine.
        if is_loopback(&keys) && !here.as_ref().is_some_and(is_loopback) && !self.http_allowed {
            return Err(KeySourceError::new("the metadata name keys on this machine"));
        }
        Ok(())
    }

    /// Returns how what is fetched comes here. Metadata may name keys elsewhere, over plain http too
    /// where that is allowed.
    pub(super) fn transport(&self) -> KeyTransport {
        let url = Url::parse(self.label());
        let is_plain = url.as_ref().is_ok_and(|url| url.scheme() == "http");
        match (self.http_allowed, is_plain, url.as_ref().is_ok_and(is_loopback)) {
            (false, true, true) => KeyTransport::Loopback,
            (false, false, _) => KeyTransport::Protected,
            (true, _, _) | (_, true, false) => KeyTransport::PlainHttp,
        }
    }

    fn checked(&self, text: &str) -> Result<Url, KeySourceError> {
        let url = Url::parse(text)
            .map_err(|error| KeySourceError::with_source(format!("`{text}` is no URL"), error))?;
        let safe = match url.scheme() {
            "https" => true,
            "http" => self.http_allowed || is_loopback(&url),
            _ => false,
        };
        if !safe {
            let message = format!("`{text}` is not https, and not http on this machine");
            return Err(KeySourceError::new(message));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(KeySourceError::new("a URL of keys must not hold a password"));
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn metadata_of_another_issuer_or_with_unsafe_keys_are_refused() {
        let location = Location::of_issuer("https://idp.test".to_owned());
        let check = |issuer: &str, jwks_uri: &str| {
            location.check(&Metadata { issuer: issuer.to_owned(), jwks_uri: jwks_uri.to_owned() })
        };
        assert!(check("https://idp.test", "https://keys.elsewhere.test/k").is_ok());
        assert!(check("https://idp.test/", "https://idp.test/k").is_err());
        assert!(check("https://idp.test", "http://idp.test/k").is_err());
        assert!(check("https://idp.test", "http://127.0.0.1/k").is_err());
        assert!(check("https://idp.test", "https://localhost/k").is_err());
    }
}
