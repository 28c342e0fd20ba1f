//! What the command line says.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

pub(crate) const USAGE: &str = "usage: quickstart [--listen ADDR] [--rotate-every DURATION]   (default: a free port of \
     127.0.0.1, no rotation; a duration is like 5s or 1m)";

#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) rotate_every: Option<Duration>,
}

impl Options {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { listen: (Ipv4Addr::LOCALHOST, 0).into(), rotate_every: None };
        while let Some(option) = args.next() {
            let mut value = || args.next().ok_or(format!("{option} needs a value"));
            match option.as_str() {
                "--listen" => {
                    let value = value()?;
                    let problem =
                        || format!("`{value}` is no address; give one like 127.0.0.1:8080");
                    options.listen = value.parse().map_err(|_| problem())?;
                }
                "--rotate-every" => {
                    let value = value()?;
                    let problem = || format!("`{value}` is no duration; give one like 5s or 1m");
                    options.rotate_every = Some(duration(&value).ok_or_else(problem)?);
                }
                _ => return Err(format!("unknown option `{option}`")),
            }
        }
        Ok(options)
    }
}

/// Reads a number of seconds or minutes, above zero.
fn duration(text: &str) -> Option<Duration> {
    let (digits, seconds) = match text.strip_suffix('s') {
        Some(digits) => (digits, 1),
        None => (text.strip_suffix('m')?, 60),
    };
    let count: u64 = digits.parse().ok().filter(|count| *count > 0)?;
    Some(Duration::from_secs(count.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, String> {
        Options::parse(args.iter().map(|&arg| arg.to_owned()))
    }

    #[test]
    fn reads_what_it_knows() {
        let options = parse(&["--rotate-every", "2m", "--listen", "127.0.0.1:80"]).unwrap();
        assert_eq!(options.rotate_every, Some(Duration::from_secs(120)));
        assert_eq!(options.listen.port(), 80);
        assert_eq!(parse(&[]).unwrap().rotate_every, None);
    }

    #[test]
    fn names_what_it_does_not_know() {
        for (args, problem) in [
            (&["--port"][..], "unknown option `--port`"),
            (&["--listen"], "--listen needs a value"),
            (&["--listen", "here"], "`here` is no address; give one like 127.0.0.1:8080"),
            (&["--rotate-every", "0s"], "`0s` is no duration; give one like 5s or 1m"),
            (&["--rotate-every", "5"], "`5` is no duration; give one like 5s or 1m"),
        ] {
            assert_eq!(parse(args), Err(problem.to_owned()));
        }
    }
}
