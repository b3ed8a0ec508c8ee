//! The store as a file system of the kernel.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::content::PAGE;
use crate::store::{Outcome, ROOT, Refused, Store, What};

/// The kernel asks each time: it must not remember what the disk has lost.
const REMEMBERED: Duration = Duration::ZERO;
/// `O_TRUNC` of Linux.
const TRUNCATE: i32 = 0o1000;
const NO_HANDLE: FileHandle = FileHandle(0);
const FIRST: Generation = Generation(0);
const NAME_MAX: u32 = 255;

/// A mounted disk; dropping it unmounts.
pub struct Mounted {
    session: Option<BackgroundSession>,
}

impl fmt::Debug for Mounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mounted").finish_non_exhaustive()
    }
}

impl Mounted {
    pub(crate) fn new(store: Arc<Mutex<Store>>, on: &Path) -> io::Result<Self> {
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("renkei-fault-disk".to_owned()), MountOption::NoAtime];
        let session = fuser::spawn_mount(View(store), on, &config)?;
        Ok(Self { session: Some(session) })
    }

    /// Unmounts, and waits until the kernel has let go.
    ///
    /// # Errors
    /// Where a program still uses it.
    pub fn unmount(mut self) -> io::Result<()> {
        self.session.take().map_or(Ok(()), BackgroundSession::umount_and_join)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            // A test that failed may leave a program behind that holds it; the mount ends with this process then.
            let _still_used = session.umount_and_join();
        }
    }
}

struct View(Arc<Mutex<Store>>);

impl View {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn errno(refused: Refused) -> Errno {
    match refused {
        Refused::NoEntry => Errno::ENOENT,
        Refused::Exists => Errno::EEXIST,
        Refused::NotEmpty => Errno::ENOTEMPTY,
        Refused::NotADirectory => Errno::ENOTDIR,
        Refused::IsADirectory => Errno::EISDIR,
        Refused::NoSpace => Errno::ENOSPC,
        Refused::Io => Errno::EIO,
    }
}

fn attributes(store: &Store, request: &Request, id: u64) -> Outcome<FileAttr> {
    let node = store.node(id)?;
    let (kind, size) = match &node.what {
        What::File { now, .. } => (FileType::RegularFile, now.len() as u64),
        What::Directory { .. } => (FileType::Directory, PAGE as u64),
    };
    let never = SystemTime::UNIX_EPOCH;
    Ok(FileAttr {
        ino: INodeNo(id),
        size,
        blocks: size.div_ceil(512),
        atime: never,
        mtime: never,
        ctime: never,
        crtime: never,
        kind,
        perm: node.mode,
        nlink: 1,
        uid: request.uid(),
        gid: request.gid(),
        rdev: 0,
        blksize: u32::try_from(PAGE).expect("4 KiB"),
        flags: 0,
    })
}

fn permissions(mode: u32, umask: u32) -> u16 {
    u16::try_from(mode & !umask & 0o7777).expect("twelve bits")
}

fn done(reply: ReplyEmpty, outcome: Outcome<()>) {
    match outcome {
        Ok(()) => reply.ok(),
        Err(refused) => reply.error(errno(refused)),
    }
}

fn entry(reply: ReplyEntry, outcome: Outcome<FileAttr>) {
    match outcome {
        Ok(attributes) => reply.entry(&REMEMBERED, &attributes, FIRST),
        Err(refused) => reply.error(errno(refused)),
    }
}

fn attr(reply: ReplyAttr, outcome: Outcome<FileAttr>) {
    match outcome {
        Ok(attributes) => reply.attr(&REMEMBERED, &attributes),
        Err(refused) => reply.error(errno(refused)),
    }
}

impl Filesystem for View {
    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let store = self.store();
        entry(reply, store.lookup(parent.0, name).and_then(|id| attributes(&store, request, id)));
    }

    fn getattr(&self, request: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        attr(reply, attributes(&self.store(), request, ino.0));
    }

    fn setattr(
        &self,
        request: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _fh: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut store = self.store();
        let resized = size.map_or(Ok(()), |size| store.resize(ino.0, size));
        let changed = resized.and_then(|()| mode.map_or(Ok(()), |mode| store.set_mode(ino.0, permissions(mode, 0))));
        attr(reply, changed.and_then(|()| attributes(&store, request, ino.0)));
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        let mut store = self.store();
        let made = store.create(parent.0, name, permissions(mode, umask), true);
        entry(reply, made.and_then(|id| attributes(&store, request, id)));
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(reply, self.store().remove(parent.0, name, false));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(reply, self.store().remove(parent.0, name, true));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if flags.contains(RenameFlags::RENAME_EXCHANGE) {
            return reply.error(Errno::EINVAL);
        }
        let replaces = !flags.contains(RenameFlags::RENAME_NOREPLACE);
        done(reply, self.store().rename((parent.0, name), (newparent.0, newname), replaces));
    }

    fn link(&self, request: &Request, ino: INodeNo, newparent: INodeNo, newname: &OsStr, reply: ReplyEntry) {
        let mut store = self.store();
        let linked = store.link(ino.0, newparent.0, newname);
        entry(reply, linked.and_then(|()| attributes(&store, request, ino.0)));
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let mut store = self.store();
        let made = store.create(parent.0, name, permissions(mode, umask), false);
        let opened = made.and_then(|id| store.opened(id, false).map(|()| id));
        match opened.and_then(|id| attributes(&store, request, id)) {
            Ok(attributes) => reply.created(&REMEMBERED, &attributes, FIRST, NO_HANDLE, FopenFlags::empty()),
            Err(refused) => reply.error(errno(refused)),
        }
    }

    fn open(&self, _: &Request, ino: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        match self.store().opened(ino.0, flags.0 & TRUNCATE != 0) {
            Ok(()) => reply.opened(NO_HANDLE, FopenFlags::empty()),
            Err(refused) => reply.error(errno(refused)),
        }
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.store().read(ino.0, offset, size as usize) {
            Ok(bytes) => reply.data(&bytes),
            Err(refused) => reply.error(errno(refused)),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.store().write(ino.0, offset, data) {
            Ok(()) => reply.written(u32::try_from(data.len()).expect("the kernel writes 16 MiB at most")),
            Err(refused) => reply.error(errno(refused)),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        // Closing a file brings nothing to the medium.
        reply.ok();
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.store().released(ino.0);
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        done(reply, self.store().sync(ino.0));
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        done(reply, self.store().sync(ino.0));
    }

    fn readdir(&self, _: &Request, ino: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let store = self.store();
        let names = match store.names(ino.0) {
            Ok(names) => names,
            Err(refused) => return reply.error(errno(refused)),
        };
        let kind = |id: u64| match store.node(id).map(|node| &node.what) {
            Ok(What::Directory { .. }) => FileType::Directory,
            Ok(What::File { .. }) | Err(_) => FileType::RegularFile,
        };
        let dots = [(OsStr::new("."), ino.0), (OsStr::new(".."), ROOT)];
        let all = dots.into_iter().chain(names.iter().map(|(name, id)| (name.as_os_str(), *id)));
        for (next, (name, id)) in (1..).zip(all).skip(usize::try_from(offset).unwrap_or(usize::MAX)) {
            if reply.add(INodeNo(id), next, kind(id), name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let store = self.store();
        let (page, all) = (PAGE as u64, store.capacity / PAGE as u64);
        let free = store.capacity.saturating_sub(store.used()) / page;
        let page = u32::try_from(PAGE).expect("4 KiB");
        reply.statfs(all, free, free, 1 << 20, 1 << 20, page, NAME_MAX, page);
    }
}
