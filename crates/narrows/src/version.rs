//! The version of the program, and what it runs on.

use std::sync::OnceLock;

use narrows_core::Compute;

/// The version of the package.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that was built; `None` if it was not built from a checkout.
pub(crate) fn commit() -> Option<&'static str> {
    Some(env!("NARROWS_COMMIT")).filter(|commit| !commit.is_empty())
}

/// The instruction set that networks are computed with on this machine.
pub(crate) fn simd() -> &'static str {
    Compute::instruction_set()
}

/// Cores available to the process.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The cargo features of the library and of the command that is built with it.
pub(crate) fn features() -> Vec<&'static str> {
    let own =
        [("serve", cfg!(feature = "serve")), ("remote", cfg!(feature = "remote")), ("gpu", cfg!(feature = "gpu"))];
    let own = own.into_iter().filter(|(_, is_built)| *is_built).map(|(name, _)| name);
    narrows_core::FEATURES.iter().copied().chain(own).collect()
}

/// The answer to `--version`: the version in the first line, then commit, instruction set and threads.
pub(crate) fn long() -> &'static str {
    static LONG: OnceLock<String> = OnceLock::new();
    LONG.get_or_init(|| {
        format!("{VERSION}\ncommit   {}\nsimd     {}\nthreads  {}", commit().unwrap_or("unknown"), simd(), cores())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_version_opens_with_the_short_one() {
        let lines: Vec<&str> = long().lines().collect();
        assert_eq!((lines[0], lines.len()), (VERSION, 4));
        assert!(lines[1].starts_with("commit") && lines[2].contains(simd()) && lines[3].starts_with("threads"));
    }
}
