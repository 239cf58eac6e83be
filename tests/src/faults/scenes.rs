//! Each kind of fault, acted out on a worker, which is proved to go on afterwards and is killed in the end.
//! Which fault comes when is in [`super::plan`]; whether a byte was lost shows at the end of the run.

use super::ledger::Ledger;
use super::packets;
use super::plan::Trouble;
use super::proxy::{Proxy, Road};
use super::worker::{End, House, PATIENCE, Worker};
use crate::brokers::Broker;
use anyhow::{Result, bail};
use rand::Rng;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::time::Duration;

pub const AWAY: &str = "network away for minutes";
/// A place that is passed in every life is passed by then.
const PASSED: Duration = Duration::from_secs(20);
/// For one who was paused to find out what has happened meanwhile.
const AWAKENING: Duration = Duration::from_secs(5);

/// What has been done to the processor.
#[derive(Debug, Default)]
pub struct Tally {
    pub by_kind: BTreeMap<String, u32>,
    pub kills: u32,
    /// Of those, the ones at a named place.
    pub kills_named: u32,
    /// Places that no life passed within the patience: the binary does not have them, or does not get there.
    pub missed: BTreeMap<&'static str, u32>,
}

impl Tally {
    pub fn faults(&self) -> u32 {
        self.by_kind.values().sum()
    }

    fn count(&mut self, kind: &str) {
        *self.by_kind.entry(kind.to_owned()).or_default() += 1;
    }

    fn kill(&mut self, kind: &str) {
        self.count(kind);
        self.kills += 1;
        self.kills_named += u32::from(kind != ANYWHERE);
    }
}

pub struct Scenes {
    pub house: House,
    pub broker: Broker,
    pub proxy: Proxy,
    pub ledger: Ledger,
    pub tally: Tally,
    pub rng: StdRng,
}

/// A kill at no named place.
const ANYWHERE: &str = "anywhere";

impl Scenes {
    /// The process kills itself at this place, sooner or later in its life.
    pub async fn kill_at(&mut self, place: &'static str, passes_max: u32) -> Result<()> {
        let passes = self.rng.random_range(0..=passes_max);
        let armed = if passes == 0 { format!("{place}=panic") } else { format!("{place}={passes}*off->panic") };
        let mut worker = self.house.start(0, &armed);
        match worker.ends_within(PASSED).await {
            End::Killed => self.tally.kill(place),
            End::Status(status) => bail!("it ended with {status} instead of dying at {place}\n{}", worker.process.log_tail()),
            End::Lives => {
                *self.tally.missed.entry(place).or_default() += 1;
                self.kill(worker);
            }
        }
        Ok(())
    }

    /// kill -9 at no particular place.
    pub async fn kill_anywhere(&mut self) -> Result<()> {
        let mut worker = self.house.start(0, "");
        let life = Duration::from_millis(self.rng.random_range(100..4_000));
        match worker.ends_within(life).await {
            End::Lives => self.kill(worker),
            ended => bail!("it ended by itself: {ended:?}\n{}", worker.process.log_tail()),
        }
        Ok(())
    }

    fn kill(&mut self, mut worker: Worker) {
        worker.process.kill9();
        self.tally.kill(ANYWHERE);
    }

    pub async fn trouble(&mut self, trouble: Trouble) -> Result<()> {
        match trouble {
            Trouble::ReplyLost => self.storage("reply lost", "append-after-commit=2*off->3*return->1*off->2*return->off").await?,
            Trouble::StorageFails => self.storage("storage fails", "append-before-file=2*off->3*return->2*off->2*return->off").await?,
            Trouble::StorageSlow => {
                let slow = "append-after-file=4*sleep(400)->off;append-during-commit=4*sleep(400)->off";
                self.storage("storage slow", slow).await?;
            }
            Trouble::DiskFull => self.disk_full().await?,
            Trouble::BrokerKilled => self.broker(true).await?,
            Trouble::BrokerStopped => self.broker(false).await?,
            Trouble::Cut => self.network("network cut", Road::Cut, 4).await?,
            Trouble::Away if packets::can_vanish() => self.packets(AWAY, 130).await?,
            Trouble::Away => self.network(AWAY, Road::Cut, 130).await?,
            Trouble::Vanish => self.packets("packets lost", 10).await?,
            Trouble::Silent => self.network("network silent", Road::Silent, 8).await?,
            Trouble::Slow => self.network("network slow", Road::Slow(150), 5).await?,
            Trouble::Reset => self.reset().await?,
            Trouble::Zombie => self.zombie().await?,
            Trouble::SharingZombie => self.sharing_zombie().await?,
            Trouble::Revoke => self.revoke().await?,
        }
        Ok(())
    }

    /// The storage answers badly for some commits; the process outlives it.
    async fn storage(&mut self, kind: &str, armed: &str) -> Result<()> {
        let mut worker = self.house.start(0, armed);
        worker.reaches("_commits_total", 16).await?;
        self.tally.count(kind);
        self.kill(worker);
        Ok(())
    }

    async fn disk_full(&mut self) -> Result<()> {
        let mut worker = self.house.start(0, "");
        worker.commits(4).await?;
        let retries = worker.metric("_retries_total").await.unwrap_or(0);
        self.ledger.fill()?;
        let noticed = worker.reaches("_retries_total", retries + 2).await;
        self.ledger.free()?;
        noticed?;
        worker.commits(4).await?;
        self.tally.count("disk full");
        self.kill(worker);
        Ok(())
    }

    async fn broker(&mut self, killed: bool) -> Result<()> {
        let mut worker = self.house.start(0, "");
        worker.commits(4).await?;
        if killed {
            self.broker.kill9()
        } else {
            self.broker.stop()
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.broker.restart().await;
        worker.commits(4).await?;
        self.tally.count(if killed { "broker killed" } else { "broker stopped" });
        self.kill(worker);
        Ok(())
    }

    async fn network(&mut self, kind: &str, road: Road, seconds: u64) -> Result<()> {
        let mut worker = self.house.start(0, "");
        worker.commits(4).await?;
        self.proxy.set(road);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        self.proxy.set(Road::Open);
        worker.commits(4).await?;
        self.tally.count(kind);
        self.kill(worker);
        Ok(())
    }

    async fn packets(&mut self, kind: &str, seconds: u64) -> Result<()> {
        let mut worker = self.house.start(0, "");
        worker.commits(4).await?;
        packets::vanish(self.proxy.port)?;
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        packets::get_through()?;
        worker.commits(4).await?;
        self.tally.count(kind);
        self.kill(worker);
        Ok(())
    }

    async fn reset(&mut self) -> Result<()> {
        let mut worker = self.house.start(0, "");
        for _ in 0..5 {
            worker.commits(2).await?;
            self.proxy.reset().await;
        }
        worker.commits(2).await?;
        self.tally.count("network reset");
        self.kill(worker);
        Ok(())
    }

    /// One is paused with a batch in its hands; another goes on from the tables; the first one awakes, and
    /// still takes itself for the only one.
    async fn zombie(&mut self) -> Result<()> {
        let mut zombie = self.house.start(0, "");
        zombie.commits(4).await?;
        tokio::time::sleep(Duration::from_millis(self.rng.random_range(0..200))).await;
        zombie.process.pause();
        let mut heir = self.house.start(1, "");
        heir.commits(4).await?;
        zombie.process.resume();
        let ended = zombie.ends_within(AWAKENING).await;
        self.tally.count("zombie");
        match ended {
            // Refused, and told so.
            End::Status(status) if status.code() == Some(3) => {}
            End::Status(status) => bail!("the zombie ended with {status}\n{}", zombie.process.log_tail()),
            End::Killed => bail!("somebody else killed the zombie"),
            End::Lives => self.kill(zombie),
        }
        match heir.ends_within(Duration::ZERO).await {
            End::Lives => self.kill(heir),
            // The zombie was first once more: then it was the heir who was refused.
            End::Status(status) if status.code() == Some(3) => {}
            ended => bail!("the heir ended: {ended:?}\n{}", heir.process.log_tail()),
        }
        Ok(())
    }

    /// Two of a group; one is paused until the group has given its partitions away, and awakes.
    async fn sharing_zombie(&mut self) -> Result<()> {
        let (mut zombie, mut other) = (self.house.start_sharing(0, ""), self.house.start_sharing(1, ""));
        zombie.commits(4).await?;
        other.commits(4).await?;
        zombie.process.pause();
        // Longer than the group's patience.
        tokio::time::sleep(Duration::from_secs(8)).await;
        other.commits(4).await?;
        zombie.process.resume();
        zombie.commits(4).await?;
        other.commits(4).await?;
        self.tally.count("rebalance with a paused zombie");
        let status = other.process.terminate(PATIENCE);
        if !status.success() {
            bail!("leaving the group ended with {status}\n{}", other.process.log_tail());
        }
        zombie.commits(4).await?;
        self.kill(zombie);
        Ok(())
    }

    /// One dies while it hands partitions to another.
    async fn revoke(&mut self) -> Result<()> {
        let mut first = self.house.start_sharing(0, "revoke=panic");
        first.commits(4).await?;
        let mut second = self.house.start_sharing(1, "");
        match first.ends_within(PASSED).await {
            End::Killed => self.tally.kill("revoke"),
            End::Status(status) => bail!("it ended with {status} instead of dying at revoke\n{}", first.process.log_tail()),
            End::Lives => {
                *self.tally.missed.entry("revoke").or_default() += 1;
                self.kill(first);
            }
        }
        second.commits(4).await?;
        self.kill(second);
        Ok(())
    }
}
