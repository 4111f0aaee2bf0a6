//! The feed: pages of events in either order, over a bounded number of rows.

use super::columns::View;
use super::dictionary::Word;
use super::event::{self, Row};
use super::fault::Fault;
use super::{Sqlite, number, operation, payment};
use crate::StoreError;
use crate::feed::{Event, EventFilter, EventPage, Feed, Order};
use rusqlite::{OptionalExtension as _, params};
use switchyard_core::{OperationId, PaymentId, Timestamp};

/// How far the clock may have stepped back between two events, in milliseconds: positions only grow, times may not.
const CLOCK_STEP_MAX: i64 = 24 * 60 * 60 * 1000;

#[async_trait::async_trait]
impl Feed for Sqlite {
    async fn event(&self, position: i64) -> Result<Option<Event>, StoreError> {
        self.read(move |view| event::at(view, position)?.map(|row| event::whole(view, row)).transpose()).await
    }

    async fn list_events(
        &self,
        filter: EventFilter,
        order: Order,
        from: Option<i64>,
        limit: u32,
    ) -> Result<EventPage<Event>, StoreError> {
        let rows_max = self.list_rows_max;
        self.read(move |view| {
            let page = list(view, &filter, order, from, limit, rows_max)?;
            let data = page.data.into_iter().map(|row| event::whole(view, row)).collect::<Result<_, _>>()?;
            Ok(EventPage { data, next: page.next, more: page.more })
        })
        .await
    }

    async fn feed_end(&self) -> Result<i64, StoreError> {
        self.read(end).await
    }
}

fn end(view: View<'_>) -> Result<i64, Fault> {
    let mut statement = view.connection.prepare_cached("SELECT coalesce(max(position), 0) FROM events")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

fn list(
    view: View<'_>,
    filter: &EventFilter,
    order: Order,
    from: Option<i64>,
    limit: u32,
    rows_max: u32,
) -> Result<EventPage<Row>, Fault> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    match wanted_payment(view, filter)? {
        Some(payment) => of_payment(view, filter, payment, order, from, limit),
        None => scan(view, filter, order, from, limit, rows_max),
    }
}

/// The payment whose events alone can match, if it must be one's.
fn wanted_payment(view: View<'_>, filter: &EventFilter) -> Result<Option<PaymentId>, Fault> {
    if let Some(payment) = filter.payment {
        return Ok(Some(payment));
    }
    let Some(object) = filter.object else { return Ok(None) };
    if let Some(operation) = operation::read(view, OperationId::from_uuid(object))? {
        return Ok(Some(operation.payment));
    }
    let payment = PaymentId::from_uuid(object);
    // Else it is no payment's: there are few such events, and they have no chain.
    Ok(payment::last_event(view.connection, payment)?.map(|_| payment))
}

fn of_payment(
    view: View<'_>,
    filter: &EventFilter,
    payment: PaymentId,
    order: Order,
    from: Option<i64>,
    limit: usize,
) -> Result<EventPage<Row>, Fault> {
    let mut rows = event::of_payment(view, payment)?;
    rows.retain(|row| filter.holds(&row.recorded) && from.is_none_or(|from| past(order, row.recorded.position, from)));
    match order {
        Order::OldestFirst => rows.reverse(),
        Order::NewestFirst => {}
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().map(|row| row.recorded.position);
    let next = match (order, more) {
        (Order::OldestFirst, _) => last.or(from),
        (Order::NewestFirst, true) => last,
        (Order::NewestFirst, false) => None,
    };
    Ok(EventPage { data: rows, next, more })
}

const fn past(order: Order, position: i64, from: i64) -> bool {
    match order {
        Order::OldestFirst => position > from,
        Order::NewestFirst => position < from,
    }
}

fn scan(
    view: View<'_>,
    filter: &EventFilter,
    order: Order,
    from: Option<i64>,
    limit: usize,
    rows_max: u32,
) -> Result<EventPage<Row>, Fault> {
    let nothing = EventPage { data: Vec::new(), next: from, more: false };
    let Some(merchant) = view.dictionary.number(&Word::Merchant(filter.merchant.clone())) else { return Ok(nothing) };
    let mode = number::of_mode(filter.mode);
    let lowest = match filter.created_from {
        Some(Timestamp(at)) => first_at(view, at.saturating_sub(CLOCK_STEP_MAX))?,
        None => i64::MIN,
    };
    let highest = match filter.created_to {
        Some(Timestamp(at)) => first_at(view, at.saturating_add(CLOCK_STEP_MAX))?,
        None => i64::MAX,
    };
    let (low, high, sql) = match order {
        Order::OldestFirst => (
            from.map_or(lowest, |from| lowest.max(from.saturating_add(1))),
            highest,
            "SELECT position, kind, payment, operation, sequence, at, merchant, mode, previous, state FROM events \
             WHERE position >= ?1 AND position <= ?2 ORDER BY position LIMIT ?3",
        ),
        Order::NewestFirst => (
            lowest,
            from.map_or(highest, |from| highest.min(from.saturating_sub(1))),
            "SELECT position, kind, payment, operation, sequence, at, merchant, mode, previous, state FROM events \
             WHERE position >= ?1 AND position <= ?2 ORDER BY position DESC LIMIT ?3",
        ),
    };
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![low, high, rows_max])?;
    let mut data = Vec::new();
    let (mut looked_at, mut last) = (0_u32, from);
    while let Some(read) = rows.next()? {
        // Most rows may be another merchant's: two integers tell.
        if read.get::<_, i64>(6)? == merchant && read.get::<_, i64>(7)? == mode {
            let row = event::row(read, view)?;
            if filter.holds(&row.recorded) {
                if data.len() >= limit {
                    return Ok(EventPage { data, next: last, more: true });
                }
                data.push(row);
            }
        }
        last = Some(read.get(0)?);
        looked_at = looked_at.saturating_add(1);
    }
    let more = looked_at >= rows_max;
    let next = match (order, more) {
        (Order::OldestFirst, _) | (Order::NewestFirst, true) => last,
        (Order::NewestFirst, false) => None,
    };
    Ok(EventPage { data, next, more })
}

/// The first position whose event is not older than `at`, found by halving: times grow with positions, but for a clock that
/// was set back, for which the caller leaves room.
fn first_at(view: View<'_>, at: i64) -> Result<i64, Fault> {
    let sql = "SELECT position, at FROM events WHERE position >= ?1 ORDER BY position LIMIT 1";
    let mut statement = view.connection.prepare_cached(sql)?;
    let (mut low, mut high) = (1_i64, end(view)?.saturating_add(1));
    while low < high {
        let middle = low.midpoint(high);
        let found: Option<(i64, i64)> =
            statement.query_row([middle], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match found {
            Some((position, time)) if position < high && time < at => low = position.saturating_add(1),
            Some(_) | None => high = middle,
        }
    }
    Ok(low)
}
