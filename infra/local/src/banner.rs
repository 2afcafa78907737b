//! What the terminal shows once everything runs: what was made, where, and a first call to copy.

use std::path::Path;

use crate::ready::Ready;
use crate::template::Stack;
use crate::terminal::Terminal;

/// Shows it.
pub fn show(terminal: &Terminal, stack: &Stack, ready: &Ready, folder: &Path) {
    let say = |line: &str| terminal.say(line);
    let at = &ready.endpoints;
    for made in &stack.tables {
        say(&format!("table     {} at {}", made.table_name, at.table));
    }
    for (name, _) in &stack.queues {
        say(&format!("queue     {name} at {}", at.queue));
    }
    for name in &stack.buckets {
        say(&format!("bucket    {name} at {}", at.bucket));
    }
    for function in &stack.functions {
        say(&format!("function  {}", function.name));
    }
    for schedule in &stack.schedules {
        say(&format!("schedule  {} {}", schedule.id, schedule.expression));
    }
    for route in &stack.routes {
        let (method, scopes) = (&route.method, route.scopes.join(", "));
        say(&format!("route     {method:<6} {} ({scopes})", route.path));
    }
    say(&format!("\nKept in {} (logs, too).", folder.display()));
    say(&format!("Listening on {}. Stop with Ctrl-C.", ready.api));
    let first =
        stack.routes.iter().find(|route| route.method == "GET" && !route.path.contains('{'));
    if let Some(token) = &ready.token {
        say(&format!("\nTOKEN={token}"));
        if let Some(route) = first {
            let call =
                format!("curl -H \"Authorization: Bearer $TOKEN\" {}{}", ready.api, route.path);
            say(&call);
        }
    }
}
