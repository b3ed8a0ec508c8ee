//! The command line: what was asked for, or why it makes no sense.

use thiserror::Error;

pub(crate) const USAGE: &str = "\
usage: cargo xtask <command>

  setup                              install what is missing, build RocksDB once, write .cargo/local.toml
  verify                             format, clippy, structure, production, build, tests (also: cargo verify)
  verify --long [proof|fuzz|drill]   the long parts, at most 40 minutes each
  demo [arguments of renkei demo]    build everything and start a cloud                  (also: cargo demo)
  structure                          the structure checks alone
  help                               this text

CARGO_TARGET_DIR is honoured. Libraries built once are kept in ${XDG_CACHE_HOME:-~/.cache}/renkei.
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
    /// One part, or all of them.
    VerifyLong(Option<Part>),
    Structure,
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
        let part = match rest.next() {
            None => None,
            Some(name) => match Part::ALL.into_iter().find(|part| part.name() == name) {
                Some(part) => Some(part),
                None => return Err(Misuse::UnknownPart { part: name }),
            },
        };
        nothing_more("verify --long", rest)?;
        Ok(Self::VerifyLong(part))
    }
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

    #[test]
    fn one_leading_double_dash_is_dropped_and_a_second_is_kept() {
        let once = Request::Demo(vec!["--once".into()]);
        assert_eq!(parse("demo --once"), Ok(once));
        assert_eq!(parse("demo -- --once"), parse("demo --once"));
        assert_eq!(parse("demo -- -- x"), Ok(Request::Demo(vec!["--".into(), "x".into()])));
        assert_eq!(parse("verify --"), Ok(Request::Verify));
        assert_eq!(parse("verify -- --long fuzz"), Ok(Request::VerifyLong(Some(Part::Fuzz))));
    }

    #[test]
    fn every_part_is_reached_by_its_name() {
        assert_eq!(parse("verify --long"), Ok(Request::VerifyLong(None)));
        for part in Part::ALL {
            assert_eq!(parse(&format!("verify --long {}", part.name())), Ok(Request::VerifyLong(Some(part))));
        }
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
