//! What the machine must have beside Rust: a C++ compiler, and libclang for the bindings of RocksDB.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::cache::{Cache, Key};
use crate::stages::Running;

/// The version whose wheel was tried with the bindgen in Cargo.lock.
const LIBCLANG_WHEEL: &str = "libclang==18.1.1";
const INSTALL_LIMIT: Duration = Duration::from_secs(15 * 60);

/// The tools of this machine.
#[derive(Debug)]
pub(crate) struct Tools {
    /// Version and platform of g++, as it tells them.
    pub(crate) compiler: String,
    /// The shared library.
    pub(crate) libclang: PathBuf,
    /// The compiler's own headers, which libclang lacks when it comes without clang.
    pub(crate) headers: PathBuf,
}

impl Tools {
    /// Present; or installed as root; or, for libclang, from a Python wheel in the cache; or an error with the one
    /// command to run.
    pub(crate) fn find_or_install(cache: &Cache, running: &mut Running) -> anyhow::Result<Self> {
        let missing = missing(cache);
        if !missing.is_empty() && is_root() {
            let packages: Vec<&str> = missing.iter().map(|it| it.package()).collect();
            install(&packages, running)?;
        }
        let missing = self::missing(cache);
        if missing.contains(&Missing::Compiler) {
            bail!("a C++ compiler is missing; run: {}", command_to_run(&missing));
        }
        let libclang = match find_libclang(cache) {
            Some(found) => found,
            None => libclang_from_wheel(cache, running)
                .with_context(|| format!("libclang is missing; run: {}", command_to_run(&missing)))?,
        };
        Ok(Self { compiler: compiler().context("g++ does not answer")?, libclang, headers: compiler_headers()? })
    }
}

/// What a machine can lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    Compiler,
    Libclang,
}

impl Missing {
    /// The smallest Debian and Ubuntu package that brings it.
    const fn package(self) -> &'static str {
        match self {
            Self::Compiler => "g++",
            Self::Libclang => "libclang1",
        }
    }
}

fn missing(cache: &Cache) -> Vec<Missing> {
    let compiler = compiler().is_none().then_some(Missing::Compiler);
    let libclang = find_libclang(cache).is_none().then_some(Missing::Libclang);
    compiler.into_iter().chain(libclang).collect()
}

fn command_to_run(missing: &[Missing]) -> String {
    let packages: Vec<&str> = missing.iter().map(|it| it.package()).collect();
    format!("sudo apt-get update && sudo apt-get install -y --no-install-recommends {}", packages.join(" "))
}

/// Package lists are fetched only when installing without them fails. A failure here is not the end: what is missing then
/// is looked at again, and libclang has another source.
pub(super) fn install(packages: &[&str], running: &mut Running) -> anyhow::Result<()> {
    if Command::new("apt-get").arg("--version").output().is_err() {
        return Ok(());
    }
    let log = running.log();
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    if running.watch(&mut apt(&arguments), &log, INSTALL_LIMIT)?.success() {
        return Ok(());
    }
    if running.watch(&mut apt(&["update"]), &log, INSTALL_LIMIT)?.success() {
        running.watch(&mut apt(&arguments), &log, INSTALL_LIMIT)?;
    }
    Ok(())
}

/// The first line of `g++ --version`, with the platform it compiles for; `ar` comes with it.
fn compiler() -> Option<String> {
    let version = answer(Command::new("g++").arg("--version"))?;
    let platform = answer(Command::new("g++").arg("-dumpmachine"))?;
    answer(Command::new("ar").arg("--version"))?;
    Some(format!("{} for {}", version.lines().next()?, platform.trim()))
}

fn compiler_headers() -> anyhow::Result<PathBuf> {
    let answer = answer(Command::new("g++").arg("-print-file-name=include")).context("asking g++ for its headers")?;
    let headers = PathBuf::from(answer.trim());
    ensure!(headers.join("stdbool.h").exists(), "g++ names {} for its headers, without stdbool.h", headers.display());
    Ok(headers)
}

/// Standard output of a command that succeeds; `None` where it fails or is not there.
pub(super) fn answer(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// As root every file of the process belongs to user 0.
pub(super) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

fn wheel_key() -> Key {
    Key::new("libclang".into(), LIBCLANG_WHEEL.into())
}

fn find_libclang(cache: &Cache) -> Option<PathBuf> {
    libclang_in(system_folders()).or_else(|| libclang_below(&cache.find(&wheel_key())?))
}

/// Where distributions put it: `/usr/lib/llvm-14/lib`, `/usr/lib/x86_64-linux-gnu`, `/usr/lib64`.
fn system_folders() -> Vec<PathBuf> {
    let base = Path::new("/usr/lib");
    let below = |folder: PathBuf| {
        let name = folder.file_name()?.to_str()?.to_owned();
        if name.starts_with("llvm-") {
            return Some(folder.join("lib"));
        }
        (name.contains("-linux-") || name == "llvm").then_some(folder)
    };
    let mut folders: Vec<PathBuf> = entries(base).into_iter().filter_map(below).collect();
    folders.extend(["/usr/lib64", "/usr/lib", "/usr/local/lib"].map(PathBuf::from));
    folders
}

/// The newest libclang in these folders.
fn libclang_in(folders: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    let files = folders.into_iter().flat_map(|folder| entries(&folder));
    let mut found: Vec<(Vec<u32>, PathBuf)> = files.filter_map(|file| Some((libclang_version(&file)?, file))).collect();
    found.sort();
    found.pop().map(|(_, file)| file)
}

/// Which version a file is of, when it is libclang: `libclang-14.so.1` is 14, 1. A plain `libclang.so` has no number.
fn libclang_version(file: &Path) -> Option<Vec<u32>> {
    let name = file.file_name()?.to_str()?;
    let rest = name.strip_prefix("libclang")?;
    let (version, tail) = rest.split_once(".so")?;
    let version = match version {
        "" => "",
        _ => version.strip_prefix('-')?,
    };
    let numbers = format!("{version}.{tail}");
    let numbers = numbers.split('.').filter(|part| !part.is_empty());
    let numbers: Result<Vec<u32>, _> = numbers.map(str::parse).collect();
    numbers.ok().filter(|_| file.exists())
}

/// libclang anywhere below a folder.
fn libclang_below(folder: &Path) -> Option<PathBuf> {
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries(folder).into_iter().partition(|path| path.is_dir());
    files
        .into_iter()
        .find(|file| libclang_version(file).is_some())
        .or_else(|| folders.iter().find_map(|it| libclang_below(it)))
}

/// A folder's entries in a fixed order; none when it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

/// The Python wheel holds libclang and nothing else. A virtual environment is tried first, for Debian's own Python
/// refuses to install outside one; a Python without that module may still have pip.
fn libclang_from_wheel(cache: &Cache, running: &mut Running) -> anyhow::Result<PathBuf> {
    let log = running.log();
    let (folder, _) = cache.find_or_make(&wheel_key(), |folder| {
        let wheel = folder.join("wheel");
        let environment = folder.join("venv");
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(&environment);
        let in_venv = running.watch(&mut venv, &log, INSTALL_LIMIT).is_ok_and(|ending| ending.success());
        let python = if in_venv { environment.join("bin").join("python3") } else { PathBuf::from("python3") };
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "install", "--no-input", "--target"]).arg(&wheel).arg(LIBCLANG_WHEEL);
        let ending = running.watch(&mut pip, &log, INSTALL_LIMIT)?;
        ensure!(ending.success(), "python3 could not install {LIBCLANG_WHEEL}; see {}", log.display());
        ensure!(libclang_below(&wheel).is_some(), "{LIBCLANG_WHEEL} holds no shared library");
        if in_venv {
            fs::remove_dir_all(&environment).context("removing the virtual environment, which has done its work")?;
        }
        Ok(())
    })?;
    libclang_below(&folder).with_context(|| format!("{} holds no libclang any more", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_libclang_is_taken_and_its_neighbours_never() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "libclang-cpp.so.19",
            "libclang.so",
            "libclang-9.so.1",
            "libclang-14.so.1",
            "libclangTooling.so",
            "libclang.a",
        ];
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(libclang_in([folder.path().to_owned()]), Some(folder.path().join("libclang-14.so.1")));
    }

    #[test]
    fn a_link_to_nothing_is_no_library() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("gone", folder.path().join("libclang.so.1")).unwrap();
        assert_eq!(libclang_in([folder.path().to_owned()]), None);
    }

    #[test]
    fn a_wheel_is_searched_to_the_bottom() {
        let folder = tempfile::tempdir().unwrap();
        let native = folder.path().join("wheel/clang/native");
        fs::create_dir_all(&native).unwrap();
        assert_eq!(libclang_below(folder.path()), None);
        fs::write(native.join("libclang.so"), "").unwrap();
        assert_eq!(libclang_below(folder.path()), Some(native.join("libclang.so")));
    }

    #[test]
    fn the_command_to_run_names_what_is_missing_and_no_more() {
        let both = command_to_run(&[Missing::Compiler, Missing::Libclang]);
        assert!(both.ends_with("--no-install-recommends g++ libclang1"), "{both}");
        assert!(command_to_run(&[Missing::Libclang]).ends_with("--no-install-recommends libclang1"));
    }
}
