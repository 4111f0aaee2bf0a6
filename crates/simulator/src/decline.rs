//! Why issuers, schemes and payers say no.

/// A refusal, as it is shown on a declined charge.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decline {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
    /// The response code of ISO 8583, as the schemes extend it.
    pub(crate) network_code: Option<&'static str>,
    /// Mastercard's merchant advice code: 01 new data, 02 later, 03 never, 21 stop the series.
    pub(crate) advice_code: Option<&'static str>,
}

/// What pending charges end with that are to be declined.
pub(crate) static DO_NOT_HONOR: &Decline =
    &decline("do_not_honor", "05", "", "The issuer refuses, and does not say why.");
pub(crate) static GENERIC: &Decline = &decline("generic_decline", "", "", "Declined.");
pub(crate) static AUTHENTICATION_FAILED: &Decline =
    &decline("authentication_failed", "", "", "The payer did not prove who they are.");
pub(crate) static CANCELED_BY_PAYER: &Decline = &decline("canceled_by_payer", "", "", "The payer gave up.");

static OTHERS: &[Decline] = &[
    decline("insufficient_funds", "51", "02", "Not enough money on the account."),
    decline("limit_exceeded", "61", "02", "The payer's limit is reached."),
    decline("processing_error", "96", "02", "A system on the way failed."),
    decline("issuer_unavailable", "91", "02", "The issuer did not answer."),
    decline("authentication_required", "1A", "", "The issuer wants the payer to prove who they are."),
    decline("incorrect_cvc", "N7", "", "The security code is wrong."),
    decline("incorrect_pin", "55", "", "The PIN is wrong."),
    decline("incorrect_address", "", "", "The address is not the cardholder's."),
    decline("invalid_card", "14", "03", "No such card number."),
    decline("invalid_data", "30", "", "The issuer cannot read the request."),
    decline("invalid_account", "78", "03", "No such account."),
    decline("account_closed", "46", "03", "The account is closed."),
    decline("expired_card", "54", "01", "The card is expired."),
    decline("lost_or_stolen", "43", "03", "The card was reported stolen."),
    decline("fraud_suspected", "59", "03", "The issuer suspects fraud."),
    decline("risk_blocked", "", "", "The provider's risk check blocked it."),
    decline("card_restricted", "62", "03", "The card may not be used here."),
    decline("card_not_supported", "58", "03", "The card is not taken here."),
    decline("currency_not_supported", "", "", "The card is not taken in this currency."),
    decline("transaction_not_allowed", "57", "03", "The cardholder may not do this."),
    decline("amount_invalid", "13", "", "The amount is not accepted."),
    decline("duplicate", "94", "", "It looks like one that was just made."),
    decline("mandate_invalid", "R1", "21", "The payer has withdrawn the mandate."),
    decline("payer_timeout", "", "", "The payer took too long."),
    decline("expired", "", "", "It was not paid in time."),
    decline("rate_limited", "", "", "Too many attempts."),
    decline("configuration", "03", "", "The merchant's account is not set up for this."),
];

impl Decline {
    pub(crate) fn find(code: &str) -> Option<&'static Self> {
        [DO_NOT_HONOR, GENERIC, AUTHENTICATION_FAILED, CANCELED_BY_PAYER]
            .into_iter()
            .chain(OTHERS)
            .find(|decline| decline.code == code)
    }
}

/// An empty code means that there is none.
const fn decline(
    code: &'static str,
    network_code: &'static str,
    advice_code: &'static str,
    message: &'static str,
) -> Decline {
    let network_code = if network_code.is_empty() { None } else { Some(network_code) };
    let advice_code = if advice_code.is_empty() { None } else { Some(advice_code) };
    Decline { code, message, network_code, advice_code }
}
