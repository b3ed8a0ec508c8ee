//! The disk as a program sees it, before and after the power went.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails ends the test")]
#![allow(clippy::print_stdout, reason = "a test says its seed, and why it is skipped")]

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use renkei_fault_disk::{Disk, Loss, Lost, Mounted};

struct Machine {
    disk: Disk,
    mounted: Option<Mounted>,
    dir: tempfile::TempDir,
}

impl Machine {
    /// `None`, said so, where this machine has no FUSE.
    fn start() -> Option<Self> {
        let (disk, dir) = (Disk::new(), tempfile::tempdir().unwrap());
        match disk.mount(dir.path()) {
            Ok(mounted) => Some(Self { disk, mounted: Some(mounted), dir }),
            Err(error) => {
                println!("SKIPPED: cannot mount by FUSE: {error}");
                None
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn power_cycle(&mut self, loss: Loss) -> Lost {
        let lost = self.disk.cut(loss);
        self.mounted.take().unwrap().unmount().unwrap();
        self.disk.power_on();
        self.mounted = Some(self.disk.mount(self.dir.path()).unwrap());
        lost
    }
}

fn sync_dir(path: &Path) {
    File::open(path).unwrap().sync_all().unwrap();
}

#[test]
fn what_was_synced_stays_and_what_was_not_goes() {
    let Some(mut machine) = Machine::start() else { return };
    let kept = machine.path("kept");
    let mut file = File::create(&kept).unwrap();
    file.write_all(b"durable").unwrap();
    file.sync_all().unwrap();
    sync_dir(machine.dir.path());
    file.write_all(b" and not").unwrap();
    fs::write(machine.path("named-late"), "x").unwrap();
    File::open(machine.path("named-late")).unwrap().sync_all().unwrap();
    fs::rename(&kept, machine.path("renamed")).unwrap();
    assert_eq!(fs::read(machine.path("renamed")).unwrap(), b"durable and not");
    drop(file);

    let lost = machine.power_cycle(Loss::Everything);
    assert_eq!(fs::read(&kept).unwrap(), b"durable", "neither the rename nor the last bytes were synced");
    let names: Vec<_> = fs::read_dir(machine.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["kept"], "a synced file has no name before its directory is synced");
    assert_eq!(lost, Lost { bytes: 4096, names: 3 });
}

#[test]
fn synced_directories_keep_renames_links_and_removals() {
    let Some(mut machine) = Machine::start() else { return };
    let (one, two) = (machine.path("one"), machine.path("two"));
    fs::create_dir(&one).unwrap();
    fs::create_dir(&two).unwrap();
    let file = File::create(one.join("file")).unwrap();
    file.write_all_at(b"content", 0).unwrap();
    file.sync_data().unwrap();
    fs::hard_link(one.join("file"), two.join("linked")).unwrap();
    fs::rename(one.join("file"), two.join("moved")).unwrap();
    fs::write(two.join("removed"), "x").unwrap();
    fs::remove_file(two.join("removed")).unwrap();
    assert_eq!(fs::remove_dir(&two).unwrap_err().kind(), ErrorKind::DirectoryNotEmpty);
    for dir in [&one, &two, &machine.dir.path().to_owned()] {
        sync_dir(dir);
    }
    drop(file);
    assert_eq!(machine.power_cycle(Loss::Everything), Lost::default());
    assert_eq!(fs::read_dir(&one).unwrap().count(), 0);
    assert_eq!(fs::read(two.join("linked")).unwrap(), b"content");
    assert_eq!(fs::read(two.join("moved")).unwrap(), b"content");
    assert!(!two.join("removed").exists());
}

#[test]
fn a_torn_loss_keeps_some_of_many_pages_and_names() {
    let Some(mut machine) = Machine::start() else { return };
    let seed: u64 = rand_seed();
    println!("seed {seed}");
    let file = File::create(machine.path("file")).unwrap();
    file.write_all_at(&[1; 4096], 0).unwrap();
    file.sync_all().unwrap();
    sync_dir(machine.dir.path());
    file.write_all_at(&vec![2; 100 * 4096], 4096).unwrap();
    for n in 0..100 {
        fs::write(machine.path(&format!("name-{n:03}")), "").unwrap();
    }
    drop(file);
    let lost = machine.power_cycle(Loss::Torn { seed });
    let content = fs::read(machine.path("file")).unwrap();
    assert!(content[..4096] == [1; 4096], "the synced page is whole");
    let kept = content[4096..].chunks(4096).filter(|page| page.iter().all(|byte| *byte == 2)).count();
    let names = fs::read_dir(machine.dir.path()).unwrap().count() - 1;
    assert!((10..90).contains(&kept) && (10..90).contains(&names), "{kept} pages, {names} names");
    assert_eq!(names as u64 + lost.names, 100);
}

/// As good as any: it is printed.
fn rand_seed() -> u64 {
    std::process::id().into()
}

#[test]
fn a_disk_that_lies_loses_what_was_synced() {
    let Some(mut machine) = Machine::start() else { return };
    machine.disk.lie(true);
    let file = File::create(machine.path("file")).unwrap();
    file.sync_all().unwrap();
    sync_dir(machine.dir.path());
    drop(file);
    machine.power_cycle(Loss::Everything);
    assert_eq!(fs::read_dir(machine.dir.path()).unwrap().count(), 0);
}

#[test]
fn syncs_fail_by_name_and_a_full_disk_takes_nothing_more() {
    let Some(machine) = Machine::start() else { return };
    let (log, table) = (machine.path("1.log"), machine.path("2.sst"));
    machine.disk.fail_syncs(Some(".log"));
    assert!(File::create(log).unwrap().sync_all().is_err());
    assert!(File::create(&table).unwrap().sync_all().is_ok());
    machine.disk.fail_syncs(None);

    machine.disk.set_capacity(10 * 4096);
    let mut file = OpenOptions::new().append(true).open(&table).unwrap();
    file.write_all(&[1; 10 * 4096]).unwrap();
    assert_eq!(file.write_all(&[1; 1]).unwrap_err().kind(), ErrorKind::StorageFull);
    machine.disk.set_capacity(1 << 30);
    file.write_all(&[1; 1]).unwrap();
    assert_eq!(file.metadata().unwrap().len(), 10 * 4096 + 1);
}

#[test]
fn without_power_nothing_works() {
    let Some(machine) = Machine::start() else { return };
    let file = File::create(machine.path("file")).unwrap();
    machine.disk.cut(Loss::Everything);
    assert!(file.write_all_at(b"x", 0).is_err());
    assert!(file.sync_all().is_err());
    assert!(fs::read_dir(machine.dir.path()).is_err());
}
