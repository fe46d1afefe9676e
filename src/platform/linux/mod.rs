//! Linux: its account tools. Compiles everywhere; runs what it runs through
//! [`Commands`](super::command::Commands).

pub mod account_tools;
pub mod image;
pub mod ipc;
