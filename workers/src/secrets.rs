//! Secrets come in files, so that no process list and no environment dump shows them.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use secrecy::SecretString;

/// The secret in the file that `variable` names.
pub(crate) fn secret(path: &Path, variable: &str) -> anyhow::Result<SecretString> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}, the file named by {variable}", path.display()))?;
    let secret = text.trim();
    ensure!(!secret.is_empty(), "{}, the file named by {variable}, is empty", path.display());
    Ok(SecretString::from(secret))
}
