//! moto, an S3 server for tests, from a virtual environment in the target folder that is made once.
//!
//! Without Python, or without the package, nothing is tested and a message says so, unless `NARROWS_REQUIRE_PYTHON=1`.
//! `NARROWS_PYTHON` names the interpreter to use.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::folder::{Folder, Ran};

const PACKAGE: &str = "moto[server]==5.2.5";

/// Ends when its standard input does, so that no server outlives the tests.
const START: &str = "
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(['-H', '127.0.0.1', '-p', sys.argv[1]])
";

/// Signatures are not checked; without one, only what is public is given out.
pub(crate) const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=testing/20261130/us-east-1/s3/aws4_request, \
                                 SignedHeaders=host, Signature=0";

/// A running server.
pub(crate) struct Moto {
    pub(crate) port: u16,
    _child: Child,
}

/// What a server answers.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The server of all tests that do not need one of their own; `None` if there is none.
pub(crate) fn shared() -> Option<&'static Moto> {
    static SHARED: OnceLock<Option<Moto>> = OnceLock::new();
    SHARED.get_or_init(|| Moto::start(&[])).as_ref()
}

impl Moto {
    /// Starts a server with these variables.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Option<Moto> {
        let python = match python() {
            Ok(python) => python,
            Err(reason) => {
                let is_required = env::var("NARROWS_REQUIRE_PYTHON").is_ok_and(|value| value == "1");
                assert!(!is_required, "{reason}");
                let _ = writeln!(std::io::stderr(), "SKIPPED: addresses in object stores: {reason}");
                return None;
            }
        };
        let port = free_port();
        let mut command = Command::new(python);
        command.args(["-c", START, &port.to_string()]).envs(variables.iter().copied());
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(120), "expected moto to listen on port {port}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Moto { port, _child: child })
    }

    /// A new bucket on this server.
    pub(crate) fn bucket(&self, name: &str) -> Bucket<'_> {
        assert_eq!(ask(self.port, "PUT", &format!("/{name}"), b"").status, 200, "{name}");
        Bucket { moto: self, name: name.to_owned() }
    }
}

/// A bucket.
pub(crate) struct Bucket<'a> {
    moto: &'a Moto,
    name: String,
}

impl Bucket<'_> {
    pub(crate) fn put(&self, key: &str, bytes: impl AsRef<[u8]>) {
        assert_eq!(ask(self.moto.port, "PUT", &format!("/{}/{key}", self.name), bytes.as_ref()).status, 200);
    }

    /// An object, if it is there.
    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        let answer = ask(self.moto.port, "GET", &format!("/{}/{key}", self.name), b"");
        (answer.status == 200).then_some(answer.body)
    }

    /// The number of uploads that are neither finished nor given up.
    pub(crate) fn pending(&self) -> usize {
        let answer = ask(self.moto.port, "GET", &format!("/{}?uploads", self.name), b"");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().matches("<UploadId>").count()
    }

    /// The program in a folder with this endpoint, as a client of this server.
    pub(crate) fn command_by(&self, folder: &Folder, port: u16) -> Command {
        client(folder, port)
    }

    /// Runs a command line in which `BUCKET` is the address of the bucket.
    pub(crate) fn run(&self, folder: &Folder, line: &str) -> Ran {
        self.run_by(folder, self.moto.port, line)
    }

    /// The same through a proxy at another port.
    pub(crate) fn run_by(&self, folder: &Folder, port: u16, line: &str) -> Ran {
        let line = self.line(line);
        Ran::new(&client(folder, port).args(line.split_whitespace()).output().unwrap())
    }

    pub(crate) fn line(&self, line: &str) -> String {
        line.replace("BUCKET", &format!("s3://{}", self.name))
    }
}

/// The program with an endpoint and credentials for it, and nothing else of the environment that a store looks at.
pub(crate) fn client(folder: &Folder, port: u16) -> Command {
    let mut command = stranger(folder);
    command
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing");
    command
}

/// The program without any endpoint or credentials.
pub(crate) fn stranger(folder: &Folder) -> Command {
    let mut command = folder.command();
    let starts = ["AWS_", "GOOGLE_", "AZURE_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"];
    for (name, _) in env::vars() {
        if starts.iter().any(|start| name.starts_with(start)) {
            command.env_remove(name);
        }
    }
    command.env("HOME", folder.path("")).env("NO_PROXY", "127.0.0.1");
    command
}

/// A request, with one answer a connection.
pub(crate) fn ask(port: u16, method: &str, target: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {length}\r\n\
         {SIGNED}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("the head of an answer") + 4;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    Answer { status, body: answer.split_off(end) }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// The interpreter of the virtual environment, which is made if it is not there.
fn python() -> Result<PathBuf, String> {
    let test = env::current_exe().expect("the test's own file");
    let target = test.ancestors().nth(3).expect("target/PROFILE/deps/TEST");
    let folder = target.join("store-environment");
    let (stamp, python) =
        (folder.join("package"), folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" }));
    if fs::read_to_string(&stamp).is_ok_and(|made| made == PACKAGE) {
        return Ok(python);
    }
    let _ = fs::remove_dir_all(&folder);
    let asked = env::var("NARROWS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    run(Command::new(asked).args(["-m", "venv"]).arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]))?;
    fs::write(Path::new(&stamp), PACKAGE).map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
