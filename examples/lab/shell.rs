//! A shell inside the lab.

use std::{
    path::Path,
    process::{Command, ExitCode},
};

use crate::{
    story::ENVIRONMENT,
    support::node::sandbox::{self, FOLDER},
};

/// Runs a command in the lab, or an interactive shell, with kubectl, helm and crane set up.
pub(crate) fn shell(command: Option<&str>) -> Result<ExitCode, String> {
    let folder = Path::new(FOLDER);
    let init = std::fs::read_to_string(folder.join("init.pid"));
    let environment = folder.join(ENVIRONMENT);
    let Ok(init) = init.as_deref().map(str::trim) else {
        return Err("no lab runs; make lab starts one".to_owned());
    };
    if !sandbox::is_running() || !environment.exists() {
        return Err("no lab runs; make lab starts one".to_owned());
    }
    let here = std::env::current_dir().map_err(|error| error.to_string())?;
    let mut nsenter = Command::new("nsenter");
    nsenter.args(["--target", init, "--mount", "--net", "--pid"]);
    nsenter.args(["sh", "-c", ENTER, "shell"]);
    nsenter.args([here.as_path(), environment.as_path()]);
    nsenter.args(command);
    let ended = nsenter
        .status()
        .map_err(|error| format!("nsenter: {error}"))?;
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

const ENTER: &str = r#"
cd "$1"; . "$2"
[ $# -gt 2 ] && exec sh -c "$3"
command -v bash >/dev/null && exec bash --rcfile "$2" -i
exec sh -i
"#;
