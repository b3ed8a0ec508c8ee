//! The register of residents: who there is, and under which code registrars know them.
//!
//! It is asked with what an insurer says of a person, and answers with everybody of that kana name, birth date and sex.
//! Whether one of them is meant is judged here, on all five items. The connection to the real one is not built; a
//! development register reads a file.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use renkei_access::ResidentCode;
use renkei_records::{BirthDate, FiveItems, Sex};
use serde::Deserialize;

/// A person of the register.
#[derive(Clone, Debug)]
pub struct Resident {
    /// Under what registrars know her.
    pub code: ResidentCode,
    /// What it says of her.
    pub items: FiveItems,
    /// Whether where she has been is hidden altogether.
    pub protected: bool,
}

/// The register does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the register of residents does not answer")]
pub struct RegisterSilent;

/// Its answer, later.
pub type Residents<'a> = Pin<Box<dyn Future<Output = Result<Vec<Resident>, RegisterSilent>> + Send + 'a>>;

/// Where residents are asked for.
pub trait ResidentRegister: fmt::Debug + Send + Sync {
    /// Everybody of this kana name (in its comparison form), birth date and sex.
    fn find<'a>(&'a self, kana: &'a str, birth_date: BirthDate, sex: Sex) -> Residents<'a>;
}

/// The one person of the register that these items are of: all five match in their comparison forms, and nobody else's
/// do. `None` where there is nobody, or more than one.
pub fn judge(items: &FiveItems, candidates: Vec<Resident>) -> Option<Resident> {
    let form = items.comparison_form();
    let mut matching = candidates.into_iter().filter(|resident| resident.items.comparison_form() == form);
    let found = matching.next()?;
    matching.all(|other| other.code == found.code).then_some(found)
}

/// A register that answers nothing: where none is configured, every registration is tentative.
#[derive(Clone, Copy, Debug)]
pub struct NoRegister;

impl ResidentRegister for NoRegister {
    fn find<'a>(&'a self, _: &'a str, _: BirthDate, _: Sex) -> Residents<'a> {
        Box::pin(std::future::ready(Err(RegisterSilent)))
    }
}

/// A development register: the residents of a file, in memory. One JSON object a line:
/// `{"resident": 64 hexadecimal digits, "name": …, "kana": …, "birthDate": "YYYY-MM-DD", "sex": "male" | "female" |
/// "other", "address": …, "protected": false}`.
pub struct FileRegister(HashMap<(String, BirthDate, Sex), Vec<Resident>>);

/// Why a file is no register.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum InvalidRegister {
    #[error("reading {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{}, line {line}: no resident", path.display())]
    Line { path: PathBuf, line: usize },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Line {
    resident: String,
    name: String,
    kana: String,
    birth_date: String,
    sex: String,
    address: String,
    #[serde(default)]
    protected: bool,
}

impl FileRegister {
    /// Reads a file.
    ///
    /// # Errors
    /// [`InvalidRegister`], which repeats nothing of the file.
    pub fn read(path: &Path) -> Result<Self, InvalidRegister> {
        let text =
            std::fs::read_to_string(path).map_err(|source| InvalidRegister::Read { path: path.to_owned(), source })?;
        let residents = text.lines().enumerate().map(|(at, line)| {
            resident(line).ok_or_else(|| InvalidRegister::Line { path: path.to_owned(), line: at + 1 })
        });
        residents.collect::<Result<Vec<_>, _>>().map(Self::new)
    }

    /// The register of these residents.
    pub fn new(residents: Vec<Resident>) -> Self {
        let mut by_name: HashMap<_, Vec<Resident>> = HashMap::new();
        for resident in residents {
            let form = resident.items.comparison_form();
            let key = (form.kana().to_owned(), resident.items.birth_date(), resident.items.sex());
            by_name.entry(key).or_default().push(resident);
        }
        Self(by_name)
    }
}

impl fmt::Debug for FileRegister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileRegister(..)")
    }
}

impl ResidentRegister for FileRegister {
    fn find<'a>(&'a self, kana: &'a str, birth_date: BirthDate, sex: Sex) -> Residents<'a> {
        let found = self.0.get(&(kana.to_owned(), birth_date, sex)).cloned().unwrap_or_default();
        Box::pin(std::future::ready(Ok(found)))
    }
}

fn resident(line: &str) -> Option<Resident> {
    let Line { resident, name, kana, birth_date, sex, address, protected } = serde_json::from_str(line).ok()?;
    let (pairs, []) = resident.as_bytes().as_chunks::<2>() else { return None };
    let mut code = [0; 32];
    if pairs.len() != code.len() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (byte, [high, low]) in code.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    let (birth_date, sex) = (BirthDate::parse(&birth_date).ok()??, Sex::parse(&sex).ok()??);
    let items = FiveItems::new(name, kana, birth_date, sex, address).ok()?;
    Some(Resident { code: ResidentCode::from_bytes(code), items, protected })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u8, name: &str) -> String {
        let code = format!("{number:02x}").repeat(32);
        format!(
            r#"{{"resident":"{code}","name":"{name}","kana":"タカサキ","birthDate":"1970-01-01","sex":"female","address":"本町1-2"}}"#
        )
    }

    #[test]
    fn one_person_with_all_five_items_is_a_match_and_two_are_none() {
        let one = resident(&line(1, "髙﨑")).unwrap();
        let same = resident(&line(2, "高崎")).unwrap();
        let other = resident(&line(3, "高岡")).unwrap();
        let asked = same.items.clone();
        let found = |candidates: &[&Resident]| {
            judge(&asked, candidates.iter().map(|one| (*one).clone()).collect()).map(|found| found.code)
        };
        assert_eq!(found(&[&other, &one]), Some(one.code));
        assert_eq!(found(&[&one, &same]), None);
        // One person who stands there twice is one.
        assert_eq!(found(&[&one, &one]), Some(one.code));
        assert_eq!(found(&[&other]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn a_line_that_is_no_resident_is_told_by_its_number_alone() {
        let dir = std::env::temp_dir().join(format!("renkei-register-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("register.jsonl");
        for wrong in ["planted-secret", r#"{"resident":"00"}"#, &line(1, "")] {
            std::fs::write(&path, format!("{}\n{wrong}\n", line(1, "髙﨑"))).unwrap();
            let error = FileRegister::read(&path).unwrap_err();
            assert!(matches!(error, InvalidRegister::Line { line: 2, .. }), "{error}");
            assert!(!format!("{error:?}").contains("planted"));
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
