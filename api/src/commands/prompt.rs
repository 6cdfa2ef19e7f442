//! A secret from whoever types it, unseen, or from a line of standard input.

use std::io::{BufRead, IsTerminal, Read, Stdin, Write, stderr, stdin};

use anyhow::ensure;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use workflows::domain::Confidential;

/// No secret is longer than this many bytes.
const LONGEST: u64 = 1024;

/// A secret. Who types it is asked twice, for he does not see what he types.
pub(super) fn secret(name: &str) -> anyhow::Result<Confidential> {
    if !stdin().is_terminal() {
        return line(&mut stdin().lock());
    }
    let unseen = Unseen::begin()?;
    let secret = ask(&unseen, name)?;
    let again = ask(&unseen, &format!("{name}, once more"))?;
    ensure!(secret.expose() == again.expose(), "the two are not the same");
    Ok(secret)
}

fn ask(unseen: &Unseen, what: &str) -> anyhow::Result<Confidential> {
    write!(stderr(), "{what}: ")?;
    stderr().flush()?;
    line(&mut unseen.terminal.lock())
}

fn line(input: &mut impl BufRead) -> anyhow::Result<Confidential> {
    let mut text = String::new();
    input.by_ref().take(LONGEST).read_line(&mut text)?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(Confidential::new(text))
}

/// The terminal, not showing what is typed until this is dropped.
struct Unseen {
    terminal: Stdin,
    before: Termios,
}

impl Unseen {
    fn begin() -> anyhow::Result<Self> {
        let terminal = stdin();
        let before = tcgetattr(&terminal)?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        unseen.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Flush, &unseen)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // There is nobody left to tell that a terminal is gone.
        let _gone = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        line(&mut text.as_bytes()).unwrap().expose().to_owned()
    }

    #[test]
    fn one_line_is_the_secret() {
        for text in ["0468\n", "0468\r\n", "0468", "0468\nmore\n"] {
            assert_eq!(read(text), "0468", "{text:?}");
        }
        assert_eq!(read(" 0468 \n"), " 0468 ", "nothing else is taken away");
        assert_eq!(read(&"0".repeat(2000)).len(), 1024);
        assert!(line(&mut [0xff, b'\n'].as_slice()).is_err());
    }
}
