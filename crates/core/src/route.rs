//! Routes: decisions that are made, and kept, before their payments.

use crate::clock::Timestamp;
use crate::country::Country;
use crate::id::{PaymentId, RouteId};
use crate::method::Method;
use crate::money::Money;
use crate::name::{MerchantName, Mode, OrderType};
use crate::operation::Target;
use crate::payment::{CaptureMode, Decided};
use std::sync::Arc;

impl RouteId {
    /// The id that shares of the route's decision hang on.
    #[must_use]
    pub const fn draws_as(self) -> PaymentId {
        PaymentId::from_uuid(self.uuid())
    }
}

/// A decision that a page may build on. It moves no money, and payments of the same facts may follow it until it expires.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// Whose it is.
    pub merchant: MerchantName,
    /// Test or live.
    pub mode: Mode,
    /// How much its payments are for.
    pub amount: Money,
    /// Where their payer is.
    pub country: Country,
    /// The operator's word for their kind.
    pub order_type: OrderType,
    /// What they are paid with.
    pub method: Method,
    /// Whether their money is taken at once.
    pub capture: CaptureMode,
    /// What was decided, with a channel.
    pub decided: Decided,
    /// The channel's account at that moment: the page's values belong to it.
    pub target: Arc<Target>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// Until when payments may follow it.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn shares_hang_on_the_route_where_there_is_one() {
        let (payment, route) = (PaymentId::from_uuid(Uuid::from_u128(1)), RouteId::from_uuid(Uuid::from_u128(2)));
        let own = Decided {
            rule: "all".into(),
            rules_version: "sha256:0".into(),
            channel: None,
            reason: "share of the split".into(),
            snapshot: [].into(),
            offer: [].into(),
            route: None,
        };
        assert_eq!(own.drawn_by(payment), payment);
        let reserved = Decided { route: Some(route), ..own };
        assert_eq!(reserved.drawn_by(payment).uuid(), route.uuid());
    }
}
