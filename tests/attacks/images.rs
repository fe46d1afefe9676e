//! Images and existing installs that lead out of their root, and certificates that are keys.
