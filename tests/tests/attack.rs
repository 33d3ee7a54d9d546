//! What somebody may try, and what must come of it: the right refusal, and a broker that serves on.

/// The tests, by what they are about.
mod attack {
    mod anchors;
    mod certificates;
    mod doctor;
    mod every_key;
    mod flood;
    mod matrix;
    mod messages;
    mod roles;
    mod rotation;
    mod stop;
}
