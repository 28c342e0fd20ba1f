//! Settings that stand in environment variables.

use std::{env, fmt, num::NonZeroU32, path::PathBuf, time::Duration};

/// Where the values of variables are found.
type Find = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Environment variables, or what stands for them in a test. Errors are for the operator.
pub struct Variables {
    find: Box<Find>,
}

impl Variables {
    /// Those of this process whose names begin with this prefix.
    ///
    /// # Errors
    ///
    /// The value of one is no text. It is not taken for unset, nor for a text that is like it: a
    /// token would be easier to guess then.
    pub fn of_environment(prefix: &str) -> Result<Self, String> {
        for (name, value) in env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with(prefix) && value.to_str().is_none() {
                return Err(format!("{name} is no text in UTF-8"));
            }
        }
        Ok(Self::new(|name| env::var(name).ok()))
    }

    /// Those that a function finds.
    pub fn new(find: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { find: Box::new(find) }
    }

    /// Returns a value as it is.
    #[must_use]
    pub fn verbatim(&self, name: &str) -> Option<String> {
        (self.find)(name)
    }

    /// Returns a value, less the space around it. A blank one is none.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        let text = self.verbatim(name)?.trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// Tells whether a switch is on. Default: off.
    ///
    /// # Errors
    ///
    /// The value is no answer: whoever has set it meant something, and a wrong guess would switch checks
    /// off.
    pub fn is_on(&self, name: &str) -> Result<bool, String> {
        match self.text(name).as_deref() {
            Some("1" | "true" | "yes") => Ok(true),
            None | Some("0" | "false" | "no") => Ok(false),
            Some(_) => Err(format!("{name} needs `1`, `true` or `yes`, or `0`, `false` or `no`")),
        }
    }

    /// Returns a number of seconds, at least one.
    ///
    /// # Errors
    ///
    /// The value is no such number.
    pub fn seconds(&self, name: &str) -> Result<Option<Duration>, String> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<NonZeroU32>() {
            Ok(seconds) => Ok(Some(Duration::from_secs(seconds.get().into()))),
            Err(_) => Err(format!("{name} needs a number of seconds, not `{text}`")),
        }
    }

    /// Tells the path of the file that `…_FILE` names, beside a variable that holds the text itself. A
    /// blank one is none.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        self.text(&format!("{name}_FILE")).map(PathBuf::from)
    }

    /// Returns a duration as Go writes it, such as `1m30s`. One below zero is zero.
    ///
    /// # Errors
    ///
    /// The value is no such duration.
    pub fn go_duration(&self, name: &str) -> Result<Option<Duration>, String> {
        let Some(text) = self.verbatim(name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let duration = go_duration(&text);
        duration
            .map(Some)
            .ok_or_else(|| format!("{name} needs a duration like `1m30s`, not `{text}`"))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables").finish_non_exhaustive()
    }
}

/// Reads a duration as Go writes it. One below zero is zero.
fn go_duration(text: &str) -> Option<Duration> {
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

    fn of(value: &str) -> Variables {
        let value = value.to_owned();
        Variables::new(move |name| (name == "SET").then(|| value.clone()))
    }

    #[test]
    fn texts_lose_the_space_around_them_and_blank_ones_are_none() {
        assert_eq!(of(" a b \n").text("SET").as_deref(), Some("a b"));
        assert_eq!(of(" a ").verbatim("SET").as_deref(), Some(" a "));
        assert_eq!((of(" ").text("SET"), of("a").text("UNSET")), (None, None));
    }

    #[test]
    fn files_are_named_by_a_variable_beside() {
        let variables = Variables::new(|name| (name == "A_FILE").then(|| " /a ".to_owned()));
        assert_eq!((variables.file("A"), variables.file("B")), (Some("/a".into()), None));
    }

    #[test]
    fn switches_are_on_or_off_and_never_guessed() {
        for (value, expected) in
            [("1", Ok(true)), ("yes", Ok(true)), ("no", Ok(false)), ("", Ok(false))]
        {
            assert_eq!(of(value).is_on("SET"), expected);
        }
        assert!(of("on").is_on("SET").is_err());
        assert_eq!(of("on").is_on("UNSET"), Ok(false));
    }

    #[test]
    fn seconds_are_whole_and_at_least_one() {
        assert_eq!(of("90").seconds("SET"), Ok(Some(Duration::from_secs(90))));
        assert_eq!(of("").seconds("SET"), Ok(None));
        for value in ["0", "-1", "1.5", "10m"] {
            assert!(of(value).seconds("SET").is_err(), "{value}");
        }
    }

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
            assert_eq!(go_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for never in ["0", "0s", "-0", "+0", "-1m", "-1h0s", "0h0m"] {
            assert_eq!(go_duration(never), Some(Duration::ZERO), "{never}");
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
            assert_eq!(go_duration(wrong), None, "{wrong}");
        }
    }
}
