//! Model files from an enemy: always a clear error, never a crash.

use narrows_core::{Model, Preset};

use crate::forged_models::Parts;
use crate::support::{fit_with, quick, sheet, to_bytes};

fn model() -> Vec<u8> {
    let mut recipe = quick(Preset::Auto);
    recipe.set("backbone.code_size=4").unwrap();
    recipe.set("backbone.nodes=[4]").unwrap();
    recipe.set("members=[{ kind = \"gaussian\", sigma = 0.1 }, { kind = \"swap\", rate = 0.2 }]").unwrap();
    to_bytes(&fit_with(&recipe, sheet(60, 1), 1).unwrap())
}

fn check_refused(bytes: &[u8], expected: &str) {
    let message = Model::from_bytes(bytes).expect_err("a hostile file was taken");
    assert!(message.contains(expected), "{message}");
}

/// The model with its JSON document changed; the checksum still fits, so only the content is wrong.
fn with_document(change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    let mut parts = Parts::of(&model());
    change(&mut parts.document);
    parts.sealed()
}

#[test]
fn an_untouched_document_is_taken() {
    Model::from_bytes(&with_document(|_| ())).unwrap();
}

#[test]
fn truncated_files_are_refused_at_any_length() {
    let bytes = model();
    for length in (0..bytes.len()).step_by(97).chain([0, 1, 7, 8, 9, bytes.len() - 1]) {
        assert!(Model::from_bytes(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
    }
}

#[test]
fn flipped_bytes_are_refused() {
    let bytes = model();
    for at in (0..bytes.len()).step_by(61) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        assert!(Model::from_bytes(&damaged).is_err(), "byte {at}");
    }
}

#[test]
fn other_files_are_refused_by_name() {
    check_refused(b"a,b\n1,2\n", "expected a Narrows model");
    check_refused(&[0xff; 64], "expected a Narrows model");
    let foreign = safetensors::serialize(
        [("x", safetensors::tensor::TensorView::new(safetensors::Dtype::U8, vec![1], &[1]).unwrap())],
        None,
    )
    .unwrap();
    check_refused(&foreign, "without the `narrows` document");
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    check_refused(&with_document(|document| document["format"] = 6.into()), "expected a format from 1 to 5, got 6");
}

#[test]
fn absurd_sizes_are_refused_before_memory_is_taken() {
    check_refused(
        &with_document(|document| document["recipe"]["backbone"]["nodes"] = vec![60_000, 60_000].into()),
        "expected a network of at most 268435456 parameters",
    );
    check_refused(
        &with_document(|document| document["recipe"]["backbone"]["code_size"] = u32::MAX.into()),
        "expected a width",
    );
    check_refused(&with_document(|document| document["isolation_forest"]["width"] = 3.into()), "");
    check_refused(&with_document(|document| document["neighbours"]["floor"] = 0.into()), "floor above 0");
    check_refused(&with_document(|document| document["neighbours"]["views"] = serde_json::json!([])), "3 terms");
    check_refused(&with_document(|document| document["members"] = serde_json::json!([])), "members");
}

#[test]
fn a_recipe_for_an_absurd_network_is_refused() {
    let mut recipe = quick(Preset::Auto);
    recipe.set("backbone.nodes=[60000, 60000]").unwrap();
    let error = fit_with(&recipe, sheet(60, 1), 1).unwrap_err().to_string();
    assert!(error.starts_with("backbone: expected a network of at most 268435456 parameters"), "{error}");
}

#[test]
fn deep_json_is_refused() {
    let deep = "[".repeat(100_000);
    let metadata = [("narrows".to_owned(), format!("{{\"format\":1,\"library\":\"x\",\"recipe\":{deep}"))];
    let none: [(&str, safetensors::tensor::TensorView<'_>); 0] = [];
    let bytes = safetensors::serialize(none, Some(metadata.into())).unwrap();
    check_refused(&bytes, "damaged");
}

#[test]
fn every_missing_or_nulled_field_is_refused_or_harmless() {
    let bytes = model();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let text = header.metadata().as_ref().unwrap()["narrows"].clone();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    for key in document.as_object().unwrap().keys() {
        // Whatever comes of it, it is not a panic.
        let _ = Model::from_bytes(&with_document(|document| document[key] = serde_json::Value::Null));
        let _ = Model::from_bytes(&with_document(|document| {
            document.as_object_mut().unwrap().remove(key);
        }));
    }
}
