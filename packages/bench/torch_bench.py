"""The lines of src/bench.ts in PyTorch, for a comparison on the same machine.

    python3 packages/bench/torch_bench.py [threads]

Needs torch. Prints the median in milliseconds of several runs, after two that do not count. The networks have the same structure;
their weights are random, as time does not depend on them.
"""
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)


class DySample(nn.Module):
    """Sampling points of a bilinear resize, moved by the offsets that a 1x1 convolution predicts."""

    def __init__(self, channels, style, groups=4, dyscope=False, scale=2):
        super().__init__()
        self.style, self.groups, self.scale = style, groups, scale
        cells = scale * scale
        inside, outside = (channels, 2 * groups * cells) if style == "lp" else (channels // cells, 2 * groups)
        self.offset = nn.Conv2d(inside, outside, 1)
        nn.init.normal_(self.offset.weight, std=0.001)
        self.scope = nn.Conv2d(inside, outside, 1, bias=False) if dyscope else None
        steps = (torch.arange(scale) - (scale - 1) / 2) / scale
        x = steps.expand(scale, scale)
        points = torch.stack([x, x.t()]).reshape(2, 1, cells).expand(2, groups, cells)
        self.register_buffer("init_pos", points.reshape(1, -1, 1, 1).clone())

    def forward(self, x):
        n, c, h, w = x.shape
        features = x if self.style == "lp" else F.pixel_shuffle(x, self.scale)
        moved = self.offset(features) * 0.25 if self.scope is None else self.offset(features) * self.scope(features).sigmoid() * 0.5
        if self.style == "pl":
            moved = F.pixel_unshuffle(moved, self.scale)
        offsets = (moved + self.init_pos).view(n, 2, -1, h, w)
        rows, columns = torch.arange(h) + 0.5, torch.arange(w) + 0.5
        centres = torch.stack([columns.expand(h, w), rows[:, None].expand(h, w)]).view(1, 2, 1, h, w)
        grid = 2 * (centres + offsets) / torch.tensor([w, h], dtype=x.dtype).view(1, 2, 1, 1, 1) - 1
        grid = F.pixel_shuffle(grid.reshape(n, -1, h, w), self.scale).view(n, 2, self.groups, self.scale * h, self.scale * w)
        grid = grid.permute(0, 2, 3, 4, 1).flatten(0, 1)
        y = F.grid_sample(x.reshape(n * self.groups, -1, h, w), grid, padding_mode="border", align_corners=False)
        return y.view(n, c, self.scale * h, self.scale * w)


class Shuffled(nn.Sequential):
    def __init__(self, channels):
        super().__init__(nn.Conv2d(channels, 4 * channels, 3, padding=1), nn.PixelShuffle(2))


UPSAMPLERS = {
    "nearest": lambda c: nn.Upsample(scale_factor=2, mode="nearest"),
    "bilinear": lambda c: nn.Upsample(scale_factor=2, mode="bilinear"),
    "transposed-conv": lambda c: nn.ConvTranspose2d(c, c, 4, 2, 1),
    "pixel-shuffle": Shuffled,
    "dysample": lambda c: DySample(c, "lp"),
    "dysample+": lambda c: DySample(c, "lp", dyscope=True),
    "dysample-s": lambda c: DySample(c, "pl"),
    "dysample-s+": lambda c: DySample(c, "pl", dyscope=True),
}


def block(inside, outside, kernel, stride=1):
    conv = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outside), nn.ReLU())


class Fpn4(nn.Module):
    def __init__(self, up):
        super().__init__()
        self.e1, self.e2, self.e3, self.e4 = block(3, 16, 3, 2), block(16, 32, 3, 2), block(32, 48, 3, 2), block(48, 48, 3)
        self.l3, self.l2 = nn.Conv2d(48, 32, 1, bias=False), nn.Conv2d(32, 32, 1, bias=False)
        self.up0, self.up1, self.up2 = up(32), up(32), up(32)
        self.f0, self.f1, self.cls = block(32, 32, 1), block(32, 32, 1), nn.Conv2d(32, 6, 1)

    def forward(self, x):
        c2 = self.e2(self.e1(x))
        y = self.f0(self.up0(self.l3(self.e4(self.e3(c2)))) + self.l2(c2))
        return self.cls(self.up2(self.f1(self.up1(y))))


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
