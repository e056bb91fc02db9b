//! Passes the commit that is built to the program, for `--version`.
//!
//! A packaged crate has it in a file that cargo writes, a checkout in git. Without either, or without git, there is none,
//! and the build succeeds all the same.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=NARROWS_COMMIT");
    let commit = std::env::var("NARROWS_COMMIT").ok().or_else(packaged).or_else(checked_out).unwrap_or_default();
    println!("cargo::rustc-env=NARROWS_COMMIT={}", commit.trim());
}

/// The commit that a packaged crate was made from.
fn packaged() -> Option<String> {
    let text = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    let commit: String = rest.split('"').nth(1)?.chars().take(12).collect();
    commit.chars().all(|c| c.is_ascii_hexdigit()).then_some(commit)
}

/// The commit of the checkout that this file belongs to.
fn checked_out() -> Option<String> {
    // A copy inside another repository must not take that one's commit for its own.
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    let head = git(&["rev-parse", "--git-path", "HEAD"])?;
    let branch = git(&["symbolic-ref", "-q", "HEAD"]).and_then(|name| git(&["rev-parse", "--git-path", &name]));
    for path in [Some(head), branch].into_iter().flatten().filter(|path| Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
