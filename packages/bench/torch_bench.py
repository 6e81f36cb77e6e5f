"""The lines of src/bench.ts in PyTorch, for a comparison on the same machine.

    python3 packages/bench/torch_bench.py [threads]

Needs torch. Prints the median in milliseconds of several runs, after two that do not count. The networks have the same structure;
their weights are random, as time does not depend on them.
"""
import sys
import time

import torch
import torch.nn.functional as F

from torch_models import UPSAMPLERS, Fpn4

torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)


def measure(title, body, seconds=2.0):
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 7 or time.perf_counter() < end:
        start = time.perf_counter()
        body()
        times.append((time.perf_counter() - start) * 1e3)
    times = sorted(times[2:])
    print(f"{title:<62}{times[len(times) // 2]:9.1f}", flush=True)


def forward_and_backward(title, inputs, f):
    with torch.no_grad():
        cotangent = torch.rand_like(f(*inputs))
        measure(f"{title}, forward", lambda: f(*inputs))
    leaves = [t.clone().requires_grad_() for t in inputs]
    measure(f"{title}, forward and gradients", lambda: torch.autograd.grad(f(*leaves), leaves, cotangent))


def training_step(name):
    model = Fpn4(UPSAMPLERS[name])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x, target = torch.randn(16, 3, 64, 64), torch.randint(0, 6, (16, 64, 64))

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(x), target).backward()
        optimizer.step()

    measure(f"training step, batch 16, {name}", step)


print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s)")
image = torch.randn(1, 256, 120, 120)
forward_and_backward("conv1x1 256 -> 32, 120x120", [image, torch.randn(32, 256, 1, 1)], F.conv2d)
forward_and_backward(
    "conv2d 3x3 16 -> 32, 8 x 64x64",
    [torch.randn(8, 16, 64, 64), torch.randn(32, 16, 3, 3)],
    lambda x, w: F.conv2d(x, w, padding=1),
)
forward_and_backward(
    "gridSample 64 channels, 120x120 -> 240x240",
    [torch.randn(1, 64, 120, 120), torch.rand(1, 240, 240, 2) * 2 - 1],
    lambda x, grid: F.grid_sample(x, grid, padding_mode="border", align_corners=False),
)
for name in ["dysample", "dysample-s+"]:
    up = UPSAMPLERS[name](256)
    forward_and_backward(f"{name} 256 channels, 120x120", [image], up)
for name in UPSAMPLERS:
    training_step(name)
