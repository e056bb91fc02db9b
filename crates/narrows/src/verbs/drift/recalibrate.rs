//! `--recalibrate`: the threshold set anew on other normal data, before they are compared.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use clap::Args as ClapArgs;
use narrows_core::data::{Source, Table};
use narrows_core::{Error, ImageRoles, Model, NormalRows, Recalibration, TabularModel};

use crate::address;
use crate::failure::Failure;
use crate::flags::{Common, ResizeArg};
use crate::images;
use crate::pipeline;
use crate::talk::{count, grouped};
use crate::targets::{files, is_same_file};

/// Why the data that are compared cannot set the threshold.
const WHY: &str = "a threshold is never exceeded by more of the data that it is set on than promised, so they would not show \
                   whether it holds";

/// Bytes of two files that are compared at once.
const BLOCK: usize = 1 << 16;

/// What to set the threshold on.
#[derive(Debug, Default, ClapArgs)]
pub(super) struct RecalibrateArgs {
    /// First set the threshold anew on these data, all of which are normal, without training: a table, or for a model of
    /// images a folder; the model is saved to the file of --output. They must be others than INPUT, and as many as the
    /// promised rate needs
    #[arg(long, value_name = "NORMAL", requires = "output")]
    recalibrate: Option<String>,
    /// With --recalibrate: column whose value marks normal rows; others, and rows without a value, are left out and counted
    #[arg(long, value_name = "COLUMN", requires = "recalibrate")]
    label: Option<String>,
    /// With --recalibrate: value of the label in normal rows, several separated by commas; by default that of the fit, or the
    /// evident one. For images: the folders of normal ones
    #[arg(long, value_name = "VALUE", requires = "recalibrate", allow_negative_numbers = true)]
    normal: Option<String>,
}

impl RecalibrateArgs {
    /// The data, if there are any.
    pub(super) fn input(&self) -> Option<&String> {
        self.recalibrate.as_ref()
    }

    /// Refuses the data that are compared.
    pub(super) fn check_other_than(&self, compared: &[String]) -> Result<(), Failure> {
        let Some(normal) = &self.recalibrate else { return Ok(()) };
        let refused = |what: String| {
            let error = Error::recipe("--recalibrate", format!("expected other data than those compared, got {what}"));
            Failure::from(error.with_hint(WHY))
        };
        if normal == "-" && compared.iter().any(|input| input == "-") {
            return Err(refused("stdin for both".to_owned()));
        }
        let known: Vec<_> = compared.iter().flat_map(|input| files(Path::new(input))).collect();
        let own = files(Path::new(normal));
        let mut copies = 0;
        for file in &own {
            if let Some(same) = known.iter().find(|known| is_same_file(known, file)) {
                let (file, same) = (file.display().to_string(), same.display().to_string());
                let also = if file == same { String::new() } else { format!(", which is `{same}`") };
                return Err(refused(format!("`{file}`{also}")));
            }
            copies += usize::from(known.iter().any(|known| have_same_content(known, file).unwrap_or(false)));
        }
        // Single images may be alike.
        if copies > 0 && copies == own.len() {
            return Err(refused(format!("the same content under another name, `{normal}`")));
        }
        Ok(())
    }

    /// The model with the threshold set anew.
    pub(super) fn apply(
        &self,
        model: Model,
        resize: ResizeArg,
        common: &Common,
    ) -> Result<(Model, Recalibration), Failure> {
        let normal = self.recalibrate.as_deref().unwrap_or_default();
        let inputs = [normal.to_owned()];
        address::refuse(&inputs)?;
        let (model, found, noun) = match model {
            Model::Images(model) => {
                if self.label.is_some() {
                    let message = "expected a model of tables or series, got one of images, which have no columns";
                    return Err(Error::recipe("--label", message).into());
                }
                let folders = self.normal.iter().flat_map(|names| names.split(',').map(str::to_owned));
                let roles = ImageRoles { normal: folders.collect() };
                let store = images::store(&inputs, &common.compute()?, common.talk())?;
                images::check_sizes(&model, store.album(), resize.resize, common.talk())?;
                let (model, found) = model.recalibrated(&store, &roles)?;
                (Model::Images(model), found, "image")
            }
            Model::Table(model) => {
                let table = self.table(&inputs, common)?;
                let (model, found) = model.clone().recalibrated(&self.rows(&model, &table)?)?;
                (Model::Table(model), found, "row")
            }
            Model::Series(model) => {
                let table = self.table(&inputs, common)?;
                let (model, found) = model.clone().recalibrated(&self.rows(&model, &table)?)?;
                (Model::Series(model), found, "point")
            }
            Model::Restorer(_) | Model::Encoder(_) => {
                let message = "expected a model that scores, got another, which has no threshold";
                return Err(Error::recipe("--recalibrate", message).into());
            }
        };
        found.warnings.iter().for_each(|warning| common.talk().warn(warning));
        common.talk().line(told(&found, noun));
        Ok((model, found))
    }

    fn table(&self, inputs: &[String], common: &Common) -> Result<Table, Failure> {
        if self.normal.is_some() && self.label.is_none() {
            let message = "expected --label with it: the column whose value marks normal rows";
            return Err(Error::recipe("--normal", message).into());
        }
        pipeline::read_whole(&Source::parse(inputs)?, common.talk())
    }

    fn rows<'t>(&self, model: &dyn TabularModel, table: &'t Table) -> Result<NormalRows<'t>, Failure> {
        Ok(NormalRows::of(model, table, self.label.as_deref(), self.normal.as_deref())?)
    }
}

/// What the threshold was set on, in one line.
fn told(found: &Recalibration, noun: &str) -> String {
    let mut text = format!("threshold {:.4}, set on {}", found.threshold, count(found.used, noun));
    if found.independent < found.used {
        text.push_str(&format!(", counted as {}", count(found.independent, "independent window")));
    }
    text.push_str(&format!(" of {}", found.source));
    let out = [(found.anomalous, "labelled anomalous"), (found.unlabelled, "without a label")];
    for (n, what) in out.into_iter().filter(|(n, _)| *n > 0) {
        text.push_str(&format!("; {} {what} left out", grouped(n)));
    }
    text
}

/// Whether two files hold the same bytes.
fn have_same_content(a: &Path, b: &Path) -> io::Result<bool> {
    if fs::metadata(a)?.len() != fs::metadata(b)?.len() {
        return Ok(false);
    }
    let [mut a, mut b] = [BufReader::new(File::open(a)?), BufReader::new(File::open(b)?)];
    let (mut of_a, mut of_b) = (vec![0; BLOCK], vec![0; BLOCK]);
    loop {
        let n = a.by_ref().take(BLOCK as u64).read(&mut of_a)?;
        if n == 0 {
            return Ok(true);
        }
        if b.read_exact(&mut of_b[..n]).is_err() || of_a[..n] != of_b[..n] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(normal: &Path) -> RecalibrateArgs {
        RecalibrateArgs { recalibrate: Some(normal.display().to_string()), ..RecalibrateArgs::default() }
    }

    #[test]
    fn the_data_that_are_compared_are_refused_whatever_they_are_called() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, content) in [("new.csv", "a\n1\n"), ("copy.csv", "a\n1\n"), ("other.csv", "a\n2\n")] {
            fs::write(path(name), content).unwrap();
        }
        let refused = |normal: &str, compared: &str| {
            let compared = [path(compared).display().to_string()];
            args(&path(normal)).check_other_than(&compared).err().map(|failure| format!("{failure:?}"))
        };
        assert!(refused("new.csv", "new.csv").unwrap().contains("other data than those compared"));
        assert!(refused("new.csv", "n*.csv").is_some());
        assert!(refused("copy.csv", "new.csv").unwrap().contains("the same content under another name"));
        assert_eq!(refused("other.csv", "new.csv"), None);
        assert!(args(Path::new("-")).check_other_than(&["-".to_owned()]).is_err());
    }

    #[test]
    fn folders_may_share_an_image_but_not_all() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [("a/1.png", "x"), ("b/1.png", "x"), ("b/2.png", "y"), ("c/1.png", "x")] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let check = |normal: &str, compared: &str| {
            let compared = [folder.path().join(compared).display().to_string()];
            args(&folder.path().join(normal)).check_other_than(&compared).is_ok()
        };
        assert!(!check("a", "a") && !check("c", "a"));
        assert!(check("b", "a"));
    }
}
