//! Notation noise: the same person, and only the same person, in a comparison form.

use std::collections::HashSet;

use proptest::prelude::*;
use renkei_population::adversarial::{same_kanji, with_wrong};
use renkei_population::{FiveItems, Item, Population, noisy};

use crate::{SEED, index, spread};

#[test]
fn variant_zero_is_the_register() {
    let population = Population::new(SEED);
    for index in spread(100) {
        let person = population.person(index);
        assert_eq!(noisy(&person, 0), FiveItems::registered(&person));
    }
}

#[test]
fn spellings_are_many_and_change_neither_sex_nor_birth_date() {
    let population = Population::new(SEED);
    for index in spread(200) {
        let person = population.person(index);
        let registered = FiveItems::registered(&person);
        let spellings: HashSet<FiveItems> = (1..50).map(|variant| noisy(&person, variant)).collect();
        assert!(spellings.len() > 30, "seed {SEED}: {index:?}: {} spellings", spellings.len());
        for spelling in spellings {
            assert_eq!((spelling.sex, spelling.birth_date), (registered.sex, registered.birth_date));
        }
    }
}

#[test]
fn one_wrong_item_is_one_and_wrong() {
    let population = Population::new(SEED);
    for index in spread(1_000) {
        let person = population.person(index);
        let right = FiveItems::registered(&person);
        for item in Item::ALL {
            let wrong = with_wrong(&person, item, index.get());
            let differs = [
                (Item::Name, !same_kanji(&wrong.name, &right.name)),
                (Item::Kana, wrong.kana != right.kana),
                (Item::BirthDate, wrong.birth_date != right.birth_date),
                (Item::Sex, wrong.sex != right.sex),
                (Item::Address, wrong.address != right.address),
            ];
            for (one, differs) in differs {
                assert_eq!(differs, one == item, "seed {SEED}: {index:?}: {item:?} was to be wrong");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_seed_and_index_makes_a_person(seed: u64, value in 0_u32..125_000_000, variant: u32) {
        let person = Population::new(seed).person(index(value));
        prop_assert_eq!(person.index, index(value));
        prop_assert!(person.age() < 105);
        let spelling = noisy(&person, variant);
        prop_assert!(!spelling.kana.is_empty() && spelling.address.contains(person.address.municipality.chars().next().unwrap()));
    }
}
