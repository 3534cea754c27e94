//! What a person reads: on standard output, in colour at a terminal.

use std::{
    fmt::Display,
    io::{self, Write as _},
    time::Duration,
};

use anstream::{AutoStream, stdout};

use crate::diff::{Line, Sign};

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// Columns of a paragraph.
const WIDTH: usize = 96;
/// Figures of a digest that tell two builds apart, as in cotter's own warnings.
const FIGURES: usize = 12;

/// The page, written from top to bottom.
pub(crate) struct Page {
    // It leaves colours out where there is no terminal, or where NO_COLOR is set.
    out: AutoStream<io::Stdout>,
    has_whole_digest: bool,
}

impl Page {
    pub(crate) fn new() -> Self {
        Self {
            out: stdout(),
            has_whole_digest: false,
        }
    }

    /// A line. Who closes the pipe has read enough, so errors are no news.
    pub(crate) fn line(&mut self, line: impl Display) {
        let _ = writeln!(self.out, "{line}");
    }

    pub(crate) fn heading(&mut self, text: &str) {
        self.line(format_args!("{BOLD}{text}{PLAIN}"));
    }

    /// `name   text`, for the header.
    pub(crate) fn fact(&mut self, name: &str, text: &str) {
        self.line(format_args!("  {DIM}{name:<10}{PLAIN}{text}"));
    }

    /// The first line of one admission.
    pub(crate) fn admission(&mut self, title: &str, source: &str, took: Duration) {
        let took = milliseconds(took);
        self.line(format_args!(
            "\n{BOLD}{title}{PLAIN}  {DIM}{source} · {took}{PLAIN}"
        ));
    }

    /// A paragraph below it.
    pub(crate) fn paragraph(&mut self, text: &str) {
        for line in wrapped(text, WIDTH) {
            self.line(format_args!("  {DIM}{line}{PLAIN}"));
        }
    }

    /// What has changed.
    pub(crate) fn diff(&mut self, lines: &[Line]) {
        for Line { sign, text } in lines {
            let text = self.shortened(text);
            match sign {
                Sign::Way => self.line(format_args!("    {DIM}  {text}{PLAIN}")),
                Sign::Removed => self.line(format_args!("    {RED}- {text}{PLAIN}")),
                Sign::Added => self.line(format_args!("    {GREEN}+ {text}{PLAIN}")),
            }
        }
    }

    pub(crate) fn warning(&mut self, text: &str) {
        self.line(format_args!("    {YELLOW}Warning:{PLAIN} {text}"));
    }

    pub(crate) fn denial(&mut self, text: &str) {
        let mut lines = wrapped(text, WIDTH).into_iter();
        let first = lines.next().unwrap_or_default();
        self.line(format_args!("    {RED}Denied:{PLAIN} {first}"));
        for line in lines {
            self.line(format_args!("            {line}"));
        }
    }

    pub(crate) fn mistake(&mut self, text: &str) {
        self.line(format_args!("    {RED}NOT AS IT SHOULD BE:{PLAIN} {text}"));
    }

    /// The first digest is shown whole, the records that repeat it are not, and end at the page's edge.
    fn shortened(&mut self, text: &str) -> String {
        let is_record = text.contains("cotter.dev/");
        if !self.has_whole_digest && !is_record && text.contains("@sha256:") {
            self.has_whole_digest = true;
            return text.to_owned();
        }
        let short = short_digests(text);
        if is_record { cut(&short, WIDTH) } else { short }
    }
}

/// `14 ms`, and `1.4 ms` below ten.
pub(crate) fn milliseconds(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    let places = usize::from(millis < 10.0);
    format!("{millis:.places$} ms")
}

/// `…@sha256:` and the first figures of each digest.
fn short_digests(text: &str) -> String {
    const ALGORITHM: &str = "@sha256:";
    let mut parts = text.split(ALGORITHM);
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(part.len());
        let (figures, rest) = part.split_at(end);
        short.push_str(ALGORITHM);
        match figures.get(..FIGURES).filter(|_| figures.len() > FIGURES) {
            Some(first) => short.extend([first, "…"]),
            None => short.push_str(figures),
        }
        short.push_str(rest);
    }
    short
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_cut_and_nothing_else() {
        let digest = "4f0c".repeat(16);
        let text = format!("{{a@sha256:{digest}, b@sha256:{digest}}} c:dev");
        assert_eq!(
            short_digests(&text),
            "{a@sha256:4f0c4f0c4f0c…, b@sha256:4f0c4f0c4f0c…} c:dev"
        );
        assert_eq!(short_digests("a:dev"), "a:dev");
        assert_eq!(short_digests("a@sha256:4f"), "a@sha256:4f");
    }

    #[test]
    fn paragraphs_are_wrapped_between_words() {
        assert_eq!(wrapped("aa bb cc", 5), ["aa bb", "cc"]);
    }

    #[test]
    fn short_times_have_a_fraction() {
        assert_eq!(milliseconds(Duration::from_micros(1440)), "1.4 ms");
        assert_eq!(milliseconds(Duration::from_micros(14_400)), "14 ms");
    }
}
