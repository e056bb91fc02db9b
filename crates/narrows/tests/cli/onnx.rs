//! Models as ONNX files. Whether a runtime scores alike is tested in Python, which has one.

use crate::folder::Folder;

#[test]
fn a_graph_is_written_whole_and_only_where_it_may_be() {
    let folder = Folder::with_model();
    let ran = folder.run("export m.narrows --onnx -o m.onnx").succeeds();
    assert!(ran.stderr.contains("m.onnx"), "{}", ran.stderr);
    let graph = folder.bytes("m.onnx");
    for word in ["narrows.threshold", "scores", "p_values", "word"] {
        assert!(graph.windows(word.len()).any(|bytes| bytes == word.as_bytes()), "{word}");
    }
    folder.check_fails("export m.narrows --onnx -o m.onnx", 2, &["exists"]);
    folder.run("export m.narrows --onnx --inputs matrix -o m.onnx --force").succeeds();
    assert_ne!(folder.bytes("m.onnx"), graph);
    folder.run("export m.narrows --onnx --encoder-only -o code.onnx").succeeds();
    assert!(folder.bytes("code.onnx").len() < graph.len());
    folder.check_fails("export m.narrows --onnx -o -", 2, &["expected a file"]);
    folder.check_fails("export m.narrows --encoder-only --inputs matrix -o x.narrows", 2, &["--onnx"]);
}

#[test]
fn what_cannot_be_checked_is_not_written() {
    let folder = Folder::with_model();
    let line = "NARROWS_PYTHON=/no/such/python narrows export m.narrows --onnx --check train.csv -o m.onnx";
    folder.shell(line).fails(3, &["cannot run ONNX Runtime with /no/such/python", "onnxruntime"]);
    assert!(!folder.path("m.onnx").exists());
    folder.check_fails("export m.narrows --onnx --check none.csv -o m.onnx", 3, &["none.csv"]);
    assert!(!folder.path("m.onnx").exists());
}
