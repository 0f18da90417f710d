//! A CLAP host for the tests: plays one job (`tests::job::Job`) and reports its observations.
//!
//! Usage: clap_host JOB.json

mod events;
mod watch;

use clack_extensions::audio_ports::{AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, PluginParams};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_host::events::event_types::ParamValueEvent;
use clack_host::prelude::*;
use clack_host::process::StartedPluginAudioProcessor;
use clack_host::process::audio_buffers::{
    AudioPortBuffer, AudioPortBufferType, AudioPorts, InputChannel,
};
use clack_host::utils::ClapId;
use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::time::{Duration, Instant};
use tests::job::{Job, Report};

type Instance = PluginInstance<()>;

/// One parameter as the plugin describes it.
struct Param {
    id: ClapId,
    name: String,
    min: f64,
    max: f64,
}

fn main() {
    if let Err(error) = run() {
        eprintln!("clap_host: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    // Rust's runtime ignores SIGPIPE, C hosts don't: be as vulnerable as they are.
    #[cfg(unix)]
    #[allow(unsafe_code)]
    // SAFETY: no other thread runs yet.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
    let path = std::env::args().nth(1).ok_or("usage: clap_host JOB.json")?;
    let job: Job = serde_json::from_reader(BufReader::new(File::open(path)?))?;
    let mut report = Report::default();
    if job.seconds > 0.0 {
        let entry = load(&job)?;
        play(&job, &entry, &mut report)?;
    } else {
        let start = Instant::now();
        let entry = load(&job)?;
        let mut instance = instantiate(&entry)?;
        describe(&mut instance, &mut report)?;
        drop(instance);
        drop(entry);
        report.scan_ms = start.elapsed().as_secs_f64() * 1e3;
    }
    let me = std::process::id();
    report.torch_mapped.extend(tests::process::torch_mapped(me));
    serde_json::to_writer(BufWriter::new(File::create(&job.report)?), &report)?;
    Ok(())
}

fn load(job: &Job) -> Result<PluginEntry, Box<dyn Error>> {
    // SAFETY: the plugin under test; there is no way to load a library without trusting it.
    #[allow(unsafe_code)]
    Ok(unsafe { PluginEntry::load(&job.plugin)? })
}

fn instantiate(entry: &PluginEntry) -> Result<Instance, Box<dyn Error>> {
    let factory = entry
        .get_plugin_factory()
        .ok_or("the file has no plugin factory")?;
    let descriptor = factory
        .plugin_descriptors()
        .next()
        .ok_or("the file has no plugin")?;
    let id = descriptor.id().ok_or("the plugin has no id")?;
    let host = HostInfo::new(
        "MirrorNet tests",
        "MirrorNet",
        "",
        env!("CARGO_PKG_VERSION"),
    )?;
    Ok(Instance::new(|_| (), |_| (), entry, id, &host)?)
}

/// Fills in ports, parameters and latency; returns the parameters.
fn describe(instance: &mut Instance, report: &mut Report) -> Result<Vec<Param>, Box<dyn Error>> {
    let handle = instance.plugin_handle();
    let ports: PluginAudioPorts = handle.get_extension().ok_or("no audio-ports extension")?;
    let mut buffer = AudioPortInfoBuffer::new();
    for (is_input, list) in [(true, &mut report.inputs), (false, &mut report.outputs)] {
        for index in 0..ports.count(&handle, is_input) {
            let port = ports
                .get(&handle, index, is_input, &mut buffer)
                .ok_or("a port has no info")?;
            list.push((
                String::from_utf8_lossy(port.name).into_owned(),
                port.channel_count,
            ));
        }
    }
    let extension: PluginParams = handle.get_extension().ok_or("no params extension")?;
    let mut params = Vec::new();
    let mut buffer = ParamInfoBuffer::new();
    for index in 0..extension.count(&handle) {
        let info = extension
            .get_info(&handle, index, &mut buffer)
            .ok_or("a parameter has no info")?;
        let name = String::from_utf8_lossy(info.name).into_owned();
        report.params.push(name.clone());
        params.push(Param {
            id: info.id,
            name,
            min: info.min_value,
            max: info.max_value,
        });
    }
    if let Some(latency) = handle.get_extension::<PluginLatency>() {
        report.latency = latency.get(&handle);
    }
    Ok(params)
}

fn play(job: &Job, entry: &PluginEntry, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let mut instances = Vec::new();
    let mut params = Vec::new();
    for _ in 0..job.instances {
        let mut instance = instantiate(entry)?;
        *report = Report::default();
        params = describe(&mut instance, report)?;
        if let Some(path) = &job.load_state {
            let handle = instance.plugin_handle();
            let state: PluginState = handle.get_extension().ok_or("no state extension")?;
            // As hosts do: a refused state leaves the plugin as it is.
            if state
                .load(&handle, &mut BufReader::new(File::open(path)?))
                .is_err()
            {
                eprintln!("clap_host: the plugin refused the state {}", path.display());
            }
        }
        if job.offline {
            let handle = instance.plugin_handle();
            let extension: PluginRender = handle.get_extension().ok_or("no render extension")?;
            extension.set(&handle, RenderMode::Offline)?;
        }
        instances.push(instance);
    }
    let config = PluginAudioConfiguration {
        sample_rate: job.rate,
        min_frames_count: 1,
        max_frames_count: job.block as u32,
    };
    let mut processors = Vec::new();
    for instance in &mut instances {
        let stopped = instance.activate(|_, _| (), config)?;
        processors.push(
            stopped
                .start_processing()
                .map_err(|_| "start_processing failed")?,
        );
    }

    let rendering = render(job, &mut instances, &mut processors, &params)?;
    tests::wav::write(&job.out, &[&rendering[0], &rendering[1]], job.rate as u32);

    if job.watched {
        report.watch = Some(watch::report());
    }
    report.torch_mapped = tests::process::torch_mapped(std::process::id());
    report.children = tests::process::children(std::process::id());
    if let Some(path) = &job.save_state {
        let handle = instances[0].plugin_handle();
        let state: PluginState = handle.get_extension().ok_or("no state extension")?;
        state.save(&handle, &mut BufWriter::new(File::create(path)?))?;
    }
    for (instance, processor) in instances.iter_mut().zip(processors) {
        instance.deactivate(processor.stop_processing());
    }
    Ok(())
}

/// Renders the job through every instance; returns the first's stereo output.
fn render(
    job: &Job,
    instances: &mut [Instance],
    processors: &mut [StartedPluginAudioProcessor<()>],
    params: &[Param],
) -> Result<[Vec<f32>; 2], Box<dyn Error>> {
    let total = (job.seconds * job.rate).round() as usize;
    let mut sidechain = job
        .sidechain
        .as_deref()
        .map(|p| tests::wav::read(p).0)
        .unwrap_or_default();
    if sidechain.is_empty() {
        sidechain.push(Vec::new());
    }
    let mut events = events::Events::new(job, params.iter().map(|p| p.id).collect());
    let mut out = [Vec::with_capacity(total), Vec::with_capacity(total)];
    let mut input = [vec![0.0f32; job.block], vec![0.0f32; job.block]];
    let mut output = [vec![0.0f32; job.block], vec![0.0f32; job.block]];
    let mut input_ports = AudioPorts::with_capacity(2, 1);
    let mut output_ports = AudioPorts::with_capacity(2, 1);
    let mut arriving = EventBuffer::with_capacity(4096);
    for (name, value) in &job.params {
        let param = params.iter().find(|p| p.name == *name);
        let param = param.ok_or_else(|| format!("the plugin has no parameter \"{name}\""))?;
        let plain = param.min + value * (param.max - param.min);
        arriving.push(&ParamValueEvent::new(0, param.id, Pckn::match_all(), plain));
    }
    if job.watched {
        watch::start();
    }

    let start = Instant::now();
    let mut done = 0;
    while done < total {
        let length = job.block.min(total - done);
        events.block(done as u64, length as u64, &mut arriving);
        for (side, channel) in input.iter_mut().enumerate() {
            let source = &sidechain[side.min(sidechain.len() - 1)];
            for (i, sample) in channel[..length].iter_mut().enumerate() {
                *sample = source.get(done + i).copied().unwrap_or(0.0);
            }
        }
        for (index, processor) in processors.iter_mut().enumerate() {
            let audio_in = input_ports.with_input_buffers([AudioPortBuffer {
                latency: 0,
                channels: AudioPortBufferType::f32_input_only(
                    input
                        .iter_mut()
                        .map(|c| InputChannel::variable(&mut c[..length])),
                ),
            }]);
            let mut audio_out = output_ports.with_output_buffers([AudioPortBuffer {
                latency: 0,
                channels: AudioPortBufferType::f32_output_only(
                    output.iter_mut().map(|c| &mut c[..length]),
                ),
            }]);
            let events_in = arriving.as_input();
            let mut process = || {
                let mut events_out = OutputEvents::void();
                let time = Some(done as u64);
                processor.process(
                    &audio_in,
                    &mut audio_out,
                    &events_in,
                    &mut events_out,
                    time,
                    None,
                )
            };
            if job.watched {
                watch::watched(process)
            } else {
                process()
            }?;
            if index == 0 {
                for (to, from) in out.iter_mut().zip(&output) {
                    to.extend_from_slice(&from[..length]);
                }
            }
        }
        for instance in instances.iter_mut() {
            instance.call_on_main_thread_callback();
        }
        arriving.clear();
        done += length;
        if job.paced {
            let due = start + Duration::from_secs_f64(done as f64 / job.rate);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }
    Ok(out)
}
