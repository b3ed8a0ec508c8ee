//! What a registrar makes of a synthetic country: one binary, a file for each topic.

mod world;

mod links;
