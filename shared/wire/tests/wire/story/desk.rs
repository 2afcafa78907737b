//! The commands of the story, applied to wallets in memory.

use std::collections::HashMap;

use domain::apply::{Command, Outcome, apply};
use domain::award::{Facts, Mode};
use domain::cancel::TakeBack;
use domain::event::{Due, Judge, RecordedEvent, SpendOn};
use domain::id::{EventId, Key, ParticipantId, PlanId, RunId};
use domain::ledger::{Act, Entry, EntryKey};
use domain::participant::Participant;
use domain::pass::{Issue, Pass, PassKeys, Redemption, issued_serial};
use domain::preview::preview;
use domain::programme::Programme;
use domain::returns::Return;
use domain::wallet::Wallet;
use serde_json::{Value, json};
use wire::answer;
use wire::event::{EventContext, parse_event};
use wire::participant::parse_participant;
use wire::pass::{parse_issue, parse_redemption};
use wire::request::{parse_export, parse_run};
use wire::returns::{cancel_key, check_lines, parse_cancel};
use wire::spend::{Spender, parse_spend};

use crate::story::script::now;

/// What the story's steps have come to.
pub struct Desk {
    pub programme: Programme,
    pub wallets: HashMap<ParticipantId, (Wallet, Vec<Entry>)>,
    pub participants: HashMap<ParticipantId, Participant>,
    pub events: HashMap<EventId, RecordedEvent>,
    pub passes: HashMap<String, Pass>,
}

type Answer = (u16, Value);

fn shown(status: u16, answer: impl serde::Serialize) -> Answer {
    (status, serde_json::to_value(answer).unwrap())
}

fn refused(outcome: &Outcome) -> Option<Answer> {
    let Outcome::Refused(refusal) = outcome else { return None };
    Some((409, json!({ "code": refusal.code() })))
}

pub fn id(text: &str) -> ParticipantId {
    ParticipantId::parse(text).unwrap()
}

impl Desk {
    /// A wallet as it is now.
    pub fn wallet(&self, id: &ParticipantId) -> Wallet {
        self.wallets.get(id).map(|(wallet, _)| wallet.clone()).unwrap_or_default()
    }

    fn apply(&mut self, id: &ParticipantId, command: &Command<'_>) -> (Outcome, Entry) {
        let (wallet, ledger) = self.wallets.entry(id.clone()).or_default();
        let applied = apply(&self.programme, wallet, now(), command);
        *wallet = applied.wallet;
        ledger.extend(applied.entries);
        (applied.outcome, ledger.last().unwrap().clone())
    }

    fn judge(&mut self, event: &EventId, mode: Mode, by: Judge) {
        let recorded = self.events[event].clone();
        let command = Command::Judge { event: &recorded, mode, by, facts: Facts::none() };
        let participant = &recorded.event.participant;
        let (outcome, _) = self.apply(participant, &command);
        let Outcome::Judged { judgement, due, spends } = outcome else { panic!("{outcome:?}") };
        let recorded = self.events.get_mut(event).unwrap();
        recorded.judgements.push(judgement);
        recorded.due = due;
        recorded.spends.extend(spends);
    }

    fn event_answer(&self, event: &EventId, repeated: bool) -> Answer {
        let recorded = &self.events[event];
        let wallet = self.wallet(&recorded.event.participant);
        let status = if recorded.due == Due::Everything { 202 } else { 201 };
        let answer = answer::event(&self.programme, recorded, Some(&wallet), now(), repeated);
        shown(status, answer)
    }

    fn post_event(&mut self, body: &Value, only_preview: bool) -> Answer {
        let context = EventContext { programme: &self.programme, now: now(), key: None };
        let posted = parse_event(body, &context).unwrap();
        let event = posted.event.id.clone();
        if let Some(known) = self.events.get(&event) {
            assert_eq!(known.payload, posted.payload);
            return self.event_answer(&event, true);
        }
        let immediate = posted.event.immediate;
        let wallet = self.wallet(&posted.event.participant);
        let recorded = RecordedEvent::accepted(posted.event, posted.payload, now());
        if only_preview {
            let preview = preview(
                &self.programme,
                &wallet,
                now(),
                recorded,
                posted.spend.as_ref(),
                Facts::none(),
            )
            .unwrap();
            return shown(200, answer::preview(&self.programme, &preview, true));
        }
        self.events.insert(event.clone(), recorded);
        if immediate {
            self.judge(&event, Mode::Interactive, Judge::Interactive);
        }
        self.event_answer(&event, false)
    }

    fn spend(&mut self, body: &[u8], key: &Key) -> Answer {
        let request = parse_spend(body, &self.programme, now()).unwrap();
        let Spender::Named(participant) = &request.spender else { panic!("a pass") };
        let key = EntryKey::Spend(key.clone());
        let ledger = self.wallets.get(participant).map(|(_, ledger)| ledger.as_slice());
        let known = ledger.unwrap_or_default().iter().find(|entry| entry.key == key).cloned();
        let (entry, repeated) = match known {
            Some(entry) => (entry, true),
            None => {
                let purchase = request.purchase.as_ref().map(|event| self.events[event].clone());
                let command = Command::Spend {
                    key,
                    payload: request.payload,
                    asked: &request.asked,
                    purchase: purchase.as_ref(),
                    request: None,
                    pass: None,
                };
                let (outcome, entry) = self.apply(participant, &command);
                if let Some(answer) = refused(&outcome) {
                    return answer;
                }
                (entry, false)
            }
        };
        let made = entry.spend().unwrap();
        if let Some(purchase) = made.purchase.as_ref().filter(|_| !repeated) {
            let spend = SpendOn::of(&entry).unwrap();
            self.events.get_mut(purchase).unwrap().spends.push(spend);
        }
        let (programme, wallet) = (&self.programme, self.wallet(participant));
        let sequence = entry.sequence;
        shown(201, answer::spend(programme, participant, sequence, made, &wallet, now(), repeated))
    }

    fn issue(&mut self, plan: &str, body: &[u8], key: &Key) -> Answer {
        let plan = self.programme.pass_plan(&PlanId::parse(plan).unwrap()).unwrap();
        let request = parse_issue(body, &self.programme, plan).unwrap();
        let keys = PassKeys::parse(&"k".repeat(32)).unwrap();
        let issue = Issue {
            key: key.clone(),
            payload: request.payload,
            generation: keys.newest(),
            value: request.value,
            recipient: request.recipient,
            channel: request.channel,
        };
        let serial = issued_serial(&plan.id, key, 0);
        let pass = plan.issue(serial, issue, now());
        let told = keys.of(&plan.id, keys.newest()).unwrap().told(serial);
        let code = told.code.clone();
        let answer = answer::pass_issued(&self.programme, plan, &pass, told, now(), false);
        self.passes.insert(code, pass);
        shown(201, answer)
    }

    fn redeem(&mut self, body: &[u8], key: &Key) -> Answer {
        let request = parse_redemption(body).unwrap();
        let code: &str = &request.credential.code;
        let pass = self.passes[code].clone();
        let plan = self.programme.pass_plan(&pass.id.plan).unwrap().clone();
        let (payload, participant) = (request.payload, &request.participant.unwrap());
        let command = Command::Redeem { pass: &pass, plan: &plan, payload, own: false };
        let (outcome, entry) = self.apply(participant, &command);
        if let Some(answer) = refused(&outcome) {
            return answer;
        }
        let redemption = Redemption {
            key: key.clone(),
            payload: request.payload,
            participant: participant.clone(),
            sequence: entry.sequence,
            amount: pass.worth(&plan).unwrap(),
            expires: plan.lot(now(), self.programme.zone).unwrap().expires,
            cancelled: false,
        };
        self.passes.get_mut(code).unwrap().redemptions.push(redemption.clone());
        let redemption = &redemption;
        let redeemed = answer::Redeemed { participant, plan: &plan, pass: &pass.id, redemption };
        let wallet = self.wallet(participant);
        shown(201, answer::redemption(&self.programme, &redeemed, &wallet, now(), false))
    }

    fn run(&mut self, body: &[u8]) -> Answer {
        let definition = parse_run(body).unwrap();
        assert_eq!(definition, Some(RunId::parse("nightly").unwrap()));
        let run = Judge::Run(RunId::parse("run-1").unwrap());
        let due: Vec<EventId> = self
            .events
            .values()
            .filter(|recorded| recorded.due != Due::Nothing)
            .map(|recorded| recorded.event.id.clone())
            .collect();
        due.iter().for_each(|event| self.judge(event, Mode::Run, run.clone()));
        (202, json!({ "run_id": "run-1", "status": "completed", "events": due.len(), "failed": 0 }))
    }

    fn cancel(&mut self, event: &str, body: &[u8], key: &Key) -> Answer {
        let request = parse_cancel(body).unwrap();
        assert!(key.time().is_some(), "keys of the demo carry their time");
        let before = self.events[&EventId::parse(event).unwrap()].clone();
        check_lines(&request.lines, &before.event).unwrap();
        let participant = &before.event.participant;
        let (ledger, payload) = (self.wallets[participant].1.clone(), request.payload);
        let back = Return {
            sequence: u64::try_from(ledger.len()).unwrap() + 1,
            key: cancel_key(key),
            payload,
            lines: request.lines,
            reason: None,
        };
        let after = match before.with_return(&self.programme, back) {
            Ok(after) => after,
            Err(refusal) => return (409, json!({ "code": refusal.code() })),
        };
        let reversed = before.entries();
        let of_event = |entry: &&Entry| reversed.contains(&entry.sequence);
        let entries: Vec<Entry> = ledger.iter().filter(of_event).cloned().collect();
        let turn = u16::try_from(before.returns.len()).unwrap();
        let key = EntryKey::CancelEvent { event: before.event.id.clone(), turn };
        let event = Some((&before, &after));
        let back = TakeBack { entries: &entries, event, later: &ledger, reason: None };
        let (_, entry) = self.apply(participant, &Command::Cancel { key, payload, back });
        let taken_back = back.taken_back();
        let part = after.state == domain::event::EventState::Posted;
        let act = if part { Act::Returned(taken_back) } else { Act::Reversed(taken_back) };
        assert_eq!(entry.act, act);
        self.events.insert(before.event.id.clone(), after);
        let (programme, wallet) = (&self.programme, self.wallet(participant));
        let recorded = &self.events[&before.event.id];
        let sequence = entry.sequence;
        shown(200, answer::cancel_event(programme, recorded, sequence, &wallet, now(), false))
    }

    fn register(&mut self, name: &str, body: &[u8]) -> Answer {
        let update = parse_participant(body, now()).unwrap();
        let known = self.participants.entry(id(name)).or_default();
        known.update(update.profile.unwrap_or_default(), update.consents);
        shown(201, answer::participant(&id(name), known, self.programme.zone))
    }

    fn members(&self, segment: &str) -> Answer {
        let segment = domain::id::SegmentId::parse(segment).unwrap();
        let predicate = &self.programme.segment(&segment).unwrap().members;
        let zone = self.programme.zone;
        let members = self
            .participants
            .iter()
            .filter(|(id, known)| predicate.holds(id, known, &self.wallet(id), now(), zone))
            .count();
        let counts = json!({ "members": members, "added": members });
        (202, json!({ "export_id": "mail-ready", "status": "completed", "counts": counts }))
    }

    fn get(&self, path: &[&str]) -> Answer {
        match path {
            ["participants", name, "wallet"] => {
                shown(200, answer::wallet(&self.programme, &self.wallet(&id(name)), now()))
            }
            ["participants", name, "transactions"] => {
                let mut newest_first = self.wallets[&id(name)].1.clone();
                newest_first.reverse();
                let rows = answer::transactions(&self.programme, &id(name), &newest_first, None);
                assert!(
                    rows.transactions
                        .iter()
                        .all(|row| row.available_after.is_some() == row.balance.is_some())
                );
                shown(200, rows)
            }
            ["events", event] => {
                let (_, answer) = self.event_answer(&EventId::parse(event).unwrap(), false);
                (200, answer)
            }
            _ => panic!("{path:?}"),
        }
    }

    /// Carries out one step.
    pub fn call(&mut self, step: &Value, path: &str, body: &Value) -> Answer {
        let (path, _) =
            path.strip_prefix("/v1/").unwrap().split_once('?').unwrap_or((&path[4..], ""));
        let segments: Vec<&str> = path.split('/').collect();
        let bytes = serde_json::to_vec(body).unwrap();
        let key = step["key"].as_str().map(|_| Key::parse(KEY).unwrap());
        match (step["method"].as_str().unwrap(), segments.as_slice()) {
            ("PUT", ["programme"]) => (200, json!({ "version": 1 })),
            ("PUT", ["participants", name]) => self.register(name, &bytes),
            ("POST", ["events"]) => self.post_event(body, false),
            ("POST", ["events", "preview"]) => self.post_event(body, true),
            ("POST", ["spend-requests"]) => self.spend(&bytes, &key_of(step)),
            ("POST", ["pass-plans", plan, "passes"]) => self.issue(plan, &bytes, &key.unwrap()),
            ("POST", ["pass-redemptions"]) => self.redeem(&bytes, &key.unwrap()),
            ("POST", ["evaluation-runs"]) => self.run(&bytes),
            ("POST", ["events", event, "cancel"]) => self.cancel(event, &bytes, &key.unwrap()),
            ("POST", ["segments", segment, "exports"]) => {
                parse_export(&bytes).unwrap();
                self.members(segment)
            }
            ("GET", ["evaluation-runs" | "exports", _]) => (200, Value::Null),
            ("GET", path) => self.get(path),
            (method, path) => panic!("{method} {path:?}"),
        }
    }
}

const KEY: &str = "0192f0c4-0000-7000-8000-000000000000";

/// A key of its own for each name.
fn key_of(step: &Value) -> Key {
    let name = step["key"].as_str().unwrap();
    assert!(name.starts_with("{key:") && name.ends_with('}'), "{name}");
    Key::parse(name).unwrap()
}
