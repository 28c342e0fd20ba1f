//! The page as it is served. What it does in a browser is tested there.

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::STANDARD;

use crate::server::{Krishiv, SERVICE_TOKEN, TOKEN};

/// Returns what stands between these two, and is there once.
fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let mut parts = text.split(start);
    let (_, rest) = (parts.next().unwrap(), parts.next().unwrap());
    assert!(parts.next().is_none(), "{start} is there twice");
    rest.split_once(end).unwrap().0
}

#[test]
fn the_page_is_one_small_document_whose_policy_lets_in_its_own_parts_alone() {
    let krishiv = Krishiv::start(&[(TOKEN, SERVICE_TOKEN)]);
    let page = krishiv.open("/");
    assert_eq!(page.status, 200);
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.body.len() < 12_000, "{} bytes", page.body.len());
    let policy = page.field("content-security-policy").unwrap();
    for (name, start, end) in
        [("script", "<script>", "</script>"), ("style", "<style>", "</style>")]
    {
        let hash = digest(&SHA256, between(&page.body, start, end).as_bytes());
        let source = format!("{name}-src 'sha256-{}'", STANDARD.encode_to_string(hash));
        assert!(policy.contains(&source), "the policy must say {source}");
    }
    for rule in ["default-src 'none'", "form-action 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    for external in ["http:", "https:", "src=", "href=", "@import", "url(", "innerHTML", "eval("] {
        assert!(!page.body.contains(external), "{external}");
    }
}
