//! The story of `events/transit`: its bodies are parsed, its commands applied to wallets in
//! memory, and every answer shown must be the one that the story expects. So the amounts in it
//! follow from the programme's rules, and the demo only has to show that the stack says the same.

mod desk;
mod script;

use std::collections::HashMap;

use domain::ledger::Effect;
use domain::wallet::Wallet;
use serde_json::Value;
use wire::programme::parse_programme;

use self::desk::{Desk, id};
use self::script::{body_of, matches, resolve, resolve_text, transit};

#[test]
fn the_story_follows_from_the_programme() {
    let document = serde_json::to_vec(&transit("programme.json")).unwrap();
    let mut desk = Desk {
        programme: parse_programme(&document, 1).unwrap(),
        wallets: HashMap::new(),
        participants: HashMap::new(),
        events: HashMap::new(),
        passes: HashMap::new(),
    };
    let mut saved = HashMap::new();
    let mut started = Value::Null;
    let known = ["say", "method", "path", "key", "body", "body_from", "expect", "save", "wait"];
    for step in transit("story.json").as_array().unwrap() {
        let say = step["say"].as_str().unwrap();
        assert!(
            step.as_object().unwrap().keys().all(|name| known.contains(&name.as_str())),
            "{say}"
        );
        if step["wait"] == "idle" {
            continue;
        }
        let path = resolve_text(step["path"].as_str().unwrap(), &saved);
        let body = resolve(&body_of(step), &saved);
        let (status, mut answer) = desk.call(step, &path, &body);
        if status == 202 {
            started = answer.clone();
        }
        if answer.is_null() {
            answer = started.clone();
        }
        let want = resolve(&step["expect"]["body"], &saved);
        assert_eq!(step["expect"]["status"], status, "{say}\n{answer:#}");
        let enough = want.is_null() || matches(&want, &answer);
        assert!(enough, "{say}\nwant {want:#}\ngot {answer:#}");
        for (name, pointer) in step["save"].as_object().into_iter().flatten() {
            let value = answer.pointer(pointer.as_str().unwrap()).expect(say).clone();
            saved.insert(name.clone(), value);
        }
    }
    let anna = &desk.wallets[&id("anna")].1;
    assert!(anna.iter().flat_map(|e| &e.effects).any(|e| matches!(e, Effect::Owe { .. })));
    assert_eq!(Wallet::replay(anna), desk.wallet(&id("anna")));
}
