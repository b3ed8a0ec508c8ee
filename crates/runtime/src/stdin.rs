//! Standard input as a leash: it closes when whoever started the process is gone.

use std::io::{self, Read};

use crate::Tasks;

/// Stops the process gracefully when standard input ends or fails.
///
/// A plain thread: a read of standard input cannot be cancelled, and the runtime would wait for one of its own.
pub(crate) fn stop_when_closed(tasks: &Tasks) -> io::Result<()> {
    let tasks = tasks.clone();
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let mut ignored = [0; 256];
        let mut stdin = io::stdin().lock();
        while !matches!(stdin.read(&mut ignored), Ok(0) | Err(_)) {}
        tracing::info!("standard input closed, stopping");
        tasks.stop();
    })?;
    Ok(())
}
