//! A rule set: a file's rules, compiled against a vocabulary.

use crate::channel::Channel;
use crate::domain::{Domain, NAMES_MAX};
use crate::nearest::nearest;
use crate::offer::{CHANNELS_MAX, ChannelSet, Offer, UnknownTarget};
use crate::parse::{self, Names};
use crate::possible::Possible;
use crate::reader::{Document, Faults};
use crate::region::Regions;
use crate::rule::Rule;
use crate::snapshot::{Snapshot, Status};
use crate::source::{Fault, Source};
use crate::table::Table;
use crate::test_case::{self, TestCase};
use crate::vocabulary::{ChannelSpec, Vocabulary};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use switchyard_core::ChannelName;

/// Compiled rules, ready to decide. Immutable: a change is another rule set, swapped in whole.
#[derive(Clone, Debug)]
pub struct RuleSet {
    pub(crate) source: Source,
    canonical: String,
    hash: String,
    pub(crate) domain: Domain,
    pub(crate) rules: Vec<Rule>,
    pub(crate) tests: Vec<TestCase>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) table: Table,
    pub(crate) possible: Possible,
    vocabulary: Arc<Vocabulary>,
}

impl RuleSet {
    /// Reads and compiles the rules of a file.
    ///
    /// # Errors
    /// Every fault of the file at once: what is not TOML, unknown names, values out of bounds. Whether the rules make
    /// sense together is another question: [`crate::check::check`].
    pub fn compile(source: &Source, vocabulary: &Vocabulary) -> Result<Self, Vec<Fault>> {
        let canonical = vocabulary.canonical() + &Regions::built_in().canonical();
        Self::compile_with(source, vocabulary, None, canonical)
    }

    /// With the built-in regions of another version, and all of the vocabulary as text.
    pub(crate) fn compile_with(
        source: &Source,
        vocabulary: &Vocabulary,
        regions: Option<Regions>,
        canonical: String,
    ) -> Result<Self, Vec<Fault>> {
        let faults = Faults::new(source);
        let compiled = Self::read(source, vocabulary, regions, canonical, &faults);
        match (compiled, faults.into_vec()) {
            (Some(rules), faults) if faults.is_empty() => Ok(rules),
            (_, faults) => Err(faults),
        }
    }

    fn read(
        source: &Source,
        vocabulary: &Vocabulary,
        regions: Option<Regions>,
        canonical: String,
        faults: &Faults<'_>,
    ) -> Option<Self> {
        let specs: BTreeMap<&ChannelName, &ChannelSpec> =
            vocabulary.channels.iter().map(|spec| (&spec.name, spec)).collect();
        let most = vocabulary.merchants.len().max(vocabulary.order_types.len());
        if specs.len() > CHANNELS_MAX || most > NAMES_MAX {
            let message = format!("more than {CHANNELS_MAX} channels, or {NAMES_MAX} merchants or order types");
            faults.push(&(0..0), message);
            return None;
        }
        let document = Document::parse(faults)?;
        let root = document.root(faults);
        let mut domain = Domain::new(vocabulary);
        domain.regions = regions;
        let names_of_channels: Vec<ChannelName> = specs.keys().map(|name| (*name).clone()).collect();
        let regions = parse::regions(root.table("regions"), &domain, faults);
        let names = Names { domain: &domain, vocabulary, channels: &names_of_channels, regions };
        let rules = parse::rules(root.tables("rules"), &names, faults);
        let tests = test_case::tests(root.tables("tests"), &rules, &names, faults);
        root.finish();
        if !faults.is_empty() {
            return None;
        }
        let channels: Vec<Channel> = specs.values().map(|spec| Channel::new(spec, vocabulary, &domain)).collect();
        let table = Table::new(&rules, &domain);
        if table.is_none() {
            faults.push(
                &(0..0),
                "the rules name so many different bounds of amounts that their table would not fit in memory",
            );
        }
        let hash = hash(source.text(), &canonical);
        let possible = Possible::new(vocabulary, &channels, &domain);
        let vocabulary = Arc::new(vocabulary.clone());
        Some(Self {
            source: source.clone(),
            canonical,
            hash,
            rules,
            tests,
            channels,
            table: table?,
            possible,
            vocabulary,
            domain,
        })
    }

    /// `sha256:` and 64 digits over the file's bytes and [`RuleSet::canonical`]: two rule sets of the same hash decide
    /// alike.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// All that the rules' words meant when they were compiled, as text: [`Vocabulary::canonical`] and the built-in regions.
    /// With the file's text it makes the very same rule set again: [`RuleSet::again`].
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// What its rules could name: with them, so that both are of one moment.
    #[must_use]
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.vocabulary
    }

    /// The file it was read from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The names of all rules, in their order.
    pub fn rule_names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.name.as_str())
    }

    /// The names of all channels, in the order in which a [`Snapshot`] has them.
    pub fn channel_names(&self) -> impl Iterator<Item = &ChannelName> {
        self.channels.iter().map(|channel| &channel.name)
    }

    /// The status of every channel, as `status` tells it.
    #[must_use]
    pub fn snapshot(&self, status: impl FnMut(&ChannelName) -> Status) -> Snapshot {
        Snapshot::new(self.channel_names().map(status))
    }

    /// The statuses of a snapshot, by the channels' names.
    pub fn statuses(&self, snapshot: &Snapshot) -> impl Iterator<Item = (&ChannelName, Status)> {
        self.channel_names().enumerate().map(|(at, name)| (name, snapshot.status(at)))
    }

    /// What a payment offers whose tokens have these keys: each is a channel's name, or else a provider's. No key at all
    /// is [`Offer::Nothing`].
    ///
    /// # Errors
    /// The first key that is neither.
    pub fn offer<'k>(&self, keys: impl IntoIterator<Item = &'k str>) -> Result<Offer, UnknownTarget> {
        let mut set: Option<ChannelSet> = None;
        for key in keys {
            let into = set.get_or_insert_default();
            let exact = self.channels.binary_search_by(|channel| channel.name.as_str().cmp(key));
            let mut known = false;
            for (at, channel) in self.channels.iter().enumerate() {
                if exact.map_or(channel.provider == key, |found| found == at) {
                    into.insert(at);
                    known = true;
                }
            }
            if !known {
                let names = self.channels.iter().flat_map(|channel| [channel.name.as_str(), channel.provider.as_str()]);
                return Err(UnknownTarget { name: key.to_owned(), nearest: nearest(key, names).map(str::to_owned) });
            }
        }
        Ok(set.map_or(Offer::Nothing, Offer::Channels))
    }

    pub(crate) fn channel(&self, at: usize) -> Option<&Channel> {
        self.channels.get(at)
    }
}

fn hash(text: &str, vocabulary: &str) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(text.as_bytes());
    context.update(b"\0");
    context.update(vocabulary.as_bytes());
    context.finish().as_ref().iter().fold(String::from("sha256:"), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
