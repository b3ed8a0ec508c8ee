//! A disk for tests, in memory and mounted by FUSE, that loses power, fills up, lies and fails on command.
//!
//! Invariant: what was not made durable by a sync that returned, in the sense of POSIX and no more, can be lost at a power
//! cut; what was, never is.
//!
//! # What a power cut does
//!
//! The disk keeps two states of everything: as programs see it, and as it is on the medium. Only these move the second:
//!
//! - `fsync` or `fdatasync` of a file: its content and its length;
//! - `fsync` of a directory: the names in it. So a file that was created, renamed, linked or deleted has its new names only
//!   when each directory concerned was synced behind it, whatever was done to the file itself.
//!
//! That is less than the usual file systems give: ext4 and XFS keep the order of names in a journal, and write the names
//! down together with the first sync of the file. A program that is right here needs none of it.
//!
//! [`Loss::Everything`] goes back to the medium. [`Loss::Torn`] lets chance decide for each page of 4 KiB and for each name
//! whether it reached the medium although nobody waited for it: a cache is written back in any order. A page is never torn
//! itself, a file without its last pages is shorter, and one without earlier ones has zeroes there.
//!
//! Not modelled: sectors that decay, firmware that reorders across a flush, symbolic links, extended attributes, times.

mod content;
mod disk;
mod mount;
mod store;

pub use disk::{Disk, Loss, Lost};
pub use mount::Mounted;
