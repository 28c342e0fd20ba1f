//! Durations as Go writes them.

use std::time::Duration;

/// Reads a duration as Go writes it, such as `1m30s`. One below zero is zero.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let is_number = |character: char| character.is_ascii_digit() || character == '.';
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut seconds = 0.0;
    loop {
        let (number, unit) = rest.split_at_checked(rest.find(|c| !is_number(c))?)?;
        let (unit, next) = unit.split_at_checked(unit.find(is_number).unwrap_or(unit.len()))?;
        let unit = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit;
        if next.is_empty() {
            break;
        }
        rest = next;
    }
    if text.starts_with('-') {
        Some(Duration::ZERO)
    } else {
        Duration::try_from_secs_f64(seconds).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, millis) in [
            ("1m", 60_000),
            ("1h30m", 5_400_000),
            ("1m0.5s", 60_500),
            (".5s", 500),
            ("5.s", 5_000),
            ("+100ms", 100),
            ("1000us", 1),
            ("1000\u{b5}s1000\u{3bc}s", 2),
            ("1000000ns", 1),
            ("1m1m", 120_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for never in ["0", "0s", "-0", "+0", "-1m", "-1h0s", "0h0m"] {
            assert_eq!(parse(never), Some(Duration::ZERO), "{never}");
        }
        for wrong in [
            "",
            "-",
            "+",
            "1",
            "60",
            "m",
            ".",
            ".s",
            "1.2.3s",
            "1 m",
            " 1m",
            "1m ",
            "1d",
            "1M",
            "--1s",
            "1m-1s",
            "1s0",
            "1m0",
            "00",
            "inf",
            "1e3s",
            "\u{661}s",
            "99999999999999999999h",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
