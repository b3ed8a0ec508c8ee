//! Certificates as files, and as `runtime` reads them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use renkei_launch::{Authority, CertError, Leaf};
use renkei_runtime::{Role, SystemClock, Tls, TlsError};

use crate::world::{World, leaf, now};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn keys_and_their_directory_are_closed_to_others() {
    let world = World::new();
    let certs = world.dir.path().join("certs");
    assert_eq!(mode(&certs), 0o700);
    for file in ["node-1.key", "node-1.pem", "ca.key", "ca.pem"].map(|name| certs.join(name)) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn runtime_reads_the_identity_that_was_issued() {
    let world = World::new();
    for role in Role::ALL {
        let leaf = Leaf { role, name: "x-1".to_owned(), ..leaf() };
        let files = world.authority.issue(&leaf).unwrap();
        let tls = Tls::load(&files, Arc::new(SystemClock::new())).unwrap();
        let identity = tls.identity();
        assert_eq!((identity.cloud, identity.role, &*identity.name), (leaf.cloud, role, "x-1"));
        assert_eq!(identity.expires.0 / 1000, leaf.ends.0 / 1000);
        assert!(tls.is_development());
    }
}

#[test]
fn an_authority_that_is_opened_again_issues_for_the_same_trust() {
    let world = World::new();
    let before = std::fs::read(world.authority.authority_file()).unwrap();
    let opened = Authority::open(&world.dir.path().join("certs"), now()).unwrap();
    let files = opened.issue(&leaf()).unwrap();
    assert_eq!(std::fs::read(opened.authority_file()).unwrap(), before);
    let tls = Tls::load(&files, Arc::new(SystemClock::new())).unwrap();
    assert!(tls.is_development());
}

#[test]
fn a_name_that_runtime_would_refuse_is_not_issued() {
    let world = World::new();
    let refused = world.authority.issue(&Leaf { name: "../node".to_owned(), ..leaf() });
    assert!(matches!(refused, Err(CertError::Name { .. })), "{refused:?}");
}

#[test]
fn a_certificate_is_replaced_with_its_key() {
    let world = World::new();
    let clock = || Arc::new(SystemClock::new());
    let old_key = std::fs::read(&world.files.key).unwrap();
    let before = Tls::load(&world.files, clock()).unwrap().identity();
    let again = world.authority.issue(&leaf()).unwrap();
    assert_eq!(again, world.files);
    let after = Tls::load(&again, clock()).unwrap().identity();
    assert_ne!(before.key_hash, after.key_hash);
    std::fs::write(&again.key, old_key).unwrap();
    assert!(matches!(Tls::load(&again, clock()), Err(TlsError::KeyPair { .. })));
}
