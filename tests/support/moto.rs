//! moto's server, which answers as AWS does.

use std::time::Duration;

use super::http_client::HttpClient;
use super::parts;
use super::process::{Process, Program};
use super::scratch::Scratch;

/// Python takes its time.
const START: Duration = Duration::from_mins(1);

/// The login that it makes for ECR, whoever asks with whatever keys: of its one account.
pub const LOGIN: (&str, &str) = ("AWS", "123456789012-auth-token");

pub struct Moto {
    url: String,
    process: Process,
    scratch: Scratch,
}

impl Moto {
    /// Listens on this address and port.
    pub fn start(address: &str, port: u16) -> Self {
        let scratch = Scratch::new("moto");
        let program = Program::new("moto", parts::program("moto_server"));
        let mut process = program
            .args(["-H", address, "-p", &port.to_string()])
            .start(scratch.path());
        let host = format!("{address}:{port}");
        process.ready(START, |_| {
            HttpClient::plain().get(&host, "/moto-api/").ok().map(drop)
        });
        Self {
            url: format!("http://{host}"),
            process,
            scratch,
        }
    }

    /// What the variables of AWS' SDKs want: `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }
}
