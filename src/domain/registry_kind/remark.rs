//! What is said of a `Registry` and its Secret: where, what is wrong, and what to do.

use std::fmt;

use smol_str::SmolStr;

/// What something is about: a field of the spec, or a key of the credential Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `spec.host`
    Host,
    /// `spec.loginServer`
    LoginServer,
    /// `spec.url`
    Url,
    /// `spec.owner`
    Owner,
    /// `spec.account`
    Account,
    /// `spec.region`
    Region,
    /// A key of the Secret.
    Key(SmolStr),
}

/// Why it cannot work, in one line: what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{about}: {text}")]
pub struct Problem {
    /// Where.
    pub about: Field,
    /// What.
    pub text: String,
}

/// What somebody should know or look at, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Where.
    pub about: Field,
    /// What.
    pub text: String,
}

// === impl Problem, Hint, Field ===

impl Problem {
    pub(super) fn new(about: Field, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { about, text }
    }
}

impl Hint {
    pub(super) fn new(about: Field, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { about, text }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.about, self.text)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("spec.host"),
            Self::LoginServer => f.write_str("spec.loginServer"),
            Self::Url => f.write_str("spec.url"),
            Self::Owner => f.write_str("spec.owner"),
            Self::Account => f.write_str("spec.account"),
            Self::Region => f.write_str("spec.region"),
            Self::Key(key) => write!(f, "key {key} of the Secret"),
        }
    }
}
