//! Stored forms against fixtures, and bytes that are none.

use proptest::prelude::*;

use super::*;

fn sample() -> (Memory, Vec<Bytes>) {
    let mut memory = founded();
    let mut stored = Vec::new();
    let mut keep = |memory: &mut Memory, command: Command| {
        stored.push(command.encode());
        stored.push(apply(memory, &command.encode()).unwrap());
    };
    let insured = |items| {
        Command::Insure(Insure {
            time: UnixMillis(NOON),
            request: RequestId::from_bytes([9; 16]),
            insurer: 6_139_877,
            items,
        })
    };
    let print = Say::Print(Print { token: token(1), expires: UnixMillis(NOON + DAY) });
    let (nobody, silent) = (RegisterAnswer::Nobody(ONLY), RegisterAnswer::Silent(ONLY));
    let items = vec![
        registration(1, 1, 1, matches(1, 1)),
        registration(2, 2, 2, nobody),
        registration(3, 3, 3, silent),
        said(1, 1, print),
        said(3, 3, Say::End(End { until: super::super::Day(20_500) })),
        said(3, 3, Say::Revoke(Revoke {})),
        said(9, 9, Say::Revoke(Revoke {})),
    ];
    keep(&mut memory, insured(items));
    let asks = vec![
        eligibility(1, 1),
        Ask::Eligibility(Eligibility { member: member(9), birth: tag(9), bulk: true, five_items_of: Some(binding(1)) }),
        Ask::CheckIn(check_in(by_card(1, NOON, 1), 1)),
        Ask::CheckIn(check_in(by_token(1), 2)),
        Ask::CheckIn(check_in(by_member(1, 1), 3)),
        Ask::Renew(Renew { grant: grant(1) }),
    ];
    keep(&mut memory, Command::Attend(attending(NOON, 1, asks)));
    let enrol = Enrol {
        time: UnixMillis(NOON),
        request: RequestId::from_bytes([4; 16]),
        salt: [5; SALT_BYTES],
        institution: institution(2),
        visits_per_day: 100,
        home: cloud(2),
        locked: Some(true),
    };
    keep(&mut memory, Command::Enrol(enrol));
    let secret = DayKey::from_bytes([3; 32]).seal(UnixDay(20_454), &DaySecret::from_bytes([4; 32]), &Fixed(5));
    keep(&mut memory, Command::KeepDay(KeepDay { time: UnixMillis(NOON), day: UnixDay(20_454), secret }));
    keep(&mut memory, direct(1));
    keep(&mut memory, direct(1));
    keep(&mut memory, founding());
    (memory, stored)
}

#[test]
fn commands_verdicts_and_rows_of_every_table_read_as_version_1_wrote_them() {
    let (memory, mut stored) = sample();
    for (at, (name, _)) in TABLES.iter().enumerate() {
        let of_table = memory.0.iter().filter(|((table, _), _)| *table as usize == at);
        let rows: Vec<Bytes> = of_table.map(|(_, row)| row.clone()).collect();
        assert!(!rows.is_empty(), "the sample has no row of {name}");
        stored.extend(rows);
    }
    let hex: String =
        stored.iter().map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n").collect();
    let fixture = include_str!("../../../tests/fixtures/state-v1.txt");
    assert!(hex == fixture, "a stored format has changed:\n{hex}");
}

#[test]
fn what_reads_writes_the_same_again() {
    let (_, stored) = sample();
    for pair in stored.chunks(2) {
        assert_eq!(Command::decode(&pair[0]).unwrap().encode(), pair[0]);
        assert_eq!(Verdicts::decode(&pair[1]).unwrap().encode(), pair[1]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_applied_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        apply(&mut with_two(), &[&[1][..], &bytes].concat().into()).unwrap();
    }

    #[test]
    fn a_spoilt_command_is_applied_without_a_panic(which: prop::sample::Index, at: prop::sample::Index, byte: u8) {
        let (mut memory, stored) = sample();
        let mut bytes = stored[2 * which.index(stored.len() / 2)].to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        apply(&mut memory, &bytes.into()).unwrap();
    }
}
