//! A process from start to exit code.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use renkei_launch::{LaunchError, Process, beside};
use rustix::process::{Signal, kill_process};

use crate::world::{READY, World, leaf, until};

const STOP: Duration = Duration::from_secs(20);

/// How the probe ends by itself.
fn end_of(world: &World, behaviour: &str) -> Option<i32> {
    let mut process = world.start(behaviour);
    let mut status = None;
    until(behaviour, || {
        status = process.ended().unwrap();
        status.is_some()
    });
    status.and_then(|status| status.code())
}

#[test]
fn a_stopped_process_ends_with_zero_and_starts_again() {
    let world = World::new();
    for _ in 0..2 {
        let mut process = world.ready();
        assert_eq!(process.stop(STOP).unwrap().code(), Some(0), "{}", world.log());
    }
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let world = World::new();
    for (behaviour, code) in [("fail", 1), ("fail-task", 1), ("panic", 3), ("panic-task", 3), ("invalid", 2)] {
        assert_eq!(end_of(&world, behaviour), Some(code), "{behaviour}: {}", world.log());
    }
    let log = world.log();
    assert!(log.contains("probe.behaviour must not be invalid"), "{log}");
    assert!(log.contains("formatted message withheld"), "{log}");
    assert!(!log.contains("planted-token"), "{log}");
}

#[test]
fn the_grace_period_ends_what_does_not_stop() {
    let world = World::new();
    let mut process = world.start("linger");
    process.wait_ready(READY).unwrap();
    let began = Instant::now();
    assert_eq!(process.stop(STOP).unwrap().code(), Some(4), "{}", world.log());
    assert!(began.elapsed() >= Duration::from_millis(500), "the grace period of the configuration is given");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let world = World::new();
    let spec = world.spec("linger", &["--set", "process.grace_ms=60000"]);
    let mut process = Process::start(&spec).unwrap();
    process.wait_ready(READY).unwrap();
    process.terminate().unwrap();
    until("shutdown begins", || world.log().contains("\"stopping\""));
    kill_process(process.pid(), Signal::INT).unwrap();
    let mut status = None;
    until("the second signal is obeyed", || {
        status = process.ended().unwrap();
        status.is_some()
    });
    assert_eq!(status.and_then(|status| status.code()), Some(130));
}

#[test]
fn a_process_that_does_not_start_is_told_from_a_slow_one() {
    let world = World::new();
    let mut process = world.start("invalid");
    assert!(matches!(process.wait_ready(READY), Err(LaunchError::Ended { status, .. }) if status.code() == Some(2)));
    let mut process = world.ready();
    process.pause().unwrap();
    let paused = process.wait_ready(Duration::from_millis(100));
    assert!(matches!(paused, Err(LaunchError::NotReady { .. })), "{paused:?}");
    process.resume().unwrap();
    process.wait_ready(READY).unwrap();
}

#[test]
fn a_killed_process_says_so() {
    let world = World::new();
    let mut process = world.ready();
    assert_eq!(process.kill().unwrap().signal(), Some(9));
    assert_eq!(process.stop(STOP).unwrap().signal(), Some(9), "what has ended keeps its status");
}

#[test]
fn a_paused_process_that_is_stopped_is_killed_at_the_deadline() {
    let world = World::new();
    let mut process = world.ready();
    process.pause().unwrap();
    let outcome = process.stop(Duration::from_millis(200));
    assert!(matches!(outcome, Err(LaunchError::Killed { .. })), "{outcome:?}");
}

#[test]
fn a_dropped_process_is_gone() {
    let world = World::new();
    let process = world.ready();
    let pid = process.pid();
    drop(process);
    assert!(rustix::process::test_kill_process(pid).is_err());
}

#[test]
fn a_process_ends_when_its_starter_lets_go_of_its_input() {
    let world = World::new();
    let spec = world.spec("live", &[]);
    let mut child = Command::new(beside("renkei-probe").unwrap())
        .args(&spec.args)
        .arg("--exit-with-parent")
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // What the kernel does for a starter that dies.
    drop(child.stdin.take());
    let mut status = None;
    until("the leash is obeyed", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.and_then(|status| status.code()), Some(0));
}

#[test]
fn use_of_a_process_is_read_while_it_lives() {
    let world = World::new();
    let mut process = world.ready();
    let usage = process.usage().unwrap();
    assert!(usage.rss_peak > 1 << 20, "{usage:?}");
    process.kill().unwrap();
    assert!(process.usage().is_err());
}

#[test]
fn certificates_are_reloaded_by_signal_and_by_themselves() {
    let world = World::new();
    let mut process = world.ready();
    world.authority.issue(&leaf()).unwrap();
    process.reload().unwrap();
    until("reloaded by signal", || world.metrics().contains(r#"renkei_tls_reloads_total{outcome="taken"} 1"#));
    std::fs::write(&world.files.certificate, "no certificate").unwrap();
    until("a bad file is seen by polling", || {
        world.metrics().contains(r#"renkei_tls_reloads_total{outcome="refused"} 1"#)
    });
    assert!(world.log().contains("certificates not reloaded"), "{}", world.log());
    world.authority.issue(&leaf()).unwrap();
    until("a good one after it", || world.metrics().contains(r#"renkei_tls_reloads_total{outcome="taken"} 2"#));
}

/// Whether this user may lock as much memory as it likes.
fn locks_all() -> bool {
    rustix::process::getrlimit(rustix::process::Resource::Memlock).current.is_none()
        || rustix::process::geteuid().is_root()
}

#[test]
fn memory_is_locked_on_demand() {
    if !locks_all() {
        println!("SKIPPED: this user may lock little memory");
        return;
    }
    let world = World::new();
    let locked = |process: &Process| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid().as_raw_nonzero())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmLck:")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    for (lock, expected) in [("false", false), ("true", true)] {
        let setting = format!("process.lock_memory={lock}");
        let mut process = Process::start(&world.spec("live", &["--set", &setting])).unwrap();
        process.wait_ready(READY).unwrap();
        assert_eq!(locked(&process) > 0, expected, "{setting}: {} kB", locked(&process));
    }
}

#[test]
fn a_start_without_the_right_to_lock_memory_is_refused() {
    let world = World::new();
    let spec = world.spec("live", &["--set", "process.lock_memory=true"]);
    let mut command = Command::new("setpriv");
    if rustix::process::geteuid().is_root() {
        command.args(["--bounding-set", "-ipc_lock"]);
    }
    command.args(["sh", "-c", "ulimit -l 64; exec \"$@\"", "sh"]).arg(beside("renkei-probe").unwrap()).args(&spec.args);
    let output = match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("SKIPPED: setpriv is not on this machine");
            return;
        }
        output => output.unwrap(),
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), text.contains("LimitMEMLOCK=infinity")), (Some(2), true), "{text}");
}
