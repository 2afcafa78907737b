//! The stack of `template.yaml` on one machine.

mod banner;
mod callers;
mod capacity;
mod clock;
mod compile;
mod control;
mod data;
mod environment;
mod functions;
mod gateway;
mod mapping;
mod options;
mod ready;
mod schedule;
mod serve;
mod services;
mod stack;
mod stream;
mod template;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match options::read(lexopt::Parser::from_env()) {
        Ok(options::Asked::Run(options)) => options,
        Ok(options::Asked::Help) => {
            terminal::Terminal::new(false).say(options::HELP.trim_end());
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("local: {error}; see --help");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("local: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(stack::run(options));
    // Long polls and the like must not hold up the end.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local: {error:#}");
            ExitCode::FAILURE
        }
    }
}
