//! What channels' statuses are made of, and who hears when one changes: the log, the metrics, the ledger.

use crate::config::Loaded;
use crate::metrics::Metrics;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use switchyard_core::{ChannelName, Mode, Timestamp};
use switchyard_engine::{Attended, Board, Cause, Standing};
use switchyard_routing::Status;
use switchyard_store::{Administer, Audit, StatusChange, StatusQuery, Store, StoreError, Written};

/// Who writes lines of the audit log that nobody asked for.
pub(super) const ACTOR: &str = "switchyard";

/// What a channel is taken for of which nothing was ever told.
const AT_FIRST: &str = "up";

/// Changes by health that are told one after another of one channel and mode, before they are spread out.
const BURST: u32 = 10;

/// How soon one more may be told after that. What changes back in between is not told at all.
const APART: Duration = Duration::from_mins(1);

/// More channels than anybody has.
const CHANNELS_MAX: u32 = 100_000;

/// What the board has to know of the channels, as configured.
pub(super) fn attended(loaded: &Loaded) -> Vec<Attended> {
    let attended = loaded.channels.iter().map(|channel| Attended {
        name: channel.name.clone(),
        modes: channel.spec.modes.clone(),
        windows: channel.maintenance.clone(),
    });
    attended.collect()
}

/// Tells each change of a channel's status once, also over a restart.
pub(super) struct Teller {
    store: Arc<dyn Store>,
    board: Arc<Board>,
    metrics: Arc<Metrics>,
    known: HashMap<(ChannelName, Mode), Known>,
}

/// What was told of one channel in one mode.
struct Known {
    /// In the log and the metrics.
    told: String,
    /// In the ledger.
    recorded: String,
    allowance: Allowance,
}

impl Known {
    fn new(status: &str) -> Self {
        Self { told: status.to_owned(), recorded: status.to_owned(), allowance: Allowance::default() }
    }
}

/// How many changes may be told; one comes back each [`APART`].
#[derive(Default)]
struct Allowance {
    spent: u32,
    /// From when on what came back is counted.
    since: Option<Timestamp>,
}

impl Allowance {
    fn take(&mut self, now: Timestamp) -> bool {
        let since = *self.since.get_or_insert(now);
        let back = now.since(since).as_millis().checked_div(APART.as_millis()).unwrap_or(0);
        let back = u32::try_from(back).unwrap_or(u32::MAX);
        // A clock that was set back must not hold it up.
        if back > 0 || now < since {
            self.spent = self.spent.saturating_sub(back);
            self.since = Some(now);
        }
        let allowed = self.spent < BURST;
        if allowed {
            self.spent = self.spent.saturating_add(1);
        }
        allowed
    }
}

impl Teller {
    /// Goes on from what the ledger holds.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub(super) async fn start(
        store: Arc<dyn Store>,
        board: Arc<Board>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StoreError> {
        let mut teller = Self { store, board, metrics, known: HashMap::new() };
        teller.read().await?;
        Ok(teller)
    }

    /// Takes for told what the ledger holds.
    async fn read(&mut self) -> Result<(), StoreError> {
        for last in self.store.status_changes(StatusQuery::Last, CHANNELS_MAX).await? {
            let (channel, mode, status) = (last.change.channel, last.change.mode, last.change.to);
            let known = self.known.entry((channel, mode)).or_insert_with(|| Known::new(&status));
            known.recorded = status;
        }
        Ok(())
    }

    /// Tells what has changed since.
    ///
    /// # Errors
    /// Where the ledger does not take it, which is tried again the next time.
    pub(super) async fn tell(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let in_force = self.board.in_force();
        let mut stale = false;
        for channel in in_force.rules.channel_names() {
            for mode in self.board.modes(channel) {
                let Some(standing) = in_force.standing(channel, mode) else { continue };
                stale |= self.tell_one(channel, mode, standing, now).await? == Written::Stale;
            }
        }
        // Another process that serves from this ledger told it first.
        if stale { self.read().await } else { Ok(()) }
    }

    async fn tell_one(
        &mut self,
        channel: &ChannelName,
        mode: Mode,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let key = (channel.clone(), mode);
        let known = self.known.entry(key).or_insert_with(|| Known::new(AT_FIRST));
        let status = standing.status.as_str();
        if known.told != status {
            // What people and clocks decide is rare and wanted; health could flutter.
            if standing.cause == Cause::Health && !known.allowance.take(now) {
                return Ok(Written::Done);
            }
            let from = std::mem::replace(&mut known.told, status.to_owned());
            let change = change(&self.board, channel, mode, standing, from, now);
            log(&change, standing.status);
            self.metrics.status_changed(channel, mode, status);
        }
        if known.recorded == known.told || known.told != status {
            return Ok(Written::Done);
        }
        let change = change(&self.board, channel, mode, standing, known.recorded.clone(), now);
        let audit = Audit {
            at: now,
            actor: ACTOR.into(),
            action: format!("channel.{status}"),
            subject: channel.to_string(),
            detail: detail(&change),
        };
        let written = self.store.administer(Administer::RecordStatus(change), audit).await?;
        if written == Written::Done {
            known.recorded = status.to_owned();
        }
        Ok(written)
    }
}

fn change(
    board: &Board,
    channel: &ChannelName,
    mode: Mode,
    standing: &Standing,
    from: String,
    now: Timestamp,
) -> StatusChange {
    let (reason, by, until) = match &standing.cause {
        Cause::Health => (figures(board, channel, mode, now), None, None),
        Cause::Maintenance(period) => (period.reason.to_string(), None, Some(period.to)),
        Cause::Override(word) => (word.reason.to_string(), Some(word.by.to_string()), word.until),
    };
    let (to, cause) = (standing.status.as_str().to_owned(), standing.cause.as_str().to_owned());
    StatusChange { at: standing.since, channel: channel.clone(), mode, from, to, cause, reason, by, until }
}

/// What health was judged by.
fn figures(board: &Board, channel: &ChannelName, mode: Mode, now: Timestamp) -> String {
    match board.reading(channel, mode, now).map(|reading| reading.window) {
        Some(window) if window.sample > 0 => format!(
            "of {} calls {} were faults, {} slow and {} stalled",
            window.sample, window.faults, window.slow, window.stalled
        ),
        Some(_) | None => String::new(),
    }
}

fn detail(change: &StatusChange) -> String {
    let by = change.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let reason = if change.reason.is_empty() { String::new() } else { format!(": {}", change.reason) };
    format!("{}: {} to {}, {}{by}{reason}", change.mode.as_str(), change.from, change.to, change.cause)
}

fn log(change: &StatusChange, status: Status) {
    let StatusChange { at: _, channel, mode, from, to, cause, reason, by, until } = change;
    let by = by.as_deref().unwrap_or_default();
    let until = until.and_then(crate::cli::shown_time).unwrap_or_default();
    let mode = mode.as_str();
    match status {
        Status::Up => {
            tracing::info!(%channel, mode, from, to, cause, reason, by, until, "the status of a channel has changed");
        }
        Status::Degraded | Status::Down | Status::Disabled | Status::Probing(_) => {
            tracing::warn!(%channel, mode, from, to, cause, reason, by, until, "the status of a channel has changed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_flutters_is_told_ten_times_and_then_once_a_minute() {
        let mut allowance = Allowance::default();
        // A change each second for an hour.
        let told = (0..3_600).filter(|second| allowance.take(Timestamp(second * 1_000))).count();
        assert_eq!(told, 10 + 59);
        // After a quiet hour there is as much as at first, and no more.
        let later = 7_200_000;
        assert_eq!((0..30).filter(|at| allowance.take(Timestamp(later + at))).count(), 10);
        assert!(!allowance.take(Timestamp(0)), "a clock set back gives nothing");
        assert!(allowance.take(Timestamp(60_000)), "and holds nothing up");
    }
}
