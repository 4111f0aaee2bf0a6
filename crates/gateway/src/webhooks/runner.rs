//! One endpoint's deliveries: new events from its cursor on, and rows that are due.

use super::send::{self, Tried, Verdict};
use super::{Parts, Signal};
use crate::api::kinds_of;
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use switchyard_core::{EndpointId, Timestamp};
use switchyard_store::feed::{Event, EventFilter, Object, Order, Subject};
use switchyard_store::webhooks::{Delivery, DeliveryStatus, Endpoint, WebhookWrite};
use switchyard_store::{StoreError, Written};
use tokio::sync::watch;
use uuid::Uuid;

/// Events read from the feed at a time; no more wait in memory.
const EVENTS_AT_ONCE: u32 = 50;

/// Rows read at a time.
const ROWS_AT_ONCE: u32 = 20;

/// After so many failures in a row an endpoint gets one delivery at a time, until one succeeds.
const FAILURES_UNTIL_CAREFUL: u32 = 5;

/// Tries that are kept.
const ATTEMPTS_KEPT: usize = 20;

/// How often the cursor is written, where nothing else is: what came after it is sent again after a crash.
const CURSOR_EVERY: Duration = Duration::from_millis(250);

/// How often rows are looked at without a reason, and the age of the oldest is told.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Before rows are looked at again that were just started.
const BREATH: Duration = Duration::from_millis(50);

/// After the ledger failed.
const REST: Duration = Duration::from_secs(1);

/// Why a runner cannot go on.
enum Stop {
    /// The endpoint is gone, or was switched off.
    Over,
    /// The ledger failed; perhaps not the next time.
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// A delivery that has ended.
struct Landed {
    event: Event,
    row: Option<Delivery>,
    tried: Tried,
}

pub(super) struct Runner {
    parts: Arc<Parts>,
    signal: watch::Receiver<Signal>,
    endpoint: Arc<Endpoint>,
    round: u64,
    /// How far the feed was read.
    read_to: i64,
    /// Read, and neither sent nor put into a row yet.
    queue: VecDeque<Event>,
    /// New events that hold the cursor back: those in the queue and in flight, with their time.
    unfinished: BTreeMap<i64, Timestamp>,
    flights: FuturesUnordered<LocalBoxFuture<'static, Landed>>,
    /// What is in flight, so that nothing of the same object overtakes it.
    busy: HashSet<Uuid>,
    /// The same for rows, by position.
    rows_in_flight: HashSet<i64>,
    /// When a row is due; `None` where no row waits.
    due_at: Option<Timestamp>,
    looked_at: Option<Duration>,
    cursor_written: i64,
    cursor_written_at: Duration,
    failures: u32,
}

impl Runner {
    pub(super) fn new(parts: Arc<Parts>, signal: watch::Receiver<Signal>) -> Self {
        let Signal { endpoint, round, .. } = signal.borrow().clone();
        let cursor = endpoint.cursor;
        Self {
            parts,
            signal,
            endpoint,
            round,
            read_to: cursor,
            queue: VecDeque::new(),
            unfinished: BTreeMap::new(),
            flights: FuturesUnordered::new(),
            busy: HashSet::new(),
            rows_in_flight: HashSet::new(),
            due_at: None,
            looked_at: None,
            cursor_written: cursor,
            cursor_written_at: Duration::ZERO,
            failures: 0,
        }
    }

    /// Delivers until the endpoint is gone or switched off.
    pub(super) async fn run(mut self) {
        loop {
            match self.turn().await {
                Ok(()) => {}
                Err(Stop::Over) => return,
                Err(Stop::Failed(error)) => {
                    tracing::error!(endpoint = %self.endpoint.id, %error, "webhooks wait for the ledger");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    async fn turn(&mut self) -> Result<(), Stop> {
        self.heed_signal();
        self.look_at_rows().await?;
        self.read_feed().await?;
        self.start_new().await?;
        self.write_cursor().await?;
        let rest = self.rest();
        tokio::select! {
            landed = self.flights.next(), if !self.flights.is_empty() => match landed {
                Some(landed) => self.landed(landed).await,
                None => Ok(()),
            },
            () = tokio::time::sleep(rest) => Ok(()),
            changed = self.signal.changed() => changed.map_err(|_| Stop::Over),
        }
    }

    fn heed_signal(&mut self) {
        let signal = self.signal.borrow_and_update().clone();
        if signal.round != self.round {
            self.round = signal.round;
            self.looked_at = None;
        }
        self.endpoint = signal.endpoint;
    }

    /// Until something may be due by itself.
    fn rest(&self) -> Duration {
        let now = self.parts.clock.now();
        let row = self.due_at.filter(|_| self.has_room()).map_or(LOOK_AGAIN, |due| due.since(now));
        let cursor = if self.cursor() > self.cursor_written { CURSOR_EVERY } else { LOOK_AGAIN };
        row.min(cursor).clamp(Duration::from_millis(5), LOOK_AGAIN)
    }

    fn room(&self) -> usize {
        let most = if self.failures >= FAILURES_UNTIL_CAREFUL { 1 } else { self.parts.settings.concurrency };
        most.saturating_sub(self.flights.len())
    }

    fn has_room(&self) -> bool {
        self.room() > 0
    }

    fn cursor(&self) -> i64 {
        self.unfinished.first_key_value().map_or(self.read_to, |(first, _)| first.saturating_sub(1))
    }

    fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// Starts rows that are due, and finds out when the next one is.
    async fn look_at_rows(&mut self) -> Result<(), Stop> {
        let uptime = self.parts.clock.uptime().0;
        let stale = self.looked_at.is_none_or(|last| uptime.saturating_sub(last) >= LOOK_AGAIN);
        if !stale && self.due_at.is_none_or(|due| due > self.now()) {
            return Ok(());
        }
        if !self.has_room() {
            return Ok(());
        }
        self.looked_at = Some(uptime);
        let (id, now) = (self.endpoint.id, self.now());
        let due = self.parts.ledger.due_deliveries(id, now, ROWS_AT_ONCE).await?;
        let none = due.is_empty();
        for row in due {
            if !self.has_room() {
                break;
            }
            if self.rows_in_flight.contains(&row.position) || self.busy.contains(&row.object) {
                continue;
            }
            self.start_row(row).await?;
        }
        // A row that is far off wakes nobody before; one in flight is told by its landing.
        let next = self.parts.ledger.due_deliveries(id, Timestamp(i64::MAX), 1).await?.pop();
        self.due_at = next.and_then(|row| row.next_at).map(|at| if none { at } else { at.max(now.after(BREATH)) });
        if stale {
            self.tell_oldest().await?;
        }
        Ok(())
    }

    async fn start_row(&mut self, mut row: Delivery) -> Result<(), Stop> {
        let now = self.now();
        let overtakes = row.since.after(self.parts.settings.order_wait);
        if !row.again && now < overtakes && self.held_up(row.object, row.position).await? {
            row.next_at = Some(overtakes);
            return self.write(vec![row]).await;
        }
        let Some(event) = self.parts.feed.event(row.position).await? else {
            tracing::error!(endpoint = %self.endpoint.id, position = row.position, "an event to deliver is gone");
            row.status = DeliveryStatus::Dead;
            row.next_at = None;
            return self.write(vec![row]).await;
        };
        self.rows_in_flight.insert(row.position);
        self.fly(event, Some(row));
        Ok(())
    }

    async fn held_up(&self, object: Uuid, position: i64) -> Result<bool, StoreError> {
        self.parts.ledger.held_up(self.endpoint.id, object, position).await
    }

    async fn read_feed(&mut self) -> Result<(), Stop> {
        if !self.queue.is_empty() || self.read_to >= self.signal.borrow().end {
            return Ok(());
        }
        let filter = EventFilter {
            kinds: self.endpoint.events.iter().flat_map(|pattern| kinds_of(pattern)).collect(),
            ..EventFilter::of(self.endpoint.merchant.clone(), self.endpoint.mode)
        };
        let from = Some(self.read_to);
        let page = self.parts.feed.list_events(filter, Order::OldestFirst, from, EVENTS_AT_ONCE).await?;
        for event in page.data {
            if self.concerns(&event).await? {
                self.unfinished.insert(event.recorded.position, event.recorded.at);
                self.queue.push_back(event);
            }
        }
        self.read_to = page.next.unwrap_or(self.read_to).max(self.read_to);
        Ok(())
    }

    /// A payment may name the one endpoint that its events go to. Where that is gone, they go to all again.
    async fn concerns(&self, event: &Event) -> Result<bool, StoreError> {
        let named = match &event.object {
            Object::Payment(payment) => payment.webhook_endpoint,
            Object::Operation(both) => both.1.webhook_endpoint,
            Object::Endpoint(_) => None,
        };
        match named {
            None => Ok(true),
            Some(named) if named == self.endpoint.id => Ok(true),
            Some(named) => Ok(self.parts.ledger.endpoint(named).await?.is_none()),
        }
    }

    /// Starts what may start, in the order of the feed.
    async fn start_new(&mut self) -> Result<(), Stop> {
        let mut waiting: HashSet<Uuid> = HashSet::new();
        let mut place = 0;
        while self.has_room()
            && let Some(event) = self.queue.get(place)
        {
            let object = object_of(event);
            if self.busy.contains(&object) || waiting.contains(&object) {
                waiting.insert(object);
                place = place.saturating_add(1);
                continue;
            }
            let position = event.recorded.position;
            // Without a row that waits, nothing can hold it up.
            let held_up = self.due_at.is_some() && self.held_up(object, position).await?;
            let Some(event) = self.queue.remove(place) else { return Ok(()) };
            if held_up {
                let row =
                    Delivery { next_at: Some(self.now().after(self.parts.settings.order_wait)), ..self.row(&event) };
                // The row is written before the cursor may pass it; where it could not be, the event waits where it was.
                if let Err(stop) = self.write(vec![row]).await {
                    self.queue.insert(place, event);
                    return Err(stop);
                }
                self.unfinished.remove(&position);
            } else {
                self.fly(event, None);
            }
        }
        Ok(())
    }

    fn row(&self, event: &Event) -> Delivery {
        Delivery {
            endpoint: self.endpoint.id,
            position: event.recorded.position,
            event: event.recorded.id(),
            object: object_of(event),
            status: DeliveryStatus::Pending,
            again: false,
            since: self.now(),
            next_at: None,
            tries: 0,
            attempts: Vec::new(),
        }
    }

    fn fly(&mut self, event: Event, row: Option<Delivery>) {
        self.busy.insert(object_of(&event));
        let (parts, endpoint) = (Arc::clone(&self.parts), Arc::clone(&self.endpoint));
        self.flights.push(Box::pin(async move {
            // Never closed, so never an error.
            let _place = parts.places.acquire().await;
            let tried = send::attempt(&parts, &endpoint, &event).await;
            Landed { event, row, tried }
        }));
    }

    async fn landed(&mut self, landed: Landed) -> Result<(), Stop> {
        let Landed { event, row, tried } = landed;
        let (position, object) = (event.recorded.position, object_of(&event));
        self.busy.remove(&object);
        self.rows_in_flight.remove(&position);
        self.failures = if tried.verdict == Verdict::Delivered { 0 } else { self.failures.saturating_add(1) };
        let fresh = row.is_none();
        if fresh && tried.verdict == Verdict::Delivered {
            self.unfinished.remove(&position);
            return Ok(());
        }
        let verdict = tried.verdict;
        let mut row = row.unwrap_or_else(|| self.row(&event));
        self.note(&mut row, tried);
        if row.status == DeliveryStatus::Dead {
            self.parts.metrics.webhook_dead();
            tracing::warn!(endpoint = %self.endpoint.id, event = %row.event, "a webhook could not be delivered");
        }
        // The row is written before the cursor may pass it.
        let written = self.write(vec![row]).await;
        if written.is_ok() && fresh {
            self.unfinished.remove(&position);
        } else if fresh && matches!(written, Err(Stop::Failed(_))) {
            // Sent again rather than lost.
            self.queue.push_front(event);
        }
        written?;
        if verdict == Verdict::Gone { self.switch_off().await } else { Ok(()) }
    }

    /// What the try makes of the row.
    fn note(&self, row: &mut Delivery, Tried { attempt, verdict }: Tried) {
        let at = attempt.at;
        row.attempts.push(attempt);
        let surplus = row.attempts.len().saturating_sub(ATTEMPTS_KEPT);
        row.attempts.drain(..surplus);
        let patience = match verdict {
            Verdict::Delivered => {
                (row.status, row.next_at) = (DeliveryStatus::Delivered, None);
                return;
            }
            Verdict::Gone => None,
            Verdict::Failed(patience) => patience,
        };
        let delays = &self.parts.settings.retries;
        let delay = usize::try_from(row.tries).ok().and_then(|tries| delays.get(tries));
        row.tries = row.tries.saturating_add(1);
        match delay {
            Some(delay) => {
                let delay = self.jittered(*delay).max(patience.unwrap_or_default());
                row.next_at = Some(at.after(delay).max(self.now()));
            }
            None => (row.status, row.next_at) = (DeliveryStatus::Dead, None),
        }
    }

    /// Up to a tenth longer, so that what failed together does not come back together.
    fn jittered(&self, delay: Duration) -> Duration {
        let chance = u32::try_from(self.parts.clock.uuid().as_u128() & 0xff).unwrap_or_default();
        let extra = delay.checked_div(2_560).unwrap_or_default().saturating_mul(chance);
        delay.saturating_add(extra)
    }

    async fn write(&mut self, rows: Vec<Delivery>) -> Result<(), Stop> {
        let earliest = rows.iter().filter_map(|row| row.next_at).min();
        let ended = rows.iter().any(|row| row.status != DeliveryStatus::Pending);
        let write = WebhookWrite::Deliver { endpoint: self.endpoint.id, cursor: None, rows };
        match self.parts.ledger.write_webhooks(write).await? {
            Written::Done => {}
            Written::Stale => return Err(Stop::Over),
        }
        if ended {
            // It may have let others go.
            self.looked_at = None;
        }
        self.due_at = match (self.due_at, earliest) {
            (Some(known), Some(new)) => Some(known.min(new)),
            (known, new) => known.or(new),
        };
        Ok(())
    }

    async fn write_cursor(&mut self) -> Result<(), Stop> {
        let (cursor, uptime) = (self.cursor(), self.parts.clock.uptime().0);
        if cursor <= self.cursor_written || uptime.saturating_sub(self.cursor_written_at) < CURSOR_EVERY {
            return Ok(());
        }
        let write = WebhookWrite::Deliver { endpoint: self.endpoint.id, cursor: Some(cursor), rows: Vec::new() };
        match self.parts.ledger.write_webhooks(write).await? {
            Written::Done => {}
            Written::Stale => return Err(Stop::Over),
        }
        (self.cursor_written, self.cursor_written_at) = (cursor, uptime);
        if self.due_at.is_none() {
            let first = self.unfinished.first_key_value().map(|(_, at)| *at);
            self.parts.note_oldest(self.endpoint.id, first);
        }
        Ok(())
    }

    /// The endpoint asked for no more: it is switched off, and an event tells the merchant's other endpoints and the feed.
    async fn switch_off(&mut self) -> Result<(), Stop> {
        let id: EndpointId = self.endpoint.id;
        loop {
            let Some(endpoint) = self.parts.ledger.endpoint(id).await?.filter(|endpoint| endpoint.enabled) else {
                return Err(Stop::Over);
            };
            let now = self.now();
            let off = Endpoint {
                enabled: false,
                disabled_reason: Some("it answered 410".into()),
                updated_at: now,
                told: endpoint.told.saturating_add(1),
                ..endpoint
            };
            match self.parts.ledger.write_webhooks(WebhookWrite::Disable(off, now)).await? {
                Written::Done => {
                    self.parts.metrics.webhook_switched_off();
                    tracing::warn!(endpoint = %id, "a webhook endpoint answered 410 and was switched off");
                    return Err(Stop::Over);
                }
                Written::Stale => {}
            }
        }
    }

    async fn tell_oldest(&self) -> Result<(), StoreError> {
        let row = self.parts.ledger.oldest_pending(self.endpoint.id).await?;
        let row = row.map(|event| Timestamp(millisecond(event.uuid())));
        let first = self.unfinished.first_key_value().map(|(_, at)| *at);
        self.parts.note_oldest(self.endpoint.id, [row, first].into_iter().flatten().min());
        Ok(())
    }
}

/// The time in an id.
fn millisecond(id: Uuid) -> i64 {
    i64::try_from(id.as_u128() >> 80).unwrap_or_default()
}

/// What keeps its order: a payment with all that belongs to it, or the endpoint that is told of.
pub(crate) fn object_of(event: &Event) -> Uuid {
    match event.recorded.subject {
        Subject::Payment(payment) | Subject::Operation(payment, _) => payment.uuid(),
        Subject::Endpoint(endpoint) => endpoint.uuid(),
    }
}
