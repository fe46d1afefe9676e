//! Attacks by accounts without privilege on what root does with this tool: each was seen to work on
//! an earlier version, and none may work again. One file for each kind of attack.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod images;
mod names;
mod output;
mod processes;
mod purge;
mod table;
