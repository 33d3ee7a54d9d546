//! Certificates of organisations: the development authority and the reading of certificates.
