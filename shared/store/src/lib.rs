//! The one table: keys, items, and the commit loop through which every wallet changes.

mod adjust;
mod alert;
mod alias;
mod bar;
mod cancel;
mod cancel_spend;
mod commit;
mod conversion;
mod coupon;
mod erase;
mod error;
mod event;
mod events;
mod expiry;
mod export;
mod facts;
mod feed;
mod hold;
mod judge;
mod key;
mod keyed;
mod ledger;
mod member;
mod merge;
mod participant;
mod pass;
mod programme;
mod reads;
mod recall;
mod record;
mod referral;
mod run;
mod show;
mod spend;
mod spend_event;
mod statement;
mod table;
mod verification;
mod verify;
mod walk;

pub use adjust::{Adjusted, Adjusting};
pub use alert::{AlertCounts, MAX_WATCHED_TOGETHER, Watching};
pub use cancel::{CancelEvent, EventCancelled};
pub use cancel_spend::{CancelSpend, SpendCancelled};
pub use commit::Done;
pub use conversion::{
    ConversionCounts, ConversionProgress, Converted, Converting, Payout, PayoutPart, Prospect,
};
pub use coupon::{CODES_OF_PAGE, CouponDone, TakingCoupon, Uploading, UsingCoupon};
pub use error::{Error, Noun, Result};
pub use event::Posting;
pub use events::{EventsCursor, EventsFilter, EventsPage};
pub use expiry::Expiring;
pub use export::{
    Completed, Export, ExportCounts, ExportFile, ExportPart, ExportProgress, ExportShard,
    ExportStatus, ToldPart,
};
pub use facts::Known;
pub use feed::{Change, Due};
pub use hold::{HoldDone, HoldReleased, Holding, Releasing, Settling};
pub use judge::Judging;
pub use key::SHARDS;
pub use keyed::RequestKey;
pub use member::{MAX_MEMBERS, Member};
pub use merge::{Merged, Merging};
pub use participant::{Changed, Changing};
pub use pass::{
    Accessing, Activating, Bearer, Codes, LoadingPass, Proof, Redeeming, RedemptionTakenBack,
    Registering, TakingBack, UpdatingPass,
};
pub use programme::{MAX_CHANGED_PLANS, Succession};
pub use recall::Recalling;
pub use record::{CouponUse, Fate as CouponFate};
pub use run::{Conversing, ExpiryCounts, PendingEvent, Run, RunCounts, ShardProgress};
pub use show::show;
pub use spend::{SpendDone, Spending};
pub use verification::{
    SharedMark, Verification, VerificationCounts, VerificationEnd, VerificationFinding,
    VerificationProgress, VerificationShard,
};
pub use verify::VerifiedWallet;
pub use walk::{Walked, Walking};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;

use table::Table;

/// Entries of a ledger page. Another number may be chosen at any time: pages are found by order.
pub const PAGE_ENTRIES: usize = 6;

/// The table of one programme.
#[derive(Clone, Debug)]
pub struct Store {
    table: Table,
    page_entries: usize,
}

/// Opens the table with this name.
pub fn open(config: &SdkConfig, table: String) -> Store {
    Store { table: Table::new(Client::new(config), table), page_entries: PAGE_ENTRIES }
}

impl Store {
    /// Writes pages of another size, as another version of this code may.
    #[must_use]
    pub fn with_page_entries(self, page_entries: usize) -> Store {
        Store { page_entries: page_entries.max(1), ..self }
    }
}
