"""PyTorch as a contestant of `npm run bench:peers`, which starts it: see src/peers/protocol.ts.

    python3 packages/bench/torch_peer.py THREADS

Requests come as lines of JSON on the standard input, answers go to the standard output, values through files of raw numbers. While
it waits for a line it sleeps.
"""
import json
import math
import os
import platform
import sys
import time
import traceback

import torch
import torch.nn.functional as F

from torch_models import UPSAMPLERS, DySample, Fpn4

answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer


def answer(**fields):
    answers.write(json.dumps(fields) + "\n")
    answers.flush()


def dysample(attrs, x, weight, bias):
    up = DySample(x.shape[1], attrs["style"], groups=attrs["groups"])
    return lambda x, weight, bias: torch.func.functional_call(up, {"offset.weight": weight, "offset.bias": bias}, (x,))


def batch_norm(attrs, x, weight, bias, mean, variance):
    def run(x, weight, bias, mean, variance):
        # In place, as its layer does: in each run the statistics move on.
        return F.batch_norm(x, mean, variance, weight, bias, training=True), mean, variance

    return run


# For each work, from its attributes and inputs, the function of the inputs that is timed.
WORKS = {
    "batchNorm": batch_norm,
    "conv1x1": lambda attrs, **_: lambda x, weight: F.conv2d(x, weight),
    "conv2d": lambda attrs, **_: lambda x, weight: F.conv2d(x, weight, padding=1),
    "dysample": dysample,
    "exp": lambda attrs, **_: lambda x: torch.exp(x),
    "gridSample": lambda attrs, **_: lambda x, grid: F.grid_sample(x, grid, padding_mode="border", align_corners=False),
    "interpolate": lambda attrs, **_: lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
    "matmul": lambda attrs, **_: lambda a, b: a @ b,
    "pixelShuffle": lambda attrs, **_: lambda x: F.pixel_shuffle(x, attrs["scale"]),
    "softmax": lambda attrs, **_: lambda x: torch.softmax(x, attrs["axis"]),
    "sum": lambda attrs, **_: lambda x: torch.sum(x),
}
RESULTS = {"batchNorm": ["y", "mean", "variance"]}


class Op:
    """Runs a work forward, or with the gradients of all its inputs."""

    def __init__(self, work, gradients, attrs, inputs):
        self.dy = inputs.pop("dy", None)
        self.names = list(inputs)
        self.f = WORKS[work](attrs, **inputs)
        self.gradients = gradients
        self.leaves = [t.requires_grad_(gradients) for t in inputs.values()]
        self.results = RESULTS.get(work, ["y"])

    def run(self):
        if not self.gradients:
            with torch.no_grad():
                y = self.f(*self.leaves)
            return y if isinstance(y, tuple) else (y,)
        y = self.f(*self.leaves)
        return (y, *torch.autograd.grad(y, self.leaves, self.dy))

    def outputs(self):
        names = self.results + ([f"d{name}" for name in self.names] if self.gradients else [])
        return dict(zip(names, self.run()))


class TrainingStep:
    def __init__(self, attrs, inputs):
        self.model = Fpn4(UPSAMPLERS[attrs["upsampler"]])
        self.x, self.target = inputs.pop("images"), inputs.pop("masks").long()
        state = {name.removeprefix("state."): t for name, t in inputs.items()}
        missing, unexpected = self.model.load_state_dict(state, strict=False)
        missing = [name for name in missing if not name.endswith(("num_batches_tracked", "init_pos"))]
        if missing or unexpected:
            raise ValueError(f"internal: the state must fit the network: missing {missing}, unexpected {unexpected}")
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.01)

    def run(self):
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.model(self.x), self.target)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def outputs(self):
        losses = [self.run()]
        gradients = {f"d{name}": p.grad.clone() for name, p in self.model.named_parameters()}  # of the first step
        losses += [self.run(), self.run()]
        return {"losses": torch.tensor(losses), **gradients}


class Machine:
    """What the machine can do: copies of a large array, and products of large matrices."""

    def __init__(self, work, attrs):
        if work == "copy":
            a, b = torch.ones(attrs["bytes"] // 4), torch.zeros(attrs["bytes"] // 4)
            self.run = lambda: b.copy_(a)
        else:
            n = round(attrs["macs"] ** (1 / 3))
            a, b, c = torch.randn(n, n), torch.randn(n, n), torch.empty(n, n)
            self.run = lambda: torch.matmul(a, b, out=c)

    def outputs(self):
        self.run()
        return {}


def prepare(task, inputs, folder):
    tensors = {}
    for entry in inputs:
        dtype = {"float32": torch.float32, "int32": torch.int32}[entry["dtype"]]
        values = torch.from_file(entry["file"], size=math.prod(entry["shape"]), dtype=dtype)
        tensors[entry["name"]] = values.reshape(entry["shape"]).clone()  # out of the file's pages
    work, attrs = task["work"], task["attrs"]
    if work in ("copy", "multiplyAdd"):
        made = Machine(work, attrs)
    elif work == "trainingStep":
        made = TrainingStep(attrs, tensors)
    elif work in WORKS:
        made = Op(work, task["gradients"], attrs, tensors)
    else:
        answer(lacks=f"torch_peer.py has no {work}")
        return None
    files = []
    for name, t in made.outputs().items():
        file = os.path.join(folder, f"{os.getpid()}.out.{name}.raw")
        on_disk = torch.from_file(file, shared=True, size=t.numel(), dtype=torch.float32)
        on_disk.copy_(t.detach().reshape(-1))
        files.append({"name": name, "shape": list(t.shape), "dtype": "float32", "file": file})
    answer(outputs=files)
    return made


def time_runs(made, ms, least):
    times = []
    cpu, begin = time.process_time(), time.perf_counter()
    while len(times) < least or (time.perf_counter() - begin) * 1e3 < ms:
        start = time.perf_counter()
        result = made.run()
        times.append((time.perf_counter() - start) * 1e3)
        del result
    answer(ms=times, cpuMs=(time.process_time() - cpu) * 1e3)


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(0)
    policy = os.environ.get("OMP_WAIT_POLICY", "unset")
    version = f"{torch.__version__}, eager, Python {platform.python_version()}, OMP_WAIT_POLICY {policy}"
    answer(version=version, threads=str(torch.get_num_threads()))
    made = None
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if request["do"] == "run":
                time_runs(made, request["ms"], request["least"])
            elif request["do"] == "prepare":
                made = None
                made = prepare(request["task"], request["inputs"], request["folder"])
            else:
                made = None
                answer()
        except Exception:
            answer(error=traceback.format_exc())


main()
