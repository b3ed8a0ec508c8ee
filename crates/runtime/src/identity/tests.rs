use super::*;

fn cloud() -> CloudId {
    CloudId::from_bytes([0xAB; 16])
}

#[test]
fn a_uri_reads_back_as_what_it_was_made_from() {
    let longest = "n".repeat(MAX_NAME_LEN);
    for role in Role::ALL {
        for name in ["1", "tokyo-u.hospital_3", longest.as_str()] {
            let uri = PeerIdentity::uri(cloud(), role, name).unwrap();
            assert_eq!(parse_uri(&uri), Ok((cloud(), role, name.into())), "{uri}");
        }
    }
}

#[test]
fn names_outside_the_alphabet_are_refused() {
    let long = "n".repeat(MAX_NAME_LEN + 1);
    for name in ["", "A", "a b", "a%2fb", "病院", "a\0b", long.as_str()] {
        assert_eq!(PeerIdentity::uri(cloud(), Role::Node, name), Err(InvalidIdentity::Name), "{name:?}");
    }
    assert_eq!(PeerIdentity::uri(cloud(), Role::Node, "a/b"), Err(InvalidIdentity::Parts));
}

#[test]
fn every_deviation_of_a_uri_is_refused() {
    let hex = cloud().to_string();
    let cases = [
        ("https://example.org/node/1".to_owned(), InvalidIdentity::NoUri),
        (format!("RENKEI://{hex}/node/1"), InvalidIdentity::NoUri),
        (format!("renkei://{hex}/node"), InvalidIdentity::Parts),
        (format!("renkei://{hex}/node/1/2"), InvalidIdentity::Parts),
        (format!("renkei://{}/node/1", hex.to_uppercase()), InvalidIdentity::Parts),
        (format!("renkei://{hex}/Node/1"), InvalidIdentity::Role { source: UnknownRole }),
        (format!("renkei://{hex}//1"), InvalidIdentity::Role { source: UnknownRole }),
    ];
    for (uri, error) in cases {
        assert_eq!(parse_uri(&uri), Err(error), "{uri}");
    }
    assert!(matches!(parse_uri(&format!("renkei://{}/node/1", &hex[1..])), Err(InvalidIdentity::Cloud { .. })));
    assert!(matches!(parse_uri(&format!("renkei://u@{hex}/node/1")), Err(InvalidIdentity::Cloud { .. })));
}

#[test]
fn bytes_that_are_no_certificate_are_refused() {
    for bytes in [&b""[..], b"\x30", b"\x30\x82\xff\xff", &[0xFF; 64]] {
        assert_eq!(PeerIdentity::from_certificate(bytes), Err(InvalidIdentity::NotACertificate), "{bytes:02x?}");
    }
}
