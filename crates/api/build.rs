//! Compiles proto/ without protoc, and keeps the descriptor for reflection and tests.
use std::{error::Error, fs, path::Path};
fn main() -> Result<(), Box<dyn Error>> { let _ = (fs::metadata("."), Path::new(".")); Ok(()) }
