//! The standing questions of a privacy officer, gathered over the pages of an answer.

mod merge;
mod rows;
mod sent;

use schakel_api::v1;
use serde::Serialize;

use self::{
    merge::add_up,
    rows::{Check, Collector, Concern, Denial, Due, Reader, Recipient, Use, Withdrawal},
};
use super::{Receipt, all, replay::looked};
use crate::{code::Code as _, output::View, page::Page};

/// A whole report.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    report: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Check>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    denials: Vec<Denial>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    withdrawals: Vec<Withdrawal>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recipients: Vec<Recipient>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    purposes: Vec<Use>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    collectors: Vec<Collector>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    concerns: Vec<Concern>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    readers: Vec<Reader>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notices: Vec<Due>,
    receipt: Option<Receipt>,
}

impl Report {
    /// A report of which no page has come yet.
    pub(crate) fn new(report: v1::Report) -> Self {
        Self {
            report: report.short(),
            check: None,
            denials: Vec::new(),
            withdrawals: Vec::new(),
            recipients: Vec::new(),
            purposes: Vec::new(),
            collectors: Vec::new(),
            concerns: Vec::new(),
            readers: Vec::new(),
            notices: Vec::new(),
            receipt: None,
        }
    }

    /// Adds a page: rows that have everything but their numbers in common become one.
    pub(crate) fn add(&mut self, page: v1::GetReportResponse) {
        if let Some(more) = page.check {
            let check = self.check.get_or_insert_default();
            check.permitted += more.permitted;
            check.same += more.same;
            check.unreadable += more.unreadable;
            check.faults.extend(all(more.faults));
        }
        add_up(&mut self.denials, all(page.denials));
        add_up(&mut self.recipients, all(page.recipients));
        add_up(&mut self.purposes, all(page.purposes));
        add_up(&mut self.collectors, all(page.collectors));
        add_up(&mut self.withdrawals, all(page.withdrawals));
        self.concerns.extend(all(page.concerns));
        self.readers.extend(all(page.readers));
        self.notices.extend(all(page.notices));
        self.receipt = page.receipt.map(Receipt::from);
    }

    /// Whether it found what must not be.
    pub(crate) fn finds_fault(&self) -> bool {
        let check = self.check.as_ref();
        check.is_some_and(|check| !check.faults.is_empty())
            || self.withdrawals.iter().any(|row| !row.after.is_empty())
            || self.purposes.iter().any(|row| !row.within)
            || self
                .recipients
                .iter()
                .any(|row| row.to_pi_on_consent && row.condition == "CARE")
    }
}

impl View for Report {
    fn write(&self, page: &mut Page) {
        if let Some(check) = &self.check {
            check.write(page);
        }
        self.denials.iter().for_each(|row| row.write(page));
        self.withdrawals.iter().for_each(|row| row.write(page));
        self.recipients.iter().for_each(|row| row.write(page));
        self.purposes.iter().for_each(|row| row.write(page));
        self.collectors.iter().for_each(|row| row.write(page));
        self.concerns.iter().for_each(|row| row.write(page));
        self.readers.iter().for_each(|row| row.write(page));
        self.notices.iter().for_each(|row| row.write(page));
        if self.check.is_none() && self.is_empty() {
            page.line("Nothing was found.");
        }
        looked(self.receipt.as_ref(), page);
    }
}

impl Report {
    fn is_empty(&self) -> bool {
        self.denials.is_empty()
            && self.withdrawals.is_empty()
            && self.recipients.is_empty()
            && self.purposes.is_empty()
            && self.collectors.is_empty()
            && self.concerns.is_empty()
            && self.readers.is_empty()
            && self.notices.is_empty()
    }
}
