//! What the tests share: a broker on loopback with its own development organisations.
