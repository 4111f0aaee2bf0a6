//! What can be said on the command line, and what `--help` says about it.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A payment gateway that you run yourself: one API for merchants, many providers behind it, and rules of yours that say
/// which of them serves a payment.
///
/// `switchyard sandbox` shows all of it at once, with a simulated provider and nothing to configure.
#[derive(Debug, Parser)]
#[command(name = "switchyard", version, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Global {
    /// Directory of switchyard.toml, channels.toml, merchants.toml and routing.toml [default: ./config]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Data directory, with the ledger in it; wins over `store.data` [default: ./data]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data: Option<PathBuf>,
    /// Refuse a configuration with warnings, such as a channel whose credentials are missing
    #[arg(long, global = true)]
    pub(crate) strict: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway with a simulated provider beside it
    ///
    /// Needs no configuration: what ./config does not have is built in. The key sy_test_sandbox works, from this machine
    /// only. What is recorded stays in the data directory and is there again at the next start. No money moves.
    Sandbox,
    /// Run the gateway
    ///
    /// Serves merchants on `api.listen` and operators on `ops.listen`. SIGTERM and Ctrl-C stop it in order: it accepts
    /// nothing more, finishes what is under way, and ends.
    Serve,
    /// Run the simulated provider alone
    ///
    /// For benchmarks and crash tests: point a gateway at it with SWITCHYARD__SIMULATOR__URL. It asks for no password on
    /// its ledger and controls, so keep it to yourself.
    Simulator,
    /// Look at the routing rules
    Rules {
        #[command(subcommand)]
        command: RulesCommand,
    },
    /// Issue, list and revoke API keys
    ///
    /// Goes through the operations listener while a process serves from the data directory, and straight to the ledger
    /// otherwise.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Look at channels, and say what their status is
    Channels {
        #[command(subcommand)]
        command: ChannelsCommand,
    },
    /// Look at the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

/// `switchyard rules`.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Check the rules and run their tests
    Check {
        /// What to fail for besides errors: `warnings`. Notes are never denied
        #[arg(long, value_name = "WHAT")]
        deny: Option<Deny>,
        /// Print what is found as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say why a payment goes where it goes
    ///
    /// Of a payment that might be, under the rules of the configuration; or of a recorded one, by its id, under the rules
    /// and with the status of that moment.
    ///
    /// Examples: switchyard rules explain --country DE --amount 125.00 --currency EUR --down simulator_eu
    ///           switchyard rules explain pay_01970000000070008000000000000001
    #[command(verbatim_doc_comment)]
    Explain(Explain),
    /// Show which payments another rule file treats otherwise, as ranges
    ///
    /// Both files are read against the channels and merchants of the configuration.
    ///
    /// Example: switchyard rules diff config/routing.toml proposed/routing.toml
    Diff {
        /// The rules before
        old: PathBuf,
        /// The rules after
        new: PathBuf,
        /// How many changes to show; the rest is counted
        #[arg(long, default_value_t = 20)]
        ranges: usize,
        /// Print what is found as JSON
        #[arg(long)]
        json: bool,
    },
    /// Bring a rule file into its canonical form
    Fmt {
        /// The file
        file: PathBuf,
        /// Change nothing; fail where the file is not in its canonical form
        #[arg(long)]
        check: bool,
    },
    /// Make every recorded decision again, and fail where one does not come out as it is recorded
    ///
    /// Reads the ledger, whether a process serves from it or not.
    Verify(Verify),
    /// Show which recorded payments other rules would send elsewhere: how many, of what value, from where to where
    ///
    /// Each is tried with the status that its channels had then, what it carried and its own id. Reads the ledger, whether
    /// a process serves from it or not.
    ///
    /// Example: switchyard rules replay --since 7d --rules proposed/routing.toml
    Replay(Replay),
}

/// What a check can be told to fail for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    /// Findings that are likely a mistake.
    Warnings,
}

/// Which decisions to make again.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// Of payments made since: a span back from now (7d), the start of a day (2026-11-01, UTC) or a time (RFC 3339)
    /// [default: all]
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
}

/// Which payments to try which rules on.
#[derive(Args, Debug)]
pub(crate) struct Replay {
    /// Payments made since: a span back from now (7d), the start of a day (2026-11-01, UTC) or a time (RFC 3339)
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: String,
    /// Payments made before, said in the same ways [default: now]
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// The rules to try, read against the channels and merchants of the configuration [default: routing.toml there]
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// How many payments to name of each way they would move
    #[arg(long, default_value_t = 3)]
    pub(crate) limit: usize,
    /// Print what is found as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A payment that might be, or one that is recorded.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The id of a recorded payment
    #[arg(conflicts_with_all = [
        "amount", "currency", "country", "order_type", "method", "merchant", "manual_capture", "down", "degraded",
    ])]
    pub(crate) payment: Option<String>,
    /// In major units, such as 125.00
    #[arg(long, required_unless_present = "payment")]
    pub(crate) amount: Option<String>,
    /// ISO 4217, such as EUR
    #[arg(long, required_unless_present = "payment")]
    pub(crate) currency: Option<String>,
    /// The payer's, ISO 3166-1, such as DE
    #[arg(long, required_unless_present = "payment")]
    pub(crate) country: Option<String>,
    /// Of merchants.toml
    #[arg(long, default_value = "ecommerce")]
    pub(crate) order_type: String,
    /// What the payer pays with
    #[arg(long, default_value = "card")]
    pub(crate) method: String,
    /// Whose payment [default: any merchant without a narrowing]
    #[arg(long)]
    pub(crate) merchant: Option<String>,
    /// Capture later instead of at once
    #[arg(long)]
    pub(crate) manual_capture: bool,
    /// Take these channels for down
    #[arg(long, value_name = "CHANNEL", value_delimiter = ',')]
    pub(crate) down: Vec<String>,
    /// Take these channels for degraded
    #[arg(long, value_name = "CHANNEL", value_delimiter = ',')]
    pub(crate) degraded: Vec<String>,
}

/// `switchyard keys`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Issue a key and show it, once
    ///
    /// Example: switchyard keys issue --merchant demo-shop --mode test --expires 90d --label "web shop"
    Issue(Issue),
    /// List all keys, revoked and expired ones too, without their secrets
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a key back at once and for ever
    Revoke {
        /// Its id, as `keys list` shows it: key_...
        id: String,
    },
}

/// A key to issue.
#[derive(Args, Debug)]
pub(crate) struct Issue {
    /// Whose key, of merchants.toml
    #[arg(long)]
    pub(crate) merchant: String,
    /// `test`, or `live` where money moves: picks the credentials of channels and keeps the books apart
    #[arg(long, default_value = "test")]
    pub(crate) mode: String,
    /// What it may do, separated by commas: payments:write, payments:read, refunds:write, payouts:write, payouts:approve,
    /// disputes:write, webhooks:manage, keys:manage
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', default_values = ["payments:write", "payments:read", "refunds:write"])]
    pub(crate) scopes: Vec<String>,
    /// When it ends by itself: in a span (90d, 12h), at the start of a day (2027-01-31, UTC) or at a time (RFC 3339)
    /// [default: never]
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,
    /// What people call it
    #[arg(long, default_value = "")]
    pub(crate) label: String,
    /// IP addresses and networks (10.0.0.0/8, 2001:db8::/32) that may use it, separated by commas [default: any]
    #[arg(long = "ip", value_name = "ADDRESS", value_delimiter = ',')]
    pub(crate) addresses: Vec<String>,
    /// Requests that it may send each second [default: as the merchant, or `limits.per_second`]
    #[arg(long, value_name = "REQUESTS")]
    pub(crate) per_second: Option<u32>,
    /// Requests that it may send at once after a pause [default: twice those each second]
    #[arg(long, value_name = "REQUESTS", requires = "per_second")]
    pub(crate) burst: Option<u32>,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `switchyard channels`.
#[derive(Debug, Subcommand)]
pub(crate) enum ChannelsCommand {
    /// List channels with their providers and modes, and with what each is and why
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what a channel's status is, whatever its health
    ///
    /// For new payments only: captures, refunds and look-ups always go to the channel that has the payment.
    Override(Override),
    /// Leave a channel's status to its health and its maintenance windows again
    Clear {
        /// The channel, of channels.toml
        channel: String,
    },
    /// Show how the statuses of channels have changed, latest first
    History {
        /// The channel [default: all]
        channel: Option<String>,
        /// How many changes at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
}

/// A status to set.
#[derive(Args, Debug)]
pub(crate) struct Override {
    /// The channel, of channels.toml
    pub(crate) channel: String,
    /// `up`, `degraded` (only where no other is up), `down` or `disabled`
    pub(crate) status: String,
    /// Why, for the people who come after you
    #[arg(long)]
    pub(crate) reason: String,
    /// When it ends by itself: in a span (30m, 2h), at the start of a day (2027-01-31, UTC) or at a time (RFC 3339)
    /// [default: never]
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,
}

/// `switchyard config`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Tell all that is wrong with files, environment and rules, with file, line and what was perhaps meant
    Check {
        /// Check for `switchyard sandbox`, which needs less than `switchyard serve`
        #[arg(long)]
        sandbox: bool,
        /// Print what is found as JSON
        #[arg(long)]
        json: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_of_all_commands_stand_before_or_behind() {
        for line in ["switchyard --data d serve --strict", "switchyard serve --strict --data d"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert!(cli.global.strict && cli.global.data.is_some(), "{line}");
        }
        assert!(Cli::try_parse_from(["switchyard", "serv"]).is_err());
    }

    #[test]
    fn a_payment_is_explained_by_its_id_or_by_its_facts() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        assert!(parse("switchyard rules explain pay_1 --data d").is_ok());
        assert!(parse("switchyard rules explain --country DE --amount 1 --currency EUR").is_ok());
        for line in
            ["", " --country DE --amount 1", " pay_1 --country DE", " pay_1 --method pix", " pay_1 --manual-capture"]
        {
            assert!(parse(&format!("switchyard rules explain{line}")).is_err(), "{line}");
        }
    }
}
