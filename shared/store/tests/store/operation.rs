//! Everything the store is asked to do, as it is tried on the bad wire.

use domain::award::Mode;
use domain::event::{Event, Judge, RecordedEvent};
use domain::id::{EventId, Key, ParticipantId, TransactionCode};
use domain::participant::{Consent, Profile};
use domain::pass::{PassId, PassPlan, issued_serial};
use domain::programme::Programme;
use domain::returns::ReturnedLine;
use domain::spend::SpendAsked;
use domain::time::Instant;
use store::{
    CancelEvent, CancelSpend, Done, Error, Judging, Posting, Redeeming, RequestKey, Result,
    Spending, Store, Succession,
};

use crate::alerts;
use crate::cards::{Cards, told};
use crate::cast::{
    asked, cancelling, cash, event_id, gift, in_pieces, issue, key, later, noon, payload, person,
    plan_key, post, programme, publish, purchase, run_id, spend, tenfold, tenth_off, timed_key,
};
use crate::conversions::convert;
use crate::coupons;
use crate::event_types::{Request, referral, request, statement};
use crate::feeds;
use crate::merges::Merge;
use crate::money::{Ask, book};
use crate::nameless::{Holder, own};
use crate::people;
use crate::promotions::Promoted;
use crate::referrals::Referring;
use crate::requests;
use crate::unasked::Saving;
use crate::verify;

macro_rules! operations {
    ($($name:ident,)*) => {
        /// One request to the store.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operation {
            $($name,)*
        }

        impl Operation {
            /// All of them.
            pub const ALL: &[Operation] = &[$(Operation::$name,)*];
        }
    };
}

operations! {
    Register,
    RegisterAgain,
    BlockSpending,
    PostImmediate,
    PostPending,
    PostWithSpend,
    PostDiscounted,
    PostEnrolling,
    Spend,
    SpendWithoutTime,
    SpendOnPurchase,
    SpendOnPurchaseWithoutTime,
    SpendRefused,
    SpendRefusedWithoutTime,
    SpendRefusedOnPurchase,
    JudgeSeveral,
    CancelJudged,
    CancelPending,
    CancelRefused,
    CancelAhead,
    PostBarred,
    ReturnJudged,
    ReturnPending,
    ReturnLast,
    ReturnDiscounted,
    ReturnTooMany,
    ReturnRefused,
    CancelSpend,
    CancelSpendOnPurchase,
    PostStatement,
    PostSecondStatement,
    CancelStatement,
    PostReferral,
    JudgeReferral,
    JudgeReferralEnrolling,
    CancelReferral,
    CancelReferralRefused,
    RequestSpend,
    RequestSpendByReference,
    RequestSpendRefused,
    RequestSpendOnPurchase,
    CancelRequest,
    ReadSpendEvents,
    Hold,
    HoldWithoutTime,
    HoldOnPurchase,
    HoldRefused,
    Settle,
    SettleWithoutTime,
    SettleOnPurchase,
    SettleRefused,
    Release,
    ReleaseWithoutTime,
    Adjust,
    AdjustWithoutTime,
    AdjustRefused,
    BookExpiry,
    Convert,
    ConvertAgain,
    ConvertNothing,
    TakeCoupon,
    TakeCouponWithoutTime,
    TakeCouponSoldOut,
    TakeCouponNotCovered,
    TakePoolCoupon,
    CancelCoupon,
    CancelUsedCoupon,
    UploadCodes,
    UseCoupon,
    UseVoidCoupon,
    ReadStocks,
    PostUnasked,
    JudgeUnasked,
    CancelUnasked,
    CancelUnaskedSpend,
    IssuePass,
    IssueFirstPass,
    ActivatePlan,
    LoadPass,
    LoadRefused,
    UpdatePass,
    LookUpPass,
    Redeem,
    RedeemWithPin,
    RedeemRefused,
    TakeBack,
    RedeemNameless,
    SpendWithPass,
    SpendWithPassRefused,
    HoldWithPass,
    RegisterNameless,
    Merge,
    MergeWithoutTime,
    MergeRefused,
    MergeNameless,
    PostWithCode,
    PostWithUniversalCode,
    CancelWithCode,
    PutProgramme,
    ActivateProgramme,
    StartRun,
    SaveShard,
    WalkShard,
    GiveUpShard,
    ResumeShard,
    StartExport,
    SaveExportShard,
    GiveUpExportShard,
    EndExport,
    RefuseExport,
    StartVerification,
    SaveVerificationShard,
    GiveUpVerificationShard,
    EndVerification,
    VerifyWallet,
    TellFeed,
    ReplayFeed,
    WatchStay,
    WatchLeave,
    BeginAlert,
    ReadAlerts,
    ReadParticipant,
    ReadLedger,
    ReadEvents,
    ReadRuns,
    ReadProgramme,
    ReadRoster,
    Recall,
    FillProfile,
    TakeAlias,
    TakeTakenAlias,
    FreeAlias,
    RequestByAlias,
    Erase,
}

/// Who asks, and under which programme.
pub struct Cast {
    pub programme: Programme,
    pub who: ParticipantId,
    plan: PassPlan,
    /// Offers that would carry a debt, but for this one's policy; and it enrols nobody.
    strict: Programme,
    /// Offers that take something off purchases, while a budget lasts.
    sale: Programme,
    /// Under offers for referrals.
    pair: Referring,
    /// Under offers whose awards are spent without being asked for.
    saving: Saving,
    /// Under offers that ask for codes, and give passes.
    promoted: Promoted,
}

const PURCHASES: [(&str, i64); 3] = [("e-1", 90_00), ("e-2", 50_00), ("e-3", 70_00)];
/// The entry of the hold that is there before.
const HELD: u64 = 6;

impl Cast {
    pub fn new() -> Cast {
        let programme = programme(vec![tenfold(), cash()]);
        let mut strict = programme.clone();
        strict.definition.debt_policy = domain::programme::DebtPolicy::Refuse;
        strict.definition.enrols = false;
        let mut sale = programme.clone();
        sale.offers = vec![tenfold(), tenth_off(10_00)].into();
        let (who, plan, pair) = (person("c-1"), gift(), Referring::new());
        Cast {
            programme,
            who,
            plan,
            strict,
            sale,
            pair,
            saving: Saving::new(),
            promoted: Promoted::new(),
        }
    }

    fn first_spend(&self) -> Key {
        timed_key(noon(), 1)
    }

    fn pass(&self) -> PassId {
        PassId {
            plan: self.plan.id.clone(),
            serial: issued_serial(&self.plan.id, &key("pass-1"), 0),
        }
    }

    /// Brings about what the operations start from: a journal that is full, so that each commit
    /// puts a page.
    pub async fn prepare(&self, store: &Store) -> Result<()> {
        let (programme, who) = (&self.programme, &self.who);
        store.register(who, Some(profile()), vec![consent(true)]).await?;
        for (reference, total) in PURCHASES {
            let event = in_pieces(purchase(who, reference, total, noon()), 2);
            post(store, programme, &event, noon(), true).await?;
        }
        spend(store, programme, who, &self.first_spend(), 100, noon()).await?;
        self.spend(store, &timed_key(noon(), 2), 300, Some("e-1")).await?;
        let key = timed_key(noon(), 3);
        Ask::new(store, programme, who, noon(), &key).hold(80, "PT15M", None).await?;
        for reference in ["p-1", "p-2", "p-3"] {
            let event = in_pieces(purchase(who, reference, 20_00, noon()), 2);
            post(store, programme, &event, noon(), false).await?;
        }
        publish(store).await?;
        store.issue_pass(programme, noon(), &self.plan, &issue("pass-1")).await?;
        Box::pin(Cards::of(self).prepare(store)).await?;
        self.cancel_ahead(store, "barred").await?;
        // Whom referrals refer: a journal that is full as well.
        store.register(&person("c-4"), None, vec![]).await?;
        for number in 0..6 {
            let event = purchase(&person("c-4"), &format!("o-{number}"), 0, noon());
            post(store, programme, &event, noon(), true).await?;
        }
        self.saving.prepare(store).await?;
        Box::pin(self.promoted.prepare(store)).await?;
        people::prepare(store, who).await?;
        alerts::prepare(store, who).await?;
        coupons::prepare(store).await?;
        store.start_run(&run_id("run-1"), &requests::run()).await?;
        store.give_up_shard(&run_id("run-1"), requests::GIVEN_UP, noon()).await?;
        let export = &run_id("export-1");
        store.start_export(export, &requests::export()).await?;
        store.give_up_export_shard(export, requests::GIVEN_UP, Some(noon())).await?;
        verify::prepare(store).await?;
        Ok(())
    }

    async fn spend(
        &self,
        store: &Store,
        key: &Key,
        amount: i64,
        on: Option<&str>,
    ) -> Result<Done<store::SpendDone>> {
        let purchase: Option<EventId> = on.map(event_id);
        let asked: SpendAsked = asked(amount, noon());
        let order = Spending {
            programme: &self.programme,
            now: later(1),
            participant: &self.who,
            key: RequestKey::Caller(key),
            payload: payload(2),
            asked: &asked,
            purchase: purchase.as_ref(),
            request: None,
            bearer: None,
        };
        Box::pin(store.spend(&order)).await
    }

    /// Asks once; the answer as text, with all that a caller is told.
    pub async fn ask(&self, store: &Store, operation: Operation) -> Result<String> {
        let (programme, who, now) = (&self.programme, &self.who, later(1));
        let judged = |reference| purchase(who, reference, 30_00, noon());
        let (timed, without) = (timed_key(noon(), 9), key("k-9"));
        let ask = Ask::new(store, programme, who, now, &timed);
        let untimed = Ask::new(store, programme, who, now, &without);
        let coupon = |what| Box::pin(coupons::ask(store, programme, who, what));
        match operation {
            Operation::Register => {
                let new = person("c-2");
                let answer = store.register(&new, Some(profile()), vec![consent(true)]).await;
                Ok(format!("{:?}", answer?.0))
            }
            Operation::RegisterAgain => {
                Ok(format!("{:?}", store.register(who, None, vec![consent(false)]).await?.0))
            }
            Operation::BlockSpending => {
                done(store.block_spending(programme, now, who, true, "stolen").await)
            }
            Operation::PostImmediate => {
                done(post(store, programme, &judged("n-1"), now, true).await)
            }
            Operation::PostPending => {
                done(post(store, programme, &judged("n-1"), now, false).await)
            }
            Operation::PostWithSpend => {
                let (event, asked) = (judged("n-1"), asked(50, noon()));
                let (spend, payload) = (Some(&asked), payload(1));
                let (event, judge, enrols) = (&event, true, true);
                let order = Posting {
                    programme,
                    now,
                    event,
                    payload,
                    spend,
                    judge,
                    enrols,
                    codes: store::Codes::default(),
                };
                done(store.post_event(&order).await)
            }
            Operation::PostDiscounted => done(self.buy_on_sale(store, now).await),
            Operation::ReturnDiscounted => {
                self.buy_on_sale(store, noon()).await?;
                self.give_back(store, &self.sale, "n-1", 1).await
            }
            Operation::PostEnrolling => {
                let event = purchase(&person("c-3"), "n-1", 30_00, noon());
                done(post(store, programme, &event, now, true).await)
            }
            Operation::Spend => done(self.spend(store, &timed, 50, None).await),
            Operation::SpendWithoutTime => done(self.spend(store, &key("k-9"), 50, None).await),
            Operation::SpendOnPurchase => done(self.spend(store, &timed, 50, Some("e-3")).await),
            Operation::SpendOnPurchaseWithoutTime => {
                done(self.spend(store, &key("k-9"), 50, Some("e-3")).await)
            }
            Operation::SpendRefused => done(self.spend(store, &timed, 0, None).await),
            Operation::SpendRefusedWithoutTime => {
                done(self.spend(store, &key("k-9"), 0, None).await)
            }
            Operation::SpendRefusedOnPurchase => {
                done(self.spend(store, &timed, 999_999, Some("e-3")).await)
            }
            Operation::JudgeSeveral => {
                let events = ["p-1", "e-1", "p-2", "p-3"].map(event_id);
                let by = Judge::Run(run_id("run-1"));
                let (participant, events, mode) = (who, events.as_slice(), Mode::Run);
                let order = Judging { programme, now, participant, events, mode, by };
                done(Box::pin(store.judge(&order)).await)
            }
            Operation::CancelJudged => self.cancel(store, programme, "e-1").await,
            Operation::CancelPending => self.cancel(store, programme, "p-1").await,
            Operation::CancelRefused => {
                // All is spent, so the award cannot be taken back.
                self.spend(store, &timed_key(noon(), 4), 1_700, None).await?;
                self.cancel(store, &self.strict, "e-3").await
            }
            Operation::CancelAhead => self.cancel_ahead(store, "n-1").await,
            Operation::PostBarred => {
                done(post(store, programme, &judged("barred"), now, true).await)
            }
            Operation::ReturnJudged => self.give_back(store, programme, "e-1", 1).await,
            Operation::ReturnPending => self.give_back(store, programme, "p-1", 1).await,
            Operation::ReturnLast => self.give_back(store, programme, "e-1", 2).await,
            Operation::ReturnTooMany => self.give_back(store, programme, "e-1", 3).await,
            Operation::ReturnRefused => {
                self.spend(store, &timed_key(noon(), 4), 1_700, None).await?;
                self.give_back(store, &self.strict, "e-3", 2).await
            }
            Operation::CancelSpend => self.cancel_spend(store, 4).await,
            Operation::CancelSpendOnPurchase => self.cancel_spend(store, 5).await,
            Operation::PostStatement => done(self.post(store, statement(who, "s-1")).await),
            Operation::PostSecondStatement => {
                self.post(store, statement(who, "s-1")).await?;
                done(self.post(store, statement(who, "s-2")).await)
            }
            Operation::CancelStatement => {
                self.post(store, statement(who, "s-1")).await?;
                self.cancel(store, programme, "s-1").await
            }
            Operation::PostReferral => self.refer(store).await,
            Operation::JudgeReferral
            | Operation::JudgeReferralEnrolling
            | Operation::CancelReferral
            | Operation::CancelReferralRefused => Box::pin(self.referral(store, operation)).await,
            Operation::RequestSpend => self.request(store, Some(&timed), 50, None).await,
            Operation::RequestSpendByReference => self.request(store, None, 50, None).await,
            Operation::RequestSpendRefused => self.request(store, None, 0, None).await,
            Operation::RequestSpendOnPurchase => {
                self.request(store, Some(&key("k-9")), 50, Some("e-3")).await
            }
            Operation::CancelRequest => {
                self.request(store, None, 50, None).await?;
                self.cancel(store, programme, "q-1").await
            }
            Operation::ReadSpendEvents => requests::read_spend_events(store, who).await,
            Operation::IssuePass => {
                let issue = issue("n");
                let issued = store.issue_pass(programme, now, &self.plan, &issue).await;
                Ok(format!("{:?}", issued?.0))
            }
            Operation::IssueFirstPass => Cards::of(self).issue_first(store).await,
            Operation::ActivatePlan => Cards::of(self).activate(store).await,
            Operation::LoadPass => Cards::of(self).load_third(store).await,
            Operation::LoadRefused => told(Cards::of(self).load(store, 4, None, "load").await),
            Operation::UpdatePass => Cards::of(self).lock_third(store).await,
            Operation::LookUpPass => Cards::of(self).look_up(store).await,
            Operation::RedeemWithPin => Cards::of(self).redeem_as(store, who, 1).await,
            Operation::RedeemRefused => Cards::of(self).redeem_as(store, who, 3).await,
            Operation::TakeBack => Cards::of(self).take_second_back(store).await,
            Operation::RedeemNameless => Holder::new(programme, 5).told(store, "redeem").await,
            Operation::SpendWithPass => Holder::new(programme, 6).told(store, "spend").await,
            Operation::SpendWithPassRefused => {
                Holder::new(programme, 6).told(store, "refused").await
            }
            Operation::HoldWithPass => Holder::new(programme, 6).told(store, "hold").await,
            Operation::RegisterNameless => Holder::new(programme, 6).told(store, "register").await,
            Operation::Merge => done(self.merges(who, &timed).ask(store, None).await),
            Operation::MergeWithoutTime => done(self.merges(who, &without).ask(store, None).await),
            Operation::MergeRefused => {
                // Nobody shows the pass of the nameless wallet.
                done(self.merges(&own(6), &timed).ask(store, None).await)
            }
            Operation::MergeNameless => Holder::new(programme, 6).told(store, "merge").await,
            Operation::PostWithCode => done(self.promoted.buy(store, false).await),
            Operation::PostWithUniversalCode => done(self.promoted.buy(store, true).await),
            Operation::CancelWithCode => Box::pin(self.promoted.buy_and_cancel(store)).await,
            Operation::Redeem => {
                let (plan, pass, key) = (&self.plan, &self.pass(), &key("redeem-1"));
                let (participant, payload) = (who, payload(4));
                let proof = (&plan_key(plan), None);
                let order =
                    Redeeming { programme, now, plan, pass, proof, participant, key, payload };
                done(store.redeem(&order).await)
            }
            Operation::Hold => done(ask.hold(50, "PT15M", None).await),
            Operation::HoldWithoutTime => done(untimed.hold(50, "PT15M", None).await),
            Operation::HoldOnPurchase => done(ask.hold(50, "PT15M", Some(&event_id("e-3"))).await),
            Operation::HoldRefused => done(ask.hold(9_999, "PT15M", None).await),
            Operation::Settle => done(ask.settle(HELD, Some(30), None).await),
            Operation::SettleWithoutTime => done(untimed.settle(HELD, None, None).await),
            Operation::SettleOnPurchase => {
                done(ask.settle(HELD, Some(80), Some(&event_id("e-3"))).await)
            }
            Operation::SettleRefused => done(ask.settle(HELD, Some(81), None).await),
            Operation::Release => done(ask.release(HELD).await),
            Operation::ReleaseWithoutTime => done(untimed.release(HELD).await),
            Operation::Adjust => done(ask.adjust(25, None).await),
            Operation::AdjustWithoutTime => done(untimed.adjust(-25, None).await),
            Operation::AdjustRefused => done(ask.adjust(-9_999, None).await),
            Operation::BookExpiry => done(book(store, programme, who, later(20), "run-1").await),
            Operation::Convert => convert(store, programme, who, (now, now), 1).await,
            Operation::ConvertAgain => {
                convert(store, programme, who, (now, noon()), 1).await?;
                convert(store, programme, who, (later(2), noon()), 1).await
            }
            Operation::ConvertNothing => {
                convert(store, programme, who, (now, now), 1_000_000).await
            }
            Operation::TakeCoupon => coupon("take").await,
            Operation::TakeCouponWithoutTime => coupon("take without time").await,
            Operation::TakeCouponSoldOut => coupon("sold out").await,
            Operation::TakeCouponNotCovered => coupon("not covered").await,
            Operation::TakePoolCoupon => coupon("pool").await,
            Operation::CancelCoupon => coupon("cancel").await,
            Operation::CancelUsedCoupon => coupon("cancel used").await,
            Operation::UploadCodes => coupon("upload").await,
            Operation::UseCoupon => coupon("use").await,
            Operation::UseVoidCoupon => coupon("use void").await,
            Operation::ReadStocks => coupon("read").await,
            Operation::PostUnasked
            | Operation::JudgeUnasked
            | Operation::CancelUnasked
            | Operation::CancelUnaskedSpend => Box::pin(self.unasked(store, operation)).await,
            Operation::ReadRoster => requests::read_roster(store, programme).await,
            Operation::PutProgramme => {
                Ok(store.put_programme(b"four", &Succession::default()).await?.to_string())
            }
            Operation::ActivateProgramme => {
                Ok(format!("{:?}", store.activate_programme(1, &Succession::default()).await?))
            }
            Operation::StartRun => requests::start_run(store).await,
            Operation::SaveShard => requests::save_shard(store).await,
            Operation::WalkShard => requests::walk_shard(store, programme).await,
            Operation::GiveUpShard => requests::give_up_shard(store).await,
            Operation::ResumeShard => requests::resume_shard(store).await,
            Operation::StartExport => requests::start_export(store).await,
            Operation::SaveExportShard => requests::save_export_shard(store).await,
            Operation::GiveUpExportShard => requests::give_up_export_shard(store).await,
            Operation::EndExport => requests::end_export(store).await,
            Operation::RefuseExport => requests::refuse_export(store).await,
            Operation::StartVerification => verify::start(store).await,
            Operation::SaveVerificationShard => verify::save_shard(store).await,
            Operation::GiveUpVerificationShard => verify::give_up(store).await,
            Operation::EndVerification => verify::end(store).await,
            Operation::VerifyWallet => verify::look(store, who).await,
            Operation::TellFeed => feeds::tell(store, who).await,
            Operation::ReplayFeed => feeds::replay(store, who).await,
            Operation::WatchStay => alerts::look(store, who, true).await,
            Operation::WatchLeave => alerts::look(store, who, false).await,
            Operation::BeginAlert => alerts::begin(store).await,
            Operation::ReadAlerts => alerts::read_open(store, who).await,
            Operation::ReadParticipant => requests::read_participant(store, who).await,
            Operation::ReadLedger => requests::read_ledger(store, who).await,
            Operation::ReadEvents => requests::read_events(store, who).await,
            Operation::ReadRuns => requests::read_runs(store).await,
            Operation::Recall => Box::pin(requests::recall(store, who)).await,
            Operation::ReadProgramme => requests::read_programme(store).await,
            Operation::FillProfile => people::fill(store, who).await,
            Operation::TakeAlias => people::take(store, who, "new").await,
            Operation::TakeTakenAlias => people::take(store, who, "c-4").await,
            Operation::FreeAlias => people::free(store, who, "c-1").await,
            Operation::RequestByAlias => people::request(store, "c-4").await,
            Operation::Erase => people::erase(store, programme, who).await,
        }
    }

    /// A merge into somebody whose journal is full as well.
    fn merges<'a>(&'a self, duplicate: &'a ParticipantId, key: &'a Key) -> Merge<'a> {
        Merge::new(&self.programme, duplicate, "c-4", key)
    }

    async fn post(&self, store: &Store, event: Event) -> Result<Done<RecordedEvent>> {
        post(store, &self.programme, &event, later(1), true).await
    }

    /// Refers somebody who is not there, where nobody is enrolled.
    async fn refer(&self, store: &Store) -> Result<String> {
        let event = referral(&self.who, "f-1", "c-9");
        match post(store, &self.strict, &event, later(1), true).await {
            Err(Error::NotFound(noun)) => Ok(noun.name().to_owned()),
            other => done(other),
        }
    }

    /// What becomes of a referral that is judged.
    async fn referral(&self, store: &Store, operation: Operation) -> Result<String> {
        let friend = if operation == Operation::JudgeReferralEnrolling { "c-5" } else { "c-4" };
        let judged = self.pair.judged(store, &self.who, "f-1", friend).await;
        if matches!(operation, Operation::JudgeReferral | Operation::JudgeReferralEnrolling) {
            return done(judged);
        }
        judged?;
        if operation == Operation::CancelReferral {
            return self.cancel(store, &self.pair.programme, "f-1").await;
        }
        let key = &timed_key(noon(), 5);
        spend(store, &self.strict, &person("c-4"), key, 15, noon()).await?;
        self.cancel(store, &self.strict, "f-1").await
    }

    /// What becomes of purchases that spend without being asked.
    async fn unasked(&self, store: &Store, operation: Operation) -> Result<String> {
        if operation == Operation::JudgeUnasked {
            return done(self.saving.judge(store, &["w-1", "w-2"]).await);
        }
        let bought = self.saving.buy(store, "n-2", 30_00, true).await;
        if operation == Operation::PostUnasked {
            return done(bought);
        }
        let bought = bought?;
        if operation == Operation::CancelUnasked {
            return self.cancel(store, &self.saving.programme, "n-2").await;
        }
        done(self.saving.cancel_spend(store, &bought.value, 1).await)
    }

    /// A spend that comes as an event.
    async fn request(
        &self,
        store: &Store,
        key: Option<&Key>,
        amount: i64,
        on: Option<&str>,
    ) -> Result<String> {
        let asks = Request { who: &self.who, key, reference: "q-1", amount, on };
        done(request(store, &self.programme, &asks).await)
    }

    async fn cancel(&self, store: &Store, rules: &Programme, reference: &str) -> Result<String> {
        let event = &event_id(reference);
        done(Box::pin(store.cancel_event(&cancelling(rules, later(1), event, 3))).await)
    }

    async fn cancel_ahead(&self, store: &Store, reference: &str) -> Result<String> {
        let event = &event_id(reference);
        let order = cancelling(&self.programme, later(1), event, 3);
        done(Box::pin(store.cancel_event(&CancelEvent { ahead: true, ..order })).await)
    }

    /// All that is open of it once a tenth is off is asked for in points, and covered in part.
    async fn buy_on_sale(&self, store: &Store, now: Instant) -> Result<Done<RecordedEvent>> {
        let event = &in_pieces(purchase(&self.who, "n-1", 30_00, noon()), 2);
        let asked = SpendAsked { amount: None, ..asked(0, noon()) };
        let (spend, payload, programme) = (Some(&asked), payload(1), &self.sale);
        let (judge, enrols) = (true, false);
        let order = Posting {
            programme,
            now,
            event,
            payload,
            spend,
            judge,
            enrols,
            codes: store::Codes::default(),
        };
        Box::pin(store.post_event(&order)).await
    }

    async fn give_back(
        &self,
        store: &Store,
        rules: &Programme,
        reference: &str,
        quantity: u32,
    ) -> Result<String> {
        let (event, lines) = (&event_id(reference), &[ReturnedLine { index: 0, quantity }]);
        let order = cancelling(rules, later(1), event, 3);
        let order = CancelEvent { lines, reason: Some("torn"), ..order };
        done(Box::pin(store.cancel_event(&order)).await)
    }

    async fn cancel_spend(&self, store: &Store, sequence: u64) -> Result<String> {
        let spend = &TransactionCode { participant: self.who.clone(), sequence };
        let (programme, now) = (&self.programme, later(1));
        done(
            store
                .cancel_spend(&CancelSpend {
                    programme,
                    now,
                    spend,
                    payload: payload(3),
                    reason: Some("torn"),
                })
                .await,
        )
    }
}

/// The answer and the wallet of a change; a refusal is an answer too.
pub fn done<A: std::fmt::Debug>(answer: Result<Done<A>>) -> Result<String> {
    match answer {
        Ok(Done { value, wallet, .. }) => Ok(format!("{value:?} {wallet:?}")),
        Err(Error::Refused(refusal)) => Ok(refusal.code().to_owned()),
        Err(other) => Err(other),
    }
}

fn profile() -> Profile {
    Profile { first_name: Some("Ada".into()), ..Profile::default() }
}

fn consent(granted: bool) -> (domain::participant::Channel, Consent) {
    ("email".into(), Consent { granted, at: noon(), source: None, process: None })
}
