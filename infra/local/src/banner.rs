//! What the terminal shows once everything runs: what was made, where, and a first call to copy.

use crate::data::Folder;
use crate::ready::Ready;
use crate::template::{FirstCall, RoutePlan, Stack};
use crate::terminal::Terminal;

/// Shows it.
pub fn show(terminal: &Terminal, stack: &Stack, ready: &Ready, folder: &Folder) {
    let say = |line: &str| terminal.say(line);
    let (kept, folder) = (folder.kept, &folder.path);
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
    match kept {
        true => say(&format!("\nKept in {} (logs, too).", folder.display())),
        false => say(&format!(
            "\nNothing is kept; until it stops, logs are in {}/logs.",
            folder.display()
        )),
    }
    say(&format!("Listening on {}. Stop with Ctrl-C.", ready.api));
    say("\nFrom another terminal, in this folder:\n");
    let mut authorization = "";
    if let Some(token) = &ready.token {
        say(&format!("export TOKEN={token}"));
        authorization = " -H \"Authorization: Bearer $TOKEN\"";
    }
    let reads = |route: &&RoutePlan| route.method == "GET" && !route.path.contains('{');
    match (&stack.first_call, stack.routes.iter().find(reads)) {
        (Some(FirstCall { method, path, body }), _) => {
            let api = &ready.api;
            say(&format!("curl -X {method}{authorization} --data @{body} {api}{path}"));
        }
        (None, Some(route)) => say(&format!("curl{authorization} {}{}", ready.api, route.path)),
        (None, None) => {}
    }
}
