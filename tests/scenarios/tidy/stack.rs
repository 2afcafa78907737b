//! The template: what every function, queue and route of it must have.

use std::collections::BTreeSet;

use scenarios::stack::root;
use serde_json::{Value, json};

use super::template::{events, resources, routes, template};
use super::{files, kebab, sources, text};

fn functions() -> Vec<(String, Value)> {
    resources("AWS::Serverless::Function")
}

fn property(id: &str, pointer: &str) -> Value {
    let template = template();
    template["Resources"][id].pointer(pointer).cloned().unwrap_or(Value::Null)
}

#[test]
fn a_folder_is_a_crate_is_a_binary_is_a_function() {
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("functions")).unwrap() {
        folders.insert(entry.unwrap().file_name().to_string_lossy().into_owned());
    }
    let resources: BTreeSet<String> = functions().iter().map(|(id, _)| kebab(id)).collect();
    assert_eq!(folders, resources);
    for (id, _) in functions() {
        let name = kebab(&id);
        let manifest = text(&format!("functions/{name}/Cargo.toml"));
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} names its crate else");
        assert!(!manifest.contains("[[bin]]"), "{name}: its binary is named like its crate");
        let main = text(&format!("functions/{name}/src/main.rs"));
        let code = main.lines().filter(|line| !line.starts_with("mod "));
        assert!(code.count() <= 10, "{name}: main.rs starts the function, no more");
        let binary = property(&id, "/Metadata/BuildProperties/Binary");
        assert_eq!(binary, json!(name), "{id} builds another binary");
    }
}

#[test]
fn queues_give_failed_messages_back_and_give_up_into_dead_letters() {
    let fed = events("SQS");
    assert!(!fed.is_empty());
    for (function, mapping) in fed {
        let types = &mapping["FunctionResponseTypes"];
        assert_eq!(*types, json!(["ReportBatchItemFailures"]), "{function}");
        let queue = mapping["Queue"]["GetAtt"].as_str().unwrap().trim_end_matches(".Arn");
        let dead = property(queue, "/Properties/RedrivePolicy/deadLetterTargetArn/GetAtt");
        let dead = dead.as_str().unwrap_or_else(|| panic!("{queue} has no dead letters"));
        let dead = dead.trim_end_matches(".Arn");
        assert_eq!(property(dead, "/Type"), json!("AWS::SQS::Queue"));
        let times = property(queue, "/Properties/RedrivePolicy/maxReceiveCount").as_u64();
        assert!(times.is_some_and(|times| times >= 3), "{queue}");
        let kept = |queue| property(queue, "/Properties/MessageRetentionPeriod").as_u64();
        assert!(kept(dead) > kept(queue), "{dead} must keep longer than {queue}");
        let invisible = property(queue, "/Properties/VisibilityTimeout").as_u64().unwrap();
        let timeout = property(&function, "/Properties/Timeout").as_u64().unwrap();
        assert!(invisible >= 6 * timeout, "{queue}: invisible for six times the timeout");
        assert!(alarmed("ApproximateNumberOfMessagesVisible", dead), "{dead} has no alarm");
    }
}

#[test]
fn a_function_knows_how_often_its_queue_lets_a_message_come() {
    let functions = [
        ("EvaluationQueue", "AwardEvaluation", "EVALUATION_TRIES"),
        ("ExportQueue", "SegmentExport", "EXPORT_TRIES"),
        ("VerificationQueue", "LedgerVerification", "VERIFICATION_TRIES"),
    ];
    for (queue, function, setting) in functions {
        let times = property(queue, "/Properties/RedrivePolicy/maxReceiveCount");
        let known = format!("/Properties/Environment/Variables/{setting}");
        assert_eq!(property(function, &known), json!(times.to_string()));
    }
}

/// Whether an alarm watches this metric of this resource.
fn alarmed(metric: &str, resource: &str) -> bool {
    resources("AWS::CloudWatch::Alarm").iter().any(|(_, alarm)| {
        let of = alarm["Dimensions"][0]["Value"].to_string();
        alarm["MetricName"] == metric && of.contains(&format!("\"{resource}"))
    })
}

#[test]
fn every_function_has_a_log_that_ends_and_alarms() {
    for (id, properties) in functions() {
        let log = properties["LoggingConfig"]["LogGroup"]["Ref"].as_str();
        let log = log.unwrap_or_else(|| panic!("{id} has no log group of its own"));
        assert_eq!(property(log, "/Type"), json!("AWS::Logs::LogGroup"), "{id}");
        assert!(!property(log, "/Properties/RetentionInDays").is_null(), "{log} keeps for ever");
        for metric in ["Errors", "Throttles"] {
            assert!(alarmed(metric, &id), "{id} has no alarm for {metric}");
        }
    }
    for (id, log) in resources("AWS::Logs::LogGroup") {
        assert!(!log["RetentionInDays"].is_null(), "{id} keeps for ever");
    }
}

#[test]
fn permissions_name_what_they_grant() {
    for (id, properties) in functions() {
        for policy in properties["Policies"].as_array().unwrap() {
            let statements = policy["Statement"].as_array();
            let statements = statements.unwrap_or_else(|| panic!("{id}: a policy by name"));
            for statement in statements {
                let actions = statement["Action"].to_string();
                assert!(!actions.contains('*'), "{id}: {actions}");
                let resources = statement["Resource"].to_string();
                let named = resources.contains("GetAtt")
                    || resources.contains("Ref")
                    || resources.contains("Sub\":\"${");
                assert!(named && !resources.contains("\"*\""), "{id}: {resources}");
            }
        }
    }
}

#[test]
fn every_route_has_a_scope_is_handled_and_is_documented() {
    let readme = text("README.md");
    assert!(routes().len() > 20);
    for route in routes() {
        let key = route.key();
        assert!(route.scope.contains('.') || route.scope == "operations", "{key}: {}", route.scope);
        let of = kebab(&route.function);
        let handled = sources(&format!("functions/{of}"))
            .iter()
            .any(|path| std::fs::read_to_string(path).unwrap().contains(&key));
        assert!(handled, "{key} does not stand in functions/{of}");
        let row = readme.lines().find(|line| line.contains(&format!("`{key}`")));
        let row = row.unwrap_or_else(|| panic!("{key} is not in README.md"));
        assert!(row.contains(&format!("`{}`", route.scope)), "{key}: README.md has another scope");
    }
}

#[test]
fn what_ci_runs_is_there() {
    use std::os::unix::fs::PermissionsExt;
    let run = root().join(".ci/run");
    let mode = std::fs::metadata(&run).expect(".ci/run").permissions().mode();
    assert!(mode & 0o111 != 0, ".ci/run is not executable");
    assert!(!files(".ci").is_empty());
}
