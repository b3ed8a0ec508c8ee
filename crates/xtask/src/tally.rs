//! How many tests passed, failed and were skipped, read from what libtest prints.
//!
//! Expects the output of `--show-output`, where the text that a passed test printed stands under a heading of its own.

use std::fmt;
use std::ops::AddAssign;

/// A count of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// Ignored ones, and those that printed `SKIPPED: reason`.
    pub(crate) skipped: usize,
}

impl Tally {
    /// Counts the tests of one process. A process that failed without a failed test, or that ended before it printed
    /// a result, is one failure more: something in it crashed.
    pub(crate) fn read(output: &str, succeeded: bool) -> Self {
        let mut tally = Self::default();
        let mut results = 0_usize;
        let mut skipped_by_word = 0_usize;
        let mut captured = Captured::Nothing;
        for line in output.lines() {
            captured = match (captured, line) {
                (_, "successes:") => Captured::Listing { successes: true },
                (_, "failures:") => Captured::Listing { successes: false },
                (Captured::Listing { successes } | Captured::Text { successes, .. }, line) if is_heading(line) => {
                    Captured::Text { successes, skipped: false }
                }
                (Captured::Text { successes: true, skipped: false }, line) if line.starts_with("SKIPPED:") => {
                    skipped_by_word += 1;
                    Captured::Text { successes: true, skipped: true }
                }
                (captured, _) => captured,
            };
            if let (false, Some(counted)) = (matches!(captured, Captured::Text { .. }), read_result(line)) {
                results += 1;
                captured = Captured::Nothing;
                tally += counted;
            }
        }
        let skipped_by_word = skipped_by_word.min(tally.passed);
        tally.passed -= skipped_by_word;
        tally.skipped += skipped_by_word;
        if results == 0 || (!succeeded && tally.failed == 0) {
            tally.failed += 1;
        }
        tally
    }

    /// Whether this stands for a good run: something passed and nothing failed.
    pub(crate) const fn is_good(self) -> bool {
        self.passed > 0 && self.failed == 0
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Where in libtest's closing report a line stands.
#[derive(Clone, Copy)]
enum Captured {
    Nothing,
    /// After `successes:` or `failures:`: headings of captured text, or names.
    Listing {
        successes: bool,
    },
    /// Text that a test printed, which may say anything.
    Text {
        successes: bool,
        skipped: bool,
    },
}

/// `---- name of the test stdout ----`
fn is_heading(line: &str) -> bool {
    line.starts_with("---- ") && line.ends_with(" stdout ----")
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
fn read_result(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut tally = Tally::default();
    for part in counts.split("; ") {
        let Some((number, word)) = part.split_once(' ') else { continue };
        let counter = match word {
            "passed" => &mut tally.passed,
            "failed" => &mut tally.failed,
            "ignored" => &mut tally.skipped,
            _ => continue,
        };
        *counter = number.parse().ok()?;
    }
    Some(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULT: &str =
        "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s\n";

    fn tally(passed: usize, failed: usize, skipped: usize) -> Tally {
        Tally { passed, failed, skipped }
    }

    #[test]
    fn several_results_of_one_process_add_up() {
        let output = format!("running 4 tests\n{RESULT}\nrunning 4 tests\n{RESULT}");
        assert_eq!(Tally::read(&output, true), tally(6, 0, 2));
    }

    #[test]
    fn a_process_without_a_result_is_a_failure_whatever_its_exit_code() {
        assert_eq!(Tally::read("running 3 tests\ntest a ... ok\n", false), tally(0, 1, 0));
        assert_eq!(Tally::read("", true), tally(0, 1, 0));
    }

    #[test]
    fn a_bad_exit_after_a_good_result_is_a_failure() {
        assert_eq!(Tally::read(RESULT, false), tally(3, 1, 1));
    }

    #[test]
    fn a_failed_result_counts_its_tests_only() {
        let output = "failures:\n\n---- a stdout ----\nSKIPPED: not so\n\n\nfailures:\n    a\n\n\
                      test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(Tally::read(output, false), tally(2, 1, 0));
    }

    #[test]
    fn a_passed_test_that_says_skipped_is_skipped_once() {
        let output = format!(
            "successes:\n\n---- a stdout ----\nSKIPPED: no etcd\nSKIPPED: again\n\n---- b stdout ----\nSKIPPED: no root\n\n\
             \nsuccesses:\n    a\n    b\n    c\n\n{RESULT}"
        );
        assert_eq!(Tally::read(&output, true), tally(1, 0, 3));
    }

    #[test]
    fn text_printed_by_a_test_is_no_result() {
        let output = format!("successes:\n\n---- a stdout ----\n{RESULT}\nsuccesses:\n    a\n\n{RESULT}");
        assert_eq!(Tally::read(&output, true), tally(3, 0, 1));
    }

    #[test]
    fn nothing_passed_is_not_good() {
        assert!(!tally(0, 0, 5).is_good());
        assert!(!tally(9, 1, 0).is_good());
        assert!(tally(1, 0, 0).is_good());
    }
}
