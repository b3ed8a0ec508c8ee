//! `renkei certs dev`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use renkei_launch::{Role, SystemClock, TlsFiles};
use renkei_runtime::Tls;

use crate::renkei::renkei;

const CLOUD: &str = "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1";

#[test]
fn certificates_are_issued_by_one_authority_over_two_calls() {
    let dir = tempfile::tempdir().unwrap();
    let certs = dir.path().join("certs");
    let run =
        |issue: &str| renkei(["--json", "certs", "dev", certs.to_str().unwrap(), "--cloud", CLOUD, "--issue", issue]);
    let first = run("node/1@node1.example,10.0.0.1").json();
    let authority = fs::read(certs.join("ca.pem")).unwrap();
    let second = run("operator/admin").json();
    assert_eq!((&first["new_authority"], &second["new_authority"]), (&true.into(), &false.into()));
    assert_eq!(fs::read(certs.join("ca.pem")).unwrap(), authority, "the second call keeps the authority");

    for (issued, role, name) in [(&first, Role::Node, "1"), (&second, Role::Operator, "admin")] {
        let row = &issued["certificates"][0];
        let file = |key: &str| row[key].as_str().unwrap().into();
        let files = TlsFiles { certificate: file("certificate"), key: file("key"), ca: certs.join("ca.pem") };
        let tls = Tls::load(&files, Arc::new(SystemClock::new())).unwrap();
        let identity = tls.identity();
        assert_eq!((identity.role, &*identity.name, identity.cloud.to_string()), (role, name, CLOUD.to_owned()));
        assert!(tls.is_development());
        assert_eq!(fs::metadata(&files.key).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
