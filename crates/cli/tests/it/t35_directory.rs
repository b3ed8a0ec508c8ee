//! `renkei admin directory`: from officers' keys to a directory that is held, and the next one with a denial.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use renkei_access::{Held, InstitutionKind, Officers, SignedDirectory, VerifyingKey, name_hash};
use renkei_directory::{DirectoryRpc, Keeper};
use renkei_ids::{Clock as _, DirectoryVersion};
use renkei_launch::{Authority, Leaf, Role, SystemClock};
use renkei_runtime::{Admit, Http2, Shell, Tls, bind, serve_grpc};
use renkei_wire::Refusal;

use crate::renkei::{Ran, profile, renkei};
use crate::world::CLOUD;

const CELL: &str = "ce11ce11ce11ce11ce11ce11ce11ce11";

#[derive(Debug, Default)]
struct Shelf(Mutex<Option<Arc<Held>>>);

#[tonic::async_trait]
impl Keeper for Shelf {
    fn held(&self) -> Option<Arc<Held>> {
        self.0.lock().unwrap().clone()
    }

    async fn take(&self, directory: SignedDirectory) -> Result<(), Refusal> {
        let mut held = self.0.lock().unwrap();
        *held = Some(Arc::new(Held::succeed(directory, held.as_deref(), SystemClock::new().now())?));
        Ok(())
    }
}

/// Files of one ceremony.
struct Files {
    dir: tempfile::TempDir,
    authority: Authority,
}

impl Files {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::development(&dir.path().join("certs"), SystemClock::new().now()).unwrap();
        Self { dir, authority }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn issue(&self, role: Role, name: &str) -> renkei_launch::TlsFiles {
        self.authority.issue(&Leaf::local(CLOUD, role, name, SystemClock::new().now())).unwrap()
    }

    /// Runs `renkei` with words of which those that begin with `@` are files of this ceremony.
    fn run(&self, line: &str) -> Ran {
        let word = |word: &str| match word.strip_prefix('@') {
            Some(name) => self.path(name).to_str().unwrap().to_owned(),
            None => word.to_owned(),
        };
        renkei(line.split(' ').map(word))
    }

    fn done(&self, line: &str) -> serde_json::Value {
        let ran = self.run(&format!("--json {line}"));
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
        ran.json()
    }

    /// A layout of one cloud and one cell.
    fn lay_out(&self) {
        let gateway = self.issue(Role::Gateway, "cell").certificate;
        let layout = format!(
            "registrars = [\"{}\"]\n\
             [[clouds]]\nid = \"{CLOUD}\"\nepoch = 1\n\
             [[cells]]\nid = \"{CELL}\"\ncloud = \"{CLOUD}\"\ngateways = [{gateway:?}]\ncommitments = \"{}\"\n",
            "0a".repeat(32),
            "0b".repeat(32),
        );
        std::fs::write(self.path("layout.toml"), layout).unwrap();
    }
}

fn serve(files: &Files, shelf: &Arc<Shelf>, officers: Officers) -> SocketAddr {
    let clock = Arc::new(SystemClock::new());
    let tls = Tls::load(&files.issue(Role::Vault, "1"), clock.clone()).unwrap();
    let shell = Shell::new("vault", clock, tls);
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let admit = Admit { cloud: Some(CLOUD), roles: &[Role::Operator] };
    let service = DirectoryRpc::server(Arc::clone(shelf) as Arc<dyn Keeper>, officers, shell.clock());
    serve_grpc(&shell, "vault", listener, shell.tls().server(admit), Http2::CALLS, service);
    address
}

fn officers(files: &Files) -> Officers {
    let key = |name: &str| {
        let made = files.done(&format!("certs officer @{name}.key"));
        VerifyingKey::from_hex(made["public"].as_str().unwrap()).unwrap()
    };
    Officers::new(2, ["one", "two", "three"].map(key).to_vec()).unwrap()
}

/// Officers one and two sign what lies in `next`, and it is put together in `signed`.
fn sign(files: &Files, against: &str) {
    for officer in ["one", "two"] {
        files.done(&format!(
            "admin directory sign --directory @next --against @{against} --key @{officer}.key --output @next.{officer}"
        ));
    }
    files.done("admin directory combine @next.one @next.two --output @signed");
}

fn forget(files: &Files, names: &[&str]) {
    names.iter().for_each(|name| std::fs::remove_file(files.path(name)).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn officers_enrol_an_institution_and_deny_it() {
    let files = Files::new();
    files.lay_out();
    files.issue(Role::Institution, "clinic");
    files.issue(Role::Operator, "admin");
    let shelf = Arc::<Shelf>::default();
    let vault = serve(&files, &shelf, officers(&files));
    let operator = profile(&files.path("certs"), "operator-admin", &[vault.to_string()]);
    let publish = format!("admin directory publish --directory @signed --config {}", operator.display());
    let files = &files;
    tokio::task::block_in_place(|| {
        files.done("admin directory lay-out --layout @layout.toml --output @first");
        let enrolled = files.done(&format!(
            "admin enroll-institution --directory @first --output @next --name clinic --kind clinic --visits 40 \
             --cell {CELL} --certificate @certs/institution-clinic.pem"
        ));
        assert_eq!(enrolled["changes"].as_array().unwrap().len(), 1, "{enrolled}");
        sign(files, "first");
        assert_eq!(files.done(&publish)["version"], 2);
    });
    let held = shelf.held().unwrap();
    let [clinic] = &held.directory().entries().institutions[..] else { panic!("one institution") };
    assert_eq!((clinic.kind, clinic.name), (InstitutionKind::Clinic, name_hash("clinic")));
    assert!(!held.directory().denies_institution(clinic.id));

    tokio::task::block_in_place(|| {
        // From what the vault holds now.
        forget(files, &["next", "next.one", "next.two", "signed"]);
        files.done(&format!("admin directory show --config {} --output @current", operator.display()));
        files.done(&format!("admin deny --directory @current --output @next --institution {}", clinic.id));
        sign(files, "current");
        assert_eq!(files.done(&publish)["version"], 3);
        // The same once more is harmless, and with one signature it is refused.
        assert_eq!(files.done(&publish)["version"], 3);
        forget(files, &["next", "signed"]);
        files.done(&format!("admin allow-again --directory @next.one --output @next --institution {}", clinic.id));
        files.done("admin directory sign --directory @next --key @three.key --output @signed");
        let refused = files.run(&publish);
        assert_eq!(refused.code, 1, "{}", refused.err);
        assert!(refused.err.contains("directory_invalid"), "{}", refused.err);
    });
    let held = shelf.held().unwrap();
    assert_eq!(held.directory().version(), DirectoryVersion(3));
    assert!(held.directory().denies_institution(clinic.id));
}

#[test]
fn what_makes_no_directory_is_usage_and_leaves_no_file() {
    let files = Files::new();
    files.lay_out();
    files.issue(Role::Institution, "clinic");
    files.done("admin directory lay-out --layout @layout.toml --output @first");
    let enrol = |more: &str| {
        let line = "admin enroll-institution --directory @first --output @next --name clinic --kind clinic --visits 40";
        files.run(&format!("{line} {more}"))
    };
    let unknown = "00".repeat(16);
    let cases = [
        enrol(&format!("--cell {unknown} --certificate @certs/institution-clinic.pem")),
        enrol(&format!("--cell {CELL} --certificate @certs/gateway-cell.pem")),
        enrol(&format!("--cell {CELL} --certificate @layout.toml")),
        enrol(&format!("--cell {CELL} --certificate @certs/institution-clinic.pem --institution {unknown}")),
        files.run(&format!("admin deny --directory @first --output @next --institution {unknown}")),
        files.run(&format!("admin allow-again --directory @first --output @next --cell {CELL}")),
        files.run("admin deny --directory @first --output @next"),
        files.run("admin directory sign --directory @layout.toml --key @one.key --output @next"),
        files.run("admin directory sign --directory @first --key @layout.toml --output @next"),
        files.run("admin directory lay-out --layout @layout.toml --output @first"),
    ];
    for (place, ran) in cases.iter().enumerate() {
        assert_eq!(ran.code, 2, "{place}: {}", ran.err);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{place}");
    }
    assert!(!Path::new(&files.path("next")).exists());
}

#[test]
fn an_officers_key_can_be_sealed_and_is_never_replaced() {
    let files = Files::new();
    files.lay_out();
    files.done("admin directory lay-out --layout @layout.toml --output @first");
    let secret = files.path("secret");
    std::fs::write(&secret, [7; 32]).unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(files.done("certs officer @one.key --secret @secret")["sealed"], true);
    let sign = "admin directory sign --directory @first --key @one.key --output @next";
    assert_eq!(files.run(sign).code, 2);
    files.done(&format!("{sign} --secret @secret"));
    assert_eq!(files.run("certs officer @one.key").code, 2);
}

#[test]
fn the_layout_that_deploy_shows_is_taken() {
    let files = Files::new();
    files.issue(Role::Gateway, "one");
    files.issue(Role::Gateway, "two");
    let shown = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/directory-layout.toml");
    std::fs::copy(shown, files.path("layout.toml")).unwrap();
    let laid_out = files.done("admin directory lay-out --layout @layout.toml --output @first");
    assert_eq!(laid_out["cells"].as_array().unwrap().len(), 2, "{laid_out}");
}

#[test]
fn an_actor_is_signed_within_her_logins_life_and_by_no_officers_key() {
    let files = Files::new();
    let key = files.done("certs actors @actors.key");
    let key = VerifyingKey::from_hex(key["public"].as_str().unwrap()).unwrap();
    let line = format!("sign-actor --key @actors.key --cloud {CLOUD} --institution {CELL} --actor dr-1 --step-up");
    files.done(&format!("{line} --minutes 60 --output @actor"));
    let signed = renkei_access::SignedActor::from_bytes(std::fs::read(files.path("actor")).unwrap().into());
    let actor = signed.verify(&[key]).unwrap();
    assert_eq!((actor.name.as_str(), actor.login), ("dr-1", renkei_access::Login::StepUp));
    for more in ["--minutes 61 --output @late", "--role surgeon --output @late", "--output @actor"] {
        assert_eq!(files.run(&format!("{line} {more}")).code, 2, "{more}");
    }
    files.done("certs officer @officer.key");
    let by_officer = line.replace("@actors.key", "@officer.key");
    assert_eq!(files.run(&format!("{by_officer} --output @other")).code, 2);
}
