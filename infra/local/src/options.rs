//! The command line.

use std::path::PathBuf;

use lexopt::Arg::{Long, Short, Value};
use lexopt::ValueExt;

/// What `--help` prints.
pub const HELP: &str = "\
Runs the stack of infra/template.yaml on this machine, until stopped.

Usage: cargo local -- [options]

  --port N          where the API listens on 127.0.0.1 (default 4100, 0 = any free port)
  --data DIR        where everything is kept between runs (default: local, in the target folder)
  --memory          keep nothing: tables in memory, files in a folder of their own
  --ready-file F    written once all functions can answer: addresses, names, a token
  --quiet           print errors only
  --template FILE   another template
  --functions DIR   where the functions' binaries are; nothing is built then
  --help            this text

Once it runs it shows its address, a token for all routes, and a first call.
Remove the data folder to begin anew. Each function's log is in logs/ below it.
";

/// How the stack is to run.
#[derive(Debug, PartialEq)]
pub struct Options {
    pub port: u16,
    pub data: Option<PathBuf>,
    pub memory: bool,
    pub ready_file: Option<PathBuf>,
    pub quiet: bool,
    pub template: Option<PathBuf>,
    pub functions: Option<PathBuf>,
}

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub enum Asked {
    Help,
    Run(Options),
}

/// Reads the command line.
pub fn read(mut parser: lexopt::Parser) -> Result<Asked, lexopt::Error> {
    let mut options = Options {
        port: 4100,
        data: None,
        memory: false,
        ready_file: None,
        quiet: false,
        template: None,
        functions: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("port") => {
                let port = parser.value()?.string()?;
                let expected = |_| format!("--port takes a number from 0 to 65535, not {port}");
                options.port = port.parse().map_err(expected)?;
            }
            Long("data") => options.data = Some(parser.value()?.into()),
            Long("memory") => options.memory = true,
            Long("ready-file") => options.ready_file = Some(parser.value()?.into()),
            Long("quiet") => options.quiet = true,
            Long("template") => options.template = Some(parser.value()?.into()),
            Long("functions") => options.functions = Some(parser.value()?.into()),
            Long("help") | Short('h') => return Ok(Asked::Help),
            Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    if options.memory && options.data.is_some() {
        return Err("--memory keeps nothing, so it takes no --data".into());
    }
    Ok(Asked::Run(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: &[&str]) -> Result<Asked, String> {
        read(lexopt::Parser::from_args(arguments)).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read() {
        let Ok(Asked::Run(options)) = asked(&["--port", "0", "--memory", "--quiet"]) else {
            panic!("not read")
        };
        assert!(options.memory && options.quiet && options.port == 0);
        assert_eq!(asked(&["--help"]), Ok(Asked::Help));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (arguments, error) in [
            (&["--prot", "1"][..], "invalid option '--prot'"),
            (&["x"], "unexpected argument \"x\""),
            (&["--port", "x"], "--port takes a number from 0 to 65535, not x"),
            (&["--port", "99999"], "--port takes a number from 0 to 65535, not 99999"),
            (&["--memory", "--data", "d"], "--memory keeps nothing, so it takes no --data"),
        ] {
            assert_eq!(asked(arguments), Err(error.to_owned()));
        }
    }
}
