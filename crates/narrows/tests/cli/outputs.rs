//! What every verb that writes does about files that exist: inputs are never overwritten, others only with `--force`.

use std::fs;

use narrows_core::images::Channels;

use crate::drawing::draw;
use crate::folder::{Folder, QUICK};

/// A folder with a model of a table, its codes and compressed file.
fn tables() -> Folder {
    let folder = Folder::with_model();
    folder.run("encode m.narrows train.csv -o codes.csv").succeeds();
    folder.run("compress m.narrows train.csv -o train.nrw").succeeds();
    folder
}

/// The line fails with `code` and leaves every file as it was.
#[track_caller]
fn check_refused(folder: &Folder, line: &str, fragments: &[&str]) {
    let content = |folder: &Folder| -> Vec<(String, Vec<u8>)> {
        let files = folder.names().into_iter().filter(|name| folder.path(name).is_file());
        files.map(|name| (name.clone(), folder.bytes(&name))).collect()
    };
    let before = content(folder);
    folder.run(line).fails(2, fragments);
    assert!(content(folder) == before, "narrows {line}");
}

#[test]
fn an_input_is_never_overwritten_even_with_force() {
    let folder = tables();
    fs::hard_link(folder.path("train.csv"), folder.path("hard.csv")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("train.csv", folder.path("link.csv")).unwrap();
    folder.write("r.toml", "seed = 1\n");
    for line in [
        "score m.narrows train.csv -o train.csv",
        "score m.narrows train.csv -o hard.csv",
        #[cfg(unix)]
        "score m.narrows link.csv -o train.csv",
        "score m.narrows t*.csv -o train.csv",
        "score m.narrows train.csv -o m.narrows --format csv",
        "encode m.narrows train.csv -o train.csv",
        "reconstruct m.narrows train.csv -o train.csv",
        "decode m.narrows codes.csv -o codes.csv",
        "generate m.narrows --like train.csv -o train.csv",
        "compress m.narrows train.csv -o train.csv",
        "compress m.narrows train.csv -o m.narrows",
        "decompress m.narrows train.nrw -o train.nrw --format csv",
        "export m.narrows --encoder-only -o m.narrows",
        "report m.narrows -o m.narrows",
        "fit train.csv -o train.csv",
        "fit train.csv -o new.narrows --report train.csv",
        "fit train.csv --recipe r.toml -o r.toml",
        "tune train.csv -o train.csv",
        "tune train.csv -o new.toml --journal train.csv",
    ] {
        check_refused(&folder, &format!("{line} --force"), &["expected another file than the input"]);
    }
    check_refused(&folder, "fit train.csv -o x.narrows --report x.narrows", &["a file of its own"]);
    let ran = folder.shell("cat train.csv > copy.csv; narrows score m.narrows - < copy.csv >> copy.csv");
    ran.fails(2, &["expected another file than the input, got `stdout`"]);
    assert_eq!(folder.bytes("copy.csv"), folder.bytes("train.csv"));
}

#[test]
fn an_existing_file_is_replaced_only_with_force() {
    let folder = tables();
    for (line, file) in [
        ("score m.narrows train.csv -o", "old.csv"),
        ("encode m.narrows train.csv -o", "old.csv"),
        ("reconstruct m.narrows train.csv -o", "old.csv"),
        ("decode m.narrows codes.csv -o", "old.csv"),
        ("generate m.narrows -n 3 -o", "old.csv"),
        ("compress m.narrows train.csv -o", "old.nrw"),
        ("decompress m.narrows train.nrw -o", "old.csv"),
        ("export m.narrows --encoder-only -o", "old.narrows"),
        ("report m.narrows -o", "old.html"),
        ("demo wide --data-only --rows 5 -o", "old.csv"),
    ] {
        folder.write(file, "old");
        check_refused(&folder, &format!("{line} {file}"), &[&format!("`{file}` exists"), "hint: --force"]);
        folder.run(&format!("{line} {file} -f")).succeeds();
        assert_ne!(folder.read_lossy(file), "old", "{line}");
    }
    folder.write("m.html", "old");
    check_refused(&folder, "report m.narrows", &["`m.html` exists"]);
    folder.write("r.html", "old");
    check_refused(&folder, &format!("fit train.csv -o n.narrows --report r.html {QUICK}"), &["`r.html` exists"]);
    folder.run("man --dir pages").succeeds();
    folder.run("man --dir pages").fails(2, &["narrows.1` exists"]);
    folder.run("man --dir pages --force").succeeds();
}

#[test]
fn images_in_an_output_folder_are_replaced_only_with_force() {
    let folder = Folder::new();
    draw(&folder, "in", 12, 16, Channels::Grey);
    folder.run("fit in -o m.narrows --set train.steps=2 --set backbone.code_size=2").succeeds();
    folder.run("fit in -o d.narrows --corrupt gaussian:25 --set backbone.blocks=1 --set train.steps=2").succeeds();
    folder.run("encode m.narrows in -o codes.csv").succeeds();
    folder.run("compress m.narrows in -o in.nrw").succeeds();
    for line in [
        "reconstruct m.narrows in -o OUT",
        "score m.narrows in -o - --heatmaps OUT",
        "decode m.narrows codes.csv -o OUT",
        "decompress m.narrows in.nrw -o OUT",
        "generate m.narrows -n 2 -o OUT",
        "restore d.narrows in OUT",
        "evaluate d.narrows in --sheet OUT.png",
        "restore d.narrows in/000.png OUT.png",
    ] {
        let name = format!("out{}", line.len());
        let line = line.replace("OUT", &name);
        folder.run(&line).succeeds();
        let ran = folder.run(&line);
        assert!(ran.code == 2 && ran.stderr.contains("hint: --force"), "{line}: {}", ran.stderr);
        folder.run(&format!("{line} --force")).succeeds();
    }
    for line in [
        "reconstruct m.narrows in -o in",
        "score m.narrows in --heatmaps in",
        "restore d.narrows in in",
        "restore d.narrows in/000.png in/000.png",
        "evaluate d.narrows in --sheet in/000.png",
    ] {
        let before = folder.bytes("in/000.png");
        folder.run(&format!("{line} --force")).fails(2, &["expected another file than the input"]);
        assert_eq!(folder.bytes("in/000.png"), before, "{line}");
    }
}

#[test]
#[cfg(unix)]
fn a_link_stays_a_link_and_a_mode_stays_a_mode() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::with_model();
    fs::set_permissions(folder.path("m.narrows"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("m.narrows", folder.path("link.narrows")).unwrap();
    folder.run(&format!("fit train.csv -o link.narrows -f {QUICK} --seed 4")).succeeds();
    assert!(folder.path("link.narrows").is_symlink());
    assert_eq!(fs::metadata(folder.path("m.narrows")).unwrap().permissions().mode() & 0o777, 0o600);
    symlink("coming.csv", folder.path("link.csv")).unwrap();
    folder.run("score m.narrows train.csv -o link.csv").succeeds();
    assert!(folder.path("link.csv").is_symlink() && folder.path("coming.csv").is_file());
}

#[test]
#[cfg(target_os = "linux")]
fn stdout_by_its_path_is_stdout() {
    let folder = Folder::with_model();
    let expected = folder.run("score m.narrows train.csv").succeeds().stdout;
    folder.shell("narrows score m.narrows train.csv -o /dev/stdout > a.csv").succeeds();
    assert_eq!(folder.read("a.csv"), expected);
    folder.shell("echo head > b.csv; narrows score m.narrows train.csv -o /dev/stdout >> b.csv").succeeds();
    assert_eq!(folder.read("b.csv"), format!("head\n{expected}"));
    // A name of a stream may lead to an input.
    let input = folder.read("train.csv");
    for line in ["score m.narrows train.csv -o /dev/stdout", "explain m.narrows train.csv"] {
        folder.shell(&format!("narrows {line} >> train.csv")).fails(2, &["train.csv"]);
    }
    let model = folder.bytes("m.narrows");
    folder.shell("narrows inspect m.narrows >> m.narrows").fails(2, &["m.narrows"]);
    assert!(folder.read("train.csv") == input && folder.bytes("m.narrows") == model);
}
