//! Values in words: durations, sizes, and what stands in the environment.

use std::time::Duration;

/// A text as errors show it: without control characters, and not too long.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().nth(LONGEST).is_none() {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start:?}…")
}

/// Reads a duration such as `60s`, `1h30m` or `2 d`.
///
/// # Errors
///
/// What is wrong, and what would be right.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 6] = [
        ("w", 7 * 24 * 60 * 60 * 1000),
        ("d", 24 * 60 * 60 * 1000),
        ("h", 60 * 60 * 1000),
        ("m", 60 * 1000),
        ("s", 1000),
        ("ms", 1),
    ];
    let expected = "expected a duration such as `500ms`, `60s`, `10m`, `24h` or `7d`";
    let too_long = || format!("it is too long; {expected}");
    let mut rest = text.trim();
    let (mut sum, mut smallest) = (0_u64, u64::MAX);
    loop {
        let (number, unit, after) =
            number_and_unit(rest).map_err(|why| format!("{why}; {expected}"))?;
        let Some((_, millis)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(match unit {
                "" => format!("it has no unit; {expected}"),
                "M" => format!("`M` may mean minutes or months: write `m` for minutes; {expected}"),
                unit => format!("`{unit}` is no unit; {expected}"),
            });
        };
        // Largest first, so that `1m30m` is not taken for a sum that nobody meant.
        if *millis >= smallest {
            return Err(format!("its units do not go from large to small; {expected}"));
        }
        smallest = *millis;
        let part = number.checked_mul(*millis).ok_or_else(too_long)?;
        sum = sum.checked_add(part).ok_or_else(too_long)?;
        rest = after;
        if rest.is_empty() {
            return Ok(Duration::from_millis(sum));
        }
    }
}

/// Reads a size such as `512B` or `16KiB`.
///
/// # Errors
///
/// What is wrong, and what would be right.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    const UNITS: [(&str, u64); 4] =
        [("B", 1), ("KiB", 1024), ("MiB", 1024 * 1024), ("GiB", 1024 * 1024 * 1024)];
    let expected = "expected a size such as `512B`, `16KiB` or `1MiB`";
    let (number, unit, rest) =
        number_and_unit(text.trim()).map_err(|why| format!("{why}; {expected}"))?;
    let unit_size = UNITS.iter().find(|(name, _)| *name == unit).filter(|_| rest.is_empty());
    let Some((_, bytes)) = unit_size else {
        return Err(match unit {
            "" => format!("it has no unit; {expected}"),
            "K" | "k" | "KB" | "kB" | "kb" | "M" | "MB" | "mb" | "G" | "GB" | "gb" => {
                format!("`{unit}` may mean 1000 or 1024: write `KiB`, `MiB` or `GiB`; {expected}")
            }
            _ => format!("it is no size; {expected}"),
        });
    };
    let bytes = number.checked_mul(*bytes).and_then(|bytes| usize::try_from(bytes).ok());
    bytes.ok_or_else(|| format!("it is too large; {expected}"))
}

/// Takes a number and the letters behind it off.
fn number_and_unit(text: &str) -> Result<(u64, &str, &str), &'static str> {
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(digits).ok_or("it is no number with a unit")?;
    if number.is_empty() {
        return Err("it does not begin with a whole number");
    }
    let number = number.parse().map_err(|_| "its number is too large")?;
    let rest = rest.trim_start();
    let letters = rest.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at_checked(letters).ok_or("it is no number with a unit")?;
    if unit.is_empty() && !rest.is_empty() {
        return Err("it is no whole number with a unit");
    }
    Ok((number, unit, rest.trim_start()))
}

/// Puts the values of environment variables in for `${NAME}`. `$${` stands for a plain `${`.
///
/// # Errors
///
/// What is wrong, and what to do. Values are not shown.
pub(crate) fn expand(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, (String, String)> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            expanded.push_str(before);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        expanded.push_str(before);
        let plain = "write `$${` for a plain `${`";
        let Some((name, after)) = after.split_once('}') else {
            return Err(("`${` is not closed by `}`".to_owned(), plain.to_owned()));
        };
        let is_name = !name.is_empty()
            && !name.starts_with(|char: char| char.is_ascii_digit())
            && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
        if !is_name {
            // The name is not shown, because the text may be a secret that holds `${` by chance.
            let message = "what `${…}` holds is no name of an environment variable";
            return Err((message.to_owned(), format!("use letters, digits and `_`, or {plain}")));
        }
        match variable(name) {
            Some(value) => expanded.push_str(&value),
            None => {
                let message = format!("the environment variable `{name}` is not set, or no text");
                return Err((message, format!("set it, or {plain}")));
            }
        }
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}
