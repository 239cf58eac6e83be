//! Where the built binaries are: in the folder `LIVEMETER_BIN_DIR` (or `LIVEMETER_BIN`), else next to the
//! running test.

use std::path::PathBuf;

/// The path of a built binary, such as `livemeter`. Panics with what to do when it is not there.
pub fn path(name: &str) -> PathBuf {
    let named = std::env::var_os("LIVEMETER_BIN_DIR").or_else(|| std::env::var_os("LIVEMETER_BIN"));
    let folder = named.map_or_else(beside_the_test, PathBuf::from);
    let path = folder.join(name);
    assert!(path.is_file(), "{} is not built: run `cargo build --workspace` first, or set LIVEMETER_BIN_DIR to its folder", path.display());
    path
}

/// Tests run in `target/<profile>/deps`, benches and binaries in `target/<profile>`.
fn beside_the_test() -> PathBuf {
    let test = std::env::current_exe().expect("a process has a path");
    let folder = test.parent().expect("a file has a folder");
    if folder.ends_with("deps") { folder.parent().expect("deps has a folder").to_owned() } else { folder.to_owned() }
}
