//! What is read: lines of tokens, single tokens, secrets.

use std::{
    fs,
    io::{self, BufRead, Read},
    path::Path,
};

use portcullis::{
    NumericDate,
    clock::{Clock, SystemClock},
};

use crate::failure::Failure;

/// Reads one line without its end, `\n` or `\r\n`, into `line`, and keeps no more of it than `max`
/// bytes and one: who sees that one knows that the line was longer. `false` at the end of the input.
pub(crate) fn read_line(
    input: &mut impl BufRead,
    line: &mut Vec<u8>,
    max: usize,
) -> io::Result<bool> {
    let start = line.len();
    let limit = start.saturating_add(max).saturating_add(1);
    let mut has_read = false;
    // Held back, because it belongs to the end of the line if a line break follows.
    let mut carriage_return = false;
    loop {
        let available = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            available => available?,
        };
        if available.is_empty() {
            keep(line, if carriage_return { b"\r" } else { b"" }, limit);
            return Ok(has_read);
        }
        has_read = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
        if carriage_return && !(part.is_empty() && end.is_some()) {
            keep(line, b"\r", limit);
        }
        if !part.is_empty() || end.is_some() {
            carriage_return = part.last() == Some(&b'\r') || (carriage_return && part.is_empty());
        }
        keep(line, part.strip_suffix(b"\r").unwrap_or(part), limit);
        let used = part.len().saturating_add(usize::from(end.is_some()));
        input.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

fn keep(line: &mut Vec<u8>, part: &[u8], limit: usize) {
    let room = limit.saturating_sub(line.len());
    line.extend(part.iter().take(room));
}

/// Returns the token of the command line, or the one on standard input: its first line that is not
/// empty.
pub(crate) fn token(argument: Option<&str>) -> Result<String, Failure> {
    /// More than any token may have, so that its size can be told.
    const MAX: u64 = 4 * 1024 * 1024;
    if let Some(token) = argument {
        return Ok(token.trim().to_owned());
    }
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// Reads a secret: the bytes of a file, less one line break at the end.
pub(crate) fn secret(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut secret = fs::read(path).map_err(|error| Failure::about(path, error))?;
    if secret.last() == Some(&b'\n') {
        secret.pop();
        if secret.last() == Some(&b'\r') {
            secret.pop();
        }
    }
    Ok(secret)
}

/// Returns the time: that of the command line, or now.
pub(crate) fn time(seconds: Option<i64>) -> NumericDate {
    seconds.map_or_else(|| SystemClock::default().now(), NumericDate::from_seconds)
}

/// A clock that stands still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StandingClock(pub(crate) NumericDate);

impl Clock for StandingClock {
    fn now(&self) -> NumericDate {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], capacity: usize, max: usize) -> Vec<Vec<u8>> {
        let mut input = io::BufReader::with_capacity(capacity, input);
        let mut all = Vec::new();
        loop {
            let mut line = Vec::new();
            if !read_line(&mut input, &mut line, max).unwrap() {
                return all;
            }
            all.push(line);
        }
    }

    #[test]
    fn lines_end_in_any_way_whatever_the_buffer_holds() {
        for capacity in 1..12 {
            let all = lines(b"ab\r\n\n\r\nc\rd\n\r\r\ne\r", capacity, 100);
            let expected: [&[u8]; 6] = [b"ab", b"", b"", b"c\rd", b"\r", b"e\r"];
            assert_eq!(all, expected, "{capacity}");
            assert_eq!(lines(b"", capacity, 100), [[0_u8; 0]; 0]);
            assert_eq!(lines(b"a\n", capacity, 100), [b"a"]);
        }
    }

    #[test]
    fn a_long_line_is_cut_one_byte_after_the_limit() {
        for capacity in [1, 3, 100] {
            let all = lines(b"123456789\nab\n123\n", capacity, 3);
            let expected: [&[u8]; 3] = [b"1234", b"ab", b"123"];
            assert_eq!(all, expected);
        }
    }
}
