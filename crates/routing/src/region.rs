//! Regions that rules may name: built in, or the operator's own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use switchyard_core::Country;

/// What a built-in region consists of: codes of countries and names of other built-in regions.
struct Builtin {
    name: &'static str,
    members: &'static [&'static str],
    without: &'static [&'static str],
}

const fn region(name: &'static str, members: &'static [&'static str]) -> Builtin {
    Builtin { name, members, without: &[] }
}

/// The built-in regions. Each country's sub-region is that of UN M49 ("Standard country or area codes for statistical
/// use"), in ISO 3166-1 alpha-2 codes; Taiwan, which M49 has no row for, stands with Eastern
/// Asia, and Antarctica is in none. Below them, what payments know besides:
///
/// - `EU`, `EEA`, `EUROZONE`: treaties in force 2026-01-01 (Bulgaria has the euro since that day).
/// - `SEPA`: the European Payments Council's list of SEPA scheme countries, EPC409-09, 2025, with the territories that it
///   names where ISO gives them a code of their own.
/// - `GCC`: charter of 1981. `NORDICS`: members of the Nordic Council with their autonomous areas.
/// - `MENA`: M49's Northern Africa and Western Asia with Iran, without the Caucasus, Cyprus and Türkiye, without Sudan and
///   Western Sahara. `APAC`: M49's Eastern, South-eastern and Southern Asia without Iran, and Oceania.
/// - `SEA`, `LATAM`, `NORTH_AMERICA`: M49's South-eastern Asia, Latin America and the Caribbean, Northern America.
const BUILTIN: &[Builtin] = &[
    region(
        "EASTERN_AFRICA",
        &[
            "IO", "BI", "KM", "DJ", "ER", "ET", "TF", "KE", "MG", "MW", "MU", "YT", "MZ", "RE", "RW", "SC", "SO", "SS",
            "TZ", "UG", "ZM", "ZW",
        ],
    ),
    region("MIDDLE_AFRICA", &["AO", "CM", "CF", "TD", "CG", "CD", "GQ", "GA", "ST"]),
    region("NORTHERN_AFRICA", &["DZ", "EG", "LY", "MA", "SD", "TN", "EH"]),
    region("SOUTHERN_AFRICA", &["BW", "SZ", "LS", "NA", "ZA"]),
    region(
        "WESTERN_AFRICA",
        &["BJ", "BF", "CV", "CI", "GM", "GH", "GN", "GW", "LR", "ML", "MR", "NE", "NG", "SH", "SN", "SL", "TG"],
    ),
    region(
        "CARIBBEAN",
        &[
            "AI", "AG", "AW", "BS", "BB", "BQ", "VG", "KY", "CU", "CW", "DM", "DO", "GD", "GP", "HT", "JM", "MQ", "MS",
            "PR", "BL", "KN", "LC", "MF", "VC", "SX", "TT", "TC", "VI",
        ],
    ),
    region("CENTRAL_AMERICA", &["BZ", "CR", "SV", "GT", "HN", "MX", "NI", "PA"]),
    region(
        "SOUTH_AMERICA",
        &["AR", "BO", "BV", "BR", "CL", "CO", "EC", "FK", "GF", "GY", "PY", "PE", "GS", "SR", "UY", "VE"],
    ),
    region("NORTHERN_AMERICA", &["BM", "CA", "GL", "PM", "US"]),
    region("CENTRAL_ASIA", &["KZ", "KG", "TJ", "TM", "UZ"]),
    region("EASTERN_ASIA", &["CN", "HK", "MO", "KP", "JP", "MN", "KR", "TW"]),
    region("SOUTH_EASTERN_ASIA", &["BN", "KH", "ID", "LA", "MY", "MM", "PH", "SG", "TH", "TL", "VN"]),
    region("SOUTHERN_ASIA", &["AF", "BD", "BT", "IN", "IR", "MV", "NP", "PK", "LK"]),
    region(
        "WESTERN_ASIA",
        &["AM", "AZ", "BH", "CY", "GE", "IQ", "IL", "JO", "KW", "LB", "OM", "QA", "SA", "PS", "SY", "TR", "AE", "YE"],
    ),
    region("EASTERN_EUROPE", &["BY", "BG", "CZ", "HU", "PL", "MD", "RO", "RU", "SK", "UA"]),
    region(
        "NORTHERN_EUROPE",
        &["AX", "GG", "JE", "DK", "EE", "FO", "FI", "IS", "IE", "IM", "LV", "LT", "NO", "SJ", "SE", "GB"],
    ),
    region(
        "SOUTHERN_EUROPE",
        &["AL", "AD", "BA", "HR", "GI", "GR", "VA", "IT", "MT", "ME", "MK", "PT", "SM", "RS", "SI", "ES"],
    ),
    region("WESTERN_EUROPE", &["AT", "BE", "FR", "DE", "LI", "LU", "MC", "NL", "CH"]),
    region("AUSTRALIA_AND_NEW_ZEALAND", &["AU", "CX", "CC", "HM", "NZ", "NF"]),
    region("MELANESIA", &["FJ", "NC", "PG", "SB", "VU"]),
    region("MICRONESIA", &["GU", "KI", "MH", "FM", "NR", "MP", "PW", "UM"]),
    region("POLYNESIA", &["AS", "CK", "PF", "NU", "PN", "WS", "TK", "TO", "TV", "WF"]),
    region("SUB_SAHARAN_AFRICA", &["EASTERN_AFRICA", "MIDDLE_AFRICA", "SOUTHERN_AFRICA", "WESTERN_AFRICA"]),
    region("AFRICA", &["NORTHERN_AFRICA", "SUB_SAHARAN_AFRICA"]),
    region("LATAM", &["CARIBBEAN", "CENTRAL_AMERICA", "SOUTH_AMERICA"]),
    region("NORTH_AMERICA", &["NORTHERN_AMERICA"]),
    region("AMERICAS", &["LATAM", "NORTHERN_AMERICA"]),
    region("ASIA", &["CENTRAL_ASIA", "EASTERN_ASIA", "SOUTH_EASTERN_ASIA", "SOUTHERN_ASIA", "WESTERN_ASIA"]),
    region("SEA", &["SOUTH_EASTERN_ASIA"]),
    region("EUROPE", &["EASTERN_EUROPE", "NORTHERN_EUROPE", "SOUTHERN_EUROPE", "WESTERN_EUROPE"]),
    region("OCEANIA", &["AUSTRALIA_AND_NEW_ZEALAND", "MELANESIA", "MICRONESIA", "POLYNESIA"]),
    Builtin {
        name: "APAC",
        members: &["EASTERN_ASIA", "SOUTH_EASTERN_ASIA", "SOUTHERN_ASIA", "OCEANIA"],
        without: &["IR"],
    },
    region(
        "EU",
        &[
            "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU",
            "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
        ],
    ),
    region("EEA", &["EU", "IS", "LI", "NO"]),
    region(
        "EUROZONE",
        &[
            "AT", "BE", "BG", "HR", "CY", "EE", "FI", "FR", "DE", "GR", "IE", "IT", "LV", "LT", "LU", "MT", "NL", "PT",
            "SK", "SI", "ES",
        ],
    ),
    region(
        "SEPA",
        &[
            "EEA", "AD", "AL", "CH", "GB", "MC", "MD", "ME", "MK", "RS", "SM", "VA", "AX", "BL", "GF", "GG", "GI",
            "GP", "IM", "JE", "MF", "MQ", "PM", "RE", "YT",
        ],
    ),
    region("DACH", &["DE", "AT", "CH"]),
    region("BENELUX", &["BE", "NL", "LU"]),
    region("NORDICS", &["DK", "FI", "IS", "NO", "SE", "AX", "FO", "GL"]),
    region("BALTICS", &["EE", "LV", "LT"]),
    region("GCC", &["AE", "BH", "KW", "OM", "QA", "SA"]),
    Builtin {
        name: "MENA",
        members: &["NORTHERN_AFRICA", "WESTERN_ASIA", "IR"],
        without: &["AM", "AZ", "CY", "GE", "TR", "SD", "EH"],
    },
];

/// The names of all built-in regions.
pub fn names<'n>() -> impl Iterator<Item = &'n str> {
    BUILTIN.iter().map(|builtin| builtin.name)
}

/// The countries of a built-in region, sorted by code; `None` where there is none of that name.
///
/// ```
/// use switchyard_routing::region::countries;
/// let eea: Vec<String> = countries("EEA").unwrap().iter().map(ToString::to_string).collect();
/// assert_eq!(eea.len(), 30);
/// assert!(eea.contains(&"NO".to_owned()) && countries("eea").is_none());
/// ```
#[must_use]
pub fn countries(name: &str) -> Option<Vec<Country>> {
    let builtin = BUILTIN.iter().find(|builtin| builtin.name == name)?;
    let mut found: Vec<Country> = builtin
        .members
        .iter()
        .flat_map(|member| match Country::from_code(member) {
            Some(country) => vec![country],
            None => countries(member).unwrap_or_default(),
        })
        .filter(|country| !builtin.without.contains(&country.code()))
        .collect();
    found.sort_unstable();
    found.dedup();
    Some(found)
}

/// Regions with their countries, sorted by code: the built-in ones of some version of this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Regions(pub(crate) BTreeMap<String, Vec<Country>>);

impl Regions {
    pub(crate) fn built_in() -> Self {
        Self(names().filter_map(|name| Some((name.to_owned(), countries(name)?))).collect())
    }

    /// As text, beside [`crate::Vocabulary::canonical`]: what a rule comes to hangs on them as well.
    pub(crate) fn canonical(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, (name, countries)| {
            let codes: Vec<&str> = countries.iter().map(Country::code).collect();
            let _ = writeln!(text, "region {name} {}", codes.join(","));
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_a_country_or_a_region() {
        for builtin in BUILTIN {
            for member in builtin.members.iter().chain(builtin.without) {
                assert!(Country::from_code(member).is_some() || names().any(|name| name == *member), "{member}");
            }
            assert!(!countries(builtin.name).unwrap().is_empty());
            assert!(Country::from_code(builtin.name).is_none(), "{} is a country as well", builtin.name);
        }
    }

    #[test]
    fn the_sub_regions_of_m49_part_the_world() {
        let mut all: Vec<Country> = ["AFRICA", "AMERICAS", "ASIA", "EUROPE", "OCEANIA"]
            .iter()
            .flat_map(|name| countries(name).unwrap())
            .collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "a country stands in two of them");
        let left_out: Vec<Country> = Country::all().filter(|country| !all.contains(country)).collect();
        assert_eq!(left_out, [Country::from_code("AQ").unwrap()]);
    }

    #[test]
    fn treaties_have_their_number_of_members() {
        for (name, members) in
            [("EU", 27), ("EEA", 30), ("EUROZONE", 21), ("SEA", 11), ("GCC", 6), ("SEPA", 41 + 13), ("DACH", 3)]
        {
            assert_eq!(countries(name).unwrap().len(), members, "{name}");
        }
    }
}
