//! `cotter certs`: certificates for a local run.

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;

use crate::tls::{leaf::Host, local};

/// Make a CA and a server certificate for a local run, or keep those that are good.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  cotter certs --host cotter.example.test --host 10.0.0.5")]
pub struct Certs {
    /// Where they are kept.
    #[arg(
        long,
        env = "COTTER_CERTS_DIR",
        value_name = "DIR",
        default_value = "certs"
    )]
    pub dir: PathBuf,
    /// A DNS name or address that callers use, besides localhost and its addresses. May be given again.
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<Host>,
}

/// Makes what is missing and tells where everything is.
///
/// # Errors
///
/// If the directory cannot be used or stdout is gone.
pub fn run(args: Certs) -> anyhow::Result<ExitCode> {
    let Certs { dir, hosts: more } = args;
    let mut hosts = local::loopback();
    hosts.extend(more);
    let made = local::ensure(&dir, &hosts, Timestamp::now())
        .with_context(|| format!("cannot keep certificates in {}", dir.display()))?;
    let names: Vec<_> = hosts.iter().map(Host::to_string).collect();
    let mut out = anstream::stdout();
    writeln!(out, "CA           {}", made.ca.display())?;
    writeln!(out, "certificate  {}", made.files.cert.display())?;
    writeln!(out, "key          {}", made.files.key.display())?;
    writeln!(out, "for          {}", names.join(", "))?;
    writeln!(out)?;
    writeln!(out, "caBundle of a webhook configuration:")?;
    writeln!(out, "  base64 < {} | tr -d '\\n'", made.ca.display())?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::{Parser, error::ErrorKind};

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        certs: Certs,
    }

    #[test]
    fn more_hosts_are_added_to_those_of_this_machine() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("certs");
        let line = [
            "certs",
            "--host",
            "cotter.test",
            "--dir",
            dir.to_str().unwrap(),
        ];
        let cli = Cli::try_parse_from(line).unwrap();
        assert_eq!(run(cli.certs).unwrap(), ExitCode::SUCCESS);
        let (ca, leaf) = ("ca.pem", "tls.pem");
        let read = |name| std::fs::read_to_string(dir.join(name)).unwrap();
        let hosts = [local::loopback(), vec!["cotter.test".parse().unwrap()]].concat();
        let judged =
            crate::tls::leaf::leaf_needs_renewal(&read(leaf), &read(ca), &hosts, Timestamp::now());
        assert_eq!(judged, None);
    }

    #[test]
    fn a_host_that_is_none_is_refused_by_name() {
        let refused = Cli::try_parse_from(["certs", "--host", "https://x"]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ValueValidation);
        assert!(
            refused
                .to_string()
                .contains("`https://x` is not a DNS name")
        );
    }
}
