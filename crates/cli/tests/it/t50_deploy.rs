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
    for (role, binary) in [
        ("node", "renkei-node"),
        ("vault", "renkei-vault"),
        ("gateway", "renkei-gateway"),
        ("keyholder", "renkei-keyholder"),
        ("registrar", "renkei-registrar"),
    ] {
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
    for role in ["node", "vault", "gateway", "keyholder", "registrar"] {
        let unit = fs::read_to_string(deploy().join(format!("systemd/renkei-{role}.service"))).unwrap();
        let lines: Vec<&str> = unit.lines().collect();
        for wanted in [
            &*format!("ExecStart=/usr/bin/renkei-{role} --config /etc/renkei/{role}.toml"),
            &*format!("User=renkei-{role}"),
            "CapabilityBoundingSet=",
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "ProtectProc=invisible",
            "LimitCORE=0",
            "UMask=0077",
        ] {
            assert!(lines.contains(&wanted), "{role}: {wanted}");
        }
        let state = format!("StateDirectory=renkei-{role}");
        assert_eq!(lines.contains(&&*state), role != "gateway", "{role}: a gateway has nothing at rest");
        assert_eq!(
            lines.contains(&"MemorySwapMax=0"),
            role != "node",
            "{role}: keys and plaintext are never swapped out"
        );
        assert_eq!(lines.contains(&"LimitMEMLOCK=infinity"), role != "node", "{role}: what it holds may be locked");
        let sealed = ["vault", "keyholder", "gateway", "registrar"].contains(&role);
        assert_eq!(unit.contains("LoadCredential"), sealed, "{role}: who has key files has a host secret");
    }
}

/// Every key in which a file of secrets is named belongs to the role that the table of `deploy/README.md` gives it to.
#[test]
fn no_role_is_configured_with_a_secret_of_another() {
    let table = fs::read_to_string(deploy().join("README.md")).unwrap();
    for role in ["node", "vault", "gateway", "keyholder", "registrar"] {
        let config: toml::Table = fs::read_to_string(deploy().join(format!("{role}.toml"))).unwrap().parse().unwrap();
        let row = table.lines().find(|line| line.contains(&format!("| `renkei-{role}` |"))).unwrap();
        let held = row.split('|').nth(3).unwrap();
        let mut secrets = Vec::new();
        secret_files(&config, &mut secrets);
        assert!(!secrets.is_empty(), "{role}");
        for secret in &secrets {
            // The name without the number or the name of this one.
            let kind = secret.split_once('-').map_or(secret.as_str(), |(kind, _)| kind);
            assert!(held.contains(&format!("`{kind}")), "{role}: {secret} is not in its row: {held}");
        }
        let sealed = secrets.iter().filter(|name| ["epoch.key", "signing.key"].contains(&name.as_str())).count();
        assert_eq!(sealed, if role == "vault" { 2 } else { 0 }, "{role}: {secrets:?}");
    }
}

/// Names of the files that end in `.key`, in all sections.
fn secret_files(table: &toml::Table, into: &mut Vec<String>) {
    for value in table.values() {
        match value {
            toml::Value::Table(inner) => secret_files(inner, into),
            toml::Value::String(path) if path.ends_with(".key") => {
                into.push(Path::new(path).file_name().unwrap().to_str().unwrap().to_owned());
            }
            _ => {}
        }
    }
}
