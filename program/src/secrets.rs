//! Secrets come in files, so that no process list and no environment dump shows them. Whoever reads one says which
//! variable names its file: a file that cannot be used is complained of by both, and never by what is in it.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};

/// The whole text of a file, as it is.
pub fn read(path: &Path, variable: &str) -> anyhow::Result<SecretString> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}, the file named by {variable}", path.display()))?;
    Ok(SecretString::from(text))
}

/// A secret that is a text; space around it does not matter.
pub fn text(path: &Path, variable: &str) -> anyhow::Result<SecretString> {
    let text = read(path, variable)?;
    let secret = text.expose_secret().trim();
    ensure!(!secret.is_empty(), "{}, the file named by {variable}, is empty", path.display());
    Ok(SecretString::from(secret))
}

/// A key: the base64 of 32 bytes; space around it does not matter.
pub fn key(path: &Path, variable: &str) -> anyhow::Result<[u8; 32]> {
    let text = read(path, variable)?;
    let bytes = BASE64_STANDARD.decode(text.expose_secret().trim()).ok();
    let key: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.try_into().ok());
    key.with_context(|| format!("{} ({variable}) is not the base64 of 32 bytes", path.display()))
}

#[cfg(test)]
mod tests {
    use std::{env, path::PathBuf, process};

    use super::*;

    const VARIABLE: &str = "PERDURA_SOME_FILE";

    struct File(PathBuf);

    impl File {
        fn with(name: &str, text: &str) -> Self {
            let path = env::temp_dir().join(format!("perdura-service-{name}-{}", process::id()));
            fs::write(&path, text).unwrap();
            Self(path)
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _already_gone = fs::remove_file(&self.0);
        }
    }

    #[test]
    fn space_around_a_secret_does_not_matter() {
        let file = File::with("text", " a word \n");
        assert_eq!(text(&file.0, VARIABLE).unwrap().expose_secret(), "a word");
        assert_eq!(read(&file.0, VARIABLE).unwrap().expose_secret(), " a word \n");
        let file = File::with("key", "\tAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
        let bytes: Vec<u8> = (0..32).collect();
        assert_eq!(key(&file.0, VARIABLE).unwrap(), bytes[..]);
    }

    #[test]
    fn what_cannot_be_used_is_named_and_not_shown() {
        let (empty, wrong) = (File::with("empty", " \n"), File::with("wrong", "d29yZA=="));
        let nowhere = PathBuf::from("/nowhere/at-all");
        for (complaint, path, why) in [
            (text(&empty.0, VARIABLE).unwrap_err(), &empty.0, "is empty"),
            (key(&empty.0, VARIABLE).unwrap_err(), &empty.0, "is not the base64 of 32 bytes"),
            (key(&wrong.0, VARIABLE).unwrap_err(), &wrong.0, "is not the base64 of 32 bytes"),
            (text(&nowhere, VARIABLE).unwrap_err(), &nowhere, "cannot read"),
        ] {
            let complaint = format!("{complaint:#}");
            for part in [VARIABLE, &path.display().to_string(), why] {
                assert!(complaint.contains(part), "{part}: {complaint}");
            }
            assert!(!complaint.contains("d29yZA"), "{complaint}");
        }
    }
}
