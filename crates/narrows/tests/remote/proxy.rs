//! A proxy between the program and a server: it counts, and answers some requests itself.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::server::SIGNED;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The server answers.
    Pass,
    /// The proxy answers that the server is busy.
    Busy,
    /// The proxy answers that it is forbidden.
    Denied,
    /// Nobody answers.
    Silence,
}

/// A request that came by.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Method, target and headers.
    pub(crate) head: String,
    /// Bytes of the answer.
    pub(crate) answered: usize,
}

impl Seen {
    pub(crate) fn is(&self, method: &str) -> bool {
        self.head.starts_with(&format!("{method} "))
    }
}

type Rule = Box<dyn Fn(&str, usize) -> Verdict + Send + Sync>;

/// A proxy at a port of its own.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Proxy {
    /// Before the server at `to`. `rule` is asked with the head of each request and how many came before it.
    pub(crate) fn before(to: u16, rule: impl Fn(&str, usize) -> Verdict + Send + Sync + 'static) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
        let (kept, rule) = (Arc::clone(&seen), Arc::new(Box::new(rule) as Rule));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (seen, rule) = (Arc::clone(&kept), Arc::clone(&rule));
                // A client that goes away is its own affair.
                thread::spawn(move || drop(serve(client, to, &seen, &rule)));
            }
        });
        Proxy { port, seen }
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// A line of a head if the server is to see it; moto knows the signatures of Amazon alone.
fn passed(line: &str) -> Option<&str> {
    let lower = line.to_ascii_lowercase();
    let is_left_out = lower.starts_with("connection:") || lower.starts_with("authorization: bearer");
    (!is_left_out).then_some(line)
}

/// One request, one answer.
fn serve(mut client: TcpStream, to: u16, seen: &Mutex<Vec<Seen>>, rule: &Rule) -> io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    let end = loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..count]);
        if let Some(at) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&request[..end]).into_owned();
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let whole = end + length.unwrap_or(0usize);
    while request.len() < whole {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..count]);
    }
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(Seen { head: head.clone(), answered: 0 });
        seen.len() - 1
    };
    let own = |status: &str, code: &str| {
        let body = format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>");
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).into_bytes()
    };
    let answer = match rule(&head, number) {
        Verdict::Pass => {
            let mut server = TcpStream::connect(("127.0.0.1", to))?;
            let rest = &request[end..];
            let mut head: Vec<&str> = head.trim_end().lines().filter_map(passed).collect();
            if !head.iter().any(|line| line.to_ascii_lowercase().starts_with("authorization:")) {
                head.push(SIGNED);
            }
            server.write_all(format!("{}\r\nConnection: close\r\n\r\n", head.join("\r\n")).as_bytes())?;
            server.write_all(rest)?;
            let mut answer = Vec::new();
            server.read_to_end(&mut answer)?;
            answer
        }
        Verdict::Busy => own("503 Slow Down", "SlowDown"),
        Verdict::Denied => own("403 Forbidden", "AccessDenied"),
        Verdict::Silence => {
            thread::sleep(std::time::Duration::from_secs(600));
            return Ok(());
        }
    };
    seen.lock().unwrap()[number].answered = answer.len();
    client.write_all(&answer)
}
