//! Raw bytes on one connection, plain or TLS, and what came back. Which service is at its other end is not here.

use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Until the first answer of a connection: Kafka's acknowledgement on a loaded machine.
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);

/// Either kind of connection.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What came back on one connection.
#[derive(Debug)]
pub struct Said {
    pub statuses: Vec<u16>,
    pub text: String,
    /// By the service; else it was only silent.
    pub closed: bool,
}

/// Writes all, whether or not it is read; reads until the end, or this long a silence behind the first answer.
pub async fn talk(stream: Box<dyn Wire>, bytes: &[u8], silence: Duration) -> Said {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let bytes = bytes.to_owned();
    let writing = tokio::spawn(async move {
        // A service that has closed need not take the rest.
        let _ = writer.write_all(&bytes).await;
        let _ = writer.flush().await;
        writer
    });
    let (mut heard, mut piece) = (Vec::new(), vec![0; 16_384]);
    let closed = loop {
        let answered = !statuses(&heard).is_empty();
        if answered && silence.is_zero() {
            break false;
        }
        let patience = if answered { silence } else { ANSWER_PATIENCE };
        match tokio::time::timeout(patience, reader.read(&mut piece)).await {
            Ok(Ok(read)) if read > 0 => heard.extend_from_slice(&piece[..read]),
            Ok(_) => break true,
            Err(_) => {
                assert!(answered, "neither an answer nor an end within {ANSWER_PATIENCE:?}: {}", String::from_utf8_lossy(&heard));
                break false;
            }
        }
    };
    writing.abort();
    Said { statuses: statuses(&heard), text: String::from_utf8_lossy(&heard).into_owned(), closed }
}

/// The status of each whole answer, in order.
pub fn statuses(mut heard: &[u8]) -> Vec<u16> {
    let mut found = Vec::new();
    while let Some(end) = heard.windows(4).position(|w| w == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&heard[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        let length = head.lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse::<usize>().ok()).unwrap_or(0);
        let rest = end + 4 + length;
        if rest > heard.len() {
            break;
        }
        if status != 100 {
            found.push(status);
        }
        heard = &heard[rest..];
    }
    found
}
