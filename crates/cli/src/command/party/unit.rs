//! `schakel party unit`: the parts of an organisation.

use schakel_api::v1::{self, change::Change};
use schakel_core::{id::UnitId, time::Timestamp};

use super::{super::proposal::propose, registered};
use crate::{
    exit::{Exit, Failure},
    instant,
    session::Session,
};

/// What `party unit` does.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Unit {
    /// Propose a unit of a party, such as a department or a location.
    ///
    /// Its people act for it by `--for-unit` (`schakel-unit` in a call), and it then stands in the entry. It has the
    /// rights of its party and none of its own.
    Add {
        /// The party.
        party: String,
        /// The id of the unit: 1 to 40 characters of a-z, 0-9 and -.
        unit: UnitId,
        /// Its name as people know it.
        #[arg(long)]
        name: String,
        /// A number of its own (a sub-OIN), one of the party's: whoever connects with it acts for this unit alone.
        #[arg(long)]
        oin: Option<String>,
        /// From when: an instant or a day.
        #[arg(long, value_name = "INSTANT", value_parser = instant::parse)]
        from: Timestamp,
        /// Until when [default: without an end].
        #[arg(long, value_name = "INSTANT", value_parser = instant::parse)]
        until: Option<Timestamp>,
    },
    /// Propose the end of a unit: from then on nobody acts for it.
    End {
        /// The party.
        party: String,
        /// The id of the unit.
        unit: UnitId,
        /// From when it is none of the party's: an instant or a day.
        #[arg(long, value_name = "INSTANT", value_parser = instant::parse)]
        at: Timestamp,
    },
}

/// Proposes the party as it is registered, with its units changed.
pub(super) async fn change(session: &Session, change: Unit) -> Result<Exit, Failure> {
    let party = match change {
        Unit::Add {
            party,
            unit,
            name,
            oin,
            from,
            until,
        } => {
            let mut party = registered(session, &party).await?;
            party.units.push(v1::Unit {
                unit_id: unit.to_string(),
                name,
                period: Some(v1::Period {
                    from: Some(instant::sent(from)),
                    until: until.map(instant::sent),
                }),
                oin,
            });
            party
        }
        Unit::End { party, unit, at } => {
            let mut party = registered(session, &party).await?;
            end(&mut party, &unit, at)?;
            party
        }
    };
    let party = v1::Party {
        // They change by changes of their own.
        suspensions: Vec::new(),
        ..party
    };
    propose(session, vec![Change::PutParty(party)]).await
}

/// Ends the unit where it stands at that instant; what would begin later never does.
fn end(party: &mut v1::Party, unit: &UnitId, at: Timestamp) -> Result<(), Failure> {
    let at = instant::sent(at);
    let moment = |at: &prost_types::Timestamp| (at.seconds, at.nanos);
    let from = |unit: &v1::Unit| {
        let period = unit.period.as_ref();
        period.and_then(|period| period.from.as_ref()).map(moment)
    };
    let lasts = |found: &v1::Unit| {
        let until = found
            .period
            .as_ref()
            .and_then(|period| period.until.as_ref());
        found.unit_id == unit.as_str() && until.is_none_or(|until| moment(until) > moment(&at))
    };
    if !party.units.iter().any(lasts) {
        let said = format!(
            "`{}` has no unit `{unit}` that lasts until then.",
            party.party_id
        );
        let mend = format!("See `schakel party show {}`.", party.party_id);
        return Err(Failure::new(Exit::Failed, said).and(&mend));
    }
    party
        .units
        .retain(|found| !(lasts(found) && from(found) >= Some(moment(&at))));
    let ending = party.units.iter_mut().filter(|found| lasts(found));
    for period in ending.filter_map(|found| found.period.as_mut()) {
        period.until = Some(at);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(id: &str, from: &str, until: Option<&str>) -> v1::Unit {
        let sent = |text: &str| instant::sent(instant::parse(text).unwrap());
        v1::Unit {
            unit_id: id.into(),
            name: id.into(),
            period: Some(v1::Period {
                from: Some(sent(from)),
                until: until.map(sent),
            }),
            oin: None,
        }
    }

    #[test]
    fn a_unit_ends_where_it_stands_and_does_not_begin_again() {
        let mut party = v1::Party {
            units: vec![
                unit("debt", "2024-01-01", Some("2025-01-01")),
                unit("debt", "2026-01-01", None),
                unit("debt", "2028-01-01", None),
                unit("work", "2024-01-01", None),
            ],
            ..v1::Party::default()
        };
        let id: UnitId = "debt".parse().unwrap();
        end(&mut party, &id, instant::parse("2027-01-01").unwrap()).unwrap();
        let left = [
            unit("debt", "2024-01-01", Some("2025-01-01")),
            unit("debt", "2026-01-01", Some("2027-01-01")),
            unit("work", "2024-01-01", None),
        ];
        assert_eq!(party.units, left);
        let again = end(&mut party, &id, instant::parse("2027-01-01").unwrap());
        assert!(again.is_err());
    }
}
