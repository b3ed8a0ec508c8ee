use renkei_ids::Random;

pub(crate) fn random<const N: usize>(source: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    source.fill(&mut bytes);
    bytes
}
