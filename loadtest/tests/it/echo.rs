//! `peers --systems echo`: the shortest whole run.

use std::fs;
use std::process::{Command, Output};

fn peers(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_renkei-loadtest"))
        .arg("peers")
        .args(args)
        .output()
        .expect("cargo builds the binary before its tests")
}

#[test]
fn a_run_prints_its_table_and_writes_it() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (data, json) = (dir.path().join("data"), dir.path().join("out.json"));
    fs::create_dir(&data).unwrap();
    let output = peers(&[
        "--systems",
        "echo",
        "--seconds",
        "1",
        "--clients",
        "1,8",
        "--data",
        data.to_str().unwrap(),
        "--json",
        json.to_str().unwrap(),
    ]);
    let (table, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{table}{complaint}");
    assert!(table.contains("closed loop"), "{table}");
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    let rows = report["rows"].as_array().unwrap();
    // Plain and mTLS, three kinds of request, two numbers of clients.
    assert_eq!(rows.len(), 12, "{report:#}");
    for row in rows {
        let run = &row["runs"][0];
        assert!(run["completed"].as_u64().unwrap() > 0, "{row:#}");
        assert_eq!(run["failed"], 0, "{row:#}");
        assert!(run["server_cpu_us"].as_f64().unwrap() > 0.0, "{row:#}");
    }
    let left: Vec<_> = fs::read_dir(&data).unwrap().collect();
    assert!(left.is_empty(), "a run that succeeds leaves nothing behind: {left:?}");
}

#[test]
fn a_refused_command_line_is_exit_code_2() {
    assert_eq!(peers(&["--clients", "0"]).status.code(), Some(2));
}

#[test]
fn a_data_directory_that_is_not_there_is_exit_code_3() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let missing = dir.path().join("missing");
    assert_eq!(peers(&["--systems", "echo", "--data", missing.to_str().unwrap()]).status.code(), Some(3));
}
