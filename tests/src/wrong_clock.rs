//! Programs whose wall clock is wrong.

use std::{
    env,
    path::PathBuf,
    process::{self, Command},
    sync::OnceLock,
};

use stack::{Part, Settings};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clock/wrong_clock.c");

/// Lets a part run with a wall clock that is wrong by so many seconds, ahead or behind.
pub fn with_wrong_clock(settings: Settings, part: Part, seconds: i64) -> Settings {
    settings.env(part, "LD_PRELOAD", library().to_string_lossy()).env(
        part,
        "PERDURA_TEST_CLOCK_WRONG_BY_SECONDS",
        seconds.to_string(),
    )
}

/// Made once by the C compiler that building Perdura needs anyway: the standard library has no clock to exchange.
fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let made = env::temp_dir().join(format!("perdura-wrong-clock-{}.so", process::id()));
        let compiler =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&made).args([SOURCE, "-ldl"]).status();
        assert!(compiler.expect("cc, the C compiler").success(), "{SOURCE} does not compile");
        made
    })
}
