//! Asks an admin port whether its process is ready.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes of an answer that are looked at: the status line.
const STATUS_LINE: usize = 12;

/// Whether `GET /health/ready` is answered with 200. A refused or broken connection is an error: not up yet, or gone.
pub(crate) fn is_ready(admin: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&admin, ANSWER_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    write!(stream, "GET /health/ready HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; STATUS_LINE];
    stream.read_exact(&mut status)?;
    Ok(&status == b"HTTP/1.1 200")
}
