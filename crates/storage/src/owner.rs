use std::fmt;
use std::path::Path;

use renkei_ids::{CloudId, GroupId, NodeId, ReplicaId};

use crate::{StorageError, durable};

/// Whose directory it is. Written into a marker file when the directory is made and compared at every open, so that a
/// disk mounted in the wrong place is refused before anything is read from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirOwner {
    /// The cloud.
    pub cloud: CloudId,
    /// The node within it.
    pub node: NodeId,
    /// The replica that the directory holds; `None` for the log database, which holds those of all groups.
    pub replica: Option<(GroupId, ReplicaId)>,
}

const MARKER: &str = "OWNER";
const MARKER_STAGED: &str = "OWNER.tmp";
const FORMAT: u32 = 1;

impl DirOwner {
    /// Makes `dir` if needed and marks it, or checks the marker that is there.
    pub(crate) fn claim(&self, dir: &Path) -> Result<(), StorageError> {
        durable::create_dir(dir)?;
        let marker = dir.join(MARKER);
        match durable::read_if_present(&marker)? {
            Some(bytes) => self.compare(dir, &Self::decode(&bytes, &marker)?),
            // A crash while the very first marker was being written leaves its staged file alone in the directory.
            None if durable::names_in(dir)?.iter().all(|name| name == MARKER_STAGED) => {
                durable::replace_file(&marker, self.encode().as_bytes())
            }
            None => Err(StorageError::UnmarkedDirectory { path: dir.to_path_buf() }),
        }
    }

    /// Checks the marker of `dir` without making anything; a directory that is not there is nobody's.
    pub(crate) fn check(&self, dir: &Path) -> Result<(), StorageError> {
        let marker = dir.join(MARKER);
        match durable::read_if_present(&marker)? {
            Some(bytes) => self.compare(dir, &Self::decode(&bytes, &marker)?),
            None if durable::names_in(dir)?.is_empty() => Ok(()),
            None => Err(StorageError::UnmarkedDirectory { path: dir.to_path_buf() }),
        }
    }

    fn compare(&self, dir: &Path, found: &Self) -> Result<(), StorageError> {
        if found == self {
            return Ok(());
        }
        let (found, expected) = (Box::new(*found), Box::new(*self));
        Err(StorageError::ForeignDirectory { path: dir.to_path_buf(), found, expected })
    }

    /// Five lines of text, so that an operator can read it: format, cloud, node, group, replica. `-` for none.
    fn encode(&self) -> String {
        let (group, replica) = match self.replica {
            Some((group, replica)) => (group.to_string(), replica.to_string()),
            None => ("-".to_owned(), "-".to_owned()),
        };
        format!("renkei {FORMAT}\ncloud {}\nnode {}\ngroup {group}\nreplica {replica}\n", self.cloud, self.node)
    }

    fn decode(bytes: &[u8], marker: &Path) -> Result<Self, StorageError> {
        let malformed = || StorageError::Malformed { record: "the owner marker", path: marker.to_path_buf() };
        let text = str::from_utf8(bytes).map_err(|_| malformed())?;
        let mut lines = text.lines();
        let mut field =
            |name: &str| lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(' ')).ok_or_else(malformed);
        let found: u32 = field("renkei")?.parse().map_err(|_| malformed())?;
        if found != FORMAT {
            return Err(StorageError::UnknownFormat { path: marker.to_path_buf(), found, newest: FORMAT });
        }
        let cloud = field("cloud")?.parse().map_err(|_| malformed())?;
        let node = field("node")?.parse().map_err(|_| malformed())?;
        let replica = match (field("group")?, field("replica")?) {
            ("-", "-") => None,
            (group, replica) => {
                Some((group.parse().map_err(|_| malformed())?, replica.parse().map_err(|_| malformed())?))
            }
        };
        Ok(Self { cloud, node, replica })
    }
}

impl fmt::Display for DirOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cloud {} node {}", self.cloud, self.node)?;
        match self.replica {
            Some((group, replica)) => write!(f, " group {group} replica {replica}"),
            None => f.write_str(" log"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Format 1, as it was first written; newer code must go on reading it.
    const FIXTURE: &str =
        "renkei 1\ncloud a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\nnode 3\ngroup 7\nreplica 18446744073709551615\n";

    fn owner() -> DirOwner {
        let cloud = CloudId::from_bytes([0xA5; 16]);
        DirOwner { cloud, node: NodeId(3), replica: Some((GroupId(7), ReplicaId(u64::MAX))) }
    }

    #[test]
    fn the_stored_format_is_the_fixture() {
        assert_eq!(owner().encode(), FIXTURE);
        assert_eq!(DirOwner::decode(FIXTURE.as_bytes(), Path::new("m")).unwrap(), owner());
        let log = DirOwner { replica: None, ..owner() };
        assert_eq!(DirOwner::decode(log.encode().as_bytes(), Path::new("m")).unwrap(), log);
    }

    #[test]
    fn damaged_and_newer_markers_are_refused() {
        for cut in 0..FIXTURE.len() - 21 {
            assert!(DirOwner::decode(&FIXTURE.as_bytes()[..cut], Path::new("m")).is_err(), "cut at {cut}");
        }
        let newer = FIXTURE.replace("renkei 1", "renkei 2");
        let refused = DirOwner::decode(newer.as_bytes(), Path::new("m"));
        assert!(matches!(refused, Err(StorageError::UnknownFormat { found: 2, newest: 1, .. })));
    }

    #[test]
    fn a_directory_is_refused_to_everybody_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("replica");
        owner().claim(&path).unwrap();
        owner().claim(&path).unwrap();
        let others = [
            DirOwner { cloud: CloudId::from_bytes([0; 16]), ..owner() },
            DirOwner { node: NodeId(4), ..owner() },
            DirOwner { replica: Some((GroupId(7), ReplicaId(1))), ..owner() },
            DirOwner { replica: Some((GroupId(8), ReplicaId(u64::MAX))), ..owner() },
            DirOwner { replica: None, ..owner() },
        ];
        for other in others {
            assert!(matches!(other.claim(&path), Err(StorageError::ForeignDirectory { .. })), "{other}");
        }
    }

    #[test]
    fn files_without_a_marker_are_not_ours_but_a_half_written_first_marker_is() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(MARKER_STAGED), "ren").unwrap();
        owner().claim(dir.path()).unwrap();
        fs::remove_file(dir.path().join(MARKER)).unwrap();
        fs::write(dir.path().join("holiday.jpg"), "x").unwrap();
        assert!(matches!(owner().claim(dir.path()), Err(StorageError::UnmarkedDirectory { .. })));
    }
}
