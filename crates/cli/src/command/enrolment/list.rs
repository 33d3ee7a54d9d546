//! Every page of what the broker knows of certificates and enrolments.

use schakel_api::v1;

use crate::{exit::Failure, session::Session};

/// How many come at a time: the most that a broker shows.
const PAGE: u32 = 100;

/// Every certificate that the caller may see.
pub(super) async fn certificates(session: &Session) -> Result<Vec<v1::IssuedCertificate>, Failure> {
    let mut request = v1::ListIssuedCertificatesRequest {
        page_size: PAGE,
        page_token: None,
    };
    let mut all = Vec::new();
    loop {
        let asked = session.client.list_issued_certificates(request.clone());
        let page = session.ask(asked).await?;
        all.extend(page.certificates);
        request.page_token = page.next_page_token;
        if request.page_token.is_none() {
            return Ok(all);
        }
    }
}

/// Every enrolment.
pub(super) async fn enrolments(session: &Session) -> Result<Vec<v1::Enrolment>, Failure> {
    let mut request = v1::ListEnrolmentsRequest {
        page_size: PAGE,
        page_token: None,
    };
    let mut all = Vec::new();
    loop {
        let asked = session.client.list_enrolments(request.clone());
        let page = session.ask(asked).await?;
        all.extend(page.enrolments);
        request.page_token = page.next_page_token;
        if request.page_token.is_none() {
            return Ok(all);
        }
    }
}
