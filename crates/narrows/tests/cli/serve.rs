//! `narrows serve`: the process as a service manager meets it.
#![cfg(unix)]

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::drawing::{png_header, read};
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
fn a_stream_has_the_scores_of_follow_to_the_bit() {
    let folder = Folder::new();
    let line = |i: u32| {
        format!("{{\"t\": {i}, \"x\": {:.4}}}\n", (f64::from(i) * 0.26).sin() + if i == 450 { 4.0 } else { 0.0 })
    };
    folder.write("points.ndjson", (0..600).map(line).collect::<String>());
    folder.run("fit points.ndjson -o s.narrows --kind series --time t --preset simple --set train.steps=50").succeeds();
    let service = Service::start(&folder, "--streams 1");
    let expected = folder.run("score s.narrows points.ndjson --follow").succeeds().stdout;
    let mut found = String::new();
    for part in folder.read("points.ndjson").lines().collect::<Vec<_>>().chunks(250) {
        found += &unchunked(&Service::receive(service.send("/v2/models/s/stream/one", "", part.join("\n"))));
    }
    assert_eq!(found, expected);
}

/// A body that came in chunks.
fn unchunked(mut rest: &str) -> String {
    let mut text = String::new();
    while let Some((size, more)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        text += &more[..size];
        rest = more[size..].trim_start_matches("\r\n");
    }
    text
}

#[test]
fn an_image_is_scored_as_by_the_command_and_other_models_say_what_they_are_for() {
    let folder = coder();
    let restorer = denoiser();
    std::fs::rename(restorer.path("m.narrows"), folder.path("r.narrows")).unwrap();
    let service = Service::start(&folder, "");
    let expected = folder.run("score m.narrows clean/003.png").succeeds().stdout;
    let image = folder.bytes("clean/003.png");
    let head = "Content-Type: image/png\r\nAccept: text/csv\r\n";
    let stream = service.send("/v2/models/m/score?name=003.png", head, &image);
    let (found, expected) = (Service::receive(stream), expected.lines().nth(1).unwrap().to_owned());
    // With a number, and without the folder.
    assert_eq!(found.lines().nth(1).unwrap(), format!("0,{}", expected.trim_start_matches("clean/")));
    let mut told = String::new();
    service.send("/v2/models/r/score", "Content-Type: image/png\r\n", &image).read_to_string(&mut told).unwrap();
    assert!(told.starts_with("HTTP/1.1 400") && told.contains("got a model that restores images"), "{told}");
}

#[test]
fn images_come_as_tensors_too() {
    let folder = coder();
    let service = Service::start(&folder, "");
    let expected = folder.run("score m.narrows clean/003.png --json").succeeds().json();
    let expected = expected["rows"][0]["score"].as_f64().unwrap();
    let image = folder.bytes("clean/003.png");
    // As Triton's client sends it: JSON, and then the tensor with its length in front.
    let tensor = [&(image.len() as u32).to_le_bytes()[..], &image].concat();
    let input = serde_json::json!({"name": "image", "datatype": "BYTES", "shape": [1],
                                   "parameters": {"binary_data_size": tensor.len()}});
    let head = serde_json::json!({"inputs": [input]}).to_string();
    let length = format!("Inference-Header-Content-Length: {}\r\n", head.len());
    let encoded = service.send("/v2/models/m/infer", &length, [head.as_bytes(), &tensor].concat());
    let photo = read(&folder, "clean/003.png").image;
    let bytes: Vec<u8> = photo.pixels.iter().map(|value| (value * 255.0).round() as u8).collect();
    let input = serde_json::json!({"name": "image", "datatype": "UINT8", "data": bytes,
                                   "shape": [photo.height, photo.width, photo.channels.count()]});
    let pixels = service.send("/v2/models/m/infer", "", serde_json::json!({"inputs": [input]}).to_string());
    for stream in [encoded, pixels] {
        let answer: Value = serde_json::from_str(&Service::receive(stream)).unwrap();
        assert_eq!(answer["outputs"][0]["name"], "score");
        assert_eq!(answer["outputs"][0]["data"][0].as_f64(), Some(expected), "{answer}");
    }
    let mut told = String::new();
    let input = serde_json::json!({"inputs": [{"name": "x", "datatype": "FP64", "shape": [1], "data": [1]}]});
    service.send("/v2/models/m/infer", "", input.to_string()).read_to_string(&mut told).unwrap();
    assert!(told.starts_with("HTTP/1.1 400") && told.contains("expected the tensor `image`"), "{told}");
}

#[test]
fn images_come_back_with_the_bytes_that_the_command_writes() {
    let folder = coder();
    let restorer = denoiser();
    std::fs::rename(restorer.path("m.narrows"), folder.path("r.narrows")).unwrap();
    let service = Service::start(&folder, "--max-pixels 4000");
    let image = folder.bytes("clean/003.png");
    folder.run("score m.narrows clean/003.png --heatmaps heat -o s.csv").succeeds();
    folder.run("reconstruct m.narrows clean/003.png -o rebuilt.png").succeeds();
    folder.run("restore r.narrows clean/003.png restored.png").succeeds();
    folder.run("restore r.narrows clean/003.png restored.jpg").succeeds();
    for (path, accept, expected) in [
        ("/v2/models/m/score", "image/png", "heat/003.png"),
        ("/v2/models/m/reconstruct", "*/*", "rebuilt.png"),
        ("/v2/models/r/restore", "image/png", "restored.png"),
        ("/v2/models/r/restore", "image/jpeg", "restored.jpg"),
    ] {
        let mut bytes = Vec::new();
        service.send(path, &format!("Accept: {accept}\r\n"), &image).read_to_end(&mut bytes).unwrap();
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let told = String::from_utf8_lossy(&bytes[..head]).into_owned();
        assert!(told.starts_with("HTTP/1.1 200"), "{path}: {told}");
        assert!(bytes[head + 4..] == folder.bytes(expected), "{path}: {told}");
    }
    for (path, body, status, fragment) in [
        ("/v2/models/m/restore", &image, 400, "expected one fitted with a corruption"),
        ("/v2/models/r/reconstruct", &image, 400, "got a model that restores images"),
        ("/v2/models/m/score?explain=3", &image, 400, "expected a model of tables or series, got one of images"),
        ("/v2/models/r/restore", &png_header(80, 80), 400, "expected at most 4000 pixels"),
    ] {
        let mut told = String::new();
        service.send(path, "Accept: */*\r\n", body).read_to_string(&mut told).unwrap();
        assert!(told.starts_with(&format!("HTTP/1.1 {status}")) && told.contains(fragment), "{path}: {told}");
    }
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
