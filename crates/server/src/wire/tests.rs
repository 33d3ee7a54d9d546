//! Tests of all conversions together.

mod arbitrary;
mod entries;
mod refusals;
mod rendering;
mod round_trips;
