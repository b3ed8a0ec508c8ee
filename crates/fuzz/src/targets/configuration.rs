//! Configuration and key files: what is loaded prints as a file that loads to the same, unknown keys are refused, and a key
//! file that was changed opens no key.

use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

use renkei_envelope::{HostSecret, KeyEpoch};
use renkei_gateway::GatewayConfig;
use renkei_runtime::{Args, Config, Loaded, load};
use renkei_vault::VaultConfig;
use renkei_vault::key_file::{Purpose, parse, text};
use tempfile::TempDir;

use crate::input::Input;

const SHELL: &str = "[admin]\naddress = \"127.0.0.1:9001\"\n[tls]\ncertificate = \"c\"\nkey = \"k\"\nca = \"a\"\n";
const GATEWAY: &str = "[gateway]\nname = \"g\"\ncloud = \"0123456789abcdef0123456789abcdef\"\n[listen]\naddress = \"127.0.0.1:1\"\n\
    [vault]\naddresses = [\"v:1\"]\n[nodes]\naddresses = [\"n:1\", \"m:2\"]\n";
const VAULT: &str = "[vault]\nid = 1\ncloud = \"0123456789abcdef0123456789abcdef\"\n[listen]\naddress = \"127.0.0.1:1\"\n\
    [data]\ndir = \"d\"\n[memory]\ntotal_mib = 256\n[keys]\nepoch_file = \"e\"\nsigning_file = \"s\"\n";

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.byte() % 4 {
        0 => key_file(&mut input),
        1 => round::<VaultConfig>("vault", &[VAULT], &mut input),
        _ => round::<GatewayConfig>("gateway", &[GATEWAY], &mut input),
    }
}

fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder for configuration files")).path()
}

fn read<C: Config>(
    role: &str,
    files: &[&str],
    set: Vec<String>,
    variable: Option<(String, String)>,
) -> Option<Loaded<C>> {
    let config = files.iter().enumerate().map(|(number, text)| {
        let path = folder().join(format!("{number}.toml"));
        std::fs::write(&path, text).expect("a configuration file is written");
        path
    });
    let args = Args { config: config.collect(), set, ..Args::default() };
    load(role, &args, variable.map(|(name, value)| (OsString::from(name), OsString::from(value)))).ok()
}

/// A good file, then lines of the input in a second file, in a flag or in a variable.
fn round<C: Config>(role: &str, base: &[&str], input: &mut Input<'_>) {
    let kind = input.byte() % 4;
    let key = String::from_utf8_lossy(input.short(32)).into_owned();
    let rest = String::from_utf8_lossy(input.rest()).into_owned();
    let files: Vec<&str> = [&[SHELL], base].concat();
    let loaded = match kind {
        0 => read::<C>(role, &[&files[..], &[&rest]].concat(), vec![], None),
        1 => read::<C>(role, &files, vec![format!("{key}={rest}")], None),
        2 if rest.contains('\0') => return,
        2 => read::<C>(role, &files, vec![], Some((format!("RENKEI_{}_{key}", role.to_uppercase()), rest))),
        _ => read::<C>(role, &[&rest], vec![], None),
    };
    let Some(loaded) = loaded else { return };
    let printed = loaded.print().expect("what was loaded prints");
    let again = read::<C>(role, &[&printed], vec![], None).expect("what was printed loads");
    let values =
        |text: String| text.lines().filter(|line| !line.starts_with("# ")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(values(again.print().expect("it prints")), values(printed), "what was printed loads as something else");
}

fn key_file(input: &mut Input<'_>) {
    let path = Path::new("epoch.key");
    let host = HostSecret::from_bytes([input.byte(); 32]);
    let (key, epoch) = ([input.byte(); 32], KeyEpoch(1 + u32::from(input.byte())));
    let written = text(Purpose::Epoch, epoch, &key, Some(&host));
    let read = parse(written.as_bytes(), path, Purpose::Epoch, Some(&host)).expect("what was written reads");
    assert!(*read.key == key && read.epoch == epoch && read.sealed);
    assert!(parse(written.as_bytes(), path, Purpose::Signing, Some(&host)).is_err(), "one key is taken for another");
    assert!(parse(written.as_bytes(), path, Purpose::Epoch, None).is_err(), "it opens without the host secret");
    let mut changed = written.as_bytes().to_vec();
    let at = input.below(changed.len());
    let byte = input.byte();
    let same = changed[at].eq_ignore_ascii_case(&byte) || changed[at].is_ascii_whitespace();
    changed[at] = byte;
    if let Ok(read) = parse(&changed, path, Purpose::Epoch, Some(&host)) {
        // Only a build for development takes a file that is sealed to nothing, and it says that it is.
        assert!(same || !read.sealed, "a changed file opens");
    }
    drop(parse(input.rest(), path, Purpose::Epoch, Some(&host)));
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let lines = [
        "[memory]\nrequests_mib = 256\n",
        "[log]\nlevel = \"info\"\n",
        "[nodes]\naddresses = [\"[::1]:7\"]\n",
        "[budgets.open_asker]\nminute = 5\nday = 9\n",
        "[peers]\n1 = \"a:1\"\n2 = \"b:1\"\n3 = \"c:1\"\n",
        "[raft]\nprofile = \"lan\"\n",
        "x = { y = [1, 2.5, 1979-05-27] }\n",
    ];
    let mut seeds: Vec<Vec<u8>> =
        lines.iter().flat_map(|line| [1, 2].map(|role| [&[role, 0, 0][..], line.as_bytes()].concat())).collect();
    let keyed = |role: u8, kind: u8, key: &str, value: &str| {
        let len = u8::try_from(key.len()).expect("short keys");
        [&[role, kind, len][..], key.as_bytes(), value.as_bytes()].concat()
    };
    seeds.push(keyed(2, 1, "memory.requests_mib", "300"));
    seeds.push(keyed(2, 1, "nodes.addresses", "[\"a:1\"]"));
    seeds.push(keyed(1, 2, "VAULT__ID", "2"));
    seeds.push(keyed(1, 2, "OPENINGS__MINUTES", "5"));
    seeds.push([&[2, 3, 0][..], SHELL.as_bytes(), GATEWAY.as_bytes()].concat());
    seeds.push([&[1, 3, 0][..], SHELL.as_bytes(), VAULT.as_bytes()].concat());
    seeds.push(vec![0, 1, 2, 3, 0, 200, b'f', b'r']);
    seeds
}
