//! The road to the broker, in our hands: a relay of connections that can be cut, held silent or slowed down.

use anyhow::{Context as _, Result};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the road is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Road {
    Open,
    /// Every connection is reset, and new ones as well.
    Cut,
    /// Connections stand, and nothing gets through either way.
    Silent,
    /// Whatever gets through takes so many milliseconds more.
    Slow(u64),
}

/// A relay from a port of ours to another. Ends with its owner's runtime.
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    road: watch::Sender<Road>,
}

impl Proxy {
    pub async fn start(listen: u16, to: u16) -> Result<Proxy> {
        let listener = TcpListener::bind(("127.0.0.1", listen)).await.context("the proxy's port")?;
        let (road, seen) = watch::channel(Road::Open);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, to, seen.clone()));
            }
        });
        Ok(Proxy { port: listen, road })
    }

    pub fn set(&self, road: Road) {
        self.road.send_replace(road);
    }

    /// Resets what is connected; new connections get through.
    pub async fn reset(&self) {
        self.set(Road::Cut);
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.set(Road::Open);
    }
}

async fn relay(client: TcpStream, to: u16, mut road: watch::Receiver<Road>) {
    // A reset, not a goodbye: that is what a network does.
    let _ = client.set_zero_linger();
    let Ok(broker) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    let _ = (client.set_nodelay(true), broker.set_nodelay(true));
    let ((from_client, to_client), (from_broker, to_broker)) = (client.into_split(), broker.into_split());
    let (asked, answered) = (carry(from_client, to_broker, road.clone()), carry(from_broker, to_client, road.clone()));
    tokio::select! {
        () = asked => {}
        () = answered => {}
        _ = road.wait_for(|road| *road == Road::Cut) => {}
    }
}

/// One direction, until either end is gone.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut road: watch::Receiver<Road>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(length) = from.read(&mut buffer).await else { return };
        if road.wait_for(|road| *road != Road::Silent).await.is_err() || length == 0 {
            return;
        }
        let now = *road.borrow();
        if let Road::Slow(ms) = now {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports;

    #[tokio::test]
    async fn open_silent_and_cut() {
        let (ours, theirs) = (ports::free(), ports::free());
        let echo = TcpListener::bind(("127.0.0.1", theirs)).await.unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = echo.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        let proxy = Proxy::start(ours, theirs).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", ours)).await.unwrap();
        let mut word = [0; 4];
        stream.write_all(b"word").await.unwrap();
        stream.read_exact(&mut word).await.unwrap();
        proxy.set(Road::Silent);
        stream.write_all(b"late").await.unwrap();
        let wait = Duration::from_millis(200);
        assert!(tokio::time::timeout(wait, stream.read_exact(&mut word)).await.is_err(), "silence carries nothing");
        proxy.set(Road::Slow(10));
        stream.read_exact(&mut word).await.unwrap();
        assert_eq!(&word, b"late", "what was sent into silence comes when it ends");
        proxy.reset().await;
        let broken = async { while stream.write_all(b"gone").await.is_ok() && stream.read_exact(&mut word).await.is_ok() {} };
        tokio::time::timeout(Duration::from_secs(5), broken).await.expect("a cut connection is told so");
    }
}
