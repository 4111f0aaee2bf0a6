//! What an operator configures and a reload swaps: rules, channels and merchants, as one value.

use crate::channel::Channels;
use std::collections::HashMap;
use std::sync::Arc;
use switchyard_core::method::Direction;
use switchyard_core::{MerchantName, OrderType};
use switchyard_routing::RuleSet;
use switchyard_routing::vocabulary::{MerchantSpec, OrderTypeSpec};

/// Rules, and the channels and merchants that they were compiled with.
#[derive(Clone)]
pub struct Setup {
    /// Which channel serves a payment.
    pub rules: Arc<RuleSet>,
    /// The channels, not yet connected.
    pub roster: Arc<dyn Roster>,
    /// Who may ask for what.
    pub merchants: Arc<Merchants>,
}

/// Channels as configured. Connections belong to a worker, so each worker makes its own.
pub trait Roster: Send + Sync {
    /// The channels, with the connections that the worker has already where a channel stays what it is.
    fn connect(&self, had: &Channels) -> Channels;
}

/// Channels that are connected once, for all.
impl Roster for Channels {
    fn connect(&self, _: &Channels) -> Channels {
        self.clone()
    }
}

/// The merchants, and what each may use.
#[derive(Clone, Debug, Default)]
pub struct Merchants {
    specs: Vec<MerchantSpec>,
    order_types: HashMap<MerchantName, Arc<[OrderType]>>,
}

impl Merchants {
    /// As configured.
    #[must_use]
    pub fn new(specs: Vec<MerchantSpec>, order_types: &[OrderTypeSpec]) -> Self {
        let payins = || order_types.iter().filter(|spec| spec.direction == Direction::Payin).map(|spec| &spec.name);
        let allowed = |spec: &MerchantSpec| payins().filter(|name| spec.order_types.holds(name)).cloned().collect();
        let order_types = specs.iter().map(|spec| (spec.name.clone(), allowed(spec))).collect();
        Self { specs, order_types }
    }

    /// All of them, as configured.
    #[must_use]
    pub fn specs(&self) -> &[MerchantSpec] {
        &self.specs
    }

    /// The order types of payments that a merchant may ask for; `None` where it is not configured any more.
    #[must_use]
    pub fn order_types(&self, merchant: &MerchantName) -> Option<&Arc<[OrderType]>> {
        self.order_types.get(merchant)
    }
}
