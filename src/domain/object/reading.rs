//! Which members of an object are read; all others are skipped.

use std::borrow::Cow;

use crate::domain::json::{Cursor, JsonError, Read, members};

use super::{
    Annotations, Container, IMAGES, ImageVolume, Labels, MIRROR, Metadata, Object, OwnerReference,
    PINNED, REVISION, SKIP, SecretName, Spec, Template, Text, UNPINNED, Volume,
};

members!(Object { "metadata" => metadata, "spec" => spec, "template" => template });
members!(Metadata {
    "name" => name,
    "generateName" => generate_name,
    "namespace" => namespace,
    "deletionTimestamp" => deletion_timestamp,
    "annotations" => annotations,
    "labels" => labels,
    "ownerReferences" => owner_references,
} and |found| found.present = true);
members!(Template { "metadata" => metadata, "spec" => spec });
members!(OwnerReference {
    "apiVersion" => api_version,
    "kind" => kind,
    "name" => name,
    "uid" => uid,
    "controller" => controller,
});
members!(Spec {
    "containers" => containers,
    "initContainers" => init_containers,
    "ephemeralContainers" => ephemeral_containers,
    "volumes" => volumes,
    "imagePullSecrets" => image_pull_secrets,
    "serviceAccountName" => service_account_name,
    "template" => template,
    "jobTemplate" => job_template,
});
members!(Container { "name" => name, "image" => image, "imagePullPolicy" => image_pull_policy });
members!(Volume { "name" => name, "image" => image });
members!(ImageVolume { "reference" => reference, "pullPolicy" => pull_policy });
members!(SecretName { "name" => name });

impl<'a> Read<'a> for Text<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, JsonError> {
        cursor.text().map(Text)
    }
}

impl<'a> Read<'a> for Annotations<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, JsonError> {
        let mut found = Self {
            present: true,
            ..Self::default()
        };
        each_text(cursor, |key, value| {
            found.bytes += key.len() + value.len();
            match key {
                IMAGES => found.images = Some(value),
                UNPINNED => found.unpinned = Some(value),
                SKIP => found.skip = Some(value),
                MIRROR => found.mirror = true,
                _ => {}
            }
        })?;
        Ok(found)
    }
}

impl<'a> Read<'a> for Labels<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, JsonError> {
        let mut found = Self {
            present: true,
            ..Self::default()
        };
        each_text(cursor, |key, value| match key {
            PINNED => found.pinned = Some(value),
            REVISION => found.revision = Some(value),
            _ => {}
        })?;
        Ok(found)
    }
}

/// Reads a map of texts; a null counts as an empty one.
fn each_text<'a>(
    cursor: &mut Cursor<'a>,
    mut take: impl FnMut(&str, Cow<'a, str>),
) -> Result<(), JsonError> {
    cursor.object(|cursor, key| {
        let Text(value) = cursor.value()?;
        take(key, value);
        Ok(())
    })
}
