//! One method an RPC. What each does, who may call it and which errors it gives stands in `proto/`; what is
//! said here is what the client adds.

mod audit;
mod case;
mod certificate;
mod consent;
mod exchange;
mod export;
mod inbox;
mod reconciliation;
mod registry;
mod retention;

pub use audit::Extension;
pub use export::{Section, SectionError};

/// Defines the methods of one service.
///
/// `write` methods take an idempotency key; an empty one is filled in, so that trying again is safe. `ask`
/// methods have none: when one is tried again, that is a new decision and a new entry.
macro_rules! methods {
    ($service:ident: $($safety:ident $(#[$doc:meta])* $name:ident($request:ident) -> $answer:ident;)*) => {
        impl $crate::Client {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// When the broker refuses or cannot be reached, or its answer does not hold.
            pub async fn $name(
                &self,
                request: schakel_api::v1::$request,
            ) -> Result<schakel_api::v1::$answer, $crate::ClientError> {
                $crate::method::methods!(@$safety self, request, $service::$name)
            }
        )*}
    };
    (@write $client:ident, $request:ident, $service:ident::$name:ident) => {{
        let mut request = $request;
        // A key of this call's own can have been used by no earlier one.
        let fresh = request.idempotency_key.is_empty();
        if fresh {
            request.idempotency_key = $client.idempotency_key()?;
        }
        $client
            .call($crate::retry::Safety::Write, fresh, request, |channel, request| async move {
                $service::new(channel).$name(request).await
            })
            .await
    }};
    (@ask $client:ident, $request:ident, $service:ident::$name:ident) => {
        $client
            .call($crate::retry::Safety::Ask, true, $request, |channel, request| async move {
                $service::new(channel).$name(request).await
            })
            .await
    };
}
use methods;
