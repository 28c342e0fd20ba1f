//! Errors as a log can have them.

use std::{
    error::Error,
    fmt::{self, Write},
};

/// An error in one line. What it tells may be somebody's own words, such as a subject, who could
/// write lines of the log with them, or to the terminal that shows it.
pub(crate) struct OneLine<'a>(pub(crate) &'a (dyn Error + 'static));

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                // Those that begin a line, too, or turn its direction.
                '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    write!(self.0, "{}", character.escape_default())?;
                }
                _ if character.is_control() => write!(self.0, "{}", character.escape_default())?,
                _ => self.0.write_char(character)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_begin_a_line_or_steer_a_terminal_is_escaped() {
        for (text, expected) in [
            ("principal zoë has role \"Reader\" \\n", "principal zoë has role \"Reader\" \\n"),
            ("eve\r\nINFO all is well", "eve\\r\\nINFO all is well"),
            ("\u{1b}[2Jgone\u{85}\0", "\\u{1b}[2Jgone\\u{85}\\u{0}"),
            ("a\u{2028}b\u{202e}c\u{2066}", "a\\u{2028}b\\u{202e}c\\u{2066}"),
        ] {
            let error: Box<dyn Error> = text.into();
            assert_eq!(OneLine(&*error).to_string(), expected);
        }
    }
}
