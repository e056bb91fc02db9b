//! Scores as tensors: the answer to `infer`.

use narrows_core::Scores;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::refusal::Refusal;
use crate::served::ServedModel;
use crate::tensors::AskedOutputs;

/// What a request said about its answer.
#[derive(Debug)]
pub(crate) struct AskedAnswer {
    pub(crate) id: Option<String>,
    pub(crate) outputs: AskedOutputs,
}

impl AskedAnswer {
    /// The answer in the protocol.
    pub(crate) fn answer(&self, model: &ServedModel, scores: &Scores, warnings: &[String]) -> Result<Answer, Refusal> {
        let rows = scores.score.len();
        let chosen = self.outputs.of(model)?;
        let mut bytes = Vec::new();
        let mut outputs = Vec::new();
        for (name, datatype, is_binary) in &chosen {
            let mut output = Map::new();
            output.insert("name".to_owned(), json!(name));
            output.insert("datatype".to_owned(), json!(datatype));
            output.insert("shape".to_owned(), json!([rows]));
            if *is_binary {
                let before = bytes.len();
                binary(name, scores, &mut bytes);
                output.insert("parameters".to_owned(), json!({"binary_data_size": bytes.len() - before}));
            } else {
                output.insert("data".to_owned(), values(name, scores));
            }
            outputs.push(Value::Object(output));
        }
        let mut document = json!({"model_name": model.name, "model_version": model.version, "outputs": outputs});
        if let Some(id) = &self.id {
            document["id"] = json!(id);
        }
        if !warnings.is_empty() {
            document["parameters"] = json!({"warnings": warnings.join("; ")});
        }
        let is_binary = chosen.iter().any(|(_, _, is_binary)| *is_binary);
        Ok(if is_binary { Answer::with_tensors(&document, &bytes, rows) } else { Answer::json(&document, rows) })
    }
}

/// An output as JSON; null where there is no score.
fn values(name: &str, scores: &Scores) -> Value {
    // NaN becomes null.
    match name {
        "score" => json!(scores.score),
        "p_value" => json!(scores.p_value),
        "flag" => scores.flag.iter().map(|flag| json!(flag.word().unwrap_or_default())).collect(),
        _ => scores
            .is_anomaly
            .iter()
            .zip(&scores.score)
            .map(|(is_anomaly, score)| if score.is_nan() { Value::Null } else { json!(is_anomaly) })
            .collect(),
    }
}

/// An output as little-endian bytes; NaN and false where there is no score.
fn binary(name: &str, scores: &Scores, bytes: &mut Vec<u8>) {
    match name {
        "score" => scores.score.iter().for_each(|x| bytes.extend(x.to_le_bytes())),
        "p_value" => scores.p_value.iter().for_each(|x| bytes.extend(x.to_le_bytes())),
        "flag" => {
            for word in scores.flag.iter().map(|flag| flag.word().unwrap_or_default()) {
                bytes.extend((word.len() as u32).to_le_bytes());
                bytes.extend(word.as_bytes());
            }
        }
        _ => bytes.extend(scores.is_anomaly.iter().map(|is_anomaly| u8::from(*is_anomaly))),
    }
}

#[cfg(test)]
mod tests {
    use narrows_core::{ScoreCounts, ScoreFlag};

    use super::*;

    #[test]
    fn what_has_no_score_is_null_or_nan() {
        let scores = Scores {
            score: vec![2.5, f64::NAN],
            p_value: vec![0.25, f64::NAN],
            is_anomaly: vec![true, false],
            flag: vec![ScoreFlag::None, ScoreFlag::Missing],
            counts: ScoreCounts::default(),
        };
        assert_eq!(values("score", &scores), json!([2.5, null]));
        assert_eq!(values("is_anomaly", &scores), json!([true, null]));
        assert_eq!(values("flag", &scores), json!(["", "missing"]));
        let mut bytes = Vec::new();
        binary("p_value", &scores, &mut bytes);
        binary("is_anomaly", &scores, &mut bytes);
        binary("flag", &scores, &mut bytes);
        assert_eq!(bytes.len(), 16 + 2 + 4 + 4 + 7);
        assert_eq!(bytes[..8], 0.25_f64.to_le_bytes());
    }
}
