//! The `switchyard` binary.

mod api;
mod clock;
mod config;
mod logging;
mod metrics;
mod ops;
mod providers;
mod serve;
mod tasks;
mod transport;
mod cli {
    pub(crate) mod serving {
        use secrecy::SecretString;
        pub(crate) struct Serving {
            pub(crate) pid: u32,
            pub(crate) ops: std::net::SocketAddr,
            pub(crate) token: SecretString,
        }
        pub(crate) struct ServingFile;
        impl ServingFile {
            pub(crate) fn write(data: &std::path::Path, serving: &Serving) -> std::io::Result<Self> {
                use secrecy::ExposeSecret;
                std::fs::write(
                    data.join("serving.json"),
                    serde_json::json!({"pid": serving.pid, "ops": serving.ops.to_string(), "token": serving.token.expose_secret()}).to_string(),
                )?;
                Ok(Self)
            }
        }
    }
}

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let sandbox = arguments.get(1).is_some_and(|it| it == "sandbox");
    let after = |name: &str| arguments.iter().position(|it| it == name).and_then(|at| arguments.get(at + 1)).map(Into::into);
    let wanted = config::Wanted { config: after("--config"), data: after("--data"), sandbox, strict: false };
    match serve::run(&wanted) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(serve::Failure(reason)) => {
            eprintln!("{reason}");
            std::process::ExitCode::FAILURE
        }
    }
}
