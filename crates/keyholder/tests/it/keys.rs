//! Key files: made once, sealed, and without which nothing starts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use renkei_ids::CloudId;
use renkei_launch::make_keyholder_keys;

use crate::world::{CLOUD, World};

fn place(world: &World, what: &str) -> std::path::PathBuf {
    world.dir.path().join(format!("keyholder-1-{what}"))
}

#[test]
fn a_factor_secret_is_made_once_closed_to_others_and_sealed() {
    let world = World::prepared(1, &[]);
    let (keys, host) = (place(&world, "keys"), place(&world, "host-secret"));
    let path = keys.join("factors-1.key");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("renkei key holder key 1\npurpose factors\nepoch 1\nseal host\n"), "{text}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(make_keyholder_keys(&keys, 1, &host).is_err(), "a key is never replaced");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    make_keyholder_keys(&keys, 2, &host).unwrap();
    assert_ne!(fs::read_to_string(keys.join("factors-2.key")).unwrap().lines().last(), text.lines().last());
    fs::write(&host, [0; 31]).unwrap();
    assert!(make_keyholder_keys(&keys, 3, &host).is_err());
}

#[test]
fn a_key_holder_with_other_keys_or_another_name_does_not_start() {
    let mut world = World::prepared(1, &[]);
    let keys = place(&world, "keys");
    let path = keys.join("factors-1.key");
    let kept = fs::read_to_string(&path).unwrap();
    make_keyholder_keys(&keys, 2, &place(&world, "host-secret")).unwrap();
    let other = fs::read_to_string(keys.join("factors-2.key")).unwrap();
    let unsealed = format!("renkei key holder key 1\npurpose factors\nepoch 1\nseal none\n{}\n", "5a".repeat(32));
    for (text, said) in [
        (other, "is of epoch 2, not 1"),
        (kept.replace("epoch 1", "epoch 2"), "do not open"),
        (kept.replace("purpose factors", "purpose tickets"), "another purpose"),
        (unsealed, "is not sealed to the host secret"),
    ] {
        fs::write(&path, text).unwrap();
        assert!(world.holders[0].start().is_err(), "{said}");
        assert!(world.log(0).contains(said), "{said}: {}", world.log(0));
    }
    fs::write(&path, kept).unwrap();
    world.holders[0].start().unwrap();

    for (set, said) in [
        ("keyholder.id=2", "the configuration key holder 2"),
        ("keys.epochs=[1,3]", "must be one epoch from 1, or two that follow"),
        ("clouds.nonsense={}", "must be named by 32 hexadecimal digits"),
    ] {
        let mut world = World::prepared(1, &[set]);
        assert!(world.holders[0].start().is_err(), "{set}");
        assert!(world.log(0).contains(said), "{said}: {}", world.log(0));
    }
}

#[test]
fn two_epochs_are_served_while_keys_are_rotated() {
    let mut world = World::prepared(1, &["keys.epochs=[1,2]"]);
    assert!(world.holders[0].start().is_err(), "the second one's secret is not there");
    make_keyholder_keys(&place(&world, "keys"), 2, &place(&world, "host-secret")).unwrap();
    world.holders[0].start().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let codes = runtime.block_on(async {
        let mut request = crate::world::request(crate::world::today(), 3, CLOUD);
        for (item, epoch) in request.items.iter_mut().zip(1..) {
            item.epoch = renkei_ids::PseudonymEpoch(epoch);
        }
        world.mint(&world.registrar(), 0, request).await.unwrap()
    });
    assert_eq!(codes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn outside_of_development_every_cloud_names_its_vaults() {
    let dir = tempfile::tempdir().unwrap();
    let now = renkei_ids::Clock::now(&renkei_runtime::SystemClock::new());
    let authority = renkei_launch::Authority::create(&dir.path().join("certs"), "some authority", now).unwrap();
    let start = |set: &[String], clouds: &[CloudId]| {
        let dir = dir.path().join(set.len().to_string());
        let mut holder = renkei_launch::Keyholder::prepare(&authority, &dir, (1, clouds), set, now).unwrap();
        let started = holder.start().is_ok();
        (started, fs::read_to_string(holder.log()).unwrap())
    };
    let (started, log) = start(&[], &[CLOUD]);
    assert!(!started && log.contains("names no public keys of its vaults"), "{log}");
    let named = [format!("clouds.{CLOUD}.vault_keys=[\"{}\"]", "5a".repeat(32))];
    let (started, log) = start(&named, &[CLOUD]);
    assert!(started, "{log}");
}
