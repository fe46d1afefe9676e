//! The terminal's own settings: kept as they were found, and put back whatever happens.

/// The settings of the terminal at standard input, as they were.
#[cfg(unix)]
#[derive(Debug, Clone)]
pub struct Terminal(rustix::termios::Termios);

#[cfg(unix)]
mod unix {
    use super::Terminal;
    use rustix::{
        stdio::stdin,
        termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr},
    };

    impl Terminal {
        /// `None` where standard input is no terminal.
        pub fn found() -> Option<Self> {
            tcgetattr(stdin()).ok().map(Self)
        }

        /// Shows nothing of what is typed, and hands on every key at once. What was typed ahead
        /// stays unseen too, which matters for a token that was pasted.
        pub fn hush(&self) {
            let mut quiet = self.0.clone();
            quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON);
            let _ = tcsetattr(stdin(), OptionalActions::Now, &quiet);
        }

        /// Puts everything back.
        pub fn restore(&self) {
            let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
        }
    }
}

/// Whether the terminal at standard output, or at standard error, understands escape sequences:
/// every one of Unix does as far as its `TERM` says so.
#[cfg(unix)]
pub fn takes_escapes(_is_error: bool) -> bool {
    true
}

/// Whether the console at standard output, or at standard error, understands escape sequences.
/// That of Windows Server 2016 and later does once it is told to; in its "legacy" form, and
/// before, it prints them.
#[cfg(not(unix))]
pub fn takes_escapes(is_error: bool) -> bool {
    // Nothing is printed: the console is asked what it understands.
    #[expect(clippy::disallowed_methods)]
    let term = if is_error { console::Term::stderr() } else { console::Term::stdout() };
    term.features().colors_supported()
}

/// On other systems the console library alone steers the terminal, key by key.
#[cfg(not(unix))]
#[derive(Debug, Clone)]
pub struct Terminal;

#[cfg(not(unix))]
impl Terminal {
    /// There is always one to ask.
    pub fn found() -> Option<Self> {
        Some(Self)
    }

    /// Nothing is shown between keys anyway.
    pub fn hush(&self) {}

    /// Nothing was changed.
    pub fn restore(&self) {}
}
