//! What is asked of an admin port.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes of an answer that are looked at: the status line.
const STATUS_LINE: usize = 12;

/// Whether `GET /health/ready` is answered with 200. A refused or broken connection is an error: not up yet, or gone.
pub(crate) fn is_ready(admin: SocketAddr) -> io::Result<bool> {
    Ok(&status_line(admin, "GET /health/ready")? == b"HTTP/1.1 200")
}

/// Sets the clock of the process. A refusal is an error.
pub(crate) fn set_clock_offset(admin: SocketAddr, millis: i64) -> io::Result<()> {
    match &status_line(admin, &format!("POST /clock?offset_ms={millis}"))? {
        b"HTTP/1.1 200" => Ok(()),
        refused => Err(io::Error::other(String::from_utf8_lossy(refused).into_owned())),
    }
}

fn status_line(admin: SocketAddr, request: &str) -> io::Result<[u8; STATUS_LINE]> {
    let mut stream = TcpStream::connect_timeout(&admin, ANSWER_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    write!(stream, "{request} HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; STATUS_LINE];
    stream.read_exact(&mut status)?;
    Ok(status)
}
