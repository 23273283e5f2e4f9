use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Answers `HEAD` and `GET` on paths that do not begin with `/missing` with
/// 200, on the others with 404, and counts the `HEAD`s of each path.
///
/// What images and boot configurations point at; loopback only.
#[derive(Debug)]
pub struct FileServer {
    address: SocketAddr,
    heads: Arc<Mutex<BTreeMap<String, usize>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

// === impl FileServer ===

impl FileServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener.local_addr().expect("the listener is bound");
        let heads = Arc::<Mutex<BTreeMap<String, usize>>>::default();
        let stop = Arc::<AtomicBool>::default();
        let thread = thread::spawn({
            let heads = Arc::clone(&heads);
            let stop = Arc::clone(&stop);
            move || {
                for connection in listener.incoming() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    // One connection at a time; a client that goes away is its own affair.
                    let _ = connection.and_then(|connection| answer(connection, &heads));
                }
            }
        });
        Self {
            address,
            heads,
            stop,
            thread: Some(thread),
        }
    }

    /// The URL of `path`, which begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How often `path` was asked for with `HEAD`.
    pub fn heads(&self, path: &str) -> usize {
        let heads = self.heads.lock().expect("no thread panicked");
        heads.get(path).copied().unwrap_or(0)
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes `incoming`.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn answer(
    mut connection: TcpStream,
    heads: &Mutex<BTreeMap<String, usize>>,
) -> std::io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut lines = BufReader::new(connection.try_clone()?.take(16 * 1024)).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    if method == "HEAD" {
        let mut heads = heads.lock().expect("no thread panicked");
        *heads.entry(path.to_owned()).or_default() += 1;
    }
    let status = if path.starts_with("/missing") {
        "404 Not Found"
    } else {
        "200 OK"
    };
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
}
