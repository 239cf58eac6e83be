//! A sink that keeps records in memory and reports as it is told to.

use livemeter_ingest::delivery::{Delivery, NotQueued, Sink, To};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Acks,
    /// Takes records, and reports that they failed.
    Fails,
    /// The first record of all is acknowledged, no other.
    AcksOne,
    AcksAfter(Duration),
    Full,
    Away,
}

pub struct MemorySink {
    pub mood: Mutex<Mood>,
    pub events: Mutex<Vec<(String, String)>>,
    pub letters: Mutex<Vec<String>>,
}

impl MemorySink {
    pub fn new(mood: Mood) -> Arc<Self> {
        Arc::new(MemorySink { mood: Mutex::new(mood), events: Mutex::default(), letters: Mutex::default() })
    }
}

impl Sink for MemorySink {
    fn enqueue(&self, to: To, _: i64, key: &str, value: &[u8], delivery: &Arc<Delivery>) -> Result<(), NotQueued> {
        let mood = *self.mood.lock().unwrap();
        let value = String::from_utf8(value.to_vec()).unwrap();
        let before = match to {
            To::Events if mood == Mood::Full => return Err(NotQueued::Full),
            To::Events => {
                let mut events = self.events.lock().unwrap();
                events.push((key.to_owned(), value));
                events.len() - 1
            }
            To::DeadLetters => {
                self.letters.lock().unwrap().push(value);
                0
            }
        };
        match mood {
            Mood::Acks => delivery.ack(),
            Mood::AcksOne if before == 0 => delivery.ack(),
            Mood::AcksAfter(wait) => {
                let delivery = delivery.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    delivery.ack();
                });
            }
            Mood::AcksOne | Mood::Fails | Mood::Full | Mood::Away => {}
        }
        Ok(())
    }

    fn ready(&self) -> Result<(), String> {
        match *self.mood.lock().unwrap() {
            Mood::Away => Err("all brokers are down".into()),
            _ => Ok(()),
        }
    }
}
