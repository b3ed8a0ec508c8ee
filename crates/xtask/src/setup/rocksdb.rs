//! RocksDB, compiled once for the machine in a few large units instead of 343 small ones.
//!
//! Nearly all of its compile time is the front end reading the same headers, so units of twelve files take three
//! minutes on two cores where the crate's own build script takes nineteen. docs/adr/0001 has the reasons.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use cargo_metadata::{Metadata, Node, Package};

use super::cache::{Cache, Key};
use super::system::Tools;
use crate::stages::Running;
use crate::workspace::Workspace;

/// Thirty leave the last unit running alone for minutes, and six read every header twice as often.
const FILES_PER_UNIT: usize = 12;

/// What the crate's build script defines on Linux, with the optimisation of RocksDB's own release build.
const FLAGS: [&str; 20] = [
    "-std=c++20",
    "-O2",
    "-fPIC",
    "-ffunction-sections",
    "-fdata-sections",
    "-w",
    "-include",
    "cstdint",
    "-DNDEBUG=1",
    "-DHAVE_ALIGNED_NEW",
    "-DHAVE_UINT128_EXTENSION",
    "-DLZ4=1",
    "-DZSTD=1",
    "-DOS_LINUX",
    "-DROCKSDB_PLATFORM_POSIX",
    "-DROCKSDB_LIB_IO_POSIX",
    "-DROCKSDB_SCHED_GETCPU_PRESENT",
    "-DROCKSDB_AUXV_GETAUXVAL_PRESENT",
    "-DROCKSDB_FALLOCATE_PRESENT",
    "-DROCKSDB_RANGESYNC_PRESENT",
];

/// Without these RocksDB computes its checksums in software.
const X86_FLAGS: [&str; 2] = ["-msse4.2", "-mpclmul"];

/// Features of librocksdb-sys that the flags above stand for, or that change no object.
const KNOWN_FEATURES: [&str; 7] = ["bindgen-runtime", "lz4", "lz4-sys", "zstd", "zstd-sys", "default", "static"];

/// A RocksDB that is ready to be linked.
#[derive(Debug)]
pub(crate) struct Library {
    /// Holds `librocksdb.a`.
    pub(crate) folder: PathBuf,
    /// Differs when the library differs.
    pub(crate) key: String,
}

/// How to make the library that Cargo.lock asks for.
#[derive(Debug)]
pub(crate) struct Recipe {
    key: Key,
    flags: Vec<String>,
    /// The folder with RocksDB's own tree and `build_version.cc`.
    sources: PathBuf,
    /// Paths below RocksDB's tree, in the order of their names.
    files: Vec<String>,
}

/// One translation unit.
#[derive(Debug)]
struct Unit {
    name: String,
    text: String,
    /// Bytes of the files it includes, to start the longest first and to guess the time left.
    weight: u64,
}

impl Recipe {
    /// Reads versions, features and source folders from cargo's metadata.
    pub(crate) fn of(workspace: &Workspace, tools: &Tools) -> anyhow::Result<Self> {
        let metadata = workspace.metadata();
        let (package, node) = rocksdb_of(metadata)?;
        let unknown = node.features.iter().find(|feature| !KNOWN_FEATURES.contains(&feature.as_str()));
        if let Some(feature) = unknown {
            bail!("librocksdb-sys is used with the feature `{feature}`, which the prebuilt library does not have");
        }
        let lz4 = dependency(metadata, node, "lz4-sys")?;
        let zstd = dependency(metadata, node, "zstd-sys")?;
        let sources = root(package);
        let includes = [
            sources.join("rocksdb/include"),
            sources.join("rocksdb"),
            sources.join("rocksdb/third-party/gtest-1.8.1/fused-src"),
            sources.clone(),
            root(lz4).join("liblz4/lib"),
            root(zstd).join("zstd/lib"),
        ];
        let mut flags: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        if cfg!(target_arch = "x86_64") {
            flags.extend(X86_FLAGS.map(str::to_owned));
        }
        let versions = [package, lz4, zstd].map(|package| format!("{} {}", package.name, package.version)).join("\n");
        let architecture = std::env::consts::ARCH;
        let text = format!("{versions}\n{}\n{}\n{FILES_PER_UNIT} files per unit\n", tools.compiler, flags.join(" "));
        let key = Key::new(format!("librocksdb-{}-{architecture}", package.version), text);
        flags.extend(includes.iter().map(|path| format!("-I{}", path.display())));
        let list = sources.join("rocksdb_lib_sources.txt");
        let list = fs::read_to_string(&list).with_context(|| format!("reading {}", list.display()))?;
        Ok(Self { key, flags, files: source_files(&list), sources })
    }

    /// The library from the cache, or a new one; the answer says which.
    pub(crate) fn find_or_build(&self, cache: &Cache, running: &mut Running) -> anyhow::Result<(Library, bool)> {
        let (folder, built) = cache.find_or_make(&self.key, |folder| self.build(folder, running))?;
        Ok((Library { folder, key: self.key.folder() }, built))
    }

    fn build(&self, folder: &Path, running: &mut Running) -> anyhow::Result<()> {
        let scratch = folder.join("units");
        fs::create_dir(&scratch).with_context(|| format!("creating {}", scratch.display()))?;
        let mut units = self.units()?;
        units.sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.name.cmp(&b.name)));
        self.compile_all(&units, &scratch, running)?;
        let library = folder.join("librocksdb.a");
        let mut ar = Command::new("ar");
        ar.arg("crs").arg(&library).args(units.iter().map(|unit| scratch.join(unit.object())));
        let output = ar.output().context("starting ar")?;
        ensure!(output.status.success(), "ar failed: {}", String::from_utf8_lossy(&output.stderr));
        fs::remove_dir_all(&scratch).with_context(|| format!("removing {}", scratch.display()))
    }

    fn units(&self) -> anyhow::Result<Vec<Unit>> {
        let tree = self.sources.join("rocksdb");
        let weigh = |path: PathBuf| -> anyhow::Result<u64> {
            Ok(fs::metadata(&path).with_context(|| format!("looking at {}", path.display()))?.len())
        };
        let mut units = Vec::new();
        for (number, files) in self.files.chunks(FILES_PER_UNIT).enumerate() {
            let weight = files.iter().map(|file| weigh(tree.join(file))).sum::<anyhow::Result<u64>>()?;
            units.push(Unit { name: format!("unit{number:03}"), text: includes(files), weight });
        }
        let version = String::from("build_version.cc");
        let weight = weigh(self.sources.join(&version))?;
        units.push(Unit { name: "version".into(), text: includes(&[version]), weight });
        Ok(units)
    }

    /// As many compilers at a time as there are cores. The first failure stops the others from starting more.
    fn compile_all(&self, units: &[Unit], scratch: &Path, running: &mut Running) -> anyhow::Result<()> {
        let jobs = thread::available_parallelism().map_or(1, usize::from);
        let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
        let failure: Mutex<Option<anyhow::Error>> = Mutex::new(None);
        let total: u64 = units.iter().map(|unit| unit.weight).sum();
        let work = || {
            while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
                match self.compile(unit, scratch) {
                    Ok(()) => _ = done.fetch_add(unit.weight, Ordering::Relaxed),
                    Err(error) => {
                        next.store(units.len(), Ordering::Relaxed);
                        failure.lock().expect("no worker panics while it holds this lock").get_or_insert(error);
                    }
                }
            }
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
            while !workers.iter().all(thread::ScopedJoinHandle::is_finished) {
                running.tick_share(done.load(Ordering::Relaxed), total, "compiling RocksDB, once for this machine");
                thread::sleep(Duration::from_millis(100));
            }
        });
        failure.into_inner().expect("no worker panics while it holds this lock").map_or(Ok(()), Err)
    }

    fn compile(&self, unit: &Unit, scratch: &Path) -> anyhow::Result<()> {
        let source = scratch.join(format!("{}.cc", unit.name));
        fs::write(&source, &unit.text).with_context(|| format!("writing {}", source.display()))?;
        let mut command = Command::new("g++");
        command.args(&self.flags).arg("-c").arg(&source).arg("-o").arg(scratch.join(unit.object()));
        let output = command.output().context("starting g++")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "g++ failed on {} ({}):\n{complaint}", source.display(), output.status);
        Ok(())
    }
}

impl Unit {
    fn object(&self) -> String {
        format!("{}.o", self.name)
    }
}

/// The files to compile, from the list in the crate; the crate has a `build_version.cc` of its own.
fn source_files(list: &str) -> Vec<String> {
    let files = list.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "util/build_version.cc");
    let mut files: Vec<String> = files.map(str::to_owned).collect();
    files.sort();
    files
}

fn includes(files: &[String]) -> String {
    files.iter().map(|file| format!("#include \"{file}\"\n")).collect()
}

fn rocksdb_of(metadata: &Metadata) -> anyhow::Result<(&Package, &Node)> {
    let nodes = &metadata.resolve.as_ref().context("cargo's metadata lacks the dependency graph")?.nodes;
    nodes
        .iter()
        .map(|node| (&metadata[&node.id], node))
        .find(|(package, _)| package.name.as_str() == "librocksdb-sys")
        .context("no package of the workspace uses librocksdb-sys")
}

fn dependency<'a>(metadata: &'a Metadata, node: &Node, name: &str) -> anyhow::Result<&'a Package> {
    let found =
        node.deps.iter().map(|dependency| &metadata[&dependency.pkg]).find(|package| package.name.as_str() == name);
    found.with_context(|| format!("librocksdb-sys does not depend on {name}"))
}

fn root(package: &Package) -> PathBuf {
    package.manifest_path.parent().expect("a manifest lies in a folder").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(folder: &Path, files: &[(&str, &str)]) -> Recipe {
        fs::create_dir_all(folder.join("rocksdb")).unwrap();
        fs::write(folder.join("build_version.cc"), "int version() { return 1; }").unwrap();
        for (name, text) in files {
            fs::write(folder.join("rocksdb").join(name), text).unwrap();
        }
        let flags = [folder.join("rocksdb"), folder.to_owned()].map(|path| format!("-I{}", path.display()));
        Recipe {
            key: Key::new("library".into(), "text".into()),
            flags: flags.to_vec(),
            sources: folder.to_owned(),
            files: files.iter().map(|(name, _)| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn one_unit_that_does_not_compile_fails_the_build_with_the_compilers_words() {
        if Command::new("g++").arg("--version").output().is_err() {
            println!("SKIPPED: there is no g++");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        fs::create_dir(&target).unwrap();
        let mut running = Running::for_test(folder.path());
        let good = recipe(&folder.path().join("good"), &[("a.cc", "int a() { return 1; }")]);
        good.build(&target, &mut running).unwrap();
        assert!(target.join("librocksdb.a").exists());
        assert!(!target.join("units").exists());

        fs::remove_file(target.join("librocksdb.a")).unwrap();
        let bad = recipe(&folder.path().join("bad"), &[("a.cc", "int a() { return nothing_of_that_name; }")]);
        let error = bad.build(&target, &mut running).unwrap_err().to_string();
        assert!(error.contains("nothing_of_that_name"), "{error}");
        assert!(!target.join("librocksdb.a").exists());
    }

    #[test]
    fn the_list_loses_blanks_carriage_returns_and_the_version_file() {
        let files = source_files("db/b.cc\r\n  util/build_version.cc\r\n\r\n  cache/a.cc\r\n");
        assert_eq!(files, ["cache/a.cc", "db/b.cc"]);
    }

    #[test]
    fn every_file_is_in_exactly_one_unit() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..30).map(|number| format!("f{number:02}.cc")).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        let units = recipe(folder.path(), &files).units().unwrap();
        let text: String = units.iter().map(|unit| unit.text.as_str()).collect();
        assert_eq!(units.len(), 4);
        for name in &names {
            assert_eq!(text.matches(&format!("#include \"{name}\"\n")).count(), 1, "{name}");
        }
    }
}
