//! The house rules, as ordinary tests. Each names the rule, the file and what to do. Numbers that may
//! only fall are ratchets: lower them when you can, never raise them.

#[path = "house/agreements.rs"]
mod agreements;
#[path = "house/arrows.rs"]
mod arrows;
#[path = "house/files.rs"]
mod files;

use std::path::{Path, PathBuf};
use std::process::Command;

/// One source file: its path from the root, and its text.
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    /// The text before its tests: what runs in production.
    pub fn production(&self) -> &str {
        let cut = self.text.find("#[cfg(test)]\nmod").unwrap_or(self.text.len());
        &self.text[..cut]
    }

    /// Whether all of it is tests: of a service's own, or of the house.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "tests.rs"
            || name.ends_with("_tests.rs")
            || self.path.split('/').any(|part| part == "tests")
            || self.path.starts_with("bench/")
    }

    /// The room it belongs to: the first folder.
    pub fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }
}

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// Every file that is, or could be, committed. Asked of git; without git, found by walking.
pub fn committed() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root()).output();
    match listed {
        Ok(out) if out.status.success() => {
            String::from_utf8_lossy(&out.stdout).lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect()
        }
        _ => {
            let mut found = Vec::new();
            walk(&root(), &mut found);
            found
        }
    }
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() && !["target", "node_modules", "data", ".git"].contains(&name.as_str()) {
            walk(&path, found);
        } else if path.is_file() {
            found.push(path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned());
        }
    }
}

/// Every committed file with this ending, read.
pub fn sources(ending: &str) -> Vec<Source> {
    let sources: Vec<Source> = committed()
        .into_iter()
        .filter(|path| path.ends_with(ending))
        .filter_map(|path| std::fs::read_to_string(root().join(&path)).ok().map(|text| Source { path, text }))
        .collect();
    assert!(!sources.is_empty(), "no {ending} files found: the rules would hold of nothing");
    sources
}

/// Fails with all violations at once.
pub fn none(rule: &str, violations: Vec<String>) {
    assert!(violations.is_empty(), "{rule}:\n  {}", violations.join("\n  "));
}
