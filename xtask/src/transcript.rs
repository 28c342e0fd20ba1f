//! The lines that the quickstart prints.

/// What the quickstart printed up to its last line.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Transcript {
    address: Option<String>,
    /// Shell assignments, such as `READER=…`.
    pub(crate) assignments: Vec<String>,
    pub(crate) curls: Vec<Curl>,
    is_complete: bool,
}

/// A curl line and the status it is to get.
#[derive(Debug, PartialEq)]
pub(crate) struct Curl {
    pub(crate) command: String,
    pub(crate) expected: String,
}

impl Transcript {
    /// Takes the next line. Lines of other kinds are for the reader.
    pub(crate) fn add(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim();
        if self.address.is_none() {
            let address = line.strip_prefix("listening on ");
            let address = address.filter(|address| address.starts_with("http://"));
            let address = address.ok_or_else(|| {
                format!("the first line is not `listening on http://ADDR`: {line}")
            })?;
            self.address = Some(address.to_owned());
        } else if line.starts_with("curl ") {
            self.curls.push(Curl::parse(line)?);
        } else if is_assignment(line) {
            self.assignments.push(line.to_owned());
        } else if line.starts_with("press Ctrl-C") {
            self.is_complete = true;
        }
        Ok(())
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The shell script that prints the status that one curl line gets.
    pub(crate) fn script(&self, curl: &Curl) -> String {
        let mut script = self.assignments.join("\n");
        script.push('\n');
        script += &curl.command;
        script += " -s -o /dev/null -w '%{http_code}' --max-time 30";
        script
    }
}

impl Curl {
    fn parse(line: &str) -> Result<Self, String> {
        let (command, comment) = line.rsplit_once('#').unwrap_or((line, ""));
        let expected = comment.trim().strip_prefix("expect ").unwrap_or_default();
        if expected.len() != 3 || !expected.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("a curl line does not end with `# expect STATUS`: {line}"));
        }
        Ok(Self { command: command.trim_end().to_owned(), expected: expected.to_owned() })
    }
}

fn is_assignment(line: &str) -> bool {
    line.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Transcript, String> {
        let mut transcript = Transcript::default();
        for line in lines {
            transcript.add(line)?;
        }
        Ok(transcript)
    }

    #[test]
    fn reads_what_the_quickstart_prints() {
        let transcript = read(&[
            "listening on http://127.0.0.1:3000",
            "",
            "READER=eyJ.a=.b",
            "ADMIN_2=no assignment of ours",
            "# as a reader",
            "curl -H \"Authorization: Bearer $READER\" http://127.0.0.1:3000/a#b  # expect 200",
            "press Ctrl-C to stop",
        ])
        .unwrap();
        assert!(transcript.is_complete());
        assert_eq!(transcript.assignments, ["READER=eyJ.a=.b"]);
        let [curl] = transcript.curls.as_slice() else { panic!("{transcript:?}") };
        assert_eq!(curl.expected, "200");
        assert_eq!(
            transcript.script(curl),
            "READER=eyJ.a=.b\n\
             curl -H \"Authorization: Bearer $READER\" http://127.0.0.1:3000/a#b \
             -s -o /dev/null -w '%{http_code}' --max-time 30"
        );
    }

    #[test]
    fn is_incomplete_without_the_last_line() {
        assert!(!read(&["listening on http://127.0.0.1:3000"]).unwrap().is_complete());
    }

    #[test]
    fn rejects_another_first_line() {
        assert!(read(&["hello"]).is_err());
        assert!(read(&["listening on 127.0.0.1:3000"]).is_err());
    }

    #[test]
    fn rejects_a_curl_line_without_a_status() {
        for line in ["curl x", "curl x # expect", "curl x # expect 2000", "curl x # expect ok!"] {
            assert!(read(&["listening on http://127.0.0.1:3000", line]).is_err(), "{line}");
        }
    }
}
