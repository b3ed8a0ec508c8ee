use std::fs;

use serde::Deserialize;

use super::*;

/// A service's configuration with one of each shape.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sample {
    node: NodeSection,
    #[serde(default)]
    peers: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct NodeSection {
    id: u32,
    cloud: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    fast: bool,
}

impl Config for Sample {
    fn validate(&self) -> Result<(), InvalidConfig> {
        if self.node.id == 0 {
            return Err(InvalidConfig { key: "node.id", rule: "must be at least 1" });
        }
        Ok(())
    }
}

const BASE: &str = r#"
    [admin]
    address = "127.0.0.1:9001"
    [tls]
    certificate = "c"
    key = "k"
    ca = "a"
    [node]
    id = 1
    cloud = "ab"
"#;

fn load_from(files: &[&str], environment: &[(&str, &str)], set: &[&str]) -> Result<Loaded<Sample>, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let config = files
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let path = dir.path().join(format!("{index}.toml"));
            fs::write(&path, text).unwrap();
            path
        })
        .collect();
    let args = Args { config, set: set.iter().map(ToString::to_string).collect(), ..Args::default() };
    load("node", &args, environment.iter().map(|(name, value)| (name.into(), value.into())))
}

#[test]
fn later_layers_override_earlier_ones_key_by_key() {
    let second = "[node]\ncloud = \"cd\"\n[peers]\n1 = \"h:1\"";
    let third = [("RENKEI_NODE_NODE__ID", "7"), ("RENKEI_NODE_PEERS__2", "h:2"), ("RENKEI_VAULT_NODE__ID", "9")];
    let loaded = load_from(&[BASE, second], &third, &["node.id=8", "node.fast=true"]).unwrap();
    assert_eq!(loaded.service.node.id, 8);
    assert_eq!(loaded.service.node.cloud, "cd");
    assert!(loaded.service.node.fast);
    assert_eq!(loaded.service.peers.len(), 2);
    assert_eq!(loaded.origins["node.id"], Origin::Flag);
    assert_eq!(loaded.origins["peers.2"], Origin::Environment("RENKEI_NODE_PEERS__2".into()));
    assert!(matches!(&loaded.origins["node.cloud"], Origin::File(path) if path.ends_with("1.toml")));
}

#[test]
fn an_unknown_key_is_refused_by_name_and_origin() {
    let error = load_from(&[BASE, "[node]\nidd = 2"], &[], &[]).unwrap_err();
    assert!(error.to_string().contains("`node.idd` (file"), "{error}");
    let error = load_from(&[BASE], &[("RENKEI_NODE_NODE__IDD", "2")], &[]).unwrap_err();
    assert!(error.to_string().contains("`node.idd` (environment variable RENKEI_NODE_NODE__IDD)"), "{error}");
    let error = load_from(&[BASE], &[], &["nodes.id=2"]).unwrap_err();
    assert!(error.to_string().contains("`nodes` (flag --set)"), "{error}");
    // The shell's sections refuse theirs themselves.
    let error = load_from(&[BASE], &[], &["admin.adress=1"]).unwrap_err();
    assert!(crate::Chain(&error).to_string().contains("adress"), "{}", crate::Chain(&error));
    let error = load_from(&[BASE], &[("RENKEI_NODE_FOO", "1")], &[]).unwrap_err();
    assert!(error.to_string().contains("`foo`"), "{error}");
}

#[test]
fn broken_rules_and_missing_keys_are_named() {
    let error = load_from(&[BASE], &[], &["node.id=0"]).unwrap_err();
    assert!(matches!(&error, ConfigError::Invalid { source } if source.key == "node.id"), "{error}");
    let error = load_from(&[BASE], &[], &["admin.address=10.0.0.1:1"]).unwrap_err();
    assert!(matches!(&error, ConfigError::Invalid { source } if source.key == "admin.address"), "{error}");
    let error = load_from(&["[admin]\naddress = \"127.0.0.1:1\""], &[], &[]).unwrap_err();
    assert!(crate::Chain(&error).to_string().contains("tls"), "{}", crate::Chain(&error));
}

#[test]
fn ids_stay_text_and_numbers_become_numbers() {
    for id in ["1e10", "0012", "00000000000000000000000000000001", "+5", "1.0", "abc", "99999999999999999999"] {
        let loaded = load_from(&[BASE], &[], &[&format!("node.cloud={id}")]).unwrap();
        assert_eq!(loaded.service.node.cloud, id);
    }
    let loaded = load_from(&[BASE], &[], &["node.cloud=\"12\"", "node.tags=[\"a\", \"b\"]"]).unwrap();
    assert_eq!((loaded.service.node.cloud.as_str(), loaded.service.node.tags.len()), ("12", 2));
    let loaded = load_from(&[BASE], &[], &["peers.3=[fd00::1]:7001"]).unwrap();
    assert_eq!(loaded.service.peers["3"], "[fd00::1]:7001");
}

#[test]
fn malformed_assignments_are_refused() {
    for set in ["node.id", "=1", ".id=1", "node..id=1", "node.=1", "node.tags=[1"] {
        assert!(load_from(&[BASE], &[], &[set]).is_err(), "{set}");
    }
    let error = load_from(&[BASE], &[], &["node.id.deep=1"]).unwrap_err();
    assert!(matches!(error, ConfigError::NotASection { .. }), "{error}");
}

#[test]
fn files_that_are_missing_too_long_or_no_toml_are_refused() {
    let args = Args { config: vec!["/nonexistent/x.toml".into()], ..Args::default() };
    assert!(matches!(load::<Sample>("node", &args, []), Err(ConfigError::Read { .. })));
    let limit = usize::try_from(layers::MAX_FILE_BYTES).unwrap();
    assert!(matches!(load_from(&[&"#".repeat(limit + 1)], &[], &[]), Err(ConfigError::TooLong { .. })));
    assert!(matches!(load_from(&["node = ["], &[], &[]), Err(ConfigError::Parse { .. })));
}

#[test]
fn what_is_printed_can_be_read_and_is_the_same() {
    let printed = load_from(&[BASE], &[], &["node.id=8", "peers.1=h:1"]).unwrap().print().unwrap();
    assert!(printed.contains("# node.id: flag --set"), "{printed}");
    assert!(printed.contains("grace_ms = 10000"), "defaults are shown: {printed}");
    let again = load_from(&[&printed], &[], &[]).unwrap();
    assert_eq!(again.service.node.id, 8);
    assert_eq!(again.print().unwrap().lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>(), {
        printed.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>()
    });
}
