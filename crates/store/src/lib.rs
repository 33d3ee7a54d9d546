//! The effects of Schakel: the log, the keyring, the view and the search indexes on disk.
