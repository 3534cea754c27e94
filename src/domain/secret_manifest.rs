//! The Secret that `kubectl create secret docker-registry` makes, byte for byte (kubectl 1.33: `create_secret_docker.go`,
//! its printers, and `pkg/util/hash`).

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::docker_config::SecretType;

/// The server that kubectl takes where none is named.
pub const DEFAULT_SERVER: &str = "https://index.docker.io/v1/";

const KIND: &str = "Secret";
const TYPE: &str = "kubernetes.io/dockerconfigjson";

/// A pull secret to be written.
#[derive(Clone)]
pub struct SecretManifest {
    name: String,
    namespace: Option<String>,
    /// The value under `.dockerconfigjson`.
    content: Zeroizing<Vec<u8>>,
}

/// The value under `.dockerconfigjson` for one login. An empty `email` is left out.
#[must_use]
pub fn docker_config_json(
    server: &str,
    username: &str,
    password: &[u8],
    email: &str,
) -> Zeroizing<Vec<u8>> {
    let mut pair = Zeroizing::new(Vec::with_capacity(username.len() + 1 + password.len()));
    for part in [username.as_bytes(), b":", password] {
        pair.extend_from_slice(part);
    }
    let auth = Zeroizing::new(BASE64_STANDARD.encode(&*pair));
    let mut json = String::from("{\"auths\":{");
    quote(server.as_bytes(), &mut json);
    json.push_str(":{\"username\":");
    quote(username.as_bytes(), &mut json);
    json.push_str(",\"password\":");
    quote(password, &mut json);
    if !email.is_empty() {
        json.push_str(",\"email\":");
        quote(email.as_bytes(), &mut json);
    }
    json.push_str(",\"auth\":");
    quote(auth.as_bytes(), &mut json);
    json.push_str("}}}");
    Zeroizing::new(json.into_bytes())
}

// === impl SecretManifest ===

impl SecretManifest {
    /// A pull secret with this content, in a namespace if one is named.
    #[must_use]
    pub fn new(name: &str, namespace: Option<&str>, content: Zeroizing<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
            content,
        }
    }

    /// The same with a hash of its content behind its name, so that a changed one has another name.
    #[must_use]
    pub fn with_hash(mut self) -> Self {
        let hash = self.hash();
        let _ = write!(self.name, "-{hash}");
        self
    }

    /// The Secret's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands under `.dockerconfigjson`. Never log it.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// As `-o yaml` prints it: members in alphabetical order.
    #[must_use]
    pub fn yaml(&self) -> Zeroizing<String> {
        let mut yaml = String::from("apiVersion: v1\ndata:\n");
        let key = SecretType::DockerConfigJson.data_key();
        let _ = writeln!(yaml, "  {key}: {}", *yaml_text(&self.coded()));
        let _ = writeln!(yaml, "kind: {KIND}\nmetadata:\n  creationTimestamp: null");
        let _ = writeln!(yaml, "  name: {}", *yaml_text(&self.name));
        if let Some(namespace) = &self.namespace {
            let _ = writeln!(yaml, "  namespace: {}", *yaml_text(namespace));
        }
        let _ = writeln!(yaml, "type: {TYPE}");
        Zeroizing::new(yaml)
    }

    /// As `-o json` prints it: members in the order of Go's struct, four spaces.
    #[must_use]
    pub fn json(&self) -> Zeroizing<String> {
        let mut json = format!(
            "{{\n    \"kind\": \"{KIND}\",\n    \"apiVersion\": \"v1\",\n    \"metadata\": {{\n        \"name\": "
        );
        quote(self.name.as_bytes(), &mut json);
        if let Some(namespace) = &self.namespace {
            json.push_str(",\n        \"namespace\": ");
            quote(namespace.as_bytes(), &mut json);
        }
        json.push_str(",\n        \"creationTimestamp\": null\n    },\n    \"data\": {\n        ");
        quote(
            SecretType::DockerConfigJson.data_key().as_bytes(),
            &mut json,
        );
        json.push_str(": ");
        quote(self.coded().as_bytes(), &mut json);
        let _ = write!(json, "\n    }},\n    \"type\": \"{TYPE}\"\n}}\n");
        Zeroizing::new(json)
    }

    fn coded(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64_STANDARD.encode(&*self.content))
    }

    /// kubectl's: ten figures of the SHA-256 of kind, name, type and data, in letters that spell no words.
    fn hash(&self) -> String {
        const LENGTH: usize = 10;
        let mut json = Zeroizing::new(String::from("{\"data\":{"));
        quote(
            SecretType::DockerConfigJson.data_key().as_bytes(),
            &mut json,
        );
        json.push(':');
        quote(self.coded().as_bytes(), &mut json);
        json.push_str("},\"kind\":\"Secret\",\"name\":");
        quote(self.name.as_bytes(), &mut json);
        let _ = write!(json, ",\"type\":\"{TYPE}\"}}");
        let mut hash = String::new();
        for byte in Sha256::digest(json.as_bytes()) {
            let _ = write!(hash, "{byte:02x}");
        }
        let letter = |c| match c {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            other => other,
        };
        hash.chars().take(LENGTH).map(letter).collect()
    }
}

impl std::fmt::Debug for SecretManifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("SecretManifest");
        shown
            .field("name", &self.name)
            .field("namespace", &self.namespace);
        shown.finish_non_exhaustive()
    }
}

/// A JSON string as Go's `encoding/json` writes it: safe to stand in HTML and JavaScript, a `\ufffd` for each byte that is
/// no UTF-8.
fn quote(text: &[u8], json: &mut String) {
    json.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => json.push_str("\\\""),
                '\\' => json.push_str("\\\\"),
                '\u{8}' => json.push_str("\\b"),
                '\u{c}' => json.push_str("\\f"),
                '\n' => json.push_str("\\n"),
                '\r' => json.push_str("\\r"),
                '\t' => json.push_str("\\t"),
                '\0'..'\u{20}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    let _ = write!(json, "\\u{:04x}", u32::from(c));
                }
                c => json.push(c),
            }
        }
        for _ in chunk.invalid() {
            json.push_str("\\ufffd");
        }
    }
    json.push('"');
}

/// A scalar as kubectl's YAML writer writes it, for the texts that occur here: base64 and names of objects.
fn yaml_text(text: &str) -> Zeroizing<String> {
    Zeroizing::new(if text.is_empty() || means_something_else(text) {
        format!("\"{text}\"")
    } else {
        text.to_owned()
    })
}

/// Whether YAML 1.1 or 1.2 would read the text as something else than a text.
fn means_something_else(text: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "y", "yes", "on", "n", "no", "off"];
    let lower = text.to_ascii_lowercase();
    let in_one_case = [
        lower.clone(),
        text.to_ascii_uppercase(),
        capitalised(&lower),
    ];
    let is_word = WORDS.contains(&lower.as_str()) && in_one_case.iter().any(|form| form == text);
    is_word || is_number(text) || is_date(text)
}

fn capitalised(lower: &str) -> String {
    let mut letters = lower.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// An integer in Go's notations, underscores included, or a decimal fraction.
fn is_number(text: &str) -> bool {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return false;
    }
    let plain = text.replace('_', "");
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let radix = |prefixes: [&str; 2], radix| {
        let digits = prefixes.iter().find_map(|p| unsigned.strip_prefix(p));
        digits
            .is_some_and(|digits| !digits.is_empty() && u64::from_str_radix(digits, radix).is_ok())
    };
    if radix(["0x", "0X"], 16) || radix(["0b", "0B"], 2) || radix(["0o", "0O"], 8) {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent_is_one = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent_is_one
        && digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
}

/// `2024-01-31`, also without zeros in front.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let short = |text: &str| (1..=2).contains(&text.len()) && digits(text);
    let of = |text: &str| text.parse::<i8>().unwrap_or_default();
    let date = |year| jiff::civil::Date::new(year, of(month), of(day));
    let shaped = year.len() == 4 && digits(year) && short(month) && short(day);
    shaped && year.parse().is_ok_and(|year| date(year).is_ok())
}
