//! The console's files, built into the binary: a fixed list, so no path of a request ever reaches a disk.
//! Their source is the room `web/`; what is served is its committed build.

/// One file of the page.
#[derive(Debug, Clone, Copy)]
pub struct File {
    pub path: &'static str,
    pub content_type: &'static str,
    pub bytes: &'static [u8],
}

/// Every file that is served.
pub const FILES: [File; 3] = [
    File { path: "/", content_type: "text/html; charset=utf-8", bytes: include_bytes!("../../web/dist/index.html") },
    File { path: "/console.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("../../web/dist/console.js") },
    File { path: "/console.css", content_type: "text/css; charset=utf-8", bytes: include_bytes!("../../web/dist/console.css") },
];

/// The page may load and call its own origin, and nothing else in the world.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

impl File {
    /// The validator of a cached copy: changes whenever the bytes do (FNV-1a, 64 bits).
    pub fn etag(&self) -> String {
        let hash = self.bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        format!("\"{hash:016x}\"")
    }
}
