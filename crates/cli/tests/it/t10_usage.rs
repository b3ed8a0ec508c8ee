//! What is refused before anything is sent.

use crate::renkei::renkei;

#[test]
fn help_shows_the_exit_codes_and_ends_well() {
    for flag in ["-h", "--help"] {
        let ran = renkei([flag]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("Exit codes:\n  0  done"), "{}", ran.out);
    }
}

#[test]
fn a_wrong_command_line_and_missing_files_are_usage() {
    let cases: [&[&str]; 9] = [
        &["no-such-command"],
        &["admin", "bootstrap"],
        &["admin", "status", "--node", "127.0.0.1:1"],
        &["admin", "status", "--config", "nonexistent/operator.toml"],
        &["timeline", "--patient", "unused", "--actor", "dr-1", "--from", "2026-13"],
        &["timeline", "--patient", "unused", "--actor", "dr-1", "--kind", "letter"],
        &["audit", "list", "--patient", "nonexistent/patient", "--actor", "dr-1"],
        &["get", "a1", "--patient", "unused", "--actor", "dr-1", "--output", "unused"],
        &["certs", "dev", "unused", "--cloud", "short", "--issue", "node/1"],
    ];
    for arguments in cases {
        let ran = renkei(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{arguments:?}");
    }
}
