//! A terminal with a person at it.

use std::{
    io::{Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{home::Home, support::wait};

const PATIENCE: Duration = Duration::from_secs(20);

/// A shell line at a terminal of its own, by `script` of util-linux. The terminal echoes what is typed unless the program
/// says otherwise.
pub struct Terminal {
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Arc<Mutex<String>>,
    /// How much of the screen was waited for already.
    seen: usize,
}

/// Ends the test, as passed, where `script` cannot give a terminal.
macro_rules! terminal {
    ($home:expr, $line:expr) => {{
        fn here() {}
        if $crate::support::parts::find("script").is_none() {
            $crate::support::parts::skip(std::any::type_name_of_val(&here), "script of util-linux");
            return;
        }
        $crate::terminal::Terminal::open($home, $line)
    }};
}
pub(crate) use terminal;

impl Terminal {
    pub fn open(home: &Home, line: &str) -> Self {
        let mut child = Command::new("script")
            .args(["-q", "-e", "-f", "-E", "always", "-c", line, "/dev/null"])
            .env_clear()
            .env("PATH", home.search_path())
            .env("HOME", home.path())
            .env("TERM", "dumb")
            .current_dir(home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (keyboard, mut output) = (child.stdin.take(), child.stdout.take().unwrap());
        let screen = Arc::new(Mutex::new(String::new()));
        let shown = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                shown.lock().unwrap().push_str(&text);
            }
        });
        Self {
            child,
            keyboard,
            screen,
            seen: 0,
        }
    }

    /// Waits for a question and types an answer.
    pub fn answer(&mut self, question: &str, answer: &str) {
        let screen = self.screen.clone();
        let seen = self.seen;
        let at = || {
            let screen = screen.lock().unwrap();
            let at = screen.get(seen..)?.find(question)?;
            Some(seen + at + question.len())
        };
        let started = std::time::Instant::now();
        self.seen = loop {
            if let Some(at) = at() {
                break at;
            }
            let shown = self.screen();
            assert!(
                started.elapsed() < PATIENCE,
                "waited for {question:?}:\n{shown}"
            );
            std::thread::sleep(Duration::from_millis(20));
        };
        // The program has asked; that it has also silenced the terminal takes it a moment.
        std::thread::sleep(Duration::from_millis(200));
        let keyboard = self.keyboard.as_mut().unwrap();
        keyboard.write_all(answer.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    pub fn screen(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    /// The exit code, and all that the terminal has shown.
    pub fn end(mut self) -> (i32, String) {
        let child = &mut self.child;
        let status = wait::until("the program's end", PATIENCE, || child.try_wait().unwrap());
        std::thread::sleep(Duration::from_millis(100));
        (status.code().unwrap_or(-1), self.screen())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.keyboard.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
