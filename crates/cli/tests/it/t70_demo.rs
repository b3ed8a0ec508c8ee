//! `renkei demo` from nothing to its report, and staying for a client until it is interrupted.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::renkei::renkei;

/// A demo begins, ends and reports within it on a machine that does other things too.
const LONGEST: Duration = Duration::from_secs(300);

fn documents(dir: &Path) {
    let vaccination = r#"{"resourceType":"Immunization","status":"completed","vaccineCode":{"text":"planted vaccine of the folder"},"patient":{"reference":"Patient/1"},"occurrenceDateTime":"2026-03-05"}"#;
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(vaccination.as_bytes()).unwrap();
    fs::write(dir.join("one.json.gz"), gz.finish().unwrap()).unwrap();
    fs::write(dir.join("lines.ndjson"), format!("{vaccination}\n\n{{\"photo\"\n")).unwrap();
    fs::write(dir.join("notes.txt"), "no document at all").unwrap();
}

#[test]
fn a_demo_kills_a_leader_loses_nothing_and_leaves_no_plaintext() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(path("documents")).unwrap();
    documents(&dir.path().join("documents"));
    let arguments = ["demo", "--once", "--documents", &path("documents"), "--data", &path("data"), "--json"];
    let ran = renkei(arguments.into_iter().chain([path("out.json").as_str()]));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("UNSEALED KEYS"));
    let report: Value = serde_json::from_slice(&fs::read(path("out.json")).unwrap()).unwrap();
    let number = |key: &str| report[key].as_u64().unwrap();
    assert_eq!(report["refused"], json!({ "malformed_json": 2 }));
    assert_eq!(number("documents_put"), number("identical_readbacks"));
    // Those of the population's documents, a client's patient, one who is misregistered, one for what passes no intake, and
    // one for each document of the folder, which say nothing of whom they are about.
    assert_eq!(number("persons"), 60 + 128 + 3 + 2);
    assert!(number("mints") >= number("persons"), "{report}");
    assert_eq!((number("misregistrations_quarantined"), number("misregistered_tickets")), (2, 0));
    assert_eq!(report["refusals"], json!({ "patient_unknown": 5 }));
    assert_eq!((number("leader_killed"), number("acknowledged_lost"), number("plaintext_hits")), (1, 0, 0));
    assert!(number("plaintext_control_hits") > 0 && number("unavailable_ms") <= 5_000, "{report}");
    assert!(number("acknowledged") >= 2_000 && number("audit_rows") >= number("acknowledged"), "{report}");

    let tokens = fs::read_to_string(path("data/tokens.txt")).unwrap();
    assert!(tokens.lines().any(|token| token == "planted vaccine of the folder"));
    let searched = ["national/registrar-1-data", "national/keyholder-1-data", "national/keyholder-2-data"];
    assert!(searched.iter().all(|at| dir.path().join("data").join(at).is_dir()));
    // The same search by the command finds what the demo said, and a stranger's secret in a file of the processes.
    let scan = || renkei(["--json", "scan", &path("data"), "--tokens", &path("data/tokens.txt")]);
    assert_eq!((scan().code, &scan().json()["plaintext_hits"]), (0, &json!(0)));
    fs::write(path("data/national/registrar-1-data/leak"), "planted vaccine of the folder").unwrap();
    assert_eq!((scan().code, &scan().json()["plaintext_hits"]), (4, &json!(1)));

    let again = renkei(["demo", "--once", "--data", &path("data")]);
    assert_eq!(again.code, 2, "a directory that holds something is not begun in: {}", again.err);
}

#[test]
fn an_interrupted_demo_leaves_no_process_behind() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut demo = demo(&["--data", data.to_str().unwrap()]);
    wait_for(|| data.join("logs/gateway-demo.err").exists());
    let interrupted = rustix::process::Signal::INT;
    rustix::process::kill_process(rustix::process::Pid::from_child(&demo), interrupted).unwrap();
    assert_eq!(demo.wait().unwrap().code(), Some(130));
    let own = format!("{}/", data.display());
    wait_for(|| !command_lines().iter().any(|line| line.contains(&own)));
}

/// A demo that stays.
pub(crate) fn demo(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_renkei"));
    command.arg("demo").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn command_lines() -> Vec<String> {
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    processes.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}

pub(crate) fn wait_for(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LONGEST);
        std::thread::sleep(Duration::from_millis(50));
    }
}
