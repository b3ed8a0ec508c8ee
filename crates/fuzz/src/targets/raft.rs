//! What consensus stores and sends: a form that reads is written again as one that means the same, and writing it once more
//! changes nothing.

use bytes::Bytes;
use renkei_consensus::Form;

pub(super) fn run(bytes: &[u8]) {
    let Some((&form, rest)) = bytes.split_first() else { return };
    let form = Form::ALL[usize::from(form) % Form::ALL.len()];
    let Ok(written) = form.rewrite(Bytes::copy_from_slice(rest)) else { return };
    let again = form.rewrite(written.clone()).expect("what was written reads");
    assert_eq!(again, written, "another {form:?} comes back");
}

/// The fixtures of the stored forms, and requests and replies in the same encoding.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let stored = [
        (0, include_str!("../../../consensus/tests/fixtures/entry-blank-1.hex")),
        (0, include_str!("../../../consensus/tests/fixtures/entry-digest-1.hex")),
        (0, include_str!("../../../consensus/tests/fixtures/entry-machine-1.hex")),
        (0, include_str!("../../../consensus/tests/fixtures/entry-members-1.hex")),
        (1, include_str!("../../../consensus/tests/fixtures/vote-1.hex")),
        (2, include_str!("../../../consensus/tests/fixtures/log-id-1.hex")),
        (3, include_str!("../../../consensus/tests/fixtures/marker-1.hex")),
    ];
    let mut seeds: Vec<Vec<u8>> = stored.into_iter().map(|(form, hex)| [vec![form], from_hex(hex)].concat()).collect();
    // A message with one field of messages and numbers: field, length, content.
    let field = |number: u8, content: &[u8]| {
        let len = u8::try_from(content.len()).expect("seeds are short");
        [&[number << 3 | 2, len][..], content].concat()
    };
    let vote = [8, 5, 16, 11, 24, 1];
    let id = [8, 5, 16, 4];
    let entry = [field(1, &[8, 5, 16, 5]), field(3, b"a command")].concat();
    let append = [field(1, &vote), field(2, &id), field(3, &id), field(4, &entry)].concat();
    let ask = [field(1, &vote), field(2, &id), vec![24, 1]].concat();
    let transfer = [field(1, &vote), vec![16, 12], field(3, &id)].concat();
    let file = [field(1, b"000012.sst"), vec![16, 9], field(3, &[7; 32])].concat();
    let members = from_hex(stored[6].1)[12..].to_vec();
    let begin = [vec![8, 3], field(2, &vote), field(3, &id), field(4, &members), field(5, &file)].concat();
    let piece = [vec![8, 3, 16, 0, 24, 0], field(4, b"bytes of a file")].concat();
    let requests = [append, ask.clone(), ask, transfer, begin, piece, vec![8, 3]];
    seeds.extend((1..).zip(requests).map(|(number, content)| [vec![4, 1], field(number, &content)].concat()));
    let answer = [field(1, &vote), vec![16, 1], field(3, &id)].concat();
    let pair = |one: &[u8]| [field(1, one), field(2, one)].concat();
    let replies: [Vec<u8>; 10] =
        [vec![], field(1, &id), vec![], vote.to_vec(), answer, vec![], pair(&vote), pair(&id), vec![], vote.to_vec()];
    seeds.extend((1..).zip(replies).map(|(number, content)| [vec![5, 1], field(number, &content)].concat()));
    seeds
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        text.trim().chars().map(|digit| digit.to_digit(16).expect("a fixture is hexadecimal")).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).expect("two digits are a byte")).collect()
}
