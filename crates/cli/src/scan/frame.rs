//! Tokens in a source, and in the compressed frames that begin anywhere in it.

use std::io::{self, Read};

use memchr::memmem::Finder;

use super::source::Source;
use super::tokens::Tokens;

/// Frames inside frames are inflated this deep.
pub const MAX_DEPTH: u8 = 3;
/// Bytes of one frame that are looked at: six times the largest document.
pub const MAX_INFLATED: u64 = 64 << 20;
/// Largest window that a Zstandard frame may ask memory for, as a power of two.
const ZSTD_WINDOW_LOG: u32 = 26;
/// Bytes looked at together.
const WINDOW: usize = 1 << 20;

/// Formats of frames: Zstandard (RFC 8878, 3.1.1) and LZ4 (LZ4 Frame Format 1.6, 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Zstd,
    Lz4,
}

impl Format {
    const ALL: [Self; 2] = [Self::Zstd, Self::Lz4];

    const fn magic(self) -> [u8; 4] {
        match self {
            Self::Zstd => [0x28, 0xB5, 0x2F, 0xFD],
            Self::Lz4 => [0x04, 0x22, 0x4D, 0x18],
        }
    }

    /// What the frame at the beginning of `source` holds, as far as it inflates: most that begin with the four bytes
    /// are no frames.
    fn inflate(self, source: impl Read) -> Vec<u8> {
        let mut content = Vec::new();
        // One byte more than is looked at tells a frame that goes on.
        let limit = MAX_INFLATED + 1;
        let _ended = match self {
            Self::Zstd => zstd::Decoder::new(source).and_then(|decoder| {
                let mut decoder = decoder.single_frame();
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                decoder.take(limit).read_to_end(&mut content)
            }),
            Self::Lz4 => lz4_flex::frame::FrameDecoder::new(source).take(limit).read_to_end(&mut content),
        };
        content
    }
}

/// What a search could not look at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Searched {
    /// Bytes of the source.
    pub(super) bytes: u64,
    /// Frames that were longer than [`MAX_INFLATED`].
    pub(super) cut_frames: u64,
}

/// Calls `found` with each token in `source` and the number of frames around it.
pub(super) fn search(source: &impl Source, tokens: &Tokens, found: &mut dyn FnMut(usize, u8)) -> io::Result<Searched> {
    let mut searched = Searched::default();
    // Frames wait here instead of on the stack of a recursion.
    let mut waiting = Vec::new();
    let frames = pass(source, tokens, &mut |token| found(token, 0), &mut searched.bytes)?;
    for (format, offset) in frames {
        waiting.push((format.inflate(source.read_from(offset)?), 1));
        while let Some((mut content, depth)) = waiting.pop() {
            if content.len() as u64 > MAX_INFLATED {
                searched.cut_frames += 1;
                content.pop();
            }
            let content = content.as_slice();
            let frames = pass(&content, tokens, &mut |token| found(token, depth), &mut 0)?;
            if depth < MAX_DEPTH {
                for (format, offset) in frames {
                    waiting.push((format.inflate(content.read_from(offset)?), depth + 1));
                }
            }
        }
    }
    Ok(searched)
}

/// One pass over a source: its tokens, and where frames may begin.
fn pass(
    source: &impl Source,
    tokens: &Tokens,
    found: &mut dyn FnMut(usize),
    bytes: &mut u64,
) -> io::Result<Vec<(Format, u64)>> {
    let finders = Format::ALL.map(|format| (format, Finder::new(&format.magic()).into_owned()));
    let overlap = tokens.longest() - 1;
    let mut reader = source.read_from(0)?;
    let mut frames = Vec::new();
    let mut window = Vec::with_capacity(WINDOW + overlap);
    // Offset of the window in the source.
    let mut at = 0_u64;
    let mut carried = 0;
    loop {
        let read = reader.by_ref().take(WINDOW as u64).read_to_end(&mut window)?;
        if read == 0 {
            return Ok(frames);
        }
        *bytes += read as u64;
        tokens.find(&window, carried).for_each(&mut *found);
        for (format, finder) in &finders {
            let new = finder.find_iter(&window).filter(|start| start + format.magic().len() > carried);
            frames.extend(new.map(|start| (*format, at + start as u64)));
        }
        carried = overlap.min(window.len());
        let passed = window.len() - carried;
        window.drain(..passed);
        at += passed as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "planted-token-0001";

    fn tokens() -> Tokens {
        Tokens::new([TOKEN]).unwrap()
    }

    /// Depths at which the token was found.
    fn depths(bytes: &[u8]) -> Vec<u8> {
        let mut depths = Vec::new();
        search(&bytes, &tokens(), &mut |_, depth| depths.push(depth)).unwrap();
        depths
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 3).unwrap()
    }

    fn lz4(bytes: &[u8]) -> Vec<u8> {
        use std::io::Write as _;
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Content from which compression leaves `bytes` nowhere in one piece: both halves of it come before, apart.
    fn hidden(bytes: &[u8]) -> Vec<u8> {
        let (front, back) = bytes.split_at(bytes.len() / 2);
        [back, b"|", front, b"|", bytes, &[b'.'; 64]].concat()
    }

    fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
        bytes.windows(wanted.len()).any(|window| window == wanted)
    }

    #[test]
    fn a_token_across_windows_is_found_once() {
        for shift in 0..=TOKEN.len() {
            let mut bytes = vec![b'.'; WINDOW - shift];
            bytes.extend_from_slice(TOKEN.as_bytes());
            bytes.extend_from_slice(&[b'.'; 100]);
            assert_eq!(depths(&bytes), [0], "{shift} bytes before the edge");
        }
    }

    #[test]
    fn frames_are_inflated_wherever_they_begin() {
        let content = hidden(TOKEN.as_bytes());
        for frame in [zstd(&content), lz4(&content)] {
            assert!(!holds(&frame, TOKEN.as_bytes()), "the frame hides the token");
            for before in [0, 1, 77, WINDOW - 2, WINDOW] {
                let bytes = [vec![b'.'; before], frame.clone(), vec![0xFF; 50]].concat();
                assert_eq!(depths(&bytes), [1], "after {before} bytes");
            }
        }
    }

    #[test]
    fn frames_in_frames_are_inflated_to_the_depth_and_no_deeper() {
        let mut bytes = TOKEN.as_bytes().to_vec();
        for depth in 1..=MAX_DEPTH {
            bytes = if depth % 2 == 0 { lz4(&hidden(&bytes)) } else { zstd(&hidden(&bytes)) };
            assert_eq!(depths(&[b"head", bytes.as_slice()].concat()), [depth]);
        }
        assert_eq!(depths(&zstd(&hidden(&bytes))), [0_u8; 0]);
    }

    #[test]
    fn a_torn_frame_shows_what_inflates_and_a_false_one_nothing() {
        let long = [hidden(TOKEN.as_bytes()), (0..200_000_u32).flat_map(u32::to_le_bytes).collect()].concat();
        let torn = zstd(&long);
        assert_eq!(depths(&torn[..torn.len() - 10]), [1]);
        for format in Format::ALL {
            assert_eq!(depths(&[&format.magic()[..], b"nothing of the kind"].concat()), [0_u8; 0]);
        }
    }

    #[test]
    fn a_bomb_is_cut_and_counted() {
        let bomb = zstd(&vec![0; usize::try_from(MAX_INFLATED).unwrap() + 1]);
        let mut hits = 0;
        let searched = search(&bomb.as_slice(), &tokens(), &mut |_, _| hits += 1).unwrap();
        assert_eq!((searched.cut_frames, hits), (1, 0));
    }
}
