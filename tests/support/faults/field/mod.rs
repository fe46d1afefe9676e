//! Hosts as people have them: faults and healthy forms by kind. Inputs are reworded from public
//! repositories, issue threads and documents.

pub mod boot;
pub mod manager;
pub mod mounts;
pub mod process;
pub mod running;
pub mod settings;
pub mod shared;
pub mod start;
pub mod sudo;
pub mod workdir;
pub mod wrapper;
