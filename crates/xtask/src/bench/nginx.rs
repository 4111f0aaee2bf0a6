//! nginx as a plain reverse proxy in front of the simulated provider: what Switchyard is measured against.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::bench::process::{Process, free_address};
use crate::bench::{proc, wire};
use crate::{Result, need};

const READY_MAX: Duration = Duration::from_secs(10);

/// One that runs, from a directory of its own.
pub struct Nginx {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// As it names itself.
    pub version: String,
}

impl Nginx {
    /// Starts it and waits until it passes requests on.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(directory: &Path, upstream: SocketAddr) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let address = free_address()?;
        let configuration = directory.join("nginx.conf");
        fs::write(&configuration, configure(directory, address, upstream))?;
        let program = need::find("nginx").ok_or("nginx is missing")?;
        let mut command = Command::new(&program);
        command.arg("-p").arg(directory).arg("-c").arg(&configuration);
        let mut process = Process::start("nginx", &mut command, &directory.join("output.log"))?;
        let started = Instant::now();
        while !matches!(wire::get(address, "/healthz").await, Ok((200, _))) {
            process.check()?;
            if started.elapsed() > READY_MAX {
                return Err("nginx does not pass requests on".into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { process, address, version: version(&program)? })
    }

    /// The processes that do the work.
    #[must_use]
    pub fn workers(&self) -> Vec<u32> {
        proc::children(self.process.pid())
    }

    /// # Errors
    /// When it does not end well.
    pub async fn stop(self) -> Result<()> {
        self.process.stop().await
    }
}

/// `nginx version: nginx/1.22.1`, told on standard error.
fn version(program: &str) -> Result<String> {
    let told = Command::new(program).arg("-v").output()?;
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    Ok(told.trim().rsplit(' ').next().unwrap_or_default().to_owned())
}

/// One worker, 128 kept connections to the provider, an access log. Connections are not closed after a thousand requests,
/// as they are by default: neither are ours.
fn configure(directory: &Path, address: SocketAddr, upstream: SocketAddr) -> String {
    let directory = directory.display();
    // Started as root its workers become another user, who may not enter the directory.
    let user = if rustix::process::geteuid().is_root() { "user root;\n" } else { "" };
    format!(
        r#"{user}daemon off;
worker_processes 1;
pid "{directory}/nginx.pid";
error_log "{directory}/error.log" warn;
events {{ worker_connections 4096; }}
http {{
    access_log "{directory}/access.log" combined;
    client_body_temp_path "{directory}/client-body";
    proxy_temp_path "{directory}/proxy";
    fastcgi_temp_path "{directory}/fastcgi";
    uwsgi_temp_path "{directory}/uwsgi";
    scgi_temp_path "{directory}/scgi";
    keepalive_requests 1000000000;
    upstream provider {{
        server {upstream};
        keepalive 128;
        keepalive_requests 1000000000;
    }}
    server {{
        listen {address} backlog=4096;
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"#
    )
}
