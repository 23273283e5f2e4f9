use std::io;

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::line::LINE_BYTES;

/// What every zstd frame begins with (RFC 8878, section 3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The window of our frames is smaller; a frame that wants more memory is not ours.
const WINDOW_LOG: u32 = 23;
/// Bytes decompressed at once.
const STEP: usize = 128 * 1024;

/// Turns the bytes of a file into lines, holding one line and a little more.
pub(super) struct Decode {
    how: How,
    /// Lines, from `start` on; those before have been given away.
    text: Vec<u8>,
    start: usize,
    /// No line ends between `start` and here.
    searched: usize,
}

enum How {
    /// Not enough bytes seen to tell.
    Unknown(Vec<u8>),
    Plain,
    Zstd {
        decoder: Box<Decoder<'static>>,
        within_frame: bool,
    },
}

/// Why bytes are no lines.
#[derive(Debug)]
pub(super) enum Fault {
    Zstd(io::Error),
    LongLine,
}

// === impl Decode ===

impl Decode {
    pub(super) fn new() -> Self {
        Self {
            how: How::Unknown(Vec::new()),
            text: Vec::new(),
            start: 0,
            searched: 0,
        }
    }

    /// The next whole line without its end, taking from `input` what it needs; `None` when it
    /// needs more.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<&[u8]>, Fault> {
        loop {
            if let Some(at) = memchr(&self.text[self.searched..]) {
                let line = self.start..self.searched + at;
                self.start = line.end + 1;
                self.searched = self.start;
                return Ok(Some(&self.text[line]));
            }
            self.searched = self.text.len();
            if self.text.len() - self.start > LINE_BYTES {
                return Err(Fault::LongLine);
            }
            if !self.more(input)? {
                return Ok(None);
            }
        }
    }

    /// Whether the file may end here: after a line, and a frame.
    pub(super) fn is_at_end(&self) -> bool {
        let between_frames = match &self.how {
            How::Unknown(seen) => seen.is_empty(),
            How::Plain => true,
            How::Zstd { within_frame, .. } => !within_frame,
        };
        between_frames && self.is_after_line()
    }

    /// Whether no line has begun.
    pub(super) fn is_after_line(&self) -> bool {
        self.start == self.text.len()
    }

    /// Whether what there is could be the beginning of such a line.
    pub(super) fn could_begin(&self, line: &str) -> bool {
        match &self.how {
            How::Unknown(seen) => !seen.is_empty(),
            How::Zstd { within_frame, .. } if self.text.is_empty() => *within_frame,
            _ => {
                let begun = &self.text[self.start..];
                let common = begun.len().min(line.len());
                common > 0 && begun[..common] == line.as_bytes()[..common]
            }
        }
    }

    /// Adds to the text; whether there may be something to add.
    fn more(&mut self, input: &mut &[u8]) -> Result<bool, Fault> {
        if self.start > 0 {
            self.text.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        match &mut self.how {
            How::Unknown(seen) => {
                let wanted = ZSTD.len() - seen.len();
                let (first, rest) = input.split_at(wanted.min(input.len()));
                seen.extend_from_slice(first);
                *input = rest;
                if !ZSTD.starts_with(seen) {
                    self.text = std::mem::take(seen);
                    self.how = How::Plain;
                    return Ok(true);
                }
                if seen.len() < ZSTD.len() {
                    return Ok(false);
                }
                let mut decoder = Decoder::new().map_err(Fault::Zstd)?;
                decoder
                    .set_parameter(DParameter::WindowLogMax(WINDOW_LOG))
                    .map_err(Fault::Zstd)?;
                self.how = How::Zstd {
                    decoder: Box::new(decoder),
                    within_frame: false,
                };
                self.decompress(&mut ZSTD.as_slice())?;
                Ok(true)
            }
            How::Plain => {
                let (first, rest) = input.split_at(STEP.min(input.len()));
                self.text.extend_from_slice(first);
                *input = rest;
                Ok(!first.is_empty())
            }
            How::Zstd { .. } => self.decompress(input),
        }
    }

    fn decompress(&mut self, input: &mut &[u8]) -> Result<bool, Fault> {
        let How::Zstd {
            decoder,
            within_frame,
        } = &mut self.how
        else {
            return Ok(false);
        };
        if input.is_empty() && !*within_frame {
            return Ok(false);
        }
        let length = self.text.len();
        self.text.resize(length + STEP, 0);
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around(&mut self.text[length..]);
        let result = decoder.run(&mut from, &mut to);
        let (taken, given) = (from.pos(), to.pos());
        self.text.truncate(length + given);
        *input = &input[taken..];
        let hint = result.map_err(Fault::Zstd)?;
        *within_frame = hint != 0;
        if hint == 0 {
            decoder.reinit().map_err(Fault::Zstd)?;
        }
        Ok(taken > 0 || given > 0)
    }
}

fn memchr(text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(file: &[u8], step: usize) -> Result<(Vec<Vec<u8>>, bool), Fault> {
        let mut decode = Decode::new();
        let mut lines = Vec::new();
        for mut input in file.chunks(step) {
            while let Some(line) = decode.next(&mut input)? {
                lines.push(line.to_vec());
            }
        }
        Ok((lines, decode.is_at_end()))
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_come() {
        let long = "x".repeat(400_000);
        let text = format!("a\n\nb{long}\nc\n");
        let expected: Vec<Vec<u8>> = text.lines().map(|line| line.as_bytes().to_vec()).collect();
        let (first, second) = text.split_at(300_000);
        let frame = |text: &str| zstd::bulk::compress(text.as_bytes(), 3).unwrap();
        let frames = [frame(first), frame(second)].concat();
        for file in [text.as_bytes(), &frames] {
            for step in [1, 2, 3, 5, 4096, file.len()] {
                let (found, at_end) = lines(file, step).unwrap();
                assert!(found == expected, "step {step}");
                assert!(at_end, "step {step}");
            }
        }
        for cut in [1, 3, frames.len() - 1] {
            assert!(!lines(&frames[..cut], 4096).unwrap().1, "cut at {cut}");
        }
    }

    #[test]
    fn what_inflates_without_end_is_refused_and_not_kept() {
        let bomb = zstd::bulk::compress(&vec![b'x'; 4 * LINE_BYTES], 19).unwrap();
        assert!(matches!(lines(&bomb, bomb.len()), Err(Fault::LongLine)));
    }
}
