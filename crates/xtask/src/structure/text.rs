//! What a file must not say.
//!
//! Comments and string literals are text too: only the rules about calls look at code alone. The forbidden words are
//! written here in two halves, so that this file passes its own check.

use super::Violation;
use super::sources::Source;

/// Above this a file holds more than one noun; the taste is 500.
const MAX_LINES: usize = 700;

/// Words that announce something that is not there.
const UNFINISHED: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("place", "holder"),
    concat!("in a ", "real"),
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
];

/// Where somebody's machine keeps things.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/tm", "p/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// What only runtime does: the call, and whose it is.
const RUNTIME_ONLY: [(&str, &str); 5] = [
    ("tokio::spawn", "tasks are started by the supervisor in runtime"),
    ("task::spawn(", "tasks are started by the supervisor in runtime"),
    ("env::var", "the environment is read in runtime"),
    ("process::exit", "main returns the exit code"),
    ("SystemTime::now", "the clock is an argument"),
];

/// tonic's constructors.
const STATUS_CALLS: [&str; 19] = [
    "new",
    "ok",
    "with_details",
    "cancelled",
    "unknown",
    "invalid_argument",
    "deadline_exceeded",
    "not_found",
    "already_exists",
    "permission_denied",
    "resource_exhausted",
    "failed_precondition",
    "aborted",
    "out_of_range",
    "unimplemented",
    "internal",
    "unavailable",
    "data_loss",
    "unauthenticated",
];

/// Every line of a file that breaks a rule.
pub(crate) fn check(source: &Source) -> Vec<Violation> {
    let mut violations = words(source);
    if source.is_rust() {
        let lines = source.text.lines().count();
        if lines > MAX_LINES {
            violations.push(Violation::new(&source.path, "length", format!("{lines} lines, at most {MAX_LINES}")));
        }
        if !source.is_test() && !source.is_build_script() && !source.is_in("crates/xtask/") {
            violations.extend(calls(source));
        }
    }
    violations
}

fn words(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    // The licence and the lock file are other people's words.
    if source.path == "LICENSE" || source.path == "Cargo.lock" {
        return violations;
    }
    for (number, line) in source.text.lines().enumerate() {
        let place = || format!("{}:{}", source.path, number + 1);
        if let Some(word) = UNFINISHED.into_iter().find(|word| says(line, word)) {
            violations.push(Violation::new(place(), "unfinished", format!("says `{word}`")));
        }
        if let Some(path) = MACHINE_PATHS.into_iter().find(|path| names_path(line, path)) {
            violations.push(Violation::new(place(), "machine path", format!("names `{path}`")));
        }
    }
    violations
}

/// The calls of the product's code: not those in comments, nor in the tests at the bottom of the file.
fn calls(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (number, line) in source.text.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]") {
        let code = line.split("//").next().unwrap_or_default();
        let place = || format!("{}:{}", source.path, number + 1);
        if !source.is_in("crates/runtime/") {
            let found = RUNTIME_ONLY.into_iter().find(|(call, _)| after_boundary(code, call).is_some());
            violations
                .extend(found.map(|(call, why)| Violation::new(place(), "runtime only", format!("`{call}`: {why}"))));
        }
        if !source.is_in("crates/wire/") && makes_status(code) {
            violations.push(Violation::new(place(), "status", "errors become statuses in wire's one table"));
        }
    }
    violations
}

/// Words in capitals are looked for as they are, others in any case; a longer word is another word.
fn says(line: &str, word: &str) -> bool {
    let line = if word.chars().any(char::is_uppercase) { line.to_owned() } else { line.to_lowercase() };
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        let closed = word.ends_with('!') || !after.is_some_and(|next| next.is_ascii_lowercase() && next != 's');
        !before.is_some_and(is_of_name) && closed
    })
}

/// A path that begins here: not the middle of a longer one or of an address.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|before| is_of_name(before) || "/.-~}*".contains(before))
    })
}

fn makes_status(code: &str) -> bool {
    let mut rest = code;
    while let Some(after) = after_boundary(rest, "Status::") {
        if STATUS_CALLS.into_iter().any(|call| after.strip_prefix(call).is_some_and(|tail| tail.starts_with('('))) {
            return true;
        }
        rest = after;
    }
    false
}

/// What follows the first `call` that does not continue a longer name.
fn after_boundary<'a>(code: &'a str, call: &str) -> Option<&'a str> {
    let mut found =
        code.match_indices(call).filter(|(start, _)| !code[..*start].chars().next_back().is_some_and(is_of_name));
    found.next().map(|(start, _)| &code[start + call.len()..])
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        check(&Source { path: path.into(), text: text.into() }).into_iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn each_word_of_the_unfinished_is_caught_in_every_kind_of_file() {
        for word in UNFINISHED {
            for path in ["crates/node/src/lib.rs", "docs/a.md", "proto/a.proto", "crates/xtask/src/a.rs"] {
                assert_eq!(rules(path, &format!("// is {word} (x)\n")), ["unfinished"], "{word} in {path}");
            }
        }
        assert_eq!(rules("a.rs", concat!("// Place", "holders are here.")), ["unfinished"]);
        assert_eq!(rules("a.rs", concat!("todo = \"warn\"; in a ", "realm; M", "ETODO")), [""; 0]);
    }

    #[test]
    fn machine_paths_are_caught_and_longer_paths_are_not() {
        for path in MACHINE_PATHS {
            assert_eq!(rules("deploy/a.toml", &format!("data = \"{path}x\"")), ["machine path"]);
            assert_eq!(rules("deploy/a.toml", &format!("a https://host{path}x $HOME{path}b var{path}")), [""; 0]);
        }
    }

    #[test]
    fn each_call_is_caught_outside_runtime_and_allowed_where_it_belongs() {
        for (call, _) in RUNTIME_ONLY {
            let text = format!("fn f() {{ std::{call}(x) }}\n");
            assert_eq!(rules("crates/node/src/lib.rs", &text), ["runtime only"], "{call}");
            let free = [
                "crates/runtime/src/a.rs",
                "crates/xtask/src/a.rs",
                "crates/wire/build.rs",
                "crates/node/tests/it/main.rs",
            ];
            for path in free {
                assert_eq!(rules(path, &text), [""; 0], "{call} in {path}");
            }
            assert_eq!(rules("crates/node/src/lib.rs", &format!("#[cfg(test)]\nmod tests {{\n{text}}}")), [""; 0]);
            assert_eq!(rules("crates/node/src/lib.rs", &format!("/// Not {call}(x).\n")), [""; 0]);
        }
    }

    #[test]
    fn each_status_is_caught_outside_wire_and_other_statuses_are_not() {
        for call in STATUS_CALLS {
            let text = format!("let e = tonic::Status::{call}(\"x\");");
            assert_eq!(rules("crates/node/src/lib.rs", &text), ["status"], "{call}");
            assert_eq!(rules("crates/wire/src/status.rs", &text), [""; 0], "{call}");
        }
        assert_eq!(rules("crates/node/src/a.rs", "ExitStatus::new(1); Status::from(e); Status::NotFound"), [""; 0]);
        assert_eq!(rules("crates/node/src/a.rs", "Status::from(e); Status::internal(e)"), ["status"]);
    }

    #[test]
    fn a_file_that_is_too_long_is_caught_at_its_edge() {
        assert_eq!(rules("crates/node/src/a.rs", &"\n".repeat(MAX_LINES)), [""; 0]);
        assert_eq!(rules("crates/node/src/a.rs", &"\n".repeat(MAX_LINES + 1)), ["length"]);
    }
}
