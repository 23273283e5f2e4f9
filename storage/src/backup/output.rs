use std::io;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use super::error::{Error, Result};
use super::line::{End, EndScope, Line};
use super::make::Compression;

/// Bytes of lines that are compressed and written together.
const CHUNK: usize = 256 * 1024;
/// Fast, and JSON shrinks to a tenth.
const LEVEL: i32 = 3;

/// Writes lines, compressed, and counts and hashes them.
pub(super) struct Output<'a> {
    writer: &'a mut (dyn AsyncWrite + Unpin + Send),
    compressor: Option<Compressor<'static>>,
    /// Lines that are not yet written.
    lines: Vec<u8>,
    /// How much of them is hashed.
    hashed: usize,
    hash: Sha256,
    count: u64,
    written: u64,
}

// === impl Output ===

impl<'a> Output<'a> {
    pub(super) fn new(
        writer: &'a mut (dyn AsyncWrite + Unpin + Send),
        compression: Compression,
    ) -> Result<Self> {
        let compressor = match compression {
            Compression::None => None,
            Compression::Zstd => Some(compressor().map_err(Error::Write)?),
        };
        Ok(Self {
            writer,
            compressor,
            lines: Vec::with_capacity(CHUNK + CHUNK / 4),
            hashed: 0,
            hash: Sha256::new(),
            count: 0,
            written: 0,
        })
    }

    /// Bytes written so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    pub(super) async fn line(&mut self, line: &Line<'_>) -> Result<()> {
        self.push(line)?;
        self.hash.update(&self.lines[self.hashed..]);
        self.hashed = self.lines.len();
        self.count += 1;
        if self.lines.len() >= CHUNK {
            self.write().await?;
        }
        Ok(())
    }

    /// Writes the first line by itself, so that even the beginning of a file says what it is.
    pub(super) async fn header(&mut self, line: &Line<'_>) -> Result<()> {
        self.line(line).await?;
        self.write().await
    }

    /// Writes the last line, and flushes.
    pub(super) async fn end(&mut self, scopes: Vec<EndScope>) -> Result<()> {
        let sha256 = hex(&std::mem::take(&mut self.hash).finalize());
        self.push(&Line::End(End {
            scopes,
            lines: self.count,
            sha256,
        }))?;
        self.write().await?;
        self.writer.flush().await.map_err(Error::Write)
    }

    fn push(&mut self, line: &Line<'_>) -> Result<()> {
        serde_json::to_writer(&mut self.lines, line).map_err(|e| Error::Write(e.into()))?;
        self.lines.push(b'\n');
        Ok(())
    }

    async fn write(&mut self) -> Result<()> {
        let compressed;
        let bytes = match &mut self.compressor {
            None => &self.lines,
            Some(compressor) => {
                compressed = compressor.compress(&self.lines).map_err(Error::Write)?;
                &compressed
            }
        };
        self.writer.write_all(bytes).await.map_err(Error::Write)?;
        self.written += bytes.len() as u64;
        self.lines.clear();
        self.hashed = 0;
        Ok(())
    }
}

fn compressor() -> io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    Ok(compressor)
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
