//! The other stores: Google's, whose XML interface is close enough to S3's for moto to answer, and Azure's.

use std::process::Command;

use crate::blob_server::BlobServer;
use crate::folder::{Folder, Ran};
use crate::proxy::{Proxy, Verdict};
use crate::server::{shared, stranger};

/// Rows of which a score with its text makes more than two parts of an upload.
fn long_rows() -> String {
    let text = "x".repeat(20_000);
    let rows = (0..1000).map(|i| format!("{},0.5,10,red,{text}\n", i % 7));
    std::iter::once("a,b,c,word,text\n".to_owned()).chain(rows).collect()
}

/// Scores of a pattern and of a folder in a store, written to the store, are those of the file.
fn check(
    address: &str,
    command: impl Fn(&Folder) -> Command,
    put: impl Fn(&str, Vec<u8>),
    get: impl Fn(&str) -> Option<Vec<u8>>,
) {
    let folder = Folder::with_model();
    folder.write("long.csv", long_rows());
    folder.run("score m.narrows long.csv --keep text -o local.csv").succeeds();
    folder.run("score m.narrows train.csv -o short.csv").succeeds();
    put("day/train.csv", folder.bytes("train.csv"));
    put("long/long.csv", folder.bytes("long.csv"));
    put("m.narrows", folder.bytes("m.narrows"));
    let run = |line: &str| {
        let line = line.replace("STORE", address);
        Ran::new(&command(&folder).args(line.split_whitespace()).output().unwrap())
    };
    run("score STORE/m.narrows STORE/day/*.csv -o STORE/s.csv").succeeds();
    assert!(get("s.csv").unwrap() == folder.bytes("short.csv"));
    run("score STORE/m.narrows STORE/long/ --keep text -o STORE/l.csv").succeeds();
    assert!(get("l.csv").unwrap() == folder.bytes("local.csv"));
    run("score STORE/m.narrows STORE/none.csv")
        .fails(3, &[&format!("cannot read {address}/none.csv: there is no such object")]);
    run("score STORE/m.narrows train.csv -o STORE/s.csv").fails(2, &["exists"]);
}

#[test]
fn google_cloud_storage_is_read_and_written() {
    let Some(moto) = shared() else { return };
    let bucket = moto.bucket("google");
    let proxy = Proxy::before(moto.port, |_, _| Verdict::Pass);
    let command = |folder: &Folder| {
        let mut command = stranger(folder);
        let account = format!(
            r#"{{"gcs_base_url": "http://127.0.0.1:{}", "disable_oauth": true, "client_email": "", "private_key": "", "private_key_id": ""}}"#,
            proxy.port
        );
        command.env("GOOGLE_SERVICE_ACCOUNT_KEY", account).env("GOOGLE_ALLOW_HTTP", "true");
        command
    };
    check("gs://google", command, |key, bytes| bucket.put(key, bytes), |key| bucket.get(key));
    assert_eq!(bucket.pending(), 0);
}

#[test]
fn azure_blob_storage_is_read_and_written() {
    let server = BlobServer::start();
    let command = |folder: &Folder| {
        let mut command = stranger(folder);
        command.env("AZURE_STORAGE_ENDPOINT", format!("http://127.0.0.1:{}", server.port));
        command.env("AZURE_ALLOW_HTTP", "true").env("AZURE_SKIP_SIGNATURE", "true");
        command.env("AZURE_STORAGE_ACCOUNT_NAME", "account");
        command
    };
    check("az://box", command, |key, bytes| server.put(key, bytes), |key| server.get(key));
    let folder = Folder::with_model();
    let run = |line: &str| Ran::new(&command(&folder).args(line.split_whitespace()).output().unwrap());
    run("score m.narrows az://nobody/a.csv").fails(3, &["there is no bucket `nobody`"]);
    run("score m.narrows train.csv -o az://nobody/a.csv").fails(1, &["there is no bucket `nobody`"]);
}
