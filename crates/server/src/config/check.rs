//! The bounds of values.

use std::{
    fmt::{Debug, Display},
    ops::RangeInclusive,
    path::Path,
    time::Duration,
};

use super::{Config, Limits, Retention, Telemetry, error::Broken};

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);
pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

impl Config {
    pub(super) fn check(&self) -> Result<(), Broken> {
        self.check_broker()?;
        self.tls.check()?;
        self.limits.check()?;
        self.check_telemetry()?;
        let (heartbeat, tick) = (self.inbox.heartbeat, self.inbox.publication_tick);
        time("inbox.heartbeat", heartbeat, SECOND..=5 * MINUTE)?;
        time("inbox.publication_tick", tick, SECOND / 100..=HOUR)?;
        self.retention.check()?;
        let (data, keyring) = (&self.broker.data_dir, &self.broker.keyring_dir);
        self.publication.check(data, keyring)?;
        self.enrolment
            .as_ref()
            .map_or(Ok(()), |enrolment| enrolment.check(data))?;
        self.check_audit()
    }

    fn check_audit(&self) -> Result<(), Broken> {
        let audit = &self.audit;
        time("audit.wide_period", audit.wide_period, HOUR..=366 * DAY)?;
        time("audit.approval", audit.approval, MINUTE..=7 * DAY)?;
        time("audit.replay_every", audit.replay_every, SECOND..=7 * DAY)?;
        number("audit.replay_sample", audit.replay_sample, 1..=10_000)
    }

    fn check_broker(&self) -> Result<(), Broken> {
        let broker = &self.broker;
        let is_name = (1..=100).contains(&broker.origin.len())
            && broker
                .origin
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/'));
        if !is_name {
            return broken(
                "broker.origin",
                "must be 1 to 100 letters, digits, dots, hyphens, underscores and slashes, such as `schakel.example.nl/log`",
            );
        }
        apart("broker.keyring_dir", &broker.keyring_dir, &broker.data_dir)?;
        if broker.data_dir.starts_with(&broker.keyring_dir) {
            return broken(
                "broker.data_dir",
                "must not lie inside `broker.keyring_dir`: they are backed up apart",
            );
        }
        apart("broker.kek_file", &broker.kek_file, &broker.data_dir)?;
        apart(
            "broker.checkpoint_key_file",
            &broker.checkpoint_key_file,
            &broker.data_dir,
        )?;
        if let Some(next) = &broker.next_checkpoint_key_file {
            apart("broker.next_checkpoint_key_file", next, &broker.data_dir)?;
        }
        if broker.kek_file.starts_with(&broker.keyring_dir) {
            return broken(
                "broker.kek_file",
                "must not lie inside `broker.keyring_dir`: a backup of the keyring must not hold the key to it",
            );
        }
        Ok(())
    }

    fn check_telemetry(&self) -> Result<(), Broken> {
        let telemetry = &self.telemetry;
        telemetry.check_collector()?;
        if !(0.0..=1.0).contains(&telemetry.trace_ratio) {
            return broken("telemetry.trace_ratio", "must be from 0 to 1");
        }
        if telemetry
            .log
            .parse::<tracing_subscriber::EnvFilter>()
            .is_err()
        {
            return broken(
                "telemetry.log",
                "must be a level such as `info`, or directives such as `info,schakel_store=debug`",
            );
        }
        time(
            "telemetry.metrics_every",
            telemetry.metrics_every,
            SECOND..=10 * MINUTE,
        )
    }
}

impl Telemetry {
    fn check_collector(&self) -> Result<(), Broken> {
        let is = |scheme: &str| {
            let url = self.otlp_endpoint.as_deref();
            url.and_then(|url| url.strip_prefix(scheme))
                .and_then(|rest| rest.parse::<http::uri::Authority>().ok())
                .is_some_and(|authority| authority.port().is_some())
        };
        let (encrypted, plain) = (is("https://"), is("http://"));
        if self.otlp_endpoint.is_some() && !encrypted && !plain {
            return broken(
                "telemetry.otlp_endpoint",
                "must be `https://` or `http://`, a host and a port, such as `http://127.0.0.1:4317` for a collector beside the broker",
            );
        }
        match self.otlp_ca {
            None if encrypted => broken(
                "telemetry.otlp_ca",
                "must name the authorities of the collector, because `telemetry.otlp_endpoint` is `https://`",
            ),
            Some(_) if !encrypted => broken(
                "telemetry.otlp_ca",
                "must stand beside an `https://` address only: over any other no certificate is asked for",
            ),
            _ => Ok(()),
        }
    }
}

impl Retention {
    fn check(&self) -> Result<(), Broken> {
        let months = |key, value, least, law: &str| {
            let bounds = least..=least + 191;
            if bounds.contains(&value) {
                return Ok(());
            }
            let (least, most) = bounds.into_inner();
            broken(
                key,
                format!("must be from {least} ({law}) to {most}, and is {value}"),
            )
        };
        months(
            "retention.standard_months",
            self.standard_months,
            49,
            "Wjsg 51c(4)",
        )?;
        months(
            "retention.care_months",
            self.care_months,
            61,
            "Stcrt 2019, 38007",
        )?;
        months(
            "retention.consent_months",
            self.consent_months,
            61,
            "this broker's own term",
        )?;
        number("retention.case_days", self.case_days, 1..=184)?;
        time("retention.look_every", self.look_every, SECOND / 100..=HOUR)?;
        time(
            "retention.rotate_kek_after",
            self.rotate_kek_after,
            Duration::ZERO..=DAY,
        )?;
        number(
            "retention.keyring_backup_days",
            self.keyring_backup_days,
            0..=90,
        )
    }
}

impl Limits {
    fn check(&self) -> Result<(), Broken> {
        number("limits.connections", self.connections, 1..=65_536)?;
        number(
            "limits.connections_per_party",
            self.connections_per_party,
            1..=1024,
        )?;
        number("limits.handshakes", self.handshakes, 1..=4096)?;
        time(
            "limits.handshake_timeout",
            self.handshake_timeout,
            SECOND..=MINUTE,
        )?;
        time("limits.connection_age", self.connection_age, MINUTE..=DAY)?;
        time(
            "limits.keepalive_interval",
            self.keepalive_interval,
            SECOND..=10 * MINUTE,
        )?;
        time(
            "limits.keepalive_timeout",
            self.keepalive_timeout,
            SECOND..=MINUTE,
        )?;
        number(
            "limits.streams_per_connection",
            self.streams_per_connection,
            1..=1024,
        )?;
        number("limits.calls", self.calls, 1..=65_536)?;
        number("limits.calls_per_party", self.calls_per_party, 1..=4096)?;
        number(
            "limits.subscriptions_per_party",
            self.subscriptions_per_party,
            1..=1024,
        )?;
        number(
            "limits.named_per_minute",
            self.named_per_minute,
            1..=1_000_000,
        )?;
        time(
            "limits.call_timeout",
            self.call_timeout,
            SECOND..=5 * MINUTE,
        )?;
        number("limits.message_bytes", self.message_bytes, 4096..=1_048_576)?;
        time(
            "limits.stop_timeout",
            self.stop_timeout,
            SECOND..=5 * MINUTE,
        )
    }
}

pub(super) fn number<N: Copy + PartialOrd + Display>(
    key: &'static str,
    value: N,
    bounds: RangeInclusive<N>,
) -> Result<(), Broken> {
    if bounds.contains(&value) {
        return Ok(());
    }
    let (least, most) = bounds.into_inner();
    broken(
        key,
        format!("must be from {least} to {most}, and is {value}"),
    )
}

pub(super) fn time(
    key: &'static str,
    value: Duration,
    bounds: RangeInclusive<Duration>,
) -> Result<(), Broken> {
    if bounds.contains(&value) {
        return Ok(());
    }
    let (least, most) = bounds.into_inner();
    broken(
        key,
        format!(
            "must be from {} to {}, and is {}",
            shown(least),
            shown(most),
            shown(value)
        ),
    )
}

pub(super) fn apart(key: &'static str, path: &Path, data_dir: &Path) -> Result<(), Broken> {
    if path.starts_with(data_dir) {
        return broken(
            key,
            "must not lie inside `broker.data_dir`: they are backed up apart",
        );
    }
    Ok(())
}

pub(super) fn broken(key: &'static str, rule: impl Into<String>) -> Result<(), Broken> {
    Err(Broken {
        key,
        rule: rule.into(),
    })
}

fn shown(duration: Duration) -> impl Debug + Display {
    humantime_serde::re::humantime::format_duration(duration)
}
