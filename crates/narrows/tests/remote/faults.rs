//! What goes wrong with stores: every message names the address and what to do, and nothing partial stays.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::folder::{Folder, QUICK, Ran};
use crate::proxy::{Proxy, Verdict};
use crate::server::{Moto, client, free_port, shared, stranger};

#[test]
fn what_is_not_there_is_named() {
    let Some(moto) = shared() else { return };
    let (bucket, folder) = (moto.bucket("missing"), Folder::with_model());
    let fails = |line: &str, code: i32, words: &[&str]| bucket.run(&folder, line).fails(code, words);
    fails("score m.narrows BUCKET/no.csv", 3, &["cannot read s3://missing/no.csv: there is no such object"]);
    fails("score m.narrows BUCKET/no-*.csv", 3, &["s3://missing/no-*.csv: no object matches the pattern"]);
    fails("score m.narrows BUCKET/no/", 3, &["s3://missing/no/: the folder holds no object"]);
    fails(
        "score BUCKET/no.narrows train.csv",
        4,
        &["s3://missing/no.narrows: cannot be read: there is no such object"],
    );
    fails("score m.narrows s3://nobody/a.csv", 3, &["cannot read s3://nobody/a.csv: there is no bucket `nobody`"]);
    fails("score m.narrows s3://nobody/*.csv", 3, &["cannot read s3://nobody/*.csv: there is no bucket `nobody`"]);
    fails("score m.narrows train.csv -o s3://nobody/s.csv", 1, &["cannot write s3://nobody/s.csv: there is no bucket"]);
    // Before the training, not after it.
    let began = Instant::now();
    fails("fit train.csv -o s3://nobody/m.narrows --set train.steps=10000000", 1, &["there is no bucket `nobody`"]);
    assert!(began.elapsed() < Duration::from_secs(30));
    fails("score m.narrows s3://missing", 3, &["s3://missing: the folder holds no object"]);
    fails("score m.narrows train.csv -o s3://missing", 3, &["expected the name of an object behind the bucket"]);
}

#[test]
fn without_credentials_it_says_what_to_set() {
    let folder = Folder::with_model();
    let run = |line: &str| Ran::new(&stranger(&folder).args(line.split_whitespace()).output().unwrap());
    let began = Instant::now();
    run("score m.narrows s3://bucket/a.csv").fails(3, &["no credentials: set AWS_ACCESS_KEY_ID", "AWS_SKIP_SIGNATURE"]);
    run("score m.narrows gs://bucket/a.csv").fails(3, &["no credentials: set GOOGLE_APPLICATION_CREDENTIALS"]);
    run("score m.narrows az://container/a.csv").fails(3, &["no credentials: set AZURE_STORAGE_ACCOUNT_NAME"]);
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn wrong_credentials_are_told_from_missing_objects() {
    // From the first request on, keys must be those of a user, and there is none.
    let Some(moto) = Moto::start(&[("INITIAL_NO_AUTH_ACTION_COUNT", "0")]) else { return };
    let folder = Folder::with_model();
    let run = |line: &str| Ran::new(&client(&folder, moto.port).args(line.split_whitespace()).output().unwrap());
    let words = ["access is denied (InvalidAccessKeyId)", "AWS_ACCESS_KEY_ID"];
    run("score m.narrows s3://bucket/a.csv").fails(3, &words);
    run("score m.narrows train.csv -o s3://bucket/a.csv --force").fails(1, &words);
}

#[test]
fn a_server_that_does_not_answer_is_given_up_within_seconds() {
    let folder = Folder::with_model();
    let port = free_port();
    let run = |line: &str| Ran::new(&client(&folder, port).args(line.split_whitespace()).output().unwrap());
    let began = Instant::now();
    let endpoint = format!("AWS_ENDPOINT_URL is http://127.0.0.1:{port}");
    run("score m.narrows s3://bucket/a.csv")
        .fails(3, &["s3://bucket/a.csv: no connection to the server", "refused", &endpoint]);
    run("score m.narrows train.csv -o s3://bucket/a.csv --force").fails(1, &["no connection to the server"]);
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
}

#[test]
fn a_busy_server_is_asked_again() {
    let Some(moto) = shared() else { return };
    let (bucket, folder) = (moto.bucket("busy"), Folder::with_model());
    bucket.put("train.csv", folder.bytes("train.csv"));
    folder.run("score m.narrows train.csv -o local.csv").succeeds();
    // Every other request is refused.
    let proxy = Proxy::before(moto.port, |_, number| if number % 2 == 0 { Verdict::Busy } else { Verdict::Pass });
    bucket.run_by(&folder, proxy.port, "score m.narrows BUCKET/train.csv -o BUCKET/s.csv").succeeds();
    assert!(bucket.get("s.csv").unwrap() == folder.bytes("local.csv"));
    let busy = Proxy::before(moto.port, |_, _| Verdict::Busy);
    let began = Instant::now();
    let ran = bucket.run_by(&folder, busy.port, "score m.narrows BUCKET/train.csv");
    ran.fails(3, &["s3://busy/train.csv", "SlowDown"]);
    assert!(began.elapsed() < Duration::from_secs(30) && busy.seen().len() > 2);
}

/// Rows with a long text each, so that few of them are more than a part of an upload.
fn long_rows(rows: usize) -> String {
    let text = "x".repeat(20_000);
    let mut table = "a,b,c,word,text\n".to_owned();
    (0..rows).for_each(|i| table.push_str(&format!("{},0.5,10,red,{text}\n", i % 7)));
    table
}

/// A part of an upload.
fn is_part(head: &str) -> bool {
    head.starts_with("PUT ") && head.contains("partNumber=")
}

#[test]
fn a_large_output_comes_in_parts_and_is_given_up_as_a_whole() {
    let Some(moto) = shared() else { return };
    let (bucket, folder) = (moto.bucket("parts"), Folder::with_model());
    folder.write("long.csv", long_rows(1000));
    folder.run("score m.narrows long.csv --keep text -o local.csv").succeeds();
    let proxy = Proxy::before(moto.port, |_, _| Verdict::Pass);
    bucket.run_by(&folder, proxy.port, "score m.narrows long.csv --keep text -o BUCKET/whole.csv").succeeds();
    assert!(bucket.get("whole.csv").unwrap() == folder.bytes("local.csv"));
    assert_eq!(proxy.seen().iter().filter(|seen| is_part(&seen.head)).count(), 3);
    let denied =
        Proxy::before(moto.port, |head, _| if head.contains("partNumber=2") { Verdict::Denied } else { Verdict::Pass });
    let ran = bucket.run_by(&folder, denied.port, "score m.narrows long.csv --keep text -o BUCKET/half.csv");
    ran.fails(1, &["cannot write s3://parts/half.csv: access is denied (AccessDenied)"]);
    assert_eq!((bucket.get("half.csv"), bucket.pending()), (None, 0));
}

#[test]
#[cfg(unix)]
fn ctrl_c_leaves_no_object_and_no_pending_upload() {
    let Some(moto) = shared() else { return };
    let (bucket, folder) = (moto.bucket("interrupted"), Folder::with_model());
    let proxy = Proxy::before(
        moto.port,
        |head, _| {
            if head.contains("partNumber=2") { Verdict::Silence } else { Verdict::Pass }
        },
    );
    let line = bucket.line("score m.narrows - --keep text -o BUCKET/s.csv");
    let mut command = bucket.command_by(&folder, proxy.port);
    let mut child = command.args(line.split_whitespace()).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(long_rows(1100).as_bytes()).unwrap();
    // More than a batch of rows, short ones.
    let short = "1,0.5,10,red,y\n".repeat(20_000);
    let feeding = std::thread::spawn(move || {
        let _ = stdin.write_all(short.as_bytes());
        std::thread::sleep(Duration::from_secs(20));
    });
    let began = Instant::now();
    while !proxy.seen().iter().any(|seen| seen.head.contains("partNumber=2")) {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", proxy.seen());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(bucket.pending(), 1);
    let began = Instant::now();
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!((bucket.get("s.csv"), bucket.pending()), (None, 0));
    drop(feeding);
}

#[test]
fn an_upload_cut_short_by_bad_input_leaves_nothing() {
    let Some(moto) = shared() else { return };
    let (bucket, folder) = (moto.bucket("halves"), Folder::with_model());
    folder.write("a.csv", long_rows(1000));
    folder.write("b.csv", "other\n1\n");
    bucket.run(&folder, "score m.narrows a.csv b.csv --keep text -o BUCKET/s.csv").fails(3, &["b.csv"]);
    assert_eq!((bucket.get("s.csv"), bucket.pending()), (None, 0));
    bucket.run(&folder, &format!("fit b.csv -o BUCKET/m.narrows {QUICK}")).fails(3, &[]);
    assert_eq!((bucket.get("m.narrows"), bucket.pending()), (None, 0));
}
