use super::*;
use crate::account::Mode;
use crate::charge::Status;
use crate::ledger::in_memory;
use crate::token::Outcome;

const START: Millis = Millis(1_000_000);

fn ask(key: &str) -> Request {
    let account = Account { name: "acme".into(), mode: Mode::Test };
    Request { account, key: key.into(), fault: None, pending_ms: 3_000 }
}

fn wanted(amount: i64) -> ChargeRequest {
    let body = format!(r#"{{"amount":{amount},"currency":"EUR","method":"card","capture":"manual"}}"#);
    ChargeRequest::read(body.as_bytes()).unwrap()
}

/// Runs one job as a batch of its own.
fn at<T>(books: &mut Books, now: Millis, job: impl FnOnce(&mut Books) -> Result<T>) -> T {
    books.begin(now).unwrap();
    let value = job(books).unwrap();
    books.commit().unwrap();
    value
}

fn charge(books: &mut Books, key: &str, outcome: Outcome) -> Charge {
    let made = at(books, START, |books| books.charge(ask(key), wanted(1_000), &outcome.into()));
    let Made::New(charge, None) = made else { panic!("{made:?}") };
    charge
}

#[test]
fn one_key_makes_one_charge() {
    let mut books = in_memory();
    let first = charge(&mut books, "k", Outcome::Approve);
    let plan = Outcome::Approve.into();
    let again = at(&mut books, START, |books| books.charge(ask("k"), wanted(1_000), &plan));
    assert!(matches!(again, Made::Again(same) if same.number == first.number));
    let other = at(&mut books, START, |books| books.charge(ask("k"), wanted(1_001), &plan));
    assert!(matches!(other, Made::Mismatch));

    let mut elsewhere = ask("k");
    elsewhere.account.mode = Mode::Live;
    let new = at(&mut books, START, |books| books.charge(elsewhere, wanted(1_000), &plan));
    assert!(matches!(new, Made::New(..)));
}

#[test]
fn a_key_of_a_charge_cannot_make_a_capture() {
    let mut books = in_memory();
    let number = charge(&mut books, "k", Outcome::Approve).number;
    let made =
        at(&mut books, START, |books| books.operate(ask("k"), Kind::Capture, number, OperationRequest::default()));
    assert!(matches!(made, Made::Mismatch));
}

#[test]
fn time_settles_what_is_due_before_anything_reads_it() {
    let mut books = in_memory();
    let number = charge(&mut books, "k", Outcome::Wait(None)).number;
    let read = |books: &mut Books, now| at(books, now, |books| books.any_charge(number)).unwrap().status;
    assert_eq!(read(&mut books, START.after(2_999)), Status::Pending);
    assert_eq!(read(&mut books, START.after(3_000)), Status::Authorized);
    assert_eq!(read(&mut books, START.after(3_000 + crate::limits::AUTHORIZATION_MS)), Status::Expired);
    assert_eq!(books.next_due, None);
}

#[test]
fn a_pending_capture_is_settled_with_its_charge() {
    let mut books = in_memory();
    let plan = Outcome::Approve.into();
    let made = at(&mut books, START, |books| books.charge(ask("k"), wanted(20_000), &plan));
    let Made::New(Charge { number, .. }, None) = made else { panic!("{made:?}") };
    for (key, amount) in [("good", 7_707), ("bad", 7_708)] {
        let wanted = OperationRequest { amount: Some(amount), ..OperationRequest::default() };
        let made = at(&mut books, START, |books| books.operate(ask(key), Kind::Capture, number, wanted));
        assert!(matches!(made, Made::New((Operation { status: OperationStatus::Pending, .. }, _), None)));
    }
    let (charge, operations) =
        at(&mut books, START.after(3_000), |books| books.find_charge(&ask("").account, number)).unwrap();
    let statuses: Vec<_> = operations.iter().map(|operation| operation.status).collect();
    assert_eq!(statuses, [OperationStatus::Succeeded, OperationStatus::Failed]);
    assert_eq!((charge.sums.captured, charge.capturable()), (7_707, 12_293));
}

#[test]
fn a_failed_batch_books_nothing_and_forgets_what_it_knew() {
    let mut books = in_memory();
    books.begin(START).unwrap();
    let plan = Outcome::Wait(None).into();
    books.charge(ask("k"), wanted(1_000), &plan).unwrap();
    books.roll_back();
    assert_eq!((books.next_due, books.known.len()), (None, 0));
    charge(&mut books, "k", Outcome::Approve);
}

#[test]
fn what_was_left_out_is_counted_and_leaves_the_key_free() {
    let mut books = in_memory();
    for _ in 0..2 {
        let made = at(&mut books, START, |books| books.charge(ask("k"), wanted(1_000), &Fault::CutBefore.into()));
        assert!(matches!(made, Made::Unbooked(Fault::CutBefore)));
    }
    let left_out = books.unbooked(0, 10).unwrap();
    let shown = serde_json::to_value(&left_out).unwrap();
    assert_eq!((&shown[0]["asked"], &shown[0]["reason"]), (&2.into(), &"cut_before".into()));
    charge(&mut books, "k", Outcome::Approve);
}
