//! Windows: accounts, rights and scheduled tasks, through programs of the system. Compiles
//! everywhere; runs what it runs through [`Commands`](super::command::Commands).

pub mod account_tools;
pub mod powershell;
pub mod rights;
pub mod tasks;
