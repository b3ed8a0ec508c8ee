//! The load tester as a process, against real servers.

mod echo;
