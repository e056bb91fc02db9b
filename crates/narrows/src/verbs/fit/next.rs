//! The command to type after a fit.

use std::path::Path;

use narrows_core::Model;

use crate::shell;

/// What was saved.
pub(super) enum Saved<'a> {
    Encoder,
    Model(&'a Model),
}

/// The command that uses the saved file, for data of the kind of `input`.
pub(super) fn line(saved: Saved<'_>, path: &Path, input: &str) -> String {
    let new = || {
        let extension = Path::new(input).extension().and_then(|extension| extension.to_str()).unwrap_or("csv");
        let is_plain = extension.chars().all(|c| c.is_ascii_alphanumeric());
        format!("new.{}", if is_plain { extension } else { "csv" })
    };
    let (verb, rest) = match saved {
        Saved::Model(Model::Table(_) | Model::Series(_)) => ("score", new()),
        Saved::Model(Model::Images(_)) => ("score", "new/ --heatmaps heat".to_owned()),
        Saved::Model(Model::Restorer(_)) => ("restore", "damaged/ restored/".to_owned()),
        Saved::Model(Model::Encoder(encoder)) if encoder.reads_images() => ("encode", "new/ -o codes.csv".to_owned()),
        Saved::Encoder | Saved::Model(Model::Encoder(_)) => ("encode", format!("{} -o codes.csv", new())),
    };
    format!("next: narrows {verb} {} {rest}", shell::word(&path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_command_can_be_pasted() {
        let after = |path: &str, input: &str| line(Saved::Encoder, Path::new(path), input);
        assert_eq!(after("m.narrows", "a.csv"), "next: narrows encode m.narrows new.csv -o codes.csv");
        assert_eq!(after("my model.narrows", "-"), "next: narrows encode 'my model.narrows' new.csv -o codes.csv");
        assert_eq!(after("it's", "a.parquet"), "next: narrows encode 'it'\\''s' new.parquet -o codes.csv");
    }
}
