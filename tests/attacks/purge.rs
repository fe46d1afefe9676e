//! What an uninstall removes, and what it says of it.
