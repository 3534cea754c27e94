//! Docker's `config.json` as a text in which one login changes and all else stays as it is, byte for byte.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use serde::{
    Deserialize as _,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::docker::DockerConfig;
use crate::{cli::files, domain::go_json::names_field};

/// The file, and its text as it is now.
pub struct DockerFile {
    path: PathBuf,
    text: Zeroizing<String>,
}

/// A member of an object, and where its value stands.
struct Member {
    name: String,
    start: usize,
    end: usize,
}

/// An object in a text: where it begins, and its members.
struct Object {
    /// Behind its brace.
    inside: usize,
    members: Vec<Member>,
}

// === impl DockerFile ===

impl DockerFile {
    /// Reads the file. One that is not there is empty.
    ///
    /// # Errors
    /// If it cannot be read, or is not UTF-8.
    pub fn read(path: PathBuf) -> anyhow::Result<Self> {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let said = format!("{} cannot be read; check its permissions", path.display());
                return Err(anyhow::Error::new(error).context(said));
            }
        };
        let Ok(text) = String::from_utf8(bytes) else {
            bail!(
                "{} is not UTF-8; correct it, or move the file away",
                path.display()
            );
        };
        Ok(Self {
            path,
            text: Zeroizing::new(text),
        })
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it means.
    ///
    /// # Errors
    /// If Docker would not read it.
    pub fn parse(&self) -> anyhow::Result<DockerConfig> {
        DockerConfig::read(self.path.clone(), self.text.as_bytes())
    }

    /// Writes `entry` as the login of `server`, for its owner's eyes only.
    ///
    /// # Errors
    /// If the file cannot be changed or written.
    pub fn set(&mut self, server: &str, entry: &str) -> anyhow::Result<()> {
        let changed = with_login(&self.text, server, entry);
        let changed =
            changed.with_context(|| format!("{} has no place for a login", self.path.display()))?;
        self.write(changed)
    }

    /// Takes the login of `server` out; `false` if there was none.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn remove(&mut self, server: &str) -> anyhow::Result<bool> {
        let Some(changed) = without_login(&self.text, server) else {
            return Ok(false);
        };
        self.write(changed)?;
        Ok(true)
    }

    fn write(&mut self, text: Zeroizing<String>) -> anyhow::Result<()> {
        if *text == *self.text {
            return Ok(());
        }
        if let Some(dir) = self.path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            make_private(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        }
        files::replace_private(&self.path, text.as_bytes())?;
        self.text = text;
        Ok(())
    }
}

/// Docker's own directory is its owner's alone.
fn make_private(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// The text with `entry` for `server` under `auths`.
fn with_login(text: &str, server: &str, entry: &str) -> Option<Zeroizing<String>> {
    let name = Zeroizing::new(serde_json::to_string(server).ok()?);
    let member = Zeroizing::new(format!("\n\t\t{}: {entry}", *name));
    if text.trim().is_empty() {
        return Some(splice(
            "",
            0,
            0,
            &format!("{{\n\t\"auths\": {{{}\n\t}}\n}}\n", *member),
        ));
    }
    let document = Object::at(text, 0)?;
    let Some(auths) = document.last("auths", names_field) else {
        let new = Zeroizing::new(format!("\n\t\"auths\": {{{}\n\t}}", *member));
        return Some(document.insert(text, &new));
    };
    let Some(logins) = Object::at(text, auths.start) else {
        let new = Zeroizing::new(format!("{{{}\n\t}}", *member));
        return Some(splice(text, auths.start, auths.end, &new));
    };
    Some(match logins.last(server, |name, server| name == server) {
        Some(login) => splice(text, login.start, login.end, entry),
        None => logins.insert(text, &member),
    })
}

/// The text without the logins of `server` under `auths`; `None` where there is none.
fn without_login(text: &str, server: &str) -> Option<Zeroizing<String>> {
    let document = Object::at(text, 0)?;
    let auths = document.last("auths", names_field)?;
    let logins = Object::at(text, auths.start)?;
    let index = logins
        .members
        .iter()
        .rposition(|login| login.name == server)?;
    let login = logins.members.get(index)?;
    let before = index
        .checked_sub(1)
        .and_then(|index| logins.members.get(index));
    let (start, end) = if let Some(before) = before {
        (before.end, login.end)
    } else {
        let behind = text.get(login.end..)?;
        let comma = behind.find(|c: char| !c.is_ascii_whitespace());
        let comma = comma.filter(|at| behind.as_bytes().get(*at) == Some(&b','));
        (logins.inside, login.end + comma.map_or(0, |at| at + 1))
    };
    Some(splice(text, start, end, ""))
}

fn splice(text: &str, start: usize, end: usize, new: &str) -> Zeroizing<String> {
    let (before, after) = (
        text.get(..start).unwrap_or_default(),
        text.get(end..).unwrap_or_default(),
    );
    Zeroizing::new([before, new, after].concat())
}

// === impl Object ===

impl Object {
    /// The object that begins at `start` or behind the space there; `None` if it is none.
    fn at(text: &str, start: usize) -> Option<Self> {
        let rest = text.get(start..)?;
        let brace = rest.find(|c: char| !c.is_ascii_whitespace())?;
        if rest.as_bytes().get(brace) != Some(&b'{') {
            return None;
        }
        let mut reader = serde_json::Deserializer::from_str(rest);
        let Members(members) = Members::deserialize(&mut reader).ok()?;
        let place = |(name, value): (String, &RawValue)| {
            let value = value.get();
            // The value is a part of the text, not a copy.
            let start = value.as_ptr() as usize - text.as_ptr() as usize;
            Member {
                name,
                start,
                end: start + value.len(),
            }
        };
        Some(Self {
            inside: start + brace + 1,
            members: members.into_iter().map(place).collect(),
        })
    }

    /// The last member of a name, which is the one that counts.
    fn last(&self, name: &str, same: fn(&str, &str) -> bool) -> Option<&Member> {
        self.members.iter().rfind(|member| same(&member.name, name))
    }

    /// The text with a new first member.
    fn insert(&self, text: &str, member: &str) -> Zeroizing<String> {
        let comma = if self.members.is_empty() { "\n" } else { "," };
        splice(text, self.inside, self.inside, &format!("{member}{comma}"))
    }
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
#[path = "docker_file/tests.rs"]
mod tests;
