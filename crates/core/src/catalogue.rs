//! The catalogue of purposes as it ships.
