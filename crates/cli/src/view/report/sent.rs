//! The rows of reports as they are sent.

use schakel_api::v1;

use super::rows::{Check, Collector, Concern, Denial, Due, Reader, Recipient, Use, Withdrawal};
use crate::{
    code::{short, shorts},
    instant,
    view::all,
};

impl From<v1::CheckResult> for Check {
    fn from(check: v1::CheckResult) -> Self {
        Self {
            permitted: check.permitted,
            same: check.same,
            unreadable: check.unreadable,
            faults: all(check.faults),
        }
    }
}

impl From<v1::DenialCount> for Denial {
    fn from(row: v1::DenialCount) -> Self {
        Self {
            party_id: row.party_id,
            reason: row.reason,
            purpose: row.purpose,
            count: row.count,
            first_at: instant::shown_if(row.first_at.as_ref()),
            last_at: instant::shown_if(row.last_at.as_ref()),
        }
    }
}

impl From<v1::WithdrawalEffect> for Withdrawal {
    fn from(row: v1::WithdrawalEffect) -> Self {
        Self {
            index: row.index,
            at: instant::shown_if(row.at.as_ref()),
            consent_ids: row.consent_ids,
            last_before_at: instant::shown_if(row.last_before_at.as_ref()),
            after: row.after,
            notices: row.notices,
            acknowledged: row.acknowledged,
            last_acknowledged_at: instant::shown_if(row.last_acknowledged_at.as_ref()),
        }
    }
}

impl From<v1::RecipientCount> for Recipient {
    fn from(row: v1::RecipientCount) -> Self {
        Self {
            recipient_party_id: row.recipient_party_id,
            condition: short::<v1::Condition>(row.condition),
            provider_party_id: row.provider_party_id,
            on_consent: row.on_consent,
            to_pi_on_consent: row.to_pi_on_consent,
            count: row.count,
            last_at: instant::shown_if(row.last_at.as_ref()),
        }
    }
}

impl From<v1::PurposeUse> for Use {
    fn from(row: v1::PurposeUse) -> Self {
        Self {
            party_id: row.party_id,
            purpose: row.purpose,
            purpose_version: row.purpose_version,
            conditions: shorts::<v1::Condition>(&row.conditions),
            granularity: short::<v1::Granularity>(row.granularity),
            count: row.count,
            registered_conditions: shorts::<v1::Condition>(&row.registered_conditions),
            registered_granularity: short::<v1::Granularity>(row.registered_granularity),
            within: row.within,
        }
    }
}

impl From<v1::CollectorCount> for Collector {
    fn from(row: v1::CollectorCount) -> Self {
        Self {
            party_id: row.party_id,
            given: row.given,
            refused: row.refused,
            undecided: row.undecided,
        }
    }
}

impl From<v1::ConsentConcern> for Concern {
    fn from(row: v1::ConsentConcern) -> Self {
        Self {
            consent_id: row.consent_id,
            index: row.index,
            collected_by_party_id: row.collected_by_party_id,
            valid_until: instant::shown_if(row.valid_until.as_ref()),
            expiring: row.expiring,
            notice_version: row.notice_version,
            old_notice: row.old_notice,
        }
    }
}

impl From<v1::Reader> for Reader {
    fn from(row: v1::Reader) -> Self {
        Self {
            index: row.index,
            at: instant::shown_if(row.at.as_ref()),
            party_id: row.party_id,
            actor_ref: row.actor_ref,
            method: row.method,
            purpose: row.purpose,
            question: row.question,
            results: row.results,
        }
    }
}

impl From<v1::NoticeDue> for Due {
    fn from(row: v1::NoticeDue) -> Self {
        Self {
            recipient_party_id: row.recipient_party_id,
            conditions: shorts::<v1::Condition>(&row.conditions),
            kind: row.kind.map(short::<v1::NoticeKind>),
            issued_at: instant::shown_if(row.issued_at.as_ref()),
            deadline: instant::shown_if(row.deadline.as_ref()),
            acknowledged_at: instant::shown_if(row.acknowledged_at.as_ref()),
        }
    }
}
