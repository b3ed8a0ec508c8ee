//! The tracked files, and the share of prose among them.

use super::Violation;

/// One line of Markdown for ten of Rust.
const RUST_PER_MARKDOWN: usize = 10;

/// A tracked text file.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the workspace.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the file lies in this folder, given with its last slash.
    pub(crate) fn is_in(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    /// Tests may do what the product may not.
    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    pub(crate) fn is_build_script(&self) -> bool {
        self.path.ends_with("/build.rs")
    }
}

pub(crate) fn check_markdown_share(sources: &[Source]) -> Option<Violation> {
    let lines = |extension: &str| -> usize {
        sources.iter().filter(|source| source.path.ends_with(extension)).map(|source| source.text.lines().count()).sum()
    };
    let (markdown, rust) = (lines(".md"), lines(".rs"));
    (markdown * RUST_PER_MARKDOWN > rust)
        .then(|| Violation::new("*.md", "prose", format!("{markdown} lines of Markdown for {rust} of Rust")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, lines: usize) -> Source {
        Source { path: path.into(), text: "x\n".repeat(lines) }
    }

    #[test]
    fn too_much_prose_is_caught_at_its_edge() {
        assert_eq!(check_markdown_share(&[file("a.md", 10), file("a.rs", 100)]), None);
        assert!(check_markdown_share(&[file("a.md", 11), file("a.rs", 100)]).is_some());
    }
}
