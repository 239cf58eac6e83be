//! A file of apps in a folder of its own, and the tools over it: apps, keys and tokens are made as an operator makes
//! them. What ingest does with them is not here.

use crate::audience::APP;
use crate::binary;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// RFC 8410's example key.
const PRIVATE: &str =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

/// The file and its folder; gone when this is dropped.
pub struct Apps {
    folder: TempDir,
}

impl Apps {
    /// One app, [`APP`], made with these further flags; and its write key.
    pub fn with(flags: &[&str]) -> (Apps, String) {
        let apps = Apps { folder: tempfile::tempdir().expect("a temporary folder") };
        let mut words = vec!["apps", "create", APP, "--json"];
        words.extend(flags);
        let key = said(&apps.run(&words))["key"].as_str().expect("a key").to_owned();
        (apps, key)
    }

    /// The same, whose sessions need a token, with an EdDSA key `ed` and an HS256 key `hs`.
    pub fn with_tokens() -> (Apps, String) {
        let (apps, key) = Apps::with(&[]);
        for (name, text) in [("private.pem", PRIVATE), ("public.pem", PUBLIC), ("secret", "0123456789abcdef0123456789abcdef\n")] {
            std::fs::write(apps.path(name), text).expect("written");
        }
        let words = "token_required = true\n[[app.token_key]]\nid = 'ed'\nalg = 'EdDSA'\npublic_key_file = 'public.pem'\n[[app.token_key]]\nid = 'hs'\nalg = 'HS256'\nsecret_file = 'secret'\n";
        // Before the list of keys: what follows it would belong to the key.
        apps.write(&apps.text().replacen("\n[[app.key]]", &format!("\n{words}\n[[app.key]]"), 1));
        (apps, key)
    }

    /// A token for a user of programme `match-7` on `cdn-a`, good for ten minutes unless these flags say otherwise.
    pub fn token(&self, kid: &str, user: &str, also: &[&str]) -> String {
        let (file, flag) = if kid == "ed" { ("private.pem", "--private-key") } else { ("secret", "--secret") };
        let key = self.path(file);
        let mut words = vec!["apps", "token", "--app", APP, "--kid", kid, "--user", user, "--programme", "match-7", "--cdn", "cdn-a"];
        if !also.contains(&"--ttl") {
            words.extend(["--ttl", "600"]);
        }
        words.extend([flag, key.to_str().expect("a plain path")]);
        words.extend(also);
        String::from_utf8(self.run(&words).stdout).expect("text").trim().to_owned()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn file(&self) -> String {
        self.path("apps.toml").to_str().expect("a plain path").to_owned()
    }

    pub fn text(&self) -> String {
        std::fs::read_to_string(self.file()).expect("the file can be read")
    }

    pub fn write(&self, text: &str) {
        std::fs::write(self.file(), text).expect("the file can be written");
    }

    /// Runs one of the tools; it must go well.
    pub fn run(&self, words: &[&str]) -> Output {
        let out = livemeter(&[words, &["--apps-file", &self.file()]].concat());
        assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
        out
    }
}

pub fn livemeter(words: &[&str]) -> Output {
    Command::new(binary::path("livemeter")).args(words).output().expect("livemeter can be started")
}

/// A tool's output, read as JSON.
pub fn said(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stdout)))
}
