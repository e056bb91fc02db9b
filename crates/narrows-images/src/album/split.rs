//! Folders that are split already, as in MVTec AD: normal images in `train/good`, images to test in `test`, and masks of their
//! defects in `ground_truth`.

use std::path::{Path, PathBuf};

/// The parts of a folder that is split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitFolder {
    /// Images to fit to: `train/good` if there is one, else `train`.
    pub train: PathBuf,
    /// Images to test.
    pub test: PathBuf,
}

impl SplitFolder {
    /// The parts of a folder that has both.
    pub fn of(folder: impl AsRef<Path>) -> Option<SplitFolder> {
        let folder = folder.as_ref();
        let (train, test) = (folder.join("train"), folder.join("test"));
        if !train.is_dir() || !test.is_dir() {
            return None;
        }
        let good = train.join("good");
        Some(SplitFolder { train: if good.is_dir() { good } else { train }, test })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_both_parts_is_split() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("train")).unwrap();
        assert_eq!(SplitFolder::of(folder.path()), None);
        std::fs::create_dir_all(path("test/good")).unwrap();
        assert_eq!(SplitFolder::of(folder.path()), Some(SplitFolder { train: path("train"), test: path("test") }));
        std::fs::create_dir_all(path("train/good")).unwrap();
        assert_eq!(SplitFolder::of(folder.path()).unwrap().train, path("train/good"));
    }
}
