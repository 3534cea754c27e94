//! What is asked of the person who runs the command, where no flag says it.

use anyhow::bail;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{DEFAULT_NAME, PullSecret};
use crate::{
    cli::{names, terminal},
    domain::{
        registry_type::{self, About, Finding, Login, Severity},
        secret_manifest::DEFAULT_SERVER,
    },
};

/// Completes server and user, and gives the password: from stdin, or from the person.
///
/// # Errors
/// With the flag that is missing where nobody can be asked.
pub(super) async fn login(args: &mut PullSecret, asks: bool) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    if asks {
        if args.server.is_none() {
            args.server = Some(terminal::line("Registry", DEFAULT_SERVER).await?);
        }
        if args.username.is_none() {
            args.username = Some(user(args.server.as_deref().unwrap_or_default()).await?);
        }
        return terminal::password("Password or token (not shown)").await;
    }
    let mut missing = Vec::new();
    if args.username.is_none() {
        missing.push("--username USER");
    }
    if !args.password_stdin {
        missing.push("--password-stdin (with the password piped in)");
    }
    if !missing.is_empty() {
        bail!(
            "missing: {}; without a terminal nobody can be asked; or take a login from Docker with \
             --from-docker-config",
            missing.join(", ")
        );
    }
    terminal::password_from_stdin()
}

/// Asks for the user until one can work with the server.
async fn user(server: &str) -> anyhow::Result<String> {
    loop {
        let username = terminal::some_line("User").await?;
        let login = Login {
            server,
            username: &username,
            // What is wrong with it is told when it is known.
            password: b"-",
        };
        let found = registry_type::check(&login, Timestamp::now());
        let is_wrong = |f: &&Finding| f.about == About::Username && f.severity == Severity::Error;
        match found.iter().find(is_wrong) {
            Some(wrong) => terminal::warn(&wrong.text)?,
            None => return Ok(username),
        }
    }
}

/// Completes namespace, name, and the image to test with.
///
/// # Errors
/// If the terminal is gone.
pub(super) async fn rest(args: &mut PullSecret) -> anyhow::Result<()> {
    if args.namespace.is_none() {
        let question = if args.apply {
            "Namespace (Enter: that of the kubeconfig)"
        } else {
            "Namespace (Enter: none)"
        };
        args.namespace = checked(question, "", names::namespace).await?;
    }
    if args.name.is_none() {
        args.name = checked("Name", DEFAULT_NAME, names::secret).await?;
    }
    if args.test.is_none() {
        let image = terminal::line("Test it now? With which image (Enter: no test)", "").await?;
        args.test = Some(image).filter(|image| !image.is_empty());
    }
    Ok(())
}

/// Asks until the answer is one.
async fn checked(
    question: &str,
    default: &str,
    check: fn(&str) -> Result<String, String>,
) -> anyhow::Result<Option<String>> {
    loop {
        let answer = terminal::line(question, default).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        match check(&answer) {
            Ok(answer) => return Ok(Some(answer)),
            Err(why) => terminal::warn(&why)?,
        }
    }
}
