//! Linux: its account tools and systemd. Compiles everywhere; runs what it runs through
//! [`Commands`](super::command::Commands).

pub mod account_tools;
pub mod drop_ins;
pub mod image;
pub mod ipc;
pub mod strange;
pub mod systemd;
pub mod unit_folders;
