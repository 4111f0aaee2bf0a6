//! Wake-ups.

use super::{Bench, Case, Make};
use crate::{Wake, Wakes};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

pub(super) const CASES: &[Case] = &[
    Case { name: "every subscriber hears, and repeated wake-ups come once", run: hear },
    Case { name: "a wake-up before the subscription, or without any, is lost", run: lost },
    Case { name: "a subscriber that waits is woken", run: woken },
];

fn drained(wakes: &mut Wakes) -> Vec<Wake> {
    std::iter::from_fn(|| wakes.take()).collect()
}

fn hear(make: Make) {
    let bench = Bench::new(make);
    let (mut first, mut second) = (bench.coordination.subscribe(), bench.coordination.subscribe());
    for wake in [Wake::Deliver, Wake::Settle, Wake::Deliver] {
        bench.coordination.wake(wake);
    }
    assert_eq!(drained(&mut first), [Wake::Settle, Wake::Deliver]);
    drop(first);
    bench.coordination.wake(Wake::Rules);
    bench.coordination.wake(Wake::Controls);
    assert_eq!(drained(&mut second), [Wake::Settle, Wake::Deliver, Wake::Controls, Wake::Rules]);
    assert_eq!(second.take(), None);
}

fn lost(make: Make) {
    let bench = Bench::new(make);
    bench.coordination.wake(Wake::Settle);
    let mut late = bench.coordination.subscribe();
    assert_eq!(late.take(), None);
}

#[derive(Default)]
struct Count(AtomicU32);

impl std::task::Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn woken(make: Make) {
    let bench = Bench::new(make);
    let mut wakes = bench.coordination.subscribe();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    assert_eq!(wakes.poll_next(&mut context), Poll::Pending);
    bench.coordination.wake(Wake::Settle);
    bench.coordination.wake(Wake::Settle);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(wakes.poll_next(&mut context), Poll::Ready(Wake::Settle));
    assert_eq!(wakes.poll_next(&mut context), Poll::Pending);
}
