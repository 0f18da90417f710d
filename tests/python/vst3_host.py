"""Plays a job (tests/src/job.rs) through a real VST3 host: dawdreamer, which is JUCE.

Usage: vst3_host.py JOB.json
"""

import json
import os
import sys

import dawdreamer
import numpy


def read_wav(path):
    """A float32 WAV as an array of (channels, samples)."""
    with open(path, "rb") as file:
        data = file.read()
    channels, at, samples = 1, 12, b""
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt ":
            channels = int.from_bytes(body[2:4], "little")
        elif name == b"data":
            samples = body
        at += 8 + size + size % 2
    return numpy.frombuffer(samples, "<f4").reshape(-1, channels).T


def write_wav(path, audio, rate):
    """An array of (channels, samples) as a float32 WAV (the wave module only knows integers)."""
    channels, count = audio.shape
    body = numpy.ascontiguousarray(audio.T, "<f4").tobytes()
    form = b"".join(
        number.to_bytes(size, "little")
        for number, size in [(3, 2), (channels, 2), (rate, 4), (rate * channels * 4, 4), (channels * 4, 2), (32, 2)]
    )
    chunks = b"fmt " + (16).to_bytes(4, "little") + form
    chunks += b"fact" + (4).to_bytes(4, "little") + count.to_bytes(4, "little")
    chunks += b"data" + len(body).to_bytes(4, "little") + body
    with open(path, "wb") as file:
        file.write(b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WAVE" + chunks)


def torch_mapped():
    """libtorch's files mapped into this process (Linux)."""
    try:
        with open("/proc/self/maps") as file:
            paths = {line.split()[5] for line in file if len(line.split()) > 5}
    except OSError:
        return []
    return sorted(p for p in paths if os.path.basename(p).startswith(("libtorch", "libc10")))


def main():
    with open(sys.argv[1]) as file:
        job = json.load(file)
    rate = int(job["rate"])
    engine = dawdreamer.RenderEngine(rate, job["block"])
    synth = engine.make_plugin_processor("synth", job["plugin"])
    if job["load_state"]:
        synth.load_state(job["load_state"])

    names = [synth.get_parameter_name(i) for i in range(synth.get_plugin_parameter_size())]
    for name, value in job["params"].items():
        synth.set_parameter(names.index(name), value)
    for note in job["notes"]:
        velocity = round(127 * note["velocity"])
        synth.add_midi_note(round(note["key"]), velocity, note["onset"], note["duration"])

    if job["sidechain"]:
        sidechain = read_wav(job["sidechain"])
    else:
        sidechain = numpy.zeros((1, int(job["seconds"] * rate)), "f4")
    if len(sidechain) == 1:
        sidechain = numpy.repeat(sidechain, 2, axis=0)
    playback = engine.make_playback_processor("playback", sidechain)
    engine.load_graph([(playback, []), (synth, ["playback"])])
    engine.render(job["seconds"])

    # The last block may run over.
    audio = synth.get_audio()[:, : int(round(job["seconds"] * rate))]
    write_wav(job["out"], audio, rate)
    if job["save_state"]:
        synth.save_state(job["save_state"])
    report = {"params": names, "torch_mapped": torch_mapped()}
    with open(job["report"], "w") as file:
        json.dump(report, file)
    # The interpreter's own clean-up of a loaded plugin is no part of the test.
    sys.stdout.flush()
    os._exit(0)


main()
