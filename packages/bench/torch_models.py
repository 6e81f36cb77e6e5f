"""The modules of the benchmarks in PyTorch: DySample as its authors write it, and the toy task's network.

Names are those of gridgrad's modules, so that weights go from one to the other.
"""
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F


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
    return nn.Sequential(OrderedDict(conv=conv, bn=nn.BatchNorm2d(outside), relu=nn.ReLU()))


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
