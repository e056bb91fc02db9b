//! How many files the process may have open, each connection being one.

/// Files beside connections: models being loaded, bodies that are read from temporary files, the listener, the log.
const BESIDE: usize = 128;

/// Raises the process's limit of open files to its hard limit, and tells how many connections there may be.
#[cfg(unix)]
pub(crate) fn room_for_connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    // Some systems refuse their own hard limit.
    let most = if current != maximum && setrlimit(Resource::Nofile, raised).is_ok() { maximum } else { current };
    most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX)).saturating_sub(BESIDE).max(1)
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(crate) fn room_for_connections() -> usize {
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_and_asking_again_changes_nothing() {
        let room = room_for_connections();
        assert!(room >= 1);
        assert_eq!(room_for_connections(), room);
    }
}
