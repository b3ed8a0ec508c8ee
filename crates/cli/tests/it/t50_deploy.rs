//! What `deploy/` shows is what the binaries take.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use renkei_launch::beside;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

/// The file with its commented keys in force: `# [section]` and `# key = value`.
fn uncommented(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || is_assignment(rest) => rest.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(|text| line(text) + "\n").collect()
}

fn is_assignment(text: &str) -> bool {
    let key = |key: &str| key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    text.split_once(" = ").is_some_and(|(name, _)| key(name))
}

#[test]
fn every_configuration_is_taken_with_its_commented_keys_too() {
    let dir = tempfile::tempdir().unwrap();
    for (role, binary) in [("node", "renkei-node"), ("vault", "renkei-vault")] {
        let shown = fs::read_to_string(deploy().join(format!("{role}.toml"))).unwrap();
        let whole = uncommented(&shown);
        assert_ne!(whole, shown, "{role} shows keys with their defaults");
        let mut printed = Vec::new();
        for (name, text) in [("shown", shown), ("whole", whole)] {
            let path = dir.path().join(format!("{role}-{name}.toml"));
            fs::write(&path, text).unwrap();
            let ran = Command::new(beside(binary).unwrap()).arg("--config").arg(&path).arg("--print-config").output();
            let ran = ran.unwrap();
            assert!(ran.status.success(), "{role} {name}: {}", String::from_utf8_lossy(&ran.stderr));
            let text = String::from_utf8(ran.stdout).unwrap();
            let values: toml::Table = text.parse().unwrap();
            printed.push(values);
        }
        // A commented value is the default, and a comment that lies is worse than none. The endpoint has no default.
        let [shown, whole] = printed.as_mut_slice() else { panic!("two were printed") };
        for values in [shown, whole] {
            values.remove("trace");
        }
        assert_eq!(printed[0], printed[1], "{role}");
    }
}

#[test]
fn every_unit_starts_its_own_role_and_gives_nothing_away() {
    for role in ["node", "vault"] {
        let unit = fs::read_to_string(deploy().join(format!("systemd/renkei-{role}.service"))).unwrap();
        let lines: Vec<&str> = unit.lines().collect();
        for wanted in [
            &*format!("ExecStart=/usr/bin/renkei-{role} --config /etc/renkei/{role}.toml"),
            &*format!("User=renkei-{role}"),
            &*format!("StateDirectory=renkei-{role}"),
            "CapabilityBoundingSet=",
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "ProtectProc=invisible",
            "LimitCORE=0",
            "UMask=0077",
        ] {
            assert!(lines.contains(&wanted), "{role}: {wanted}");
        }
    }
}
