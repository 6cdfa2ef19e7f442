//! The migrations are part of the binary: a new file has to rebuild it.

use std::io::{Write, stdout};

fn main() -> std::io::Result<()> {
    writeln!(stdout(), "cargo:rerun-if-changed=../migrations")
}
