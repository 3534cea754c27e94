//! What a process has used: its CPU time and its memory, as `/proc` tells them.

use std::{collections::BTreeMap, fs, time::Duration};

use anyhow::{Context as _, Result};

/// `USER_HZ`, which Linux fixes at 100 for `/proc`.
const TICK: Duration = Duration::from_millis(10);

/// The CPU time of a process so far, user and system.
pub(crate) struct Cpu {
    /// Exact to the nanosecond, for the threads that live now.
    threads: BTreeMap<String, Duration>,
    /// Exact to a tick, with those that have ended.
    whole: Duration,
}

/// What a process holds of memory.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) mib: f64,
    pub(crate) peak_mib: f64,
}

impl Cpu {
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let mut threads = BTreeMap::new();
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).context("the server is gone")?;
        for task in tasks {
            let task = task?;
            // A thread may end between the listing and the reading.
            let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else {
                continue;
            };
            let spent = text.split(' ').next().unwrap_or_default().parse()?;
            let id = task.file_name().to_string_lossy().into_owned();
            threads.insert(id, Duration::from_nanos(spent));
        }
        let whole = ticks(&fs::read_to_string(format!("/proc/{pid}/stat"))?)?;
        Ok(Self { threads, whole })
    }

    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let ended = earlier
            .threads
            .keys()
            .any(|id| !self.threads.contains_key(id));
        if ended || self.threads.is_empty() {
            return self.whole.saturating_sub(earlier.whole);
        }
        let spent = |(id, now): (&String, &Duration)| {
            now.saturating_sub(earlier.threads.get(id).copied().unwrap_or_default())
        };
        self.threads.iter().map(spent).sum()
    }
}

/// utime and stime are fields 14 and 15; the name, field 2, is in parentheses and may hold blanks.
fn ticks(stat: &str) -> Result<Duration> {
    let (_, fields) = stat.rsplit_once(')').context("no /proc/PID/stat")?;
    let mut sum = 0;
    for field in fields.split_whitespace().skip(11).take(2) {
        sum += field.parse::<u32>()?;
    }
    Ok(TICK * sum)
}

impl Memory {
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let mib = |name: &str| -> Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next());
            let kib: u32 = number.context("no memory in /proc/PID/status")?.parse()?;
            Ok(f64::from(kib) / 1024.0)
        };
        Ok(Self {
            mib: mib("VmRSS:")?,
            peak_mib: mib("VmHWM:")?,
        })
    }
}
