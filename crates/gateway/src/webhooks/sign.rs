//! Signatures as the Standard Webhooks specification, version 1, has them: `v1,` and the base64 of an HMAC-SHA256 over
//! `id.timestamp.body`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use secrecy::SecretString;
use switchyard_core::Timestamp;

/// What a secret's text starts with.
const PREFIX: &str = "whsec_";

/// New secrets, in bytes. The specification allows 24 to 64.
const SECRET_BYTES: usize = 32;

/// A secret that signs. It shows nothing of itself.
pub(crate) struct SigningSecret(Vec<u8>);

impl SigningSecret {
    /// A new one.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = vec![0; SECRET_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// As it was opened.
    pub(crate) const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// To be sealed.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As the merchant gets it, once.
    pub(crate) fn text(&self) -> SecretString {
        format!("{PREFIX}{}", STANDARD.encode(&self.0)).into()
    }

    /// The signature of one message.
    pub(crate) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

/// What goes into the headers of one message.
pub(super) struct Signed {
    pub(super) timestamp: String,
    /// One signature for each secret, with spaces between them.
    pub(super) signature: SecretString,
}

/// Signs with all the secrets.
pub(super) fn sign(secrets: &[SigningSecret], id: &str, at: Timestamp, body: &[u8]) -> Signed {
    let seconds = at.0.div_euclid(1000);
    let signatures: Vec<String> = secrets.iter().map(|secret| secret.sign(id, seconds, body)).collect();
    Signed { timestamp: seconds.to_string(), signature: signatures.join(" ").into() }
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    fn read(text: &SecretString) -> Option<SigningSecret> {
        STANDARD.decode(text.expose_secret().strip_prefix(PREFIX)?).ok().map(SigningSecret)
    }

    #[test]
    fn the_example_of_the_specification_comes_out() {
        let secret = read(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_signs_and_shows_nothing() {
        let secrets = [SigningSecret::random().unwrap(), SigningSecret::random().unwrap()];
        let signed = sign(&secrets, "evt_1", Timestamp(1_614_265_330_999), b"{}");
        assert_eq!(signed.timestamp, "1614265330");
        let both = [secrets[0].sign("evt_1", 1_614_265_330, b"{}"), secrets[1].sign("evt_1", 1_614_265_330, b"{}")];
        assert_eq!(signed.signature.expose_secret(), both.join(" "));
        assert_ne!(both[0], both[1]);
        let text = secrets[0].text();
        assert_eq!(read(&text).unwrap().bytes(), secrets[0].bytes());
        assert_eq!(format!("{:?}", secrets[0]), "SigningSecret(..)");
    }
}
