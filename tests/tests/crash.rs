//! The broker killed, and its disk damaged: what was acknowledged stays, what is wrong is refused.

/// The tests, by what they are about.
mod crash {
    mod damage;
    mod kill;
}
