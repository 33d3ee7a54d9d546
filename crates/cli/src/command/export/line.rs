//! A processing as an OTLP log record, with the names of the Logboek Dataverwerkingen. What OTLP has a place
//! for stands there as well: trace, span, and the instant, in nanoseconds as OTLP counts.

use opentelemetry_proto::tonic::{
    collector::logs::v1::ExportLogsServiceRequest,
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    resource::v1::Resource,
};
use prost_types::Timestamp;
use schakel_api::v1;

use crate::code::short;

/// What the lines of one export have in common.
#[derive(Clone, Debug)]
pub(super) struct Logbook {
    /// The log they are from.
    pub(super) origin: String,
    /// Before the identification of a processing activity: the address of the controller's register, as its
    /// draft interface has it; absent for a name of the broker's own.
    pub(super) register: Option<String>,
}

impl Logbook {
    /// The lines of a controller as one request to a collector.
    pub(super) fn request(
        &self,
        controller: &str,
        lines: &[v1::ProcessingLine],
    ) -> ExportLogsServiceRequest {
        let resource = Resource {
            attributes: vec![
                text("service.name", "schakel"),
                text("schakel.log.origin", &self.origin),
                text("schakel.controller", controller),
            ],
            ..Resource::default()
        };
        let scope = InstrumentationScope {
            name: "schakel export ldv".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            ..InstrumentationScope::default()
        };
        let logs = ScopeLogs {
            scope: Some(scope),
            log_records: lines
                .iter()
                .map(|line| self.record(controller, line))
                .collect(),
            ..ScopeLogs::default()
        };
        ExportLogsServiceRequest {
            resource_logs: vec![ResourceLogs {
                resource: Some(resource),
                scope_logs: vec![logs],
                ..ResourceLogs::default()
            }],
        }
    }

    fn record(&self, controller: &str, line: &v1::ProcessingLine) -> LogRecord {
        let (start, end) = (nanos(line.start_at.as_ref()), nanos(line.end_at.as_ref()));
        let mut attributes = vec![
            text("name", &line.name),
            text("status", status(line.status())),
            number("start_time", start / 1_000_000),
            number("end_time", end / 1_000_000),
            text("dpl.core.processing_activity_id", &self.activity(line)),
        ];
        if let Some(subject) = &line.data_subject_id {
            let kind = format!("urn:schakel:pseudonym:{controller}");
            attributes.push(text("dpl.core.data_subject_id", subject));
            attributes.push(text("dpl.core.data_subject_id_type", &kind));
        }
        if let Some(oin) = &line.foreign_oin {
            let processor = format!("urn:oin:{oin}");
            attributes.push(text("dpl.core.foreign_operation.processor", &processor));
        }
        let conditions: Vec<AnyValue> = line
            .conditions
            .iter()
            .map(|condition| string(short::<v1::Condition>(*condition)))
            .collect();
        if !conditions.is_empty() {
            let values = ArrayValue { values: conditions };
            attributes.push(attribute("schakel.conditions", Value::ArrayValue(values)));
        }
        LogRecord {
            time_unix_nano: start,
            observed_time_unix_nano: end,
            body: Some(string(line.name.clone())),
            event_name: "dpl.processing".into(),
            attributes,
            trace_id: line.trace_id.to_vec(),
            span_id: line.span_id.to_vec(),
            ..LogRecord::default()
        }
    }

    /// The entry of the register: one of the controller's own, or a name that says which purpose it was.
    fn activity(&self, line: &v1::ProcessingLine) -> String {
        let (id, version) = (&line.activity, line.activity_version);
        match (&self.register, version) {
            (Some(at), Some(version)) => {
                format!("{at}/processing_activities/{id}/versions/{version}")
            }
            (Some(at), None) => format!("{at}/processing_activities/{id}"),
            (None, Some(version)) => format!("urn:schakel:activity:{id}:{version}"),
            (None, None) => format!("urn:schakel:activity:{id}"),
        }
    }
}

/// A denial is not an error: the standard keeps `Error` for faults of one's own system.
const fn status(status: v1::ProcessingStatus) -> &'static str {
    match status {
        v1::ProcessingStatus::Ok => "Ok",
        v1::ProcessingStatus::Unset | v1::ProcessingStatus::Unspecified => "Unset",
    }
}

fn nanos(at: Option<&Timestamp>) -> u64 {
    let Some(at) = at else { return 0 };
    let whole = u64::try_from(at.seconds).unwrap_or(0);
    let part = u64::try_from(at.nanos).unwrap_or(0);
    whole.saturating_mul(1_000_000_000).saturating_add(part)
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn number(key: &str, value: u64) -> KeyValue {
    attribute(
        key,
        Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)),
    )
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn string(text: impl Into<String>) -> AnyValue {
    AnyValue {
        value: Some(Value::StringValue(text.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> v1::ProcessingLine {
        v1::ProcessingLine {
            index: 7,
            trace_id: vec![1; 16].into(),
            span_id: vec![2; 8].into(),
            status: v1::ProcessingStatus::Unset.into(),
            name: "status asked, not disclosed".into(),
            start_at: Some(Timestamp {
                seconds: 1_795_442_400,
                nanos: 5_000_000,
            }),
            end_at: Some(Timestamp {
                seconds: 1_795_442_400,
                nanos: 6_000_000,
            }),
            activity: "P-ARRANGE-HOUSING".into(),
            activity_version: Some(3),
            data_subject_id: Some("ab".into()),
            foreign_oin: Some("00000099000000050000".into()),
            conditions: vec![v1::Condition::Housing.into()],
        }
    }

    fn record(register: Option<&str>, line: &v1::ProcessingLine) -> LogRecord {
        let logbook = Logbook {
            origin: "log.example".into(),
            register: register.map(str::to_owned),
        };
        let mut request = logbook.request("gemeente-oost", std::slice::from_ref(line));
        request.resource_logs[0].scope_logs[0].log_records.remove(0)
    }

    fn shown(record: &LogRecord) -> Vec<String> {
        let value = |value: &AnyValue| match value.value.as_ref().unwrap() {
            Value::StringValue(text) => text.clone(),
            Value::IntValue(number) => number.to_string(),
            other => format!("{other:?}"),
        };
        let attributes = record.attributes.iter();
        attributes
            .map(|one| format!("{}={}", one.key, value(one.value.as_ref().unwrap())))
            .collect()
    }

    #[test]
    fn a_line_has_the_names_of_the_standard_and_counts_nanoseconds() {
        let record = record(None, &line());
        assert_eq!(record.time_unix_nano, 1_795_442_400_005_000_000);
        assert_eq!(record.observed_time_unix_nano, 1_795_442_400_006_000_000);
        assert_eq!((record.trace_id.len(), record.span_id.len()), (16, 8));
        let shown = shown(&record);
        for expected in [
            "status=Unset",
            "start_time=1795442400005",
            "end_time=1795442400006",
            "dpl.core.processing_activity_id=urn:schakel:activity:P-ARRANGE-HOUSING:3",
            "dpl.core.data_subject_id=ab",
            "dpl.core.data_subject_id_type=urn:schakel:pseudonym:gemeente-oost",
            "dpl.core.foreign_operation.processor=urn:oin:00000099000000050000",
        ] {
            assert!(
                shown.iter().any(|one| one == expected),
                "{expected}: {shown:?}"
            );
        }
        assert!(
            shown
                .iter()
                .any(|one| one.starts_with("schakel.conditions=") && one.contains("HOUSING"))
        );
    }

    #[test]
    fn a_line_points_at_the_version_in_the_controllers_own_register() {
        let shown = shown(&record(Some("https://register.example"), &line()));
        let expected = "dpl.core.processing_activity_id=\
                        https://register.example/processing_activities/P-ARRANGE-HOUSING/versions/3";
        assert!(shown.iter().any(|one| one == expected), "{shown:?}");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let line = v1::ProcessingLine {
            data_subject_id: None,
            foreign_oin: None,
            conditions: Vec::new(),
            ..line()
        };
        let shown = shown(&record(None, &line));
        assert!(
            !shown
                .iter()
                .any(|one| one.contains("subject") || one.contains("foreign"))
        );
        assert!(!shown.iter().any(|one| one.contains("conditions")));
    }
}
