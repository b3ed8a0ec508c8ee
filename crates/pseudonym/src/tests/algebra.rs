use super::*;

fn holders() -> impl Strategy<Value = Vec<u8>> {
    // Two to four key holders, no two the same.
    prop::collection::btree_set(any::<u8>(), 2..5).prop_map(|seeds| seeds.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_mint_opens_to_the_pseudonym_and_each_mint_is_another(who: u8, cloud: u8, seeds in holders(), random: u64) {
        let (person, holders) = (person(who), factors(&seeds, cloud, 1));
        let random = Seeded::new(random);
        let (one, other) = (mint(&person, &holders, &random), mint(&person, &holders, &random));
        let expected = pseudonym(&person, &holders);
        prop_assert!(one.open() == expected && other.open() == expected);
        // Nothing that a key holder, a registrar or a thief of tickets sees comes twice, or is the pseudonym.
        prop_assert!(one.sent != other.sent && one.in_transit != other.in_transit && one.shares != other.shares);
        prop_assert!(one.masked.iter().zip(&other.masked).all(|(one, other)| one != other));
        prop_assert!([&one, &other].iter().all(|mint| mint.in_transit.0 != expected.0 && mint.sent.0 != person.0));
    }

    #[test]
    fn the_order_of_key_holders_and_of_shares_does_not_matter(who: u8, seeds in holders(), random: u64) {
        let (person, mut holders) = (person(who), factors(&seeds, 1, 1));
        let random = Seeded::new(random);
        let forth = mint(&person, &holders, &random);
        holders.reverse();
        let mut back = mint(&person, &holders, &random);
        back.shares.reverse();
        prop_assert!(forth.open() == back.open());
    }

    #[test]
    fn without_one_share_or_with_one_of_another_ticket_nobody_is_found(who: u8, seeds in holders(), at: prop::sample::Index, random: u64) {
        let (one_person, other_person) = (person(who), person(who.wrapping_add(1)));
        let holders = factors(&seeds, 1, 1);
        let random = Seeded::new(random);
        let (mut one, other) = (mint(&one_person, &holders, &random), mint(&other_person, &holders, &random));
        let everybody = [pseudonym(&one_person, &holders), pseudonym(&other_person, &holders)];
        let at = at.index(holders.len());
        let own = one.shares.remove(at);
        prop_assert!(!everybody.contains(&one.open()), "one share too few");
        one.shares.insert(at, other.shares[at].clone());
        prop_assert!(!everybody.contains(&one.open()), "a share of another ticket");
        one.shares[at] = own;
        prop_assert!(one.open() == everybody[0]);
        let mixed = Unmask::new(&one.shares).unwrap().open(&other.in_transit);
        prop_assert!(!everybody.contains(&mixed), "another ticket's point");
    }

    #[test]
    fn another_cloud_epoch_generation_person_or_set_of_holders_is_another_pseudonym(who: u8, cloud: u8, seeds in holders()) {
        let base = pseudonym(&person(who), &factors(&seeds, cloud, 1));
        let generation = Person::new(&[who; 32], 1);
        let others = [
            pseudonym(&person(who), &factors(&seeds, cloud.wrapping_add(1), 1)),
            pseudonym(&person(who), &factors(&seeds, cloud, 2)),
            pseudonym(&generation, &factors(&seeds, cloud, 1)),
            pseudonym(&person(who.wrapping_add(1)), &factors(&seeds, cloud, 1)),
            pseudonym(&person(who), &factors(&seeds[1..], cloud, 1)),
        ];
        for (at, other) in others.iter().enumerate() {
            prop_assert!(*other != base && !others[..at].contains(other), "{at}");
        }
    }

    #[test]
    fn a_rotation_mints_under_both_epochs_and_each_opens_by_its_own_shares(who: u8, cloud: u8, seeds in holders(), random: u64) {
        let (person, random) = (person(who), Seeded::new(random));
        let (old, new) = (factors(&seeds, cloud, 1), factors(&seeds, cloud, 2));
        let (under_old, under_new) = (mint(&person, &old, &random), mint(&person, &new, &random));
        prop_assert!(under_old.open() == pseudonym(&person, &old));
        prop_assert!(under_new.open() == pseudonym(&person, &new));
        let crossed = Unmask::new(&under_new.shares).unwrap().open(&under_old.in_transit);
        prop_assert!(crossed != under_old.open() && crossed != under_new.open());
    }

    #[test]
    fn all_key_holders_but_one_do_not_have_the_pseudonym(who: u8, seeds in holders(), honest: prop::sample::Index, random: u64) {
        // They give their factors and shares away, and a vault its day's tickets: one mask is still on.
        let (person, holders) = (person(who), factors(&seeds, 1, 1));
        let minted = mint(&person, &holders, &Seeded::new(random));
        let honest = honest.index(holders.len());
        let others: Vec<Share> =
            minted.shares.iter().enumerate().filter(|(at, _)| *at != honest).map(|(_, share)| share.clone()).collect();
        let partly = Unmask::new(&others).unwrap().open(&minted.in_transit);
        prop_assert!(partly != pseudonym(&person, &holders) && partly.0 != person.0);
    }
}

#[test]
fn a_batch_is_what_its_points_are_one_by_one_and_ends_at_its_limit() {
    let holders = [factors(&[1, 2], 1, 1), factors(&[1, 2], 2, 1)];
    let persons: Vec<Person> = (0..64).map(person).collect();
    let of = |at: usize| &holders[at % 2];
    let random = Seeded::new(3);
    let blinded = blind(&persons.iter().collect::<Vec<_>>(), &random).unwrap();
    let (unblinds, sent): (Vec<_>, Vec<_>) = blinded.into_iter().unzip();
    let first: Vec<_> = sent.iter().enumerate().map(|(at, point)| (&of(at)[0], point)).collect();
    let first = translate(&first, &random).unwrap();
    let onward: Vec<BlindedPoint> = first.iter().map(|translated| translated.point.onward()).collect();
    let second: Vec<_> = onward.iter().enumerate().map(|(at, point)| (&of(at)[1], point)).collect();
    let second = translate(&second, &random).unwrap();
    for (at, unblind) in unblinds.into_iter().enumerate() {
        let in_transit = unblind.finish(&second[at].point);
        let unmask = Unmask::new(&[first[at].share.clone(), second[at].share.clone()]).unwrap();
        assert!(unmask.open(&in_transit) == pseudonym(&persons[at], of(at)), "{at}");
    }

    assert_eq!(blind(&[&persons[0]; 65], &random).unwrap_err(), BatchTooLong(65));
    assert_eq!(translate(&[(&holders[0][0], &sent[0]); 65], &random).unwrap_err(), BatchTooLong(65));
    assert!(translate(&[], &random).unwrap().is_empty());
    assert_eq!(Unmask::new(&[]).unwrap_err(), NoShares);
}

#[test]
fn a_zero_that_is_drawn_is_drawn_again() {
    let holders = factors(&[1, 2], 1, 1);
    let random = ZerosFirst(Mutex::new(3), Seeded::new(5));
    assert!(mint(&person(1), &holders, &random).open() == pseudonym(&person(1), &holders));
}

#[test]
fn secrets_do_not_show_themselves() {
    let secret = FactorSecret::from_bytes(*b"planted-token-planted-token-3210");
    let minted = mint(&person(1), &factors(&[1, 2], 1, 1), &Seeded::new(1));
    let shown =
        format!("{secret:?} {:?} {:?} {:?} {:?}", person(1), minted.open(), minted.shares[0], minted.in_transit);
    assert_eq!(shown, "FactorSecret(..) Person(..) PseudonymPoint(..) Share(..) TransitPoint(..)");
}
