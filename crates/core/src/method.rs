//! Payment methods: one table.

use std::fmt;

/// How the payer comes to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Data at hand; at times an extra step (3-D Secure).
    Direct,
    /// The payer approves on a page of the provider or the bank.
    Redirect,
    /// The payer is shown something to pay with elsewhere: a QR code, a voucher, an account to send to.
    Push,
    /// Pulled from an account under a mandate; the outcome takes days.
    Debit,
}

/// Which way money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// To the merchant.
    Payin,
    /// From the merchant.
    Payout,
}

const IN: &[Direction] = &[Direction::Payin];
const OUT: &[Direction] = &[Direction::Payout];
const BOTH: &[Direction] = &[Direction::Payin, Direction::Payout];

macro_rules! methods {
    ($($variant:ident $name:literal $flow:ident $directions:ident;)*) => {
        /// What a payment is made with, or a payout's kind of destination.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each row's name says all there is to say")]
        pub enum Method { $($variant,)* }

        impl Method {
            /// Every method, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in requests, rules and metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Reads the name back.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// How the payer comes to pay.
            #[must_use]
            pub const fn flow(self) -> Flow {
                match self { $(Self::$variant => Flow::$flow,)* }
            }

            /// Which ways money can move by it.
            #[must_use]
            pub const fn directions(self) -> &'static [Direction] {
                match self { $(Self::$variant => $directions,)* }
            }
        }
    };
}

methods! {
    Card "card" Direct BOTH;
    ApplePay "apple_pay" Direct IN;
    GooglePay "google_pay" Direct IN;
    PayPal "paypal" Redirect IN;
    Ideal "ideal" Redirect IN;
    Bancontact "bancontact" Redirect IN;
    Blik "blik" Redirect IN;
    Eps "eps" Redirect IN;
    Przelewy24 "przelewy24" Redirect IN;
    Twint "twint" Redirect IN;
    Klarna "klarna" Redirect IN;
    SepaDebit "sepa_debit" Debit IN;
    BacsDebit "bacs_debit" Debit IN;
    AchDebit "ach_debit" Debit IN;
    BankTransfer "bank_transfer" Push IN;
    Pix "pix" Push IN;
    Boleto "boleto" Push IN;
    Oxxo "oxxo" Push IN;
    Pse "pse" Redirect IN;
    Upi "upi" Push IN;
    Netbanking "netbanking" Redirect IN;
    Gcash "gcash" Redirect IN;
    GrabPay "grabpay" Redirect IN;
    Ovo "ovo" Redirect IN;
    Dana "dana" Redirect IN;
    ShopeePay "shopeepay" Redirect IN;
    Qris "qris" Push IN;
    PromptPay "promptpay" Push IN;
    PayNow "paynow" Push IN;
    Alipay "alipay" Redirect IN;
    WechatPay "wechat_pay" Push IN;
    MobileMoney "mobile_money" Push IN;
    Usdt "usdt" Push IN;
    Usdc "usdc" Push IN;
    PayoutIban "iban" Direct OUT;
    PayoutBankAccount "bank_account" Direct OUT;
    PayoutWallet "wallet" Direct OUT;
    PayoutRegistered "registered" Direct OUT;
    PayoutCrypto "crypto" Direct OUT;
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn every_name_reads_back_once() {
        for &method in Method::ALL {
            assert_eq!(Method::from_name(method.name()), Some(method));
        }
    }
}
