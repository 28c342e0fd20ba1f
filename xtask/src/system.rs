//! Running other programs.

use std::{
    io::{self, BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

/// Runs a command to its end, with the output passed through.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    println!("$ {}", shown(command));
    let status = command.status().map_err(|error| format!("{}: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", shown(command))) }
}

/// Runs a command to its end, with the output passed through, and returns its standard output.
pub(crate) fn run_and_read(command: &mut Command) -> Result<String, String> {
    let shown = shown(command);
    println!("$ {shown}");
    let told = |error: io::Error| format!("{shown}: {error}");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(told)?;
    let mut text = String::new();
    for line in child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines()) {
        let line = line.map_err(told)?;
        println!("{line}");
        text += &line;
        text.push('\n');
    }
    let status = child.wait().map_err(told)?;
    if status.success() { Ok(text) } else { Err(format!("{shown}: {status}")) }
}

/// Runs a command to its end and returns what it wrote to standard output.
pub(crate) fn read(command: &mut Command) -> Result<String, String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{}: {error}", shown(command)))?;
    if !output.status.success() {
        return Err(format!("{}: {}", shown(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{}: {error}", shown(command)))
}

/// The first line that a program answers to a question like `--version`, if the program is there.
pub(crate) fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    text.lines().next().map(str::to_owned)
}

/// Installs Debian packages where that is possible without asking: on Debian, as root.
pub(crate) fn apt_install(packages: &[&str]) -> Result<(), String> {
    if !Path::new("/etc/debian_version").exists() || answer("id", &["-u"]).as_deref() != Some("0") {
        return Err("not root on a Debian system".to_owned());
    }
    let install = || {
        let mut command = Command::new("apt-get");
        command.args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages);
        run(command.env("DEBIAN_FRONTEND", "noninteractive"))
    };
    install().or_else(|_| {
        run(Command::new("apt-get").args(["update", "-qq"]))?;
        install()
    })
}

/// The command line, with the program's name alone.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or_default().to_string_lossy()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy()));
    words.join(" ")
}
