//! Help, version, completions, manual.

use crate::folder::Folder;

const VERBS: [&str; 18] = [
    "demo",
    "fit",
    "tune",
    "score",
    "evaluate",
    "explain",
    "reconstruct",
    "encode",
    "decode",
    "generate",
    "export",
    "compress",
    "decompress",
    "restore",
    "inspect",
    "report",
    "completions",
    "man",
];

#[test]
fn every_verb_opens_its_help_with_an_example() {
    let folder = Folder::new();
    let all = folder.run("--help").succeeds().stdout;
    for verb in VERBS {
        assert!(all.contains(&format!("  {verb} ")), "{verb} is not in\n{all}");
        for flag in ["-h", "--help"] {
            let help = folder.run(&format!("{verb} {flag}")).succeeds().stdout;
            assert!(help.starts_with("Example") && help.contains(&format!("narrows {verb}")), "{verb} {flag}: {help}");
        }
    }
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(Folder::new().run("--version").succeeds().stdout, format!("narrows {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn no_verb_and_an_unknown_verb_are_usage_errors() {
    Folder::new().check_fails("", 2, &["Usage"]);
    Folder::new().check_fails("scor", 2, &["scor", "score"]);
}

#[test]
fn completions_and_manual_name_the_verbs() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = folder.run(&format!("completions {shell}")).succeeds().stdout;
        assert!(VERBS.iter().all(|verb| script.contains(verb)), "{shell}");
    }
    assert!(folder.run("man").succeeds().stdout.contains(".TH narrows"));
    folder.run("man --dir pages").succeeds();
    for verb in VERBS {
        assert!(folder.read(&format!("pages/narrows-{verb}.1")).contains(".SH EXAMPLES"), "{verb}");
    }
}
