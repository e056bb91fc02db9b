//! Files on web servers: with ranges, without, and not there.

use crate::folder::{Folder, Ran};
use crate::server::stranger;
use crate::web_server::{Skill, serve};

fn run(folder: &Folder, line: &str) -> Ran {
    Ran::new(&stranger(folder).args(line.split_whitespace()).output().unwrap())
}

/// Longer than what is fetched at first.
fn many_rows() -> String {
    let text = crate::folder::ordinary(20_000);
    assert!(text.len() > 5 * (64 << 10));
    text
}

#[test]
fn tables_and_models_are_read_from_any_web_server() {
    let folder = Folder::with_model();
    folder.write("many.csv", many_rows());
    folder.run("score m.narrows many.csv -o many.parquet --keep a,b,c,word").succeeds();
    folder.run("score m.narrows many.csv -o local.csv").succeeds();
    let zipped = {
        folder.run("score m.narrows many.csv -o zipped.csv.gz --keep a,b,c,word").succeeds();
        folder.bytes("zipped.csv.gz")
    };
    for skill in [Skill::Ranges, Skill::WholeFiles] {
        let port = serve(
            skill,
            &[
                ("many.csv", folder.bytes("many.csv")),
                ("signed.csv?signature=a%2Fb", folder.bytes("many.csv")),
                ("folder/odd%20name.csv", folder.bytes("many.csv")),
                ("many.parquet", folder.bytes("many.parquet")),
                ("many.csv.gz", zipped.clone()),
                ("m.narrows", folder.bytes("m.narrows")),
                ("empty.csv", Vec::new()),
            ],
        );
        let address = format!("http://127.0.0.1:{port}");
        for name in ["many.csv", "signed.csv?signature=a%2Fb", "folder/odd%20name.csv", "many.parquet", "many.csv.gz"] {
            run(&folder, &format!("score {address}/m.narrows {address}/{name} -o web.csv --force")).succeeds();
            assert!(folder.read("web.csv") == folder.read("local.csv"), "{name} {skill:?}");
        }
        let ran = run(&folder, &format!("score m.narrows {address}/none.csv?signature=secret"));
        ran.fails(3, &[&format!("cannot read {address}/none.csv: the server has no such file (404)")]);
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
        run(&folder, &format!("score m.narrows {address}/empty.csv")).fails(3, &["empty.csv"]);
        run(&folder, &format!("score m.narrows {address}/*.csv")).fails(3, &["does not list its files"]);
        let ran = run(&folder, &format!("score m.narrows many.csv -o {address}/s.csv --force"));
        ran.fails(1, &["files on web servers can only be read"]);
    }
}
