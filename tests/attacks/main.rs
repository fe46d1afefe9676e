//! Attacks by accounts without privilege on what root does with this tool: each was seen to work on
//! an earlier version, and none may work again. One file for each kind of attack.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]
#![allow(unreachable_pub)]

#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod allowed;
mod anything;
mod bases;
mod commands;
mod fleet;
mod folders;
mod group;
mod homes;
mod images;
mod installs;
mod names;
mod opened;
mod output;
mod outside;
mod pasted;
mod places;
mod planted;
mod processes;
mod purge;
mod reads;
mod receipts;
mod rooted;
mod rows;
mod saved;
mod sources;
mod stage;
mod strangers;
mod table;
mod told;
mod trap;
mod trial;
