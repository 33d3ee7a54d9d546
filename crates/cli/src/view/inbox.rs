//! The inbox and the notices.

use schakel_api::v1;
use serde::Serialize;

use super::{Disclosed, Receipt, all};
use crate::{
    code::{all_spoken, short, shorts, spoken},
    exit::Failure,
    instant,
    output::View,
    page::Page,
};

/// What was handed over.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Pulled {
    messages: Vec<Message>,
    cursor: String,
}

/// One message.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Message {
    delivery_id: String,
    cursor: String,
    subject: Option<Subject>,
    #[serde(flatten)]
    content: Option<Content>,
}

/// The person, as this party can name the person.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Subject {
    Bsn(String),
    Skn(String),
    ClientRef(String),
    CaseId(String),
}

/// What a message says.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    Disclosed(Box<Disclosed>),
    Notice(Notice),
}

/// Something to act on and acknowledge.
#[derive(Clone, Debug, Serialize)]
struct Notice {
    notice_id: String,
    kind: String,
    conditions: Vec<String>,
    issued_at: Option<String>,
    deadline: Option<String>,
    receipt: Option<Receipt>,
}

/// That messages arrived.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Acknowledged {
    receipts: Vec<Receipt>,
}

/// How notices stand.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Notices {
    notices: Vec<NoticeState>,
    outstanding: u32,
    receipt: Option<Receipt>,
}

/// How one notice stands.
#[derive(Clone, Debug, Serialize)]
struct NoticeState {
    notice_id: String,
    kind: String,
    recipient_party_id: String,
    conditions: Vec<String>,
    deadline: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_at: Option<String>,
}

impl TryFrom<v1::PullResponse> for Pulled {
    type Error = Failure;

    fn try_from(pulled: v1::PullResponse) -> Result<Self, Failure> {
        let messages = pulled.messages.into_iter().map(Message::try_from);
        Ok(Self {
            messages: messages.collect::<Result<_, _>>()?,
            cursor: hex::encode(&pulled.cursor),
        })
    }
}

impl TryFrom<v1::Message> for Message {
    type Error = Failure;

    fn try_from(message: v1::Message) -> Result<Self, Failure> {
        let content = match message.content {
            Some(v1::message::Content::Disclosed(told)) => {
                Some(Content::Disclosed(Box::new(told.try_into()?)))
            }
            Some(v1::message::Content::Notice(notice)) => Some(Content::Notice(notice.into())),
            None => None,
        };
        let subject = message.subject.and_then(|subject| subject.reference);
        Ok(Self {
            delivery_id: message.delivery_id,
            cursor: hex::encode(&message.cursor),
            subject: subject.map(Subject::from),
            content,
        })
    }
}

impl From<v1::subject_ref::Reference> for Subject {
    fn from(reference: v1::subject_ref::Reference) -> Self {
        use v1::subject_ref::Reference;
        match reference {
            Reference::Bsn(bsn) => Self::Bsn(bsn),
            Reference::Skn(skn) => Self::Skn(skn),
            Reference::ClientRef(mark) => Self::ClientRef(mark),
            Reference::CaseId(case) => Self::CaseId(case),
        }
    }
}

impl From<v1::Notice> for Notice {
    fn from(notice: v1::Notice) -> Self {
        Self {
            notice_id: notice.notice_id,
            kind: short::<v1::NoticeKind>(notice.kind),
            conditions: shorts::<v1::Condition>(&notice.conditions),
            issued_at: instant::shown_if(notice.issued_at.as_ref()),
            deadline: instant::shown_if(notice.deadline.as_ref()),
            receipt: notice.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::AcknowledgeResponse> for Acknowledged {
    fn from(response: v1::AcknowledgeResponse) -> Self {
        Self {
            receipts: all(response.receipts),
        }
    }
}

impl From<v1::NoticeStates> for Notices {
    fn from(states: v1::NoticeStates) -> Self {
        Self {
            notices: all(states.notices),
            outstanding: states.outstanding,
            receipt: states.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::NoticeState> for NoticeState {
    fn from(state: v1::NoticeState) -> Self {
        Self {
            notice_id: state.notice_id,
            kind: short::<v1::NoticeKind>(state.kind),
            recipient_party_id: state.recipient_party_id,
            conditions: shorts::<v1::Condition>(&state.conditions),
            deadline: instant::shown_if(state.deadline.as_ref()),
            delivered_at: instant::shown_if(state.delivered_at.as_ref()),
            acknowledged_at: instant::shown_if(state.acknowledged_at.as_ref()),
        }
    }
}

impl View for Pulled {
    fn write(&self, page: &mut Page) {
        if self.messages.is_empty() {
            page.line("Nothing waits.");
        }
        for message in &self.messages {
            message.write(page);
            page.blank();
        }
        page.line(&format!("Cursor to go on from: {}", self.cursor));
    }
}

impl View for Message {
    fn write(&self, page: &mut Page) {
        page.line(&format!("Message {}", self.delivery_id));
        page.indented(|page| {
            page.pair_if(
                "about",
                self.subject.as_ref().map(Subject::spoken).as_deref(),
            );
            match &self.content {
                Some(Content::Disclosed(told)) => told.write(page),
                Some(Content::Notice(notice)) => notice.write(page),
                None => {}
            }
        });
    }
}

impl Subject {
    fn spoken(&self) -> String {
        match self {
            Self::Bsn(bsn) => format!("BSN {bsn}"),
            Self::Skn(skn) => format!("SKN {skn}"),
            Self::ClientRef(mark) => format!("your client {mark}"),
            Self::CaseId(case) => format!("case {case}"),
        }
    }
}

impl Notice {
    fn write(&self, page: &mut Page) {
        let meaning = match self.kind.as_str() {
            "CORRECTION" => "it was corrected: ask again",
            "RESTRICTION" => "its use is restricted: hold it",
            "RECALL" => "it was about another person: destroy it",
            // What this program does not know is to be treated as a withdrawal.
            _ => "the consent was withdrawn: stop using it",
        };
        page.pair("notice", &format!("{}: {meaning}", spoken(&self.kind)));
        page.pair_if("conditions", Some(&all_spoken(&self.conditions)));
        let deadline = self.deadline.as_deref().map(instant::spoken);
        page.pair_if("acknowledge by", deadline.as_deref());
        Receipt::write(self.receipt.as_ref(), page);
    }
}

impl View for Acknowledged {
    fn write(&self, page: &mut Page) {
        match self.receipts.len() {
            1 => page.line("One message acknowledged."),
            count => page.line(&format!("{count} messages acknowledged.")),
        }
        for receipt in &self.receipts {
            Receipt::write(Some(receipt), page);
        }
    }
}

impl View for Notices {
    fn write(&self, page: &mut Page) {
        match self.outstanding {
            0 => page.line("Everyone has acknowledged."),
            1 => page.line("One recipient has not acknowledged yet."),
            count => page.line(&format!("{count} recipients have not acknowledged yet.")),
        }
        page.blank();
        let row = |notice: &NoticeState| (notice.recipient_party_id.clone(), notice.spoken());
        let rows: Vec<_> = self.notices.iter().map(row).collect();
        page.indented(|page| page.table(&rows));
        page.blank();
        Receipt::write(self.receipt.as_ref(), page);
    }
}

impl NoticeState {
    fn spoken(&self) -> String {
        let at = |at: &Option<String>| at.as_deref().map(instant::spoken).unwrap_or_default();
        let state = match (&self.acknowledged_at, &self.delivered_at) {
            (Some(_), _) => format!("acknowledged {}", at(&self.acknowledged_at)),
            (None, Some(_)) => {
                let (delivered, deadline) = (at(&self.delivered_at), at(&self.deadline));
                format!("delivered {delivered}, to be acknowledged by {deadline}")
            }
            (None, None) => format!(
                "not delivered yet, to be acknowledged by {}",
                at(&self.deadline)
            ),
        };
        format!(
            "{} for {}: {state}",
            spoken(&self.kind),
            all_spoken(&self.conditions)
        )
    }
}
