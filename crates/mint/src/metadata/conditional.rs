//! Whether a client has the document already ([RFC 9110 §13.1.2]).
//!
//! [RFC 9110 §13.1.2]: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2

use portcullis::adapter::RequestView;

/// Returns whether `If-None-Match` names the entity tag, or any: then the response is 304. Tags are compared
/// weakly ([RFC 9110 §8.8.3.2]). What is malformed names none.
///
/// [RFC 9110 §8.8.3.2]: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3.2
pub(super) fn is_known(request: &dyn RequestView, etag: &str) -> bool {
    let mut is_known = false;
    request.field_values("if-none-match", &mut |value| is_known |= names(value, etag));
    is_known
}

fn names(value: &[u8], etag: &str) -> bool {
    let mut rest = value.trim_ascii();
    if rest == b"*" {
        return true;
    }
    let mut is_named = false;
    loop {
        // Recipients ignore empty elements (RFC 9110 §5.6.1.2).
        while let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
        }
        if rest.is_empty() {
            return is_named;
        }
        let Some((tag, after)) = entity_tag(rest) else { return false };
        is_named |= tag == etag.as_bytes();
        rest = after.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return false;
        }
    }
}

/// Splits an entity tag off, without the prefix of a weak one. It may have commas in it.
fn entity_tag(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let tag = text.strip_prefix(b"W/").unwrap_or(text);
    let inside = tag.strip_prefix(b"\"")?;
    let is_tag_byte = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..);
    let length = inside.iter().take_while(|byte| is_tag_byte(byte)).count();
    let (tag, after) = tag.split_at_checked(length.saturating_add(2))?;
    tag.ends_with(b"\"").then_some((tag, after))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn entity_tags_are_found_in_lists_and_compared_weakly() {
        for value in [
            r#""a""#,
            r#"W/"a""#,
            r#"  "a"	"#,
            r#""b", "a""#,
            r#""b","a","c""#,
            r#"W/"b" ,W/"a""#,
            r#", ,"a",,"#,
            r#""", "a""#,
            r#""x,y", "a""#,
            "*",
            " * ",
        ] {
            assert!(names(value.as_bytes(), "\"a\""), "{value}");
        }
        for value in [
            "",
            ",",
            "a",
            r#""b""#,
            r#""A""#,
            r#"w/"a""#,
            r#""b"#,
            r#""a"#,
            r#"a""#,
            r#""b" "a""#,
            r#""a" "b""#,
            r#""a"; "b""#,
            r#""a", b"#,
            r#"*, "a""#,
            r#""a", *"#,
            r#"W/ "a""#,
            r#""x,"a",y""#,
            r#""a b", "a""#,
        ] {
            assert!(!names(value.as_bytes(), "\"a\""), "{value}");
        }
        // Bytes beyond ASCII are part of a tag.
        assert!(names(b"\"\xff\", \"a\"", "\"a\""));
    }
}
