//! What lies in a registrar's files and logs.

use renkei_wire::registrar::Shown;

use crate::federation::{Federation, HOSPITAL, Somebody, files, holds, tickets, to_read, to_write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_of_a_registrar_or_a_key_holder_holds_a_person_a_token_or_a_pseudonym() {
    let mut federation = Federation::new(1, &[]).await;
    federation.register(&[Somebody(1), Somebody(2)]).await;
    let token = federation.issue_token(Somebody(1)).await;
    let printed = *token.expose();
    let by_card = to_read(federation.card(Somebody(1), HOSPITAL));
    let checked_in = federation.check_in(&federation.hospital, by_card).await.unwrap();
    federation.check_in(&federation.hospital, to_read(Shown::InsurerToken(token))).await.unwrap();
    // What is refused is logged too.
    let nobody = to_write(Shown::MemberId(Somebody(9).insured()));
    assert!(federation.check_in(&federation.hospital, nobody).await.is_err());
    let (_, claims, pseudonym) = federation.open(&tickets(&checked_in)[0].1).await;
    let (member, items) = (Somebody(1).member(), Somebody(1).items());
    let secrets: [(&str, Vec<u8>); 9] = [
        ("token", printed.to_vec()),
        ("pseudonym", pseudonym.encode().to_vec()),
        ("point in transit", claims.points.0.expose().to_vec()),
        ("name", items.name().as_bytes().to_vec()),
        ("kana", items.kana().as_bytes().to_vec()),
        ("address", items.address().as_bytes().to_vec()),
        ("member id", member.original().as_bytes().to_vec()),
        ("resident code", vec![1; 32]),
        ("actor", b"planted-nurse".to_vec()),
    ];
    // Stopped, so that everything is in the files; started again, so that the log was replayed and flushed.
    federation.registrars.stop().unwrap();
    federation.registrars.start().unwrap();
    federation.registrars.stop().unwrap();

    let mut seen = false;
    let register = federation.dir().join("register.jsonl");
    for (path, bytes) in files(federation.dir()).into_iter().filter(|(path, _)| *path != register) {
        for (name, secret) in &secrets {
            assert!(!holds(&bytes, secret), "{name} in {}", path.display());
        }
        seen |= holds(&bytes, HOSPITAL.as_bytes()) && path.starts_with(federation.registrars.data(1).unwrap());
    }
    assert!(seen, "the search finds what is there");
    assert!(files(federation.dir()).iter().any(|(path, bytes)| *path == register && holds(bytes, &secrets[3].1)));
}
