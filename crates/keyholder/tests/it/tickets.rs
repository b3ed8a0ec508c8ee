//! Whole tickets: minted through two key holders, opened with what the vault is handed by each.

use renkei_ids::UnixDay;
use renkei_wire::keyholder::HeldTicketKey;

use crate::world::{CLOUD, OTHER_CLOUD, Registrar, World, open, today};

/// What the vault of a cloud is handed for today by each key holder.
async fn keys(world: &World, cloud: renkei_ids::CloudId) -> Vec<HeldTicketKey> {
    let vault = world.vault(cloud);
    let mut keys = Vec::new();
    for at in 0..world.holders.len() {
        keys.push(world.ticket_key(&vault, at, today()).await.unwrap());
    }
    keys
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persons_tickets_open_to_one_pseudonym_in_the_clouds_own_vault_and_nowhere_else() {
    let world = World::new(2, &[]);
    let registrar = Registrar::new(&world);
    let (own, foreign) = (keys(&world, CLOUD).await, keys(&world, OTHER_CLOUD).await);
    let by_registrar = registrar.ticket_key(CLOUD);
    let tickets = registrar.mint(&world, CLOUD, &[1, 2, 1]).await;
    let opened: Vec<_> =
        tickets.iter().map(|ticket| open(ticket, (&registrar.signing, &by_registrar), &own).unwrap()).collect();
    assert!(opened[0] == opened[2] && opened[0] != opened[1]);
    // One person's two tickets share no byte that would tell so: neither point, nor share, nor claims.
    let [one, other] =
        [&tickets[0], &tickets[2]].map(|ticket| ticket.verify(&[registrar.signing.verifying_key()]).unwrap());
    assert!(one.sealed.claims != other.sealed.claims && one.sealed.shares != other.sealed.shares);

    // Another cloud has another pseudonym, and its vault's keys open nothing of this one's tickets.
    let elsewhere = registrar.mint(&world, OTHER_CLOUD, &[1]).await.remove(0);
    let there = open(&elsewhere, (&registrar.signing, &registrar.ticket_key(OTHER_CLOUD)), &foreign).unwrap();
    assert!(there != opened[0]);
    assert!(open(&tickets[0], (&registrar.signing, &by_registrar), &foreign).is_none());
    assert!(open(&elsewhere, (&registrar.signing, &by_registrar), &own).is_none());
    // Nor does one key holder's key open the other's share, nor do both without the registrar's.
    let swapped: Vec<HeldTicketKey> = own
        .iter()
        .zip(own.iter().rev())
        .map(|(one, other)| HeldTicketKey { holder: one.holder, key: other.key.clone() })
        .collect();
    assert!(open(&tickets[0], (&registrar.signing, &by_registrar), &swapped).is_none());
    assert!(open(&tickets[0], (&registrar.signing, &registrar.ticket_key(OTHER_CLOUD)), &own).is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_a_key_holder_loses_no_ticket_and_changes_nobodys_pseudonym() {
    let mut world = World::new(2, &[]);
    let registrar = Registrar::new(&world);
    let by_registrar = registrar.ticket_key(CLOUD);
    let before = registrar.mint(&world, CLOUD, &[1]).await.remove(0);
    for holder in &mut world.holders {
        holder.process().unwrap().kill().unwrap();
        holder.start().unwrap();
    }
    let after = registrar.mint(&world, CLOUD, &[1]).await.remove(0);
    // Midnight may have passed, then the day of the first ticket is still handed out.
    let own = keys(&world, CLOUD).await;
    let opened = [before, after].map(|ticket| open(&ticket, (&registrar.signing, &by_registrar), &own));
    assert!(opened[0].is_some() && opened[0] == opened[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_64_is_served_whole_and_a_day_that_is_not_today_is_refused() {
    let world = World::new(1, &[]);
    let registrar = Registrar::new(&world);
    let seeds: Vec<u8> = (0..64).collect();
    let own = keys(&world, CLOUD).await;
    let tickets = registrar.mint(&world, CLOUD, &seeds).await;
    let by_registrar = registrar.ticket_key(CLOUD);
    let mut opened: Vec<_> = tickets
        .iter()
        .map(|ticket| *open(ticket, (&registrar.signing, &by_registrar), &own).unwrap().encode())
        .collect();
    opened.sort_unstable();
    opened.dedup();
    assert_eq!(opened.len(), 64, "each person has a pseudonym of their own");

    let (tls, vault) = (world.registrar(), world.vault(CLOUD));
    for day in [UnixDay(today().0 - 2), UnixDay(today().0 + 2)] {
        let refused = world.mint(&tls, 0, crate::world::request(day, 1, CLOUD)).await.err().unwrap();
        assert_eq!(refused.code.name(), "key_day_refused");
        assert_eq!(world.ticket_key(&vault, 0, day).await.err().unwrap().code.name(), "key_day_refused");
    }
    let tickets = world.dir.path().join("keyholder-1-data");
    let files = std::fs::read_dir(tickets).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let days = files.filter(|name| name.starts_with("tickets-")).count();
    assert!((1..=2).contains(&days), "a refused day leaves no secret: {days}");
}
