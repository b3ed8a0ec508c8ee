use proptest::prelude::*;

use super::*;

const CLOUD: CloudId = CloudId::from_bytes([1; 16]);
const OTHER: CloudId = CloudId::from_bytes([2; 16]);
const NOON: UnixMillis = UnixMillis(1_795_132_800_000 + 43_200_000);

struct Held {
    dir: tempfile::TempDir,
    budgets: Budgets,
    limit: Limit,
}

impl Held {
    fn new(minute: u32, day: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let budgets = Budgets::open(&dir.path().join("budgets")).unwrap();
        Self { dir, budgets, limit: Limit { minute, day } }
    }

    /// As after a crash: what was in memory only is lost.
    fn restart(&mut self) {
        self.budgets = Budgets::open(&self.dir.path().join("budgets")).unwrap();
    }

    fn charge(&mut self, cloud: CloudId, asked: u32, now: UnixMillis) -> Charged {
        self.budgets.charge(&"one".into(), cloud, (asked, self.limit), now).unwrap()
    }
}

#[test]
fn the_last_of_a_window_is_given_and_no_more_until_it_ends() {
    let mut held = Held::new(5, 8);
    let waits = |charged: Charged| (charged.granted, charged.retry_after_millis);
    let in_minute = NOON.plus_millis(15_000);
    assert_eq!(held.charge(CLOUD, 3, in_minute).granted, 3);
    assert_eq!(waits(held.charge(CLOUD, 3, in_minute)), (2, 45_000), "the rest of the minute");
    assert_eq!(waits(held.charge(CLOUD, 1, in_minute)), (0, 45_000));
    assert_eq!(held.charge(CLOUD, 1, NOON.plus_millis(59_999)).granted, 0);
    let next = NOON.plus_millis(60_000);
    assert_eq!(waits(held.charge(CLOUD, 4, next)), (3, 43_140_000), "the rest of the day");
    assert_eq!(held.charge(CLOUD, 1, NOON.plus_millis(43_199_999)).granted, 0);
    assert_eq!(held.charge(CLOUD, 9, NOON.plus_millis(43_200_000)).granted, 5, "the next day");
    // Each pair of registrar and cloud has its own.
    assert_eq!(held.charge(OTHER, 9, in_minute).granted, 5);
    let other = held.budgets.charge(&"two".into(), CLOUD, (9, held.limit), in_minute).unwrap();
    assert_eq!(other.granted, 5);
}

#[test]
fn a_clock_that_is_set_back_or_forth_and_back_refills_nothing() {
    let mut held = Held::new(5, 8);
    assert_eq!(held.charge(CLOUD, 9, NOON).granted, 5);
    assert_eq!(held.charge(CLOUD, 9, UnixMillis(NOON.0 - 86_400_000)).granted, 0);
    assert_eq!(held.charge(CLOUD, 9, NOON.plus_millis(86_400_000)).granted, 5);
    held.restart();
    assert_eq!(
        held.charge(CLOUD, 9, NOON.plus_millis(60_000)).granted,
        0,
        "the minute of the latest moment is used up"
    );
}

#[test]
fn a_budget_that_cannot_be_written_gives_nothing() {
    let mut held = Held::new(5, 8);
    std::fs::remove_dir(held.dir.path()).unwrap();
    for _ in 0..2 {
        let refused = held.budgets.charge(&"one".into(), CLOUD, (1, held.limit), NOON);
        assert!(matches!(refused, Err(BudgetError::Write { .. })));
    }
}

#[test]
fn what_is_no_file_of_budgets_is_not_taken_for_an_empty_one() {
    let held = Held::new(5, 8);
    let path = held.dir.path().join("budgets");
    for bytes in [&b""[..], b"\x02", b"\x01\xFF"] {
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(Budgets::open(&path), Err(BudgetError::Format { .. })), "{bytes:?}");
    }
}

#[test]
fn no_more_pairs_are_counted_than_are_told_apart() {
    let mut held = Held::new(5, 8);
    for number in 0..ROWS_MAX {
        held.budgets.rows.insert((number.to_string().into(), CLOUD), Row::default());
    }
    let refused = held.budgets.charge(&"one".into(), CLOUD, (1, held.limit), NOON);
    assert!(matches!(refused, Err(BudgetError::Full)));
    assert!(held.budgets.charge(&"7".into(), CLOUD, (1, held.limit), NOON).is_ok());
}

#[test]
fn format_one_stays_readable() {
    let mut held = Held::new(250, 20_000);
    assert_eq!(held.charge(CLOUD, 7, NOON).granted, 7);
    let stored = std::fs::read(held.dir.path().join("budgets")).unwrap();
    // Made by the first build that wrote this format: 8 of the minute and 200 of the day are set aside for 7 uses.
    assert_eq!(stored, include_bytes!("../../tests/fixtures/budgets-v1.bin"));
    let rows = format::read(&stored).unwrap();
    let window = |at, used| Window { at, used, stored: used };
    let row = Row { minute: window(NOON.0 / 60_000, 8), day: window(NOON.0 / 86_400_000, 200) };
    assert_eq!(rows, BTreeMap::from([(("one".into(), CLOUD), row)]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Over any sequence of charges, moments and crashes: never more than the limit in a window, and a crash costs less
    /// than a block.
    #[test]
    fn no_window_gives_more_than_its_limit_over_any_crashes(
        steps in prop::collection::vec((1_u32..300, any::<bool>(), 0_u64..40_000), 1..40),
        minute in 1_u32..400,
        day in 1_u32..2_000,
    ) {
        let mut held = Held::new(minute, day);
        let (mut now, mut by_minute, mut by_day) = (NOON, BTreeMap::new(), BTreeMap::new());
        let mut crashes = 0;
        for (asked, crash, later) in steps {
            if crash {
                held.restart();
                crashes += 1;
            }
            now = now.plus_millis(later);
            let granted = held.charge(CLOUD, asked, now).granted;
            let in_minute = by_minute.entry(now.0 / 60_000).or_insert(0);
            let in_day = by_day.entry(now.0 / 86_400_000).or_insert(0);
            let lost = |limit: u32| crashes * ((limit / 100).max(1) - 1);
            let left = (minute - *in_minute).min(day - *in_day);
            let sure = minute.saturating_sub(*in_minute + lost(minute)).min(day.saturating_sub(*in_day + lost(day)));
            prop_assert!(granted <= asked.min(left) && granted >= asked.min(sure), "{granted} of {asked}");
            *in_minute += granted;
            *in_day += granted;
        }
    }
}
