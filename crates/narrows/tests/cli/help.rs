//! Help, version, completions, manual.

use crate::folder::Folder;

const VERBS: [&str; 20] = [
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
    "serve",
    "doctor",
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
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(Folder::new().run("-V").succeeds().stdout, format!("narrows {version}\n"));
    let long = Folder::new().run("--version").succeeds().stdout;
    assert!(long.starts_with(&format!("narrows {version}\ncommit ")), "{long}");
    assert!(long.contains("\nsimd ") && long.contains("\nthreads "), "{long}");
}

#[test]
fn doctor_finds_nothing_wrong_here_and_says_what_is() {
    let folder = Folder::new();
    let found = folder.run("doctor --json --threads 1").succeeds().json();
    assert_eq!((found["version"].as_str(), found["threads"].as_u64()), (Some(env!("CARGO_PKG_VERSION")), Some(1)));
    assert!(found["self_test"]["error"].is_null() && found["folders"][0]["error"].is_null(), "{found}");
    assert!(std::fs::read_dir(folder.path(".")).unwrap().next().is_none(), "doctor left a file");
    let text = folder.run("doctor").succeeds().stdout;
    for words in ["simd", "threads", "memory", "gpu", "is writable", "self-test"] {
        assert!(text.contains(words), "{words}: {text}");
    }
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
