//! What a build is, and what its key files are.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use renkei_ids::{Clock, CloudId};
use renkei_launch::{
    Authority, LaunchError, Leaf, Process, ProcessSpec, READY_TIMEOUT, RaftProfile, ReservedPort, STOP_TIMEOUT,
    VaultSpec, beside, vault_config,
};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, SystemClock, Tls};
use renkei_wire::pb::vault::v1 as pb;
use renkei_wire::{ErrorCode, Refusal, VaultServiceClient};

const CLOUD: CloudId = CloudId::from_bytes([0xC2; 16]);
const INSECURE: bool = cfg!(feature = "dev-insecure");
/// Stands in a binary with the feature only.
const MARKER: &[u8] = b"renkei-vault dev-insecure: patients open by pseudonym, without a ticket";

fn setup(dir: &Path, host_secret: Option<&Path>) -> Output {
    setup_from(dir, host_secret, None)
}

fn setup_from(dir: &Path, host_secret: Option<&Path>, from: Option<(&Path, &Path)>) -> Output {
    let mut command = Command::new(beside("renkei-vault").unwrap());
    command.args(["setup", "--dir"]).arg(dir);
    if let Some(path) = host_secret {
        command.arg("--host-secret").arg(path);
    }
    if let Some((dir, secret)) = from {
        command.arg("--from").arg(dir).arg("--from-secret").arg(secret);
    }
    command.output().unwrap()
}

fn secret_file(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn only_a_build_with_the_feature_holds_the_marker() {
    let binary = fs::read(beside("renkei-vault").unwrap()).unwrap();
    assert_eq!(binary.windows(MARKER.len()).any(|window| window == MARKER), INSECURE);
}

#[test]
fn keys_are_made_once_closed_to_others_and_sealed_unless_the_build_is_insecure() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    assert_eq!(setup(&keys, None).status.success(), INSECURE);
    let host = dir.path().join("host");
    secret_file(&host, &[0x5A; 32]);
    let sealed = dir.path().join("sealed");
    assert!(setup(&sealed, Some(&host)).status.success());
    for name in ["epoch.key", "signing.key"] {
        let path = sealed.join(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\nseal host\n"), "{text}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = fs::read(sealed.join("epoch.key")).unwrap();
    assert!(!setup(&sealed, Some(&host)).status.success(), "a key is never replaced");
    assert_eq!(fs::read(sealed.join("epoch.key")).unwrap(), before);
    secret_file(&host, &[0x5A; 31]);
    assert!(!setup(&dir.path().join("other"), Some(&host)).status.success());
}

/// A vault with sealed keys.
struct Sealed {
    dir: tempfile::TempDir,
    authority: Authority,
    listen: ReservedPort,
    spec: ProcessSpec,
    _admin: ReservedPort,
}

impl Sealed {
    fn new(set: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now = SystemClock::new().now();
        let authority = Authority::development(&dir.path().join("certs"), now).unwrap();
        let tls = authority.issue(&Leaf::local(CLOUD, Role::Vault, "1", now)).unwrap();
        let (listen, admin) = (ReservedPort::take().unwrap(), ReservedPort::take().unwrap());
        let (keys, host, config) = (dir.path().join("keys"), dir.path().join("host"), dir.path().join("vault.toml"));
        secret_file(&host, &[0x5A; 32]);
        assert!(setup(&keys, Some(&host)).status.success());
        let table = vault_config(&VaultSpec {
            id: 1,
            cloud: CLOUD,
            listen: listen.address(),
            admin: admin.address(),
            tls,
            data: dir.path().join("data"),
            memory_mib: 256,
            keys,
            raft: RaftProfile::Lan,
            peers: BTreeMap::new(),
        });
        fs::write(&config, table.to_string()).unwrap();
        let host = format!("keys.host_secret_file={}", host.display());
        let mut args = vec!["--config".into(), config.into_os_string(), "--set".into(), host.into()];
        args.extend(set.iter().flat_map(|text| ["--set".into(), (*text).into()]));
        let logs = dir.path().join("logs");
        let spec = ProcessSpec { binary: "renkei-vault", name: "vault".to_owned(), args, admin: admin.address(), logs };
        Self { dir, authority, listen, spec, _admin: admin }
    }

    fn start(&self) -> Result<Process, LaunchError> {
        let mut process = Process::start(&self.spec)?;
        process.wait_ready(READY_TIMEOUT).map(|()| process)
    }

    /// Has it begin; what was said where it does not.
    fn found(&self) -> Result<(), String> {
        let done = Command::new(beside("renkei-vault").unwrap()).arg("found").args(&self.spec.args).output().unwrap();
        if done.status.success() { Ok(()) } else { Err(String::from_utf8(done.stderr).unwrap()) }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("logs/vault.err")).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_without_the_feature_opens_nobody_without_a_ticket() {
    let sealed = Sealed::new(&[]);
    let mut process = sealed.start().unwrap();
    let clock = Arc::new(SystemClock::new());
    let files = sealed.authority.issue(&Leaf::local(CLOUD, Role::Gateway, "one", clock.now())).unwrap();
    let gateway = Tls::load(&files, clock).unwrap();
    let address: Address = sealed.listen.address().to_string().parse().unwrap();
    let expected = ExpectedPeer { cloud: CLOUD, role: Role::Vault, name: None };
    let mut client = VaultServiceClient::new(gateway.channel(&address, expected, Http2::CALLS));
    let status = client.open_insecure(pb::OpenInsecureRequest::default()).await.err().unwrap();
    let code = Refusal::from_status(&status).unwrap().code;
    assert_eq!(code, if INSECURE { ErrorCode::InvalidArgument } else { ErrorCode::Unimplemented });
    assert!(!sealed.log().contains("UNSEALED KEYS"), "{}", sealed.log());
    assert!(process.stop(STOP_TIMEOUT).unwrap().success());
}

#[test]
fn a_vault_whose_keys_were_changed_does_not_start() {
    let sealed = Sealed::new(&[]);
    let mut process = sealed.start().unwrap();
    sealed.found().unwrap();
    assert!(process.stop(STOP_TIMEOUT).unwrap().success());
    let epoch = sealed.dir.path().join("keys/epoch.key");
    let kept = fs::read(&epoch).unwrap();
    let other = sealed.dir.path().join("other");
    assert!(setup(&other, Some(&sealed.dir.path().join("host"))).status.success());
    for (bytes, said) in [
        (fs::read(other.join("epoch.key")).unwrap(), "does not open the slot keys"),
        (fs::read(other.join("signing.key")).unwrap(), "is not the epoch key"),
        (String::from_utf8(kept.clone()).unwrap().replace("seal host", "seal hose").into(), "is no vault key file"),
    ] {
        fs::write(&epoch, bytes).unwrap();
        assert!(sealed.start().is_err());
        assert!(sealed.log().contains(said), "{said}: {}", sealed.log());
    }
    fs::write(&epoch, kept).unwrap();
    assert!(sealed.start().is_ok());
}

#[test]
fn the_keys_of_the_first_host_are_sealed_anew_for_each_other_host() {
    let dir = tempfile::tempdir().unwrap();
    let [first, way, second] = ["first", "way", "second"].map(|name| dir.path().join(name));
    let [host_1, on_the_way, host_2] = [(1, "host-1"), (2, "way-secret"), (3, "host-2")].map(|(byte, name)| {
        let path = dir.path().join(name);
        secret_file(&path, &[byte; 32]);
        path
    });
    assert!(setup(&first, Some(&host_1)).status.success());
    assert!(setup_from(&way, Some(&on_the_way), Some((&first, &host_1))).status.success());
    let wrong = setup_from(&second, Some(&host_2), Some((&way, &host_1)));
    assert!(!wrong.status.success() && !second.exists(), "another secret opens nothing");
    assert!(setup_from(&second, Some(&host_2), Some((&way, &on_the_way))).status.success());

    let read = |dir: &Path, name: &str| fs::read_to_string(dir.join(name)).unwrap();
    assert_eq!(read(&first, "signing.pub"), read(&second, "signing.pub"));
    for name in ["epoch.key", "signing.key"] {
        assert!(read(&second, name).contains("\nseal host\n"));
        assert!(read(&first, name) != read(&second, name) && read(&way, name) != read(&second, name));
    }
    // The same keys: sealed back for the first host they open the state that they made.
    let sealed = Sealed::new(&[]);
    let mut process = sealed.start().unwrap();
    sealed.found().unwrap();
    assert!(process.stop(STOP_TIMEOUT).unwrap().success());
    let (keys, host) = (sealed.dir.path().join("keys"), sealed.dir.path().join("host"));
    let copy = sealed.dir.path().join("copy");
    assert!(setup_from(&copy, Some(&host), Some((&keys, &host))).status.success());
    assert_ne!(read(&copy, "epoch.key"), read(&keys, "epoch.key"));
    fs::copy(copy.join("epoch.key"), keys.join("epoch.key")).unwrap();
    assert!(sealed.start().is_ok());
}

#[test]
fn a_vault_has_two_peers_or_none_and_is_one_of_them() {
    let three = |own: u32| format!("peers={{ {own} = \"a:1\", 8 = \"b:1\", 9 = \"c:1\" }}");
    for (peers, taken) in
        [(three(1), true), (three(2), false), ("peers={ 1 = \"a:1\", 2 = \"b:1\" }".to_owned(), false)]
    {
        let sealed = Sealed::new(&[&peers]);
        assert_eq!(sealed.start().is_ok(), taken, "{peers}");
        assert_eq!(sealed.log().contains("peers must name three vaults"), !taken, "{}", sealed.log());
    }
}

#[test]
fn an_insecure_build_serves_on_loopback_only() {
    let sealed = Sealed::new(&["listen.address=0.0.0.0:0"]);
    assert_eq!(sealed.start().is_err(), INSECURE);
}
