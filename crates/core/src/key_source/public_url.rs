//! What may be shown of a URL.

use std::borrow::Cow;

use url::Url;

/// Takes out of a URL what may be secret: user information, query and fragment.
pub(super) fn hide_secrets(url: &mut Url) {
    url.set_query(None);
    url.set_fragment(None);
    // These fail for a URL without a host, which has neither.
    let _ = (url.set_username(""), url.set_password(None));
}

/// Returns the part of a URL that logs, metrics and errors may show: scheme, host, port and path. Of a
/// text that is no such URL nothing is known, and so nothing is shown.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    match Url::parse(text) {
        Ok(mut url) if !url.cannot_be_a_base() => {
            let whole = url.clone();
            hide_secrets(&mut url);
            // As it is written, where nothing is hidden.
            if url == whole { text.into() } else { String::from(url).into() }
        }
        _ => "(no URL)".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_host_port_and_path_are_shown_and_nothing_else() {
        for (text, expected) in [
            ("https://idp.test", "https://idp.test"),
            ("https://idp.test:8443/a/keys.json", "https://idp.test:8443/a/keys.json"),
            ("https://idp.test/k?api_key=s3cret", "https://idp.test/k"),
            ("https://idp.test?api_key=s3cret", "https://idp.test/"),
            ("https://idp.test/k#s3cret", "https://idp.test/k"),
            ("https://user:s3cret@idp.test/k", "https://idp.test/k"),
            ("https://s3cret@idp.test/k", "https://idp.test/k"),
            ("ftp://user:s3cret@idp.test/k", "ftp://idp.test/k"),
            ("other://user:s3cret@idp.test/k?s3cret", "other://idp.test/k"),
            ("user:s3cret@idp.test/k", "(no URL)"),
            ("idp.test/k?s3cret", "(no URL)"),
            ("https://user:s3cret@idp.test:port/k", "(no URL)"),
            ("", "(no URL)"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
