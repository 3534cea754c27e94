//! Asking the person at the terminal, and reading a password that a script hands over.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use anyhow::{Context as _, bail};
use zeroize::Zeroizing;

/// The longest password that is read from stdin, in bytes: as much as a Secret may hold.
const LONGEST: u64 = 1 << 20;

/// Whether a person can be asked: they see the question and can type the answer.
#[must_use]
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a line, with the answer that Enter alone gives.
///
/// # Errors
/// If the terminal is gone.
pub async fn line(question: &str, default: &str) -> anyhow::Result<String> {
    let question = match default {
        "" => format!("{question}: "),
        default => format!("{question} [{default}]: "),
    };
    let asked = tokio::task::spawn_blocking(move || {
        let mut out = anstream::stderr().lock();
        out.write_all(question.as_bytes())?;
        out.flush()?;
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer)?;
        Ok::<_, io::Error>((read, answer))
    });
    let (read, answer) = asked.await?.context("the terminal cannot be read")?;
    if read == 0 {
        bail!("the terminal was closed before the last question was answered");
    }
    Ok(match answer.trim() {
        "" => default.to_owned(),
        answer => answer.to_owned(),
    })
}

/// Asks for a line until there is one.
///
/// # Errors
/// If the terminal is gone.
pub async fn some_line(question: &str) -> anyhow::Result<String> {
    loop {
        let answer = line(question, "").await?;
        if !answer.is_empty() {
            return Ok(answer);
        }
    }
}

/// Asks whether to do something; Enter alone means no.
///
/// # Errors
/// If the terminal is gone.
pub async fn agrees(question: &str) -> anyhow::Result<bool> {
    let answer = line(&format!("{question} (y/N)"), "").await?;
    Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Asks for a password, which the terminal does not show.
///
/// # Errors
/// If the terminal is gone, or nothing was typed.
pub async fn password(question: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let question = format!("{question}: ");
    let asked = tokio::task::spawn_blocking(move || rpassword::prompt_password(question));
    let password = asked.await?.context("no password was typed")?;
    let password = Zeroizing::new(password.into_bytes());
    if password.is_empty() {
        bail!("no password was typed");
    }
    Ok(password)
}

/// The password on stdin, without one line break at its end.
///
/// # Errors
/// If stdin is a terminal, cannot be read, or is longer than any password.
pub fn password_from_stdin() -> anyhow::Result<Zeroizing<Vec<u8>>> {
    if io::stdin().is_terminal() {
        bail!("--password-stdin reads what is piped in; leave it out to be asked for the password");
    }
    let mut password = Zeroizing::new(Vec::new());
    let mut stdin = io::stdin().lock().take(LONGEST + 1);
    stdin
        .read_to_end(&mut password)
        .context("stdin cannot be read")?;
    if password.len() as u64 > LONGEST {
        bail!("what stdin holds is no password: it has more than {LONGEST} bytes");
    }
    for end in [b"\n", b"\r"] {
        if password.ends_with(end) {
            password.pop();
        }
    }
    Ok(password)
}

/// A line for the person that the command goes on after.
///
/// # Errors
/// If stderr is gone.
pub fn warn(text: &str) -> io::Result<()> {
    writeln!(anstream::stderr(), "warning: {text}")
}
