//! The layers of settings, from weak to strong, and what they come to together.

use super::environment::{Environment, PREFIX};
use super::fault::{Fault, Where};
use super::secret::SecretRef;
use super::section::{self, Reading};
use super::settings::{KEYS, Key, Kind, Settings};
use secrecy::SecretString;
use std::cell::RefCell;
use std::path::Path;
use switchyard_routing::nearest::nearest;
use switchyard_routing::reader::{self, Document};
use switchyard_routing::source::Source;

/// Where a layer comes from.
#[derive(Clone, Debug)]
enum Origin {
    /// A file, or the copy built in.
    File,
    /// One environment variable. Its value is `None` where it must not be shown.
    Variable { name: String, shown: Option<String> },
    /// An option of the command line.
    Option,
}

/// Some settings, as TOML.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    origin: Origin,
    source: Source,
}

impl Layer {
    /// A file that was read.
    pub(crate) fn file(source: Source) -> Self {
        Self { origin: Origin::File, source }
    }

    /// `--data DIR`.
    pub(crate) fn data(directory: &str) -> Self {
        let text = format!("store.data = {}", quoted(directory));
        Self { origin: Origin::Option, source: Source::new("--data", text) }
    }

    fn variable(key: &Key, name: &str, value: &str) -> Self {
        let text = match key.kind {
            Kind::Integer if value.parse::<i64>().is_ok() => value.to_owned(),
            Kind::Integer | Kind::Text => quoted(value),
            Kind::Secret => format!("{{ value = {} }}", quoted(value)),
        };
        // An address may hold a password.
        let shown = (key.kind != Kind::Secret && !value.contains('@')).then(|| value.to_owned());
        let text = format!("{}.{} = {text}", key.section, key.name);
        Self { origin: Origin::Variable { name: name.to_owned(), shown }, source: Source::new(name, text) }
    }

    /// A fault of the reader as a fault of this layer.
    fn fault(&self, fault: switchyard_routing::source::Fault) -> Fault {
        let fault = Fault::from(fault);
        match &self.origin {
            Origin::File => fault,
            Origin::Variable { name, shown } => {
                Fault { at: Where::Variable { name: name.clone(), value: shown.clone() }, ..fault }
            }
            Origin::Option => Fault { at: Where::Path(self.source.path().to_owned()), ..fault },
        }
    }

    /// All that is wrong with this layer alone.
    fn faults(&self) -> Vec<Fault> {
        let faults = reader::Faults::new(&self.source);
        if let Some(document) = Document::parse(&faults) {
            let _ = section::read(document.root(&faults), &Reading { whole: false, secret: &|_, _| None });
        }
        faults.into_vec().into_iter().map(|fault| self.fault(fault)).collect()
    }

    /// Where this layer has a setting.
    fn place(&self, section: &'static str, name: &'static str) -> Option<Where> {
        let faults = reader::Faults::new(&self.source);
        let document = Document::parse(&faults)?;
        let span = document.root(&faults).table(section)?.get(name)?.span();
        Some(self.fault(self.source.fault(&span, "")).at)
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A layer for each variable that is a setting, and a fault for each that looks like one and is none.
pub(crate) fn of_environment(environment: &Environment, faults: &mut Vec<Fault>) -> Vec<Layer> {
    let known: Vec<String> = KEYS.iter().map(Key::variable).collect();
    let mut layers = Vec::new();
    for (name, value) in environment.settings() {
        let at = || Where::Variable { name: name.to_owned(), value: None };
        let key = KEYS.iter().zip(&known).find(|(_, variable)| *variable == name).map(|(key, _)| key);
        match (key, value) {
            (Some(key), Some(value)) => layers.push(Layer::variable(key, name, value)),
            (Some(_), None) => faults.push(Fault::new(at(), format!("{name} is not Unicode"))),
            (None, _) => {
                let fault = Fault::new(at(), format!("unknown setting {name}"));
                let hint = match nearest(name, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("variables that start with {PREFIX} are settings; sandbox.toml lists them all"),
                };
                faults.push(fault.with_hint(hint));
            }
        }
    }
    layers
}

/// All layers of a process, from weak to strong.
pub(crate) struct Layers(pub(crate) Vec<Layer>);

impl Layers {
    /// Where a setting got its value; [`Where::Path`] of the strongest file where none of the layers has it.
    pub(crate) fn place(&self, section: &'static str, name: &'static str) -> Where {
        let file = || {
            let last = self.0.iter().rev().find(|layer| matches!(layer.origin, Origin::File));
            Where::Path(last.map(|layer| layer.source.path().to_owned()).unwrap_or_default())
        };
        self.0.iter().rev().find_map(|layer| layer.place(section, name)).unwrap_or_else(file)
    }

    /// Merges the layers and reads the result. `base` is where relative paths of secrets start.
    ///
    /// # Errors
    /// Every fault of every layer; and only where there is none, those of the whole.
    pub(crate) fn settings(&self, environment: &Environment, base: &Path) -> Result<Settings, Vec<Fault>> {
        let faults: Vec<Fault> = self.0.iter().flat_map(Layer::faults).collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        let text = self.merged().map_err(|message| vec![Fault::new(Where::Path("the settings".into()), message)])?;
        let source = Source::new("the settings", text);
        let missing = RefCell::new(Vec::new());
        let secret = |key: &str, reference: &SecretRef| self.secret(key, reference, environment, base, &missing);
        let found = reader::Faults::new(&source);
        let document = Document::parse(&found);
        let settings = document
            .and_then(|document| section::read(document.root(&found), &Reading { whole: true, secret: &secret }));
        let mut faults: Vec<Fault> = found.into_vec().into_iter().map(Fault::from).collect();
        faults.extend(missing.into_inner());
        match settings {
            Some(settings) if faults.is_empty() => Ok(settings),
            Some(_) | None => Err(faults),
        }
    }

    fn secret(
        &self,
        key: &str,
        reference: &SecretRef,
        environment: &Environment,
        base: &Path,
        missing: &RefCell<Vec<Fault>>,
    ) -> Option<SecretString> {
        let found = reference.resolve(environment, base);
        found
            .map_err(|error| {
                let known = KEYS.iter().find(|known| key == format!("{}.{}", known.section, known.name));
                let at = known.map_or(Where::Path(key.to_owned()), |known| self.place(known.section, known.name));
                missing.borrow_mut().push(Fault { hint: error.hint, ..Fault::new(at, error.message) });
            })
            .ok()
    }

    /// One text with the strongest value of each setting.
    fn merged(&self) -> Result<String, String> {
        let mut builder = ::config::Config::builder();
        for layer in &self.0 {
            builder = builder.add_source(::config::File::from_str(layer.source.text(), ::config::FileFormat::Toml));
        }
        let merged = builder.build().and_then(::config::Config::try_deserialize::<toml::Table>);
        let mut merged = merged.map_err(|error| error.to_string())?;
        // Tables are merged key by key, but a secret's reference is one value: the strongest stands alone.
        for key in KEYS.iter().filter(|key| key.kind == Kind::Secret) {
            let strongest = self.0.iter().rev().find_map(|layer| {
                let table: toml::Table = toml::from_str(layer.source.text()).ok()?;
                table.get(key.section)?.get(key.name).cloned()
            });
            let section = merged.get_mut(key.section).and_then(toml::Value::as_table_mut);
            if let (Some(strongest), Some(section)) = (strongest, section) {
                section.insert(key.name.to_owned(), strongest);
            }
        }
        toml::to_string(&merged).map_err(|error| error.to_string())
    }
}
