//! `narrows serve`: the process as a service manager meets it.
#![cfg(unix)]

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::folder::{Folder, ordinary};
use crate::images::{coder, denoiser};
use crate::service::Service;

#[test]
fn scores_are_those_of_the_command_to_the_bit() {
    let folder = Folder::with_model();
    let mut service = Service::start(&folder, "");
    for (flags, query) in [("", ""), ("--explain 3", "?explain=3")] {
        let expected = folder.run(&format!("score m.narrows train.csv {flags}")).succeeds().stdout;
        let path = format!("/v2/models/m/score{query}");
        let stream = service.send(&path, "Content-Type: text/csv\r\nAccept: text/csv\r\n", folder.read("train.csv"));
        assert_eq!(Service::receive(stream), expected, "{path}");
    }
    service.signal("-INT");
    assert_eq!(service.wait().0, 0);
}

#[test]
fn points_of_a_series_are_scored_as_by_the_command() {
    let folder = Folder::new();
    let points: String = (0..600)
        .map(|i| format!("{i},{:.4}\n", (f64::from(i) * 0.26).sin() + if i == 450 { 4.0 } else { 0.0 }))
        .collect();
    folder.write("points.csv", format!("t,x\n{points}"));
    folder.run("fit points.csv -o s.narrows --kind series --time t --preset simple --set train.steps=50").succeeds();
    let service = Service::start(&folder, "");
    let expected = folder.run("score s.narrows points.csv").succeeds().stdout;
    let stream = service.send("/v2/models/s/score", "Accept: text/csv\r\n", folder.read("points.csv"));
    assert_eq!(Service::receive(stream), expected);
}

#[test]
fn an_image_is_scored_as_by_the_command_and_other_models_say_what_they_are_for() {
    let folder = coder();
    let restorer = denoiser();
    std::fs::rename(restorer.path("m.narrows"), folder.path("r.narrows")).unwrap();
    let service = Service::start(&folder, "");
    let expected = folder.run("score m.narrows clean/003.png").succeeds().stdout;
    let image = folder.bytes("clean/003.png");
    let stream = service.send("/v2/models/m/score", "Content-Type: image/png\r\nAccept: text/csv\r\n", &image);
    let (found, expected) = (Service::receive(stream), expected.lines().nth(1).unwrap().to_owned());
    // All but the name.
    assert_eq!(
        found.lines().nth(1).unwrap().split_once(','),
        expected.split_once(',').map(|(_, rest)| ("the body", rest))
    );
    let mut told = String::new();
    service.send("/v2/models/r/score", "Content-Type: image/png\r\n", &image).read_to_string(&mut told).unwrap();
    assert!(told.starts_with("HTTP/1.1 400") && told.contains("got a model that restores images"), "{told}");
}

#[test]
fn sigterm_lets_requests_that_have_begun_be_answered() {
    let folder = Folder::with_model();
    let mut service = Service::start(&folder, "--threads 1");
    let rows = 100_000;
    let stream = service.send("/v2/models/m/score", "Accept: text/csv\r\n", ordinary(rows));
    // The body has been sent; the server may still be reading it.
    std::thread::sleep(Duration::from_millis(100));
    service.signal("-TERM");
    assert_eq!(Service::receive(stream).lines().count(), rows + 1);
    let (code, log) = service.wait();
    assert_eq!(code, 0, "{log}");
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
    assert!(log.contains("\"event\":\"stopped\"") && !log.contains("cut off"), "{log}");
    assert!(TcpStream::connect(&service.address).is_err());
}

#[test]
fn what_cannot_be_served_is_said_at_once() {
    let folder = Folder::with_model();
    folder.write("broken.narrows", "not a model");
    folder.check_fails("serve broken.narrows", 4, &["broken.narrows"]);
    folder.check_fails("serve train.csv.narrows", 4, &["train.csv.narrows"]);
    folder.check_fails("serve m.narrows --host 192.0.2.1 --port 0", 2, &["192.0.2.1", "--port"]);
    folder.write("keys.txt", "short\n");
    folder.check_fails("serve m.narrows --port 0 --api-keys keys.txt", 3, &["keys.txt", "at least 16"]);
    folder.check_fails("serve m.narrows m.narrows --port 0", 3, &["m.narrows: expected each model file once"]);
    folder.check_fails("serve . m.narrows --port 0", 3, &["m.narrows", "also as ./m.narrows"]);
    std::fs::create_dir(folder.path("empty")).unwrap();
    folder.check_fails("serve empty", 3, &["at least one file *.narrows"]);
}
