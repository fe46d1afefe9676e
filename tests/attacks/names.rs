//! Names that an account wrote: paths, accounts and URLs in its configuration.
