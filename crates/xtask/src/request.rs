//! The command line: what was asked for, or why it makes no sense.

use std::str::FromStr;

use thiserror::Error;

pub(crate) const USAGE: &str = "\
usage: cargo xtask <command>

  setup                              install what is missing, build RocksDB once, write .cargo/local.toml
  verify                             format, clippy, structure, production, build, tests (also: cargo verify)
  verify --long [proof|fuzz|drill]   the long tests of one part or of all, at most two hours each part
    --only NAME                      those whose name holds this, to run a part in pieces
    --seed N                         for those that draw one: this seed and no other
    --fuzz-s N                       for fuzz: seconds for each target, 60 where nothing is said
    --fuzz-target NAME               for fuzz: this target and no other
  demo [arguments of renkei demo]    build everything and start a cloud                  (also: cargo demo)
  structure                          the structure checks alone
  help                               this text

CARGO_TARGET_DIR is honoured. Libraries built once are kept in ${XDG_CACHE_HOME:-~/.cache}/renkei.
Property tests draw from one seed; PROPTEST_RNG_SEED and PROPTEST_CASES in the environment have them look elsewhere.
A test that cannot run on this machine prints a line `SKIPPED: reason` and returns; it is counted as skipped.
The client of docs/INTEGRATION.md is tested with the Python that RENKEI_TEST_PYTHON names (3.11 or later, with grpcio and
grpcio-tools), else with one that verify makes; a plain `cargo test` skips it where the variable is not set.
";

/// One thing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Help,
    Setup,
    /// With the arguments for `renkei demo`.
    Demo(Vec<String>),
    Verify,
    VerifyLong(Long),
    Structure,
}

/// What of the long verification to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Long {
    /// One part, or all of them.
    pub(crate) part: Option<Part>,
    /// Tests whose name holds this.
    pub(crate) only: Option<String>,
    pub(crate) seed: Option<u64>,
    pub(crate) fuzz_seconds: Option<u32>,
    /// The test of this target, by its whole name behind the part's.
    pub(crate) fuzz_target: Option<String>,
}

/// A part of the long verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Proof,
    Fuzz,
    Drill,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Proof, Self::Fuzz, Self::Drill];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Proof => "proof",
            Self::Fuzz => "fuzz",
            Self::Drill => "drill",
        }
    }
}

/// A command line that names nothing to do.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Misuse {
    #[error("no command given")]
    NoCommand,
    #[error("there is no command `{name}`")]
    UnknownCommand { name: String },
    #[error("`{command}` does not take `{argument}`")]
    UnknownArgument { command: &'static str, argument: String },
    #[error("`verify --long` has no part `{part}`; its parts are proof, fuzz and drill")]
    UnknownPart { part: String },
    #[error("`{option}` needs a value")]
    NoValue { option: &'static str },
    #[error("`{option}` needs a whole number from 1, not `{value}`")]
    NoNumber { option: &'static str, value: String },
    #[error("`{option}` belongs to the part fuzz")]
    FuzzOnly { option: &'static str },
}

impl Request {
    /// Reads the arguments after the program's name. One leading `--` of a command's own arguments is dropped, so that
    /// `cargo demo --once` and `cargo demo -- --once` are the same.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, Misuse> {
        let mut arguments = arguments.into_iter();
        let command = arguments.next().ok_or(Misuse::NoCommand)?;
        let mut rest: Vec<String> = arguments.collect();
        if rest.first().is_some_and(|first| first == "--") {
            rest.remove(0);
        }
        match command.as_str() {
            "help" | "--help" | "-h" => Ok(Self::Help),
            "setup" => nothing_more("setup", rest).map(|()| Self::Setup),
            "structure" => nothing_more("structure", rest).map(|()| Self::Structure),
            "demo" => Ok(Self::Demo(rest)),
            "verify" => Self::parse_verify(rest),
            _ => Err(Misuse::UnknownCommand { name: command }),
        }
    }

    fn parse_verify(rest: Vec<String>) -> Result<Self, Misuse> {
        let mut rest = rest.into_iter();
        let Some(first) = rest.next() else { return Ok(Self::Verify) };
        if first != "--long" {
            return Err(Misuse::UnknownArgument { command: "verify", argument: first });
        }
        Long::parse(rest).map(Self::VerifyLong)
    }
}

impl Long {
    fn parse(mut rest: impl Iterator<Item = String>) -> Result<Self, Misuse> {
        let mut long = Self::default();
        while let Some(argument) = rest.next() {
            let option = OPTIONS.into_iter().find(|option| *option == argument);
            let Some(option) = option else {
                long.part = Some(long.read_part(argument)?);
                continue;
            };
            let value = rest.next().ok_or(Misuse::NoValue { option })?;
            match option {
                ONLY => long.only = Some(value),
                SEED => long.seed = Some(number(option, value)?),
                FUZZ_SECONDS => long.fuzz_seconds = Some(number(option, value)?),
                _ => long.fuzz_target = Some(value),
            }
        }
        let of_fuzz = [(FUZZ_SECONDS, long.fuzz_seconds.is_some()), (FUZZ_TARGET, long.fuzz_target.is_some())];
        match of_fuzz.into_iter().find(|(_, given)| *given && long.part != Some(Part::Fuzz)) {
            Some((option, _)) => Err(Misuse::FuzzOnly { option }),
            None => Ok(long),
        }
    }

    fn read_part(&self, name: String) -> Result<Part, Misuse> {
        if self.part.is_some() || name.starts_with('-') {
            return Err(Misuse::UnknownArgument { command: "verify --long", argument: name });
        }
        Part::ALL.into_iter().find(|part| part.name() == name).ok_or(Misuse::UnknownPart { part: name })
    }
}

const ONLY: &str = "--only";
const SEED: &str = "--seed";
const FUZZ_SECONDS: &str = "--fuzz-s";
const FUZZ_TARGET: &str = "--fuzz-target";
const OPTIONS: [&str; 4] = [ONLY, SEED, FUZZ_SECONDS, FUZZ_TARGET];

fn number<N: FromStr + Default + PartialEq>(option: &'static str, value: String) -> Result<N, Misuse> {
    let number = value.parse().ok().filter(|number| *number != N::default());
    number.ok_or(Misuse::NoNumber { option, value })
}

fn nothing_more(command: &'static str, rest: impl IntoIterator<Item = String>) -> Result<(), Misuse> {
    match rest.into_iter().next() {
        None => Ok(()),
        Some(argument) => Err(Misuse::UnknownArgument { command, argument }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Request, Misuse> {
        Request::parse(line.split_whitespace().map(str::to_owned))
    }

    fn long(part: Option<Part>) -> Request {
        Request::VerifyLong(Long { part, ..Long::default() })
    }

    #[test]
    fn one_leading_double_dash_is_dropped_and_a_second_is_kept() {
        let once = Request::Demo(vec!["--once".into()]);
        assert_eq!(parse("demo --once"), Ok(once));
        assert_eq!(parse("demo -- --once"), parse("demo --once"));
        assert_eq!(parse("demo -- -- x"), Ok(Request::Demo(vec!["--".into(), "x".into()])));
        assert_eq!(parse("verify --"), Ok(Request::Verify));
        assert_eq!(parse("verify -- --long fuzz"), Ok(long(Some(Part::Fuzz))));
    }

    #[test]
    fn every_part_is_reached_by_its_name() {
        assert_eq!(parse("verify --long"), Ok(long(None)));
        for part in Part::ALL {
            assert_eq!(parse(&format!("verify --long {}", part.name())), Ok(long(Some(part))));
        }
    }

    #[test]
    fn options_of_the_long_parts_stand_before_or_behind_the_part() {
        let some = Long { part: Some(Part::Proof), only: Some("histories".into()), seed: Some(7), ..Long::default() };
        for line in ["proof --only histories --seed 7", "--seed 7 proof --only histories"] {
            assert_eq!(parse(&format!("verify --long {line}")), Ok(Request::VerifyLong(some.clone())));
        }
        let target = Long {
            part: Some(Part::Fuzz),
            fuzz_seconds: Some(600),
            fuzz_target: Some("frames".into()),
            ..Long::default()
        };
        assert_eq!(parse("verify --long fuzz --fuzz-s 600 --fuzz-target frames"), Ok(Request::VerifyLong(target)));
    }

    #[test]
    fn options_without_a_sense_are_refused_by_name() {
        assert_eq!(parse("verify --long proof --only"), Err(Misuse::NoValue { option: ONLY }));
        for value in ["0", "x", "-1"] {
            let refused = Misuse::NoNumber { option: FUZZ_SECONDS, value: value.into() };
            assert_eq!(parse(&format!("verify --long fuzz --fuzz-s {value}")), Err(refused));
        }
        assert_eq!(parse("verify --long --fuzz-s 5"), Err(Misuse::FuzzOnly { option: FUZZ_SECONDS }));
        assert_eq!(parse("verify --long proof --fuzz-target x"), Err(Misuse::FuzzOnly { option: FUZZ_TARGET }));
        let unknown = Misuse::UnknownArgument { command: "verify --long", argument: "--onyl".into() };
        assert_eq!(parse("verify --long proof --onyl x"), Err(unknown));
    }

    #[test]
    fn commands_without_arguments_take_none() {
        for (name, request) in [("setup", Request::Setup), ("structure", Request::Structure)] {
            assert_eq!(parse(name), Ok(request));
            assert!(matches!(parse(&format!("{name} x")), Err(Misuse::UnknownArgument { .. })));
        }
        assert_eq!(parse("help"), Ok(Request::Help));
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        assert_eq!(parse(""), Err(Misuse::NoCommand));
        assert_eq!(parse("vrify"), Err(Misuse::UnknownCommand { name: "vrify".into() }));
        assert_eq!(parse("verify --lng"), Err(Misuse::UnknownArgument { command: "verify", argument: "--lng".into() }));
        assert_eq!(parse("verify --long prof"), Err(Misuse::UnknownPart { part: "prof".into() }));
        assert_eq!(
            parse("verify --long proof fuzz"),
            Err(Misuse::UnknownArgument { command: "verify --long", argument: "fuzz".into() })
        );
    }
}
