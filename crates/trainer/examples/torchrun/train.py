"""Trains MirrorNet's encoder on the shards of `mirrornet render-dataset`, on any number of GPUs or CPUs.

The network, its loss (the likelihood of the true parameters) and its optimiser are those of babbling in
crates/trainer/src; there is no mirroring here, which needs the synthesizer in the loop. What comes out,
`weights.safetensors`, is made a model by `mirrornet-trainer adopt`, which runs the example in it through its own
network and refuses weights that were trained on another one.

    torchrun --nproc_per_node=8 train.py --data shards --out run --minutes 60
    python train.py --data shards --out run --steps 100
"""

import argparse
import copy
import json
import math
import os
import signal
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, IterableDataset

# Range of the standard deviations, as in model.rs.
SIGMA = (0.005, 0.45)
# Share of the budget over which the rate rises, and the memory of the averaged weights in steps.
WARM_UP, AVERAGE_STEPS = 0.01, 400
# Samples at the end of the last file that are never trained on; at most a tenth of the file.
HELD_OUT = 256
# Windows that travel with the weights, with the answers to them.
EXAMPLE = 8
VALIDATE_EVERY, CHECKPOINT_SECONDS = 200, 180


class Encoder(nn.Module):
    """The inverse model of model.rs. The attributes are named as its variables are."""

    def __init__(self, parameters, channels):
        super().__init__()
        self.front1 = nn.Conv2d(1, 16, (5, 9), (2, 4), (2, 4))
        self.front2 = nn.Conv2d(16, 32, 3, (1, 2), 1)
        self.front3 = nn.Conv2d(32, 64, 3, 2, 1)
        self.join = nn.Conv1d(64 * (channels // 16), 192, 1)
        self.narrow = nn.Conv1d(192, 192, 3, padding=1)
        self.widen = nn.Conv1d(192, 256, 3, 2, 1)
        self.wide1 = nn.Conv1d(256, 256, 3, padding=1)
        self.wide2 = nn.Conv1d(256, 256, 3, padding=1)
        self.hidden = nn.Linear(3 * 256, 256)
        self.out = nn.Linear(256, 2 * parameters)

    def forward(self, x):
        """Windows [B, T, C] in [0, 1] to [B, 2 P]: means, then standard deviations."""
        y = (x - 0.3).unsqueeze(1)
        for conv in (self.front1, self.front2, self.front3):
            y = conv(y).relu()
        y = self.join(y.transpose(2, 3).flatten(1, 2)).relu()
        y = y + self.narrow(y).relu()
        y = self.widen(y).relu()
        for conv in (self.wide1, self.wide2):
            y = y + conv(y).relu()
        pooled = torch.cat([y.mean(2), y.amax(2), y[:, :, -1]], 1)
        mean, spread = self.out(self.hidden(pooled).relu()).sigmoid().chunk(2, 1)
        return torch.cat([mean, spread * (SIGMA[1] - SIGMA[0]) + SIGMA[0]], 1)


def likelihood(answer, h):
    """The beta-NLL of losses.rs."""
    mean, sigma = answer.chunk(2, 1)
    nll = ((h - mean) / sigma).square() * 0.5 + sigma.log()
    return (nll * sigma.detach() * 5.0).mean()


class Shards(IterableDataset):
    """An endless stream of batches; each rank has its own part of every file."""

    def __init__(self, folder, batch, rank, world, seed):
        self.batch, self.rank, self.world, self.seed = batch, rank, world, seed
        self.files = sorted(folder.glob("samples-*.safetensors"))
        if not self.files:
            sys.exit(f"error: no samples-*.safetensors in {folder}: render some with render-dataset")
        first = None
        self.samples = 0
        for number, path in enumerate(self.files):
            with safe_open(path, "pt") as file:
                header = json.loads((file.metadata() or {}).get("dataset", "null"))
            if header is None or header.get("format") != 1:
                sys.exit(f"error: {path} is not a file of render-dataset, format 1")
            first = first or header
            for key in ("version", "seed", "samples_per_file", "contract"):
                if header[key] != first[key]:
                    sys.exit(f"error: {path} is of another data set than {self.files[0]}: its {key} differs")
            if header["first"] != number * header["samples_per_file"]:
                sys.exit(f"error: the file before {path} is missing: is every shard complete?")
            self.samples += header["samples"]
        self.header = first
        self.held_out = min(HELD_OUT, header["samples"] // 10)
        self.samples -= self.held_out
        if self.held_out == 0 or self.samples < batch * world:
            sys.exit(
                f"error: {self.samples} samples, {self.held_out} of them held out, are too few: at least"
                f" {batch * world} and 10 in the last file are needed. Render more, or lower --batch"
            )

    def read(self, path, rows=slice(None)):
        with safe_open(path, "pt") as file:
            return file.get_slice("heard")[rows], file.get_slice("parameters")[rows]

    def validation(self):
        with safe_open(self.files[-1], "pt") as file:
            n = file.get_slice("parameters").get_shape()[0]
        return self.read(self.files[-1], slice(n - self.held_out, n))

    def __iter__(self):
        # The same order on every rank. Samples of a file are independent, so files needn't be mixed.
        order = torch.Generator().manual_seed(self.seed)
        left = None
        while True:
            for i in torch.randperm(len(self.files), generator=order).tolist():
                heard, h = self.read(self.files[i])
                n = len(h) - (self.held_out if i == len(self.files) - 1 else 0)
                mine = torch.randperm(n, generator=order)[self.rank :: self.world]
                heard, h = heard[mine], h[mine]
                if left:
                    heard, h = torch.cat([left[0], heard]), torch.cat([left[1], h])
                whole = len(h) // self.batch * self.batch
                for at in range(0, whole, self.batch):
                    yield heard[at : at + self.batch], h[at : at + self.batch]
                left = heard[whole:], h[whole:]


def ignore_signals(_):
    """Ctrl-C and a scheduler's SIGTERM reach a loader's process too, which must go on until the last step."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def rate(args, at):
    """The learning rate of recipe.rs at `at`, 0 to 1."""
    rise = min(at / WARM_UP + 0.02, 1.0)
    return args.rate * rise * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * at)))


def replace(path, write):
    """Has `write` write a temporary file, and renames it."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    write(temporary)
    os.replace(temporary, path)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of render-dataset")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint and weights")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--steps", type=int, help="train for so many steps")
    budget.add_argument("--minutes", type=float, help="train for so long, all sessions together")
    parser.add_argument("--batch", type=int, default=32, help="windows a step and process")
    parser.add_argument("--rate", type=float, default=1.2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    args = parser.parse_args()
    if min(args.steps or 1, args.minutes or 1, args.batch, args.rate) <= 0:
        parser.error("--steps, --minutes, --batch and --rate must be above 0")
    return args


def main():
    args = options()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    if world > 1:
        dist.init_process_group("nccl" if cuda else "gloo")
    torch.manual_seed(args.seed)
    checkpoint = args.out / "checkpoint.pt"
    saved = torch.load(checkpoint, map_location=device, weights_only=True) if args.resume else {}
    step, before = saved.get("step", 0), saved.get("seconds", 0.0)

    # A resumed training shuffles anew.
    shards = Shards(args.data, args.batch, rank, world, 1_000_003 * args.seed + step)
    contract = shards.header["contract"]
    if saved and saved["contract"] != contract:
        sys.exit(f"error: {checkpoint} was trained on another data set's parameters, ear or window")
    heard, known = (t.to(device) for t in shards.validation())
    net = Encoder(known.shape[1], heard.shape[2]).to(device)
    average = copy.deepcopy(net).requires_grad_(False)
    adam = torch.optim.AdamW(net.parameters(), betas=(0.9, 0.99), weight_decay=0.01)
    if saved:
        net.load_state_dict(saved["net"])
        average.load_state_dict(saved["average"])
        adam.load_state_dict(saved["adam"])
    model = DistributedDataParallel(net) if world > 1 else net
    loader = DataLoader(
        shards, batch_size=None, num_workers=1, pin_memory=cuda, worker_init_fn=ignore_signals
    )
    batches = iter(loader)

    stop = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.append(True))
    started = time.monotonic()
    seconds = lambda: before + time.monotonic() - started
    args.out.mkdir(parents=True, exist_ok=True)

    def say(text):
        if rank == 0:
            print(text, flush=True)

    def progress():
        """Share of the budget used, and whether to end: one answer for all ranks, rank 0's."""
        at = step / args.steps if args.steps else seconds() / (60.0 * args.minutes)
        answer = torch.tensor([min(at, 1.0), float(bool(stop) or at >= 1.0)], device=device)
        if world > 1:
            dist.broadcast(answer, 0)
        return answer.tolist()

    @torch.no_grad()
    def validate():
        answer = average(heard.float() / 255.0)
        error = (answer.chunk(2, 1)[0] - known).abs().mean()
        guess = (known - 0.5).abs().mean()
        say(
            f"step {step}, {seconds() / 60.0:.1f} min: held-out likelihood {likelihood(answer, known):.4f},"
            f" mean error {error:.4f} (always the middle: {guess:.4f})"
        )

    def save():
        if rank == 0:
            state = {
                "net": net.state_dict(),
                "average": average.state_dict(),
                "adam": adam.state_dict(),
                "step": step,
                "seconds": seconds(),
                "contract": contract,
            }
            replace(checkpoint, lambda path: torch.save(state, path))

    say(f"{shards.samples} samples, {world} processes on {device.type}, {args.batch} windows each a step")
    checkpointed, session = time.monotonic(), (step, time.monotonic())
    while True:
        at, end = progress()
        if end:
            break
        adam.param_groups[0]["lr"] = rate(args, at)
        x, h = (t.to(device, non_blocking=True) for t in next(batches))
        loss = likelihood(model(x.float() / 255.0), h)
        adam.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        if not torch.isfinite(norm):
            sys.exit(f"error: the gradient of step {step + 1} is not finite: the training diverged")
        adam.step()
        step += 1
        with torch.no_grad():
            keep = min(1.0 - 1.0 / AVERAGE_STEPS, step / (step + 9.0))
            for a, w in zip(average.parameters(), net.parameters()):
                a.lerp_(w, 1.0 - keep)
        if step % VALIDATE_EVERY == 0:
            validate()
        if time.monotonic() - checkpointed > CHECKPOINT_SECONDS:
            save()
            checkpointed = time.monotonic()
    validate()
    save()
    windows = (step - session[0]) * args.batch * world
    say(f"{windows / (time.monotonic() - session[1]):.0f} windows a second")

    if rank == 0:
        # On the CPU, where the model will run, and not with a GPU's shorter mantissas.
        average.cpu()
        example = heard[:EXAMPLE].cpu()
        with torch.no_grad():
            answer = average(example.float() / 255.0)
        contract["training"] = {
            "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            "torch": torch.__version__,
            "device": device.type,
            "processes": world,
            "batch": args.batch * world,
            "steps": step,
            "minutes": seconds() / 60.0,
            "samples": shards.samples,
            "samples_seed": shards.header["seed"],
        }
        tensors = average.state_dict() | {"example.heard": example.clone(), "example.answer": answer}
        weights = args.out / "weights.safetensors"
        metadata = {"contract": json.dumps(contract)}
        replace(weights, lambda path: save_file(tensors, path, metadata))
        say(f"{weights}; make a model of it with: mirrornet-trainer adopt --weights {weights} --out model")
    if world > 1:
        dist.barrier()
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
