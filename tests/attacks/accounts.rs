//! Locks, tools, core dumps and names that another account could use against root.
