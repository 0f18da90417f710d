//! Progress in words: each step is announced with the seconds since the start, and summed up.

use std::time::Instant;

/// The steps of one task.
pub struct Steps {
    start: Instant,
    done: Vec<(String, f64)>,
}

impl Steps {
    /// Starts the clock.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            done: Vec::new(),
        }
    }

    /// Announces `name`, does `work` and keeps its duration; an error names the step.
    pub fn step<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let begin = Instant::now();
        let elapsed = (begin - self.start).as_secs_f64();
        eprintln!("==> [{elapsed:7.1} s] {name}");
        let result = work();
        let failed = if result.is_err() { " (FAILED)" } else { "" };
        self.done
            .push((format!("{name}{failed}"), begin.elapsed().as_secs_f64()));
        result.map_err(|error| error.context(format!("in step \"{name}\"")))
    }

    /// Prints what each step took, and the whole.
    pub fn summary(&self) {
        eprintln!("\nseconds  step");
        for (name, seconds) in &self.done {
            eprintln!("{seconds:7.1}  {name}");
        }
        eprintln!("{:7.1}  in all", self.start.elapsed().as_secs_f64());
    }
}
