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
