use aws_lc_rs::digest::{Context, SHA256};

/// What the digest is of; a change of the encoding changes it.
const DOMAIN: &[u8] = b"renkei state digest 1";
const PAIR: u8 = 1;
const END: u8 = 0;

/// SHA-256 over families in order: name, then for each pair a 1, key and value, then a 0. Every byte string stands
/// behind its length (u64 BE), so that no two contents have one encoding.
pub(super) struct StateDigest(Context);

impl StateDigest {
    pub(super) fn new() -> Self {
        let mut context = Context::new(&SHA256);
        context.update(DOMAIN);
        Self(context)
    }

    pub(super) fn begin_family(&mut self, name: &str) {
        self.prefixed(name.as_bytes());
    }

    pub(super) fn pair(&mut self, key: &[u8], value: &[u8]) {
        self.0.update(&[PAIR]);
        self.prefixed(key);
        self.prefixed(value);
    }

    pub(super) fn end_family(&mut self) {
        self.0.update(&[END]);
    }

    pub(super) fn finish(self) -> [u8; 32] {
        sha256(self.0)
    }

    fn prefixed(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }
}

/// The hash that a context of [`SHA256`] has come to.
pub(super) fn sha256(context: Context) -> [u8; 32] {
    context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs<'a> = &'a [(&'a [u8], &'a [u8])];

    fn digest_of(families: &[(&str, Pairs<'_>)]) -> [u8; 32] {
        let mut digest = StateDigest::new();
        for (name, pairs) in families {
            digest.begin_family(name);
            for (key, value) in *pairs {
                digest.pair(key, value);
            }
            digest.end_family();
        }
        digest.finish()
    }

    #[test]
    fn bytes_cannot_move_between_key_value_and_family() {
        let contents: [&[(&str, Pairs<'_>)]; 6] = [
            &[("a", &[(b"k", b"v")]), ("b", &[])],
            &[("a", &[]), ("b", &[(b"k", b"v")])],
            &[("a", &[(b"kv", b"")]), ("b", &[])],
            &[("a", &[(b"", b"kv")]), ("b", &[])],
            &[("a", &[(b"k", b""), (b"v", b"")]), ("b", &[])],
            &[("a", &[(b"k", b"v")])],
        ];
        let mut digests: Vec<_> = contents.iter().map(|content| digest_of(content)).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), contents.len());
    }

    #[test]
    fn the_encoding_is_the_fixture() {
        // Replicas of different versions compare digests, so the encoding never changes under one domain.
        let encoded = [DOMAIN, &[0, 0, 0, 0, 0, 0, 0, 1], b"a", &[1, 0, 0, 0, 0, 0, 0, 0, 1], b"k"].concat();
        let encoded = [&encoded[..], &[0, 0, 0, 0, 0, 0, 0, 1], b"v", &[0]].concat();
        let expected = aws_lc_rs::digest::digest(&SHA256, &encoded);
        assert_eq!(digest_of(&[("a", &[(b"k", b"v")])]), expected.as_ref());
    }
}
