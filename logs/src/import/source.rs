//! A file as a stream of text: unpacked if it is packed, hashed as it lies on the disk, within the limits.

use crate::error::ImportError;
use crate::limits::Limits;
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

/// Twice this is what zstd may hold to look back: `--long=27` and more would break the bound on memory.
const ZSTD_WINDOW_LOG_MAX: u32 = 26;
const FILE_BUFFER_BYTES: usize = 256 << 10;

/// Hashes what passes.
struct Hashing<R> {
    inner: R,
    sha256: Sha256,
    bytes: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.sha256.update(&into[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}

type Raw = BufReader<Hashing<File>>;

enum Unpacked {
    Plain(Raw),
    Gzip(Box<MultiGzDecoder<Raw>>),
    Zstd(Box<zstd::Decoder<'static, Raw>>),
}

/// The text of a file.
pub(crate) struct Source {
    unpacked: Unpacked,
    text_bytes: u64,
    limits: Limits,
}

impl Source {
    /// What a file is packed with is told by its first bytes, not by its name.
    pub(crate) fn open(file: File, limits: &Limits) -> io::Result<Source> {
        let mut raw = BufReader::with_capacity(FILE_BUFFER_BYTES, Hashing { inner: file, sha256: Sha256::new(), bytes: 0 });
        let unpacked = match raw.fill_buf()? {
            [0x1f, 0x8b, ..] => Unpacked::Gzip(Box::new(MultiGzDecoder::new(raw))),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                let mut decoder = zstd::Decoder::with_buffer(raw)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Unpacked::Zstd(Box::new(decoder))
            }
            _ => Unpacked::Plain(raw),
        };
        Ok(Source { unpacked, text_bytes: 0, limits: limits.clone() })
    }

    /// `none`, `gzip` or `zstd`.
    pub(crate) fn packing(&self) -> &'static str {
        match self.unpacked {
            Unpacked::Plain(_) => "none",
            Unpacked::Gzip(_) => "gzip",
            Unpacked::Zstd(_) => "zstd",
        }
    }

    /// Bytes of the file read so far, and of its text.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let raw = match &self.unpacked {
            Unpacked::Plain(raw) => raw,
            Unpacked::Gzip(decoder) => decoder.get_ref(),
            Unpacked::Zstd(decoder) => decoder.get_ref(),
        };
        (raw.get_ref().bytes, self.text_bytes)
    }

    /// More text; 0 at the end.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, ImportError> {
        let read = match &mut self.unpacked {
            Unpacked::Plain(raw) => raw.read(into),
            Unpacked::Gzip(decoder) => decoder.read(into),
            Unpacked::Zstd(decoder) => decoder.read(into),
        };
        let count = read.map_err(|error| ImportError::Packed { at_bytes: self.text_bytes, reason: error.to_string() })?;
        self.text_bytes += count as u64;
        self.check()?;
        Ok(count)
    }

    fn check(&self) -> Result<(), ImportError> {
        let (file_bytes, text_bytes) = self.bytes();
        if text_bytes > self.limits.text_bytes_max {
            return Err(ImportError::Limit {
                field: "text of the file, bytes",
                value: text_bytes,
                limit: "text_bytes_max",
                max: self.limits.text_bytes_max,
            });
        }
        let ratio = text_bytes / file_bytes.max(1);
        if text_bytes > self.limits.ratio_free_bytes && ratio > self.limits.ratio_max {
            return Err(ImportError::Limit {
                field: "text of the file, times its size",
                value: ratio,
                limit: "ratio_max",
                max: self.limits.ratio_max,
            });
        }
        Ok(())
    }

    /// Length and SHA-256 (hex) of the whole file, what lies behind the packed part included.
    pub(crate) fn finish(self) -> io::Result<(u64, String)> {
        let mut raw = match self.unpacked {
            Unpacked::Plain(raw) => raw,
            Unpacked::Gzip(decoder) => decoder.into_inner(),
            Unpacked::Zstd(decoder) => decoder.finish(),
        };
        io::copy(&mut raw, &mut io::sink())?;
        let hashing = raw.into_inner();
        Ok((hashing.bytes, hex::encode(hashing.sha256.finalize())))
    }
}

/// SHA-256 of a file as it lies there, hex.
pub(crate) fn sha256(file: File) -> io::Result<String> {
    let mut hashing = Hashing { inner: file, sha256: Sha256::new(), bytes: 0 };
    io::copy(&mut BufReader::with_capacity(FILE_BUFFER_BYTES, &mut hashing), &mut io::sink())?;
    Ok(hex::encode(hashing.sha256.finalize()))
}

/// SHA-256 of what a file packed with zstd holds, hex.
pub(crate) fn sha256_unpacked(file: File) -> io::Result<String> {
    let mut hashing = Hashing { inner: zstd::Decoder::new(file)?, sha256: Sha256::new(), bytes: 0 };
    io::copy(&mut hashing, &mut io::sink())?;
    Ok(hex::encode(hashing.sha256.finalize()))
}
