//! Notation noise: the same person, and only the same person, in a comparison form.

use std::collections::HashSet;

use proptest::prelude::*;
use renkei_population::adversarial::with_wrong;
use renkei_population::{FiveItems, Item, Population, VARIANTS, noisy};
use renkei_records::fold;

use crate::{SEED, index, spread};

/// A comparison form of addresses: folded, ケ ヶ が as one, 三丁目 as 3, and every mark between numbers as a hyphen.
fn address_form(address: &str) -> String {
    let mut text = fold(address).replace(['ヶ', 'ガ'], "ケ");
    for (digit, kanji) in (1..).zip(["一", "二", "三", "四", "五", "六"]) {
        text = text.replace(&format!("{kanji}丁目"), &format!("{digit}丁目"));
    }
    for mark in ["丁目", "号室", "番", "号"] {
        text = text.replace(mark, "-");
    }
    let characters: Vec<char> = text.chars().collect();
    let between_digits = |at: usize| characters.get(at + 1).is_some_and(char::is_ascii_digit);
    (0..characters.len()).filter(|at| characters[*at] != '-' || between_digits(*at)).map(|at| characters[at]).collect()
}

fn comparison_form(items: &FiveItems) -> FiveItems {
    FiveItems { name: fold(&items.name), kana: fold(&items.kana), address: address_form(&items.address), ..*items }
}

#[test]
fn variant_zero_is_the_register() {
    let population = Population::new(SEED);
    for index in spread(100) {
        let person = population.person(index);
        assert_eq!(noisy(&person, 0), FiveItems::registered(&person));
    }
}

#[test]
fn every_group_of_variants_folds_to_one() {
    for group in VARIANTS {
        let folded: HashSet<String> = group.iter().map(|character| fold(&character.to_string())).collect();
        assert_eq!(folded.len(), 1, "{group:?}");
    }
}

#[test]
fn spellings_are_many_and_of_one_person() {
    let population = Population::new(SEED);
    for index in spread(1_000) {
        let person = population.person(index);
        let registered = comparison_form(&FiveItems::registered(&person));
        let spellings: HashSet<FiveItems> = (1..30).map(|variant| noisy(&person, variant)).collect();
        assert!(spellings.len() > 12, "seed {SEED}: {index:?}: {} spellings", spellings.len());
        for spelling in spellings {
            assert_eq!(comparison_form(&spelling), registered, "seed {SEED}: {index:?}");
        }
    }
}

#[test]
fn one_wrong_item_is_one_and_wrong_in_the_comparison_form() {
    let population = Population::new(SEED);
    for index in spread(5_000) {
        let person = population.person(index);
        let right = comparison_form(&FiveItems::registered(&person));
        for item in Item::ALL {
            let wrong = comparison_form(&with_wrong(&person, item, index.get()));
            let differs = [
                (Item::Name, wrong.name != right.name),
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
        let form = comparison_form(&FiveItems::registered(&person));
        prop_assert_eq!(comparison_form(&noisy(&person, variant)), form);
    }
}
