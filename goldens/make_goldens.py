"""Generate the golden files: reference inputs, outputs and gradients computed by PyTorch.

Usage

    OPENBLAS_NUM_THREADS=1 python3 make_goldens.py --dysample path/to/dysample.py --out network

Needs numpy, torch and the DySample authors' dysample.py (github.com/tiny-smart/dysample, MIT).
The stored files were made with PyTorch 1.13 (Debian 12's python3-torch 1.13.1+dfsg-4, which calls
itself 1.13.0a0) on a CPU with AVX2 and AVX-512, one thread; on the same machine the files come out
byte for byte. With other OpenBLAS or oneDNN kernels (AVX2 or SSE4 in place of AVX-512) the tensors
were seen to stay the same, but the recorded float32 errors and some tolerances move; without
PyTorch's own AVX2 kernels torch.randn, and so the inputs, differ in their last bits.

Golden files: <family>/<name>.safetensors

One file per case. Tensors (float32, but int64 class targets and a float64 schedule) and their
roles:

    input       every input and parameter of the operation, under its own name: x, weight, bias,
                grid, target, offset.weight, running_mean, ...
    cotangent   'cot', a random tensor of the shape of the differentiable output
    output      'out', or several names (running_mean_after, a_steps, ...) where there are several
    grad        'grad.<input>', the gradient of sum(out * cot) with respect to that input

A case without gradients has no 'cot' and no 'grad.*'. Outputs and gradients are the truth:
PyTorch CPU float64, computed from the stored float32 inputs, cast to float32. Two exceptions,
named in the file's 'truth' entry: grid_sample at NaN / Inf coordinates stores PyTorch's own
float32 result, and the cosine schedule is kept in float64.

Random inputs stay away from the kinks of piecewise functions (integer and half-integer sampling
positions, |x| = 0 of relu, ...), or the cotangent is zero there, so that a float32 implementation
cannot land on the other side. Ties and non-finite values have cases of their own.

The safetensors metadata (all values are strings) of each file:

    format, set, family, op   'golden-1', the set's name, the folder, the operation
    attrs         JSON, the arguments of the operation
    level         'core', or 'extended' for a corner case
    tolerance     JSON, tensor -> {atol, rtol, scale, torch_f32_err}; see below
    roles         JSON, tensor -> role
    truth, loss, torch, seed, and where useful note and dysample statistics

Tolerances

Every output and grad has its own, from the case itself. With E = the largest difference between
PyTorch's float32 and float64 results and S = the largest magnitude of the float64 result (finite
elements only):

    atol = max(8 E, 2e-6 S, 1e-7) rounded up to 1, 2 or 5 x 10^k,  rtol = 1e-5

pixel_shuffle, pixel_unshuffle, relu and max pooling with ties have atol = rtol = 0; the float64
cosine schedule has atol = 1e-12, rtol = 1e-10. E is stored as torch_f32_err and S as scale.

Manifest: MANIFEST.json

    format    'golden-manifest-1'
    set, torch, cases, compare (the pass rule), loss
    files     one entry per case: file, family, op, attrs, level, bytes, sha256,
              tensors (name -> role, dtype, shape), tolerance (name -> atol, rtol), note if any

A tensor passes if |got - ref| <= atol + rtol * |ref| for every element, NaN matching NaN and
infinities matching exactly.
"""
import os

os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')      # read when numpy and torch are loaded

import argparse
import hashlib
import importlib.util
import json
import math
import warnings
import zlib

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.stateless import functional_call

import stio

SET = 'public'              # this set's name: part of every seed and of the metadata
BASE_SEED = 20230803
RTOL = 1e-5

TRUTH_CAST = 'pytorch cpu float64, cast to float32'
TRUTH_F64 = 'pytorch cpu float64'
TRUTH_F32 = 'pytorch cpu float32'


# ---------------------------------------------------------------------------- random draws
class Draws:
    """Seeded float32 draws; every case has its own generator, derived from its set and name."""

    def __init__(self, key, set_name=SET):
        self.seed = (BASE_SEED * 7919 + zlib.crc32(f'{set_name}/{key}'.encode())) % 2 ** 31
        self.generator = torch.Generator().manual_seed(self.seed)

    def normal(self, *shape, std=1.0, mean=0.0):
        return torch.randn(shape, generator=self.generator) * std + mean

    def uniform(self, *shape, lo=0.0, hi=1.0):
        return torch.rand(shape, generator=self.generator) * (hi - lo) + lo

    def integers(self, hi, *shape):
        return torch.randint(0, hi, shape, generator=self.generator)

    @staticmethod
    def away(draw, bad):
        """draw(), with the elements for which bad() holds drawn again until none is left."""
        t = draw()
        for _ in range(1000):
            m = bad(t)
            if not m.any():
                return t
            t = torch.where(m, draw(), t)
        raise RuntimeError('no acceptable draw')


# ---------------------------------------------------------------------------- writing
def round_up(v):
    """v rounded up to 1, 2 or 5 x 10^k."""
    e = math.floor(math.log10(v))
    m = v / 10 ** e
    for q in (1, 2, 5, 10):
        if m <= q * (1 + 1e-9):
            return float('%.1e' % (q * 10 ** e))


def tolerance(a64, a32, exact, truth):
    """Tolerance of one tensor from its float64 and float32 results (see the module docstring)."""
    a64 = a64.numpy().astype(np.float64)
    a32 = a32.numpy().astype(np.float64)
    finite = np.isfinite(a64)
    err = np.abs(a64 - a32)[finite]
    mag = np.abs(a64)[finite]
    E = float(err.max()) if err.size else 0.0
    S = float(mag.max()) if mag.size else 0.0
    if truth == TRUTH_F64:
        return dict(atol=1e-12, rtol=1e-10, scale=S, torch_f32_err=E)
    if exact and E == 0:
        return dict(atol=0.0, rtol=0.0, scale=S, torch_f32_err=0.0)
    return dict(atol=round_up(max(8 * E, 2e-6 * S, 1e-7)), rtol=RTOL,
                scale=float('%.4g' % S), torch_f32_err=float('%.3g' % E))


class Writer:
    """Computes cases, writes their files under out and collects the manifest.

    Every element of a cotangent has a magnitude of least_cot or more.
    """

    def __init__(self, out, set_name=SET, least_cot=0.0):
        self.out = out
        self.set_name = set_name
        self.least_cot = least_cot
        self.files = []

    def draws(self, key):
        """A generator of this set's own, derived from key."""
        return Draws(key, self.set_name)

    def emit(self, family, name, op, attrs, inputs, fn, grads=(), exact=False, level='core',
             note='', truth=TRUTH_CAST, cot_mask=None, extra_meta=None):
        """Write one case.

        fn maps {input name: tensor} to the output tensor or to {output name: tensor}; it is run
        on the inputs in float64 and in float32. grads names the inputs to differentiate by,
        exact (True, or the names of some outputs and grads) asks for tolerance 0 wherever the
        two results are equal, and cot_mask multiplies the cotangent.
        """
        def run(dtype):
            t = {}
            for k, v in inputs.items():
                t[k] = v.to(dtype).clone() if v.dtype.is_floating_point else v.clone()
                if k in grads:
                    t[k].requires_grad_()
            outs = fn(t)
            return t, ({'out': outs} if torch.is_tensor(outs) else outs)

        def differentiate(t, outs):
            loss = (outs[diff] * cot.to(outs[diff].dtype)).sum()
            return torch.autograd.grad(loss, [t[k] for k in grads])

        draws = self.draws(f'{family}/{name}')
        t64, o64 = run(torch.float64)
        t32, o32 = run(torch.float32)
        tensors = {k: v.numpy() for k, v in inputs.items()}
        roles = {k: 'input' for k in inputs}
        results = [(k, 'output', o64[k], o32[k]) for k in o64]
        if grads:
            diff, = [k for k, v in o64.items() if v.requires_grad]
            cot = draws.away(lambda: draws.normal(*o64[diff].shape),
                             lambda t: t.abs() < self.least_cot)
            if cot_mask is not None:
                cot = cot * cot_mask
            tensors['cot'], roles['cot'] = cot.numpy(), 'cotangent'
            results += [('grad.' + k, 'grad', a, b) for k, a, b in
                        zip(grads, differentiate(t64, o64), differentiate(t32, o32))]
        tol = {}
        for k, role, a64, a32 in results:
            a64, a32 = a64.detach(), a32.detach()
            stored = {TRUTH_CAST: a64.float(), TRUTH_F64: a64, TRUTH_F32: a32}[truth]
            tensors[k], roles[k] = stored.numpy(), role
            tol[k] = tolerance(a64, a32, exact is True or bool(exact) and k in exact, truth)

        meta = {'format': 'golden-1', 'set': self.set_name, 'family': family, 'op': op,
                'attrs': json.dumps(attrs), 'level': level, 'tolerance': json.dumps(tol),
                'roles': json.dumps(roles), 'truth': truth,
                'loss': 'sum(out * cot)' if grads else 'none', 'torch': torch.__version__,
                'seed': str(draws.seed)}
        if note:
            meta['note'] = note
        meta.update(extra_meta or {})
        file = f'{family}/{name}.safetensors'
        path = os.path.join(self.out, family, name + '.safetensors')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        size = stio.save(path, tensors, meta)
        with open(path, 'rb') as f:
            sha = hashlib.sha256(f.read()).hexdigest()
        entry = dict(file=file, family=family, op=op, attrs=attrs, level=level, bytes=size,
                     sha256=sha,
                     tensors={k: dict(role=roles[k], dtype=stio.dtype_tag(v), shape=list(v.shape))
                              for k, v in tensors.items()},
                     tolerance={k: {q: v[q] for q in ('atol', 'rtol')} for k, v in tol.items()})
        if note:
            entry['note'] = note
        self.files.append(entry)

    def manifest(self):
        """Write MANIFEST.json."""
        m = dict(format='golden-manifest-1', set=self.set_name, torch=torch.__version__,
                 cases=len(self.files),
                 compare='pass if |got-ref| <= atol + rtol*|ref| elementwise for every tensor with '
                         'a tolerance (roles output and grad); NaN matches NaN, +-Inf must match '
                         'exactly',
                 loss='gradients are d sum(out*cot) / d input', files=self.files)
        with open(os.path.join(self.out, 'MANIFEST.json'), 'w') as f:
            json.dump(m, f, indent=1)


def dims(*sizes):
    """(2, 3, 4) -> '2x3x4', for file names."""
    return 'x'.join(map(str, sizes))


# ---------------------------------------------------------------------------- dysample
def load_dysample(path):
    """The class DySample of the authors' module at path."""
    spec = importlib.util.spec_from_file_location('authors_dysample', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DySample


def sampling_positions(module, params, x):
    """Where the module samples: positions [B*g, sH, sW, (x, y)] in pixels of its input.

    float64, before clamping; read from the grid that the module hands to F.grid_sample.
    """
    seen = {}
    original = F.grid_sample

    def spy(inp, grid, **kw):
        seen['grid'] = grid
        return original(inp, grid, **kw)

    F.grid_sample = spy
    try:
        with torch.no_grad():
            functional_call(module.double(), {k: v.double() for k, v in params.items()},
                            (x.double(),))
    finally:
        F.grid_sample = original
    H, W = x.shape[2:]
    return ((seen['grid'] + 1) * torch.tensor([W, H], dtype=torch.float64) - 1) / 2


def left_cell_fraction(pos, scale):
    """Share of the samples that lie in another pixel cell than with zero offsets."""
    def base(n):
        return ((torch.arange(n) + .5) / scale - .5).floor()
    x0 = base(pos.shape[2]).view(1, 1, -1)
    y0 = base(pos.shape[1]).view(1, -1, 1)
    return ((pos[..., 0].floor() != x0) | (pos[..., 1].floor() != y0)).double().mean().item()


def clamped_fraction(pos, H, W):
    """Share of the samples outside the image, where border padding clamps them."""
    x, y = pos[..., 0], pos[..., 1]
    return ((x < 0) | (x > W - 1) | (y < 0) | (y > H - 1)).double().mean().item()


def away_from_kinks(pos, H, W):
    """[B*g, sH, sW], true where neither coordinate is within 2e-3 of an integer.

    An axis of extent 1 does not count: it is clamped on both sides and its gradient is 0.
    """
    ok = (pos - pos.round()).abs() > 2e-3
    safe = ok.all(-1)
    for axis, extent in ((0, W), (1, H)):
        if extent == 1:
            safe = safe | ok[..., 1 - axis]
    return safe


def dysample_case(w, DySample, name, B, C, H, W, scale, style, groups, dyscope, weight_std,
                  x_std=1.0, level='core', note=''):
    """One DySample module; weight_std None sets all parameters to zero.

    Otherwise the features are scaled up until at least 20 % of the samples leave their cell.
    """
    def make():
        return DySample(C, scale, style, groups, dyscope)

    def fn(t):
        return functional_call(make().to(t['x'].dtype), {k: t[k] for k in shapes}, (t['x'],))

    d = Draws('draw/dysample/' + name)
    shapes = {k: p.shape for k, p in make().named_parameters()}
    x = d.normal(B, C, H, W, std=x_std)
    if weight_std is None:
        params = {k: torch.zeros(s) for k, s in shapes.items()}
    else:
        std = {'offset.weight': weight_std, 'offset.bias': 0.5, 'scope.weight': weight_std}
        params = {k: d.normal(*s, std=std[k]) for k, s in shapes.items()}
        for _ in range(20):
            if left_cell_fraction(sampling_positions(make(), params, x), scale) >= 0.2:
                break
            x = x * 1.25
    pos = sampling_positions(make(), params, x)
    safe = away_from_kinks(pos, H, W)
    sH, sW = scale * H, scale * W
    mask = safe.view(B, groups, 1, sH, sW).expand(-1, -1, C // groups, -1, -1)
    w.emit('dysample', name, 'dysample',
           dict(in_channels=C, scale=scale, style=style, groups=groups, dyscope=dyscope),
           {'x': x, **params}, fn, grads=['x', *params], level=level, note=note,
           cot_mask=mask.reshape(B, C, sH, sW).float(),
           extra_meta={
               'clamped_fraction': '%.3f' % clamped_fraction(pos, H, W),
               'left_cell_fraction': '%.3f' % left_cell_fraction(pos, scale),
               'cot_zeroed_fraction': '%.4f' % (1 - safe.double().mean().item()),
               'note_cot': 'cotangent is 0 where the sampling position is within 2e-3 of an '
                           'integer (kink of the bilinear kernel / clamp)'})


def dysample_family(w, DySample):
    """DySample with every style, dyscope, scale 2 to 4 and several groups, and its corner cases."""
    sizes = [(5, 7), (6, 4), (3, 8), (7, 5), (4, 9), (8, 3)]
    stds = [0.1, 0.2, 0.35, 0.5]
    groups = {2: (1, 4), 3: (2, 4), 4: (2,)}
    lp_channels = (8, 12, 16)
    pl_channels = {2: (16, 32), 3: (36, 36), 4: (32, 32)}
    variants = [(style, dyscope, scale, g) for style in ('lp', 'pl') for dyscope in (False, True)
                for scale in (2, 3, 4) for g in groups[scale]]
    for k, (style, dyscope, scale, g) in enumerate(variants):
        B = 1 + k % 3
        H, W = sizes[k % 6]
        std = stds[k % 4]
        if style == 'lp':
            C = lp_channels[k % 3]
        else:
            C = pl_channels[scale][k % 2]
            std = min(1.5 * std, 0.6)           # the fan-in is C / scale^2 only
            if scale == 4:
                H, W = min(H, 4), min(W, 5)
        name = f'{style}{"_dyscope" if dyscope else ""}_s{scale}_g{g}_{dims(B, C, H, W)}'
        dysample_case(w, DySample, name, B, C, H, W, scale, style, g, dyscope, std)

    note = ('all parameters zero: output equals interpolate(bilinear, align_corners=False, '
            'scale_factor=%d)')
    dysample_case(w, DySample, 'zero_offsets_lp', 2, 8, 5, 6, 2, 'lp', 4, False, None,
                  note=note % 2)
    dysample_case(w, DySample, 'zero_offsets_pl_dyscope', 1, 36, 3, 4, 3, 'pl', 2, True, None,
                  note=note % 3)
    dysample_case(w, DySample, 'h1_lp', 2, 8, 1, 6, 2, 'lp', 4, False, 0.4, level='extended')
    dysample_case(w, DySample, 'w1_pl_dyscope', 1, 16, 5, 1, 2, 'pl', 2, True, 0.5,
                  level='extended')
    dysample_case(w, DySample, 'far_lp_dyscope', 2, 16, 4, 5, 2, 'lp', 4, True, 0.5, x_std=4.0,
                  level='extended',
                  note='large features: most samples leave the image or jump many cells')
    dysample_case(w, DySample, 'workload_pl_4x512x7x7', 4, 512, 7, 7, 2, 'pl', 4, False, 0.12,
                  note='workload shape')


# ---------------------------------------------------------------------------- grid_sample
def random_grid(d, B, Ho, Wo, H, W, align_corners, far):
    """Random grid whose positions are at least 2e-3 pixels from every multiple of 0.5.

    Positions reach 0.35 image extents beyond each edge, with far 2.5 extents.
    """
    def unnormalise(g, n):
        return (g + 1) / 2 * (n - 1) if align_corners else ((g + 1) * n - 1) / 2

    def normalise(u, n):
        if align_corners:
            return 2 * u / (n - 1) - 1 if n > 1 else u
        return (2 * u + 1) / n - 1

    columns = []
    for n in (W, H):
        lo, hi = (-2.5 * n, 3.5 * n) if far else (-0.5 - 0.35 * n, n - 0.5 + 0.35 * n)

        def draw():
            return normalise(d.uniform(B, Ho, Wo, lo=lo, hi=hi).double(), n).float()

        def bad(g):
            if align_corners and n == 1:        # every value means position 0
                return torch.zeros_like(g, dtype=torch.bool)
            u = 2 * unnormalise(g.double(), n)
            return (u - u.round()).abs() < 4e-3

        columns.append(d.away(draw, bad))
    return torch.stack(columns, -1)


def grid_sample_family(w):
    """F.grid_sample: every mode, padding and align_corners; extents of 1; ties; NaN and Inf."""
    def label(mode, padding, ac):
        return f'{mode}_{padding}_{"ac" if ac else "nac"}'

    def emit(name, mode, padding, ac, x, grid, **kw):
        attrs = dict(mode=mode, padding_mode=padding, align_corners=ac)
        w.emit('grid_sample', name, 'grid_sample', attrs, {'x': x, 'grid': grid},
               lambda t: F.grid_sample(t['x'], t['grid'], **attrs), **kw)

    def case(name, mode, padding, ac, B, C, H, W, Ho, Wo, far=False, note=''):
        d = Draws('draw/gs/' + name)
        x = d.normal(B, C, H, W)
        emit(name, mode, padding, ac, x, random_grid(d, B, Ho, Wo, H, W, ac, far),
             grads=['x', 'grid'], note=note)

    sizes = [(2, 3, 5, 7, 6, 4), (1, 2, 4, 6, 7, 9), (3, 1, 6, 5, 3, 8)]        # B C H W Ho Wo
    variants = [(mode, padding, ac) for mode in ('bilinear', 'nearest', 'bicubic')
                for padding in ('zeros', 'border', 'reflection') for ac in (True, False)]
    for k, v in enumerate(variants):
        case(label(*v), *v, *sizes[k % 3])
    for *v, H, W in [('bilinear', 'border', False, 1, 6), ('bilinear', 'zeros', True, 5, 1),
                     ('nearest', 'reflection', False, 1, 4), ('bicubic', 'border', True, 1, 5)]:
        case(f'size1_{label(*v)}_{dims(H, W)}', *v, 2, 2, H, W, 4, 5)
    for v in [('bilinear', 'reflection', False), ('bicubic', 'reflection', True)]:
        case('far_' + label(*v), *v, 1, 3, 4, 5, 7, 6, far=True,
             note='positions up to 2.5 image widths outside')
    case('larger_bilinear_border_nac', 'bilinear', 'border', False, 2, 8, 13, 17, 26, 31)

    d = Draws('draw/gs/ties')
    u = torch.tensor([-0.5, 0.5, 1.5, 2.5, 3.5])        # exact in float32 after normalising
    for ac, n in ((False, 4), (True, 5)):
        g = u / 2 - 1 if ac else (2 * u + 1) / 4 - 1
        gy, gx = torch.meshgrid(g, g, indexing='ij')
        v = ('nearest', 'zeros', ac)
        emit('ties_' + label(*v), *v, d.normal(1, 1, n, n), torch.stack((gx, gy), -1)[None],
             level='extended', note='nearest rounds half to even (nearbyint)')

    values = [math.nan, math.inf, -math.inf, 0.1]
    grid = torch.tensor([[a, b] for a in values for b in values]).view(1, 4, 4, 2)
    for v in [('bilinear', 'zeros', False), ('bilinear', 'border', False),
              ('nearest', 'border', False)]:
        emit('nonfinite_' + label(*v), *v, d.normal(1, 2, 4, 5), grid, level='extended',
             truth=TRUTH_F32,
             note='rows: grid x in (nan,inf,-inf,0.1); columns: grid y likewise. '
                  'Documents PyTorch 1.13 CPU float32; forward only')


# ---------------------------------------------------------------------------- convolutions
def conv2d_family(w):
    """F.conv2d: kernels 1 and 3, stride, padding, dilation, grouped and depthwise."""
    for B, Ci, Co, H, W, k, s, p, d, g in [
            (2, 6, 8, 5, 7, 1, 1, 0, 1, 1), (1, 3, 5, 7, 6, 3, 1, 1, 1, 1),
            (2, 4, 6, 9, 8, 3, 2, 1, 1, 1), (1, 4, 4, 8, 7, 3, 1, 0, 1, 2),
            (2, 6, 6, 6, 7, 3, 1, 1, 1, 6), (1, 4, 6, 9, 10, 3, 1, 2, 2, 1),
            (2, 4, 8, 9, 9, 3, 2, 0, 2, 2), (1, 6, 12, 6, 5, 3, 2, 1, 1, 6),
            (2, 8, 4, 6, 6, 1, 2, 0, 1, 2)]:
        name = f'k{k}_s{s}_p{p}_d{d}_g{g}_{B}x{Ci}-{dims(Co, H, W)}'
        r = Draws('draw/conv/' + name)
        inputs = {'x': r.normal(B, Ci, H, W),
                  'weight': r.normal(Co, Ci // g, k, k, std=(1 / (Ci // g * k * k)) ** .5),
                  'bias': r.normal(Co)}
        w.emit('conv2d', name, 'conv2d', dict(stride=s, padding=p, dilation=d, groups=g), inputs,
               lambda t: F.conv2d(t['x'], t['weight'], t['bias'], s, p, d, g),
               grads=['x', 'weight', 'bias'])


def conv_transpose2d_family(w):
    """F.conv_transpose2d with stride 2: kernels 2, 3 and 4, output padding, groups."""
    for B, Ci, Co, H, W, k, p, op, g in [
            (2, 4, 6, 4, 5, 2, 0, 0, 1), (1, 6, 4, 5, 3, 4, 1, 0, 2), (2, 3, 5, 4, 4, 3, 1, 1, 1)]:
        attrs = dict(stride=2, padding=p, output_padding=op, groups=g, dilation=1)
        name = f'k{k}_s2_p{p}_op{op}_g{g}_d1_{B}x{Ci}-{dims(Co, H, W)}'
        r = Draws('draw/conv/transpose_' + name)
        inputs = {'x': r.normal(B, Ci, H, W),
                  'weight': r.normal(Ci, Co // g, k, k, std=(1 / (Ci // g * k)) ** .5),
                  'bias': r.normal(Co)}
        w.emit('conv_transpose2d', name, 'conv_transpose2d', attrs, inputs,
               lambda t: F.conv_transpose2d(t['x'], t['weight'], t['bias'], **attrs),
               grads=['x', 'weight', 'bias'])


# ---------------------------------------------------------------------------- resampling, pooling
def pixel_shuffle_family(w):
    """F.pixel_shuffle and F.pixel_unshuffle (exact)."""
    for B, C, H, W, q in [(2, 8, 3, 5, 2), (1, 18, 4, 2, 3)]:
        r = Draws(f'draw/ps{q}')
        folded = (B, C, H, W)
        unfolded = (B, C // q ** 2, H * q, W * q)
        w.emit('pixel_shuffle', f'shuffle_r{q}_{dims(*folded)}', 'pixel_shuffle',
               dict(upscale_factor=q), {'x': r.normal(*folded)},
               lambda t: F.pixel_shuffle(t['x'], q), grads=['x'], exact=True)
        w.emit('pixel_shuffle', f'unshuffle_r{q}_{dims(*unfolded)}', 'pixel_unshuffle',
               dict(downscale_factor=q), {'x': r.normal(*unfolded)},
               lambda t: F.pixel_unshuffle(t['x'], q), grads=['x'], exact=True)


def interpolate_family(w):
    """F.interpolate: nearest and bilinear, by whole factors and by odd ratios.

    For nearest PyTorch computes the ratio in floating point; the assertion makes sure that
    source index = floor(i * in / out) in integers agrees.
    """
    for k, (H, W, h, v) in enumerate([(4, 5, 8, 10), (3, 7, 9, 21), (5, 6, 7, 4)]):
        for mode, ac, label in (('nearest', None, 'nearest'), ('bilinear', True, 'bilinear_ac'),
                                ('bilinear', False, 'bilinear_nac')):
            name = f'{label}_{dims(H, W)}-{dims(h, v)}'
            attrs = dict(size=[h, v], mode=mode, align_corners=ac)
            if mode == 'nearest':
                index = torch.arange(H * W, dtype=torch.float64).view(1, 1, H, W)
                got = F.interpolate(index, size=(h, v), mode='nearest')[0, 0].long()
                rows, cols = torch.arange(h) * H // h, torch.arange(v) * W // v
                assert (got == rows.view(-1, 1) * W + cols).all(), name
            r = Draws('draw/interp/' + name)
            w.emit('interpolate', name, 'interpolate', attrs, {'x': r.normal(2, 2 + k, H, W)},
                   lambda t: F.interpolate(t['x'], **attrs), grads=['x'])


def pool_family(w):
    """F.max_pool2d and F.avg_pool2d, and max pooling with ties."""
    for kind, k, s, p, kw in [('max', 2, 2, 0, {}), ('max', 3, 2, 1, {}), ('avg', 2, 2, 0, {}),
                              ('avg', 3, 2, 1, dict(count_include_pad=True))]:
        name = f'{kind}_k{k}_s{s}_p{p}' + ''.join(f'_{a}{int(b)}' for a, b in kw.items())
        attrs = dict(kernel_size=k, stride=s, padding=p, **kw)
        pool = {'max': F.max_pool2d, 'avg': F.avg_pool2d}[kind]
        r = Draws('draw/pool/' + name)
        w.emit('pool', name, f'{kind}_pool2d', attrs, {'x': r.normal(2, 3, 7, 9)},
               lambda t: pool(t['x'], **attrs), grads=['x'])
    r = Draws('draw/pool/ties')
    w.emit('pool', 'max_ties', 'max_pool2d', dict(kernel_size=2, stride=2, padding=0),
           {'x': torch.relu(torch.round(r.normal(1, 2, 8, 6)))},
           lambda t: F.max_pool2d(t['x'], 2, 2), grads=['x'], exact=True, level='extended',
           note='integer-valued, many ties (as after relu): the gradient goes to the first maximum '
                'in row-major order')


# ---------------------------------------------------------------------------- normalisation
def batch_norm2d_family(w):
    """F.batch_norm in training (with the updated running statistics) and in evaluation."""
    for B, C, H, W in [(3, 4, 5, 6), (4, 5, 1, 1)]:
        for training in (True, False):
            name = f'{"train" if training else "eval"}_{dims(B, C, H, W)}'
            r = Draws('draw/bn/' + name)
            inputs = {'x': r.normal(B, C, H, W, std=1.5) + r.normal(1, C, 1, 1, std=2),
                      'weight': r.uniform(C, lo=.3, hi=1.7), 'bias': r.normal(C),
                      'running_mean': r.normal(C), 'running_var': r.uniform(C, lo=.3, hi=3)}
            attrs = dict(training=training, momentum=0.1, eps=1e-5)

            def fn(t):
                mean, var = t['running_mean'].clone(), t['running_var'].clone()
                y = F.batch_norm(t['x'], mean, var, t['weight'], t['bias'], **attrs)
                if not training:
                    return y
                return {'out': y, 'running_mean_after': mean, 'running_var_after': var}

            w.emit('batch_norm2d', name, 'batch_norm2d', attrs, inputs, fn,
                   grads=['x', 'weight', 'bias'],
                   note='running_var is updated with the unbiased batch variance (n-1); '
                        'normalisation uses the biased one' if training else '')


def group_norm_family(w):
    """F.group_norm with several groups and with one."""
    for B, C, H, W, g in [(2, 6, 4, 5, 3), (1, 8, 3, 3, 1)]:
        name = f'g{g}_{dims(B, C, H, W)}'
        r = Draws('draw/gn/' + name)
        inputs = {'x': r.normal(B, C, H, W, std=2, mean=.7),
                  'weight': r.normal(C, std=.5, mean=1), 'bias': r.normal(C)}
        w.emit('group_norm', name, 'group_norm', dict(num_groups=g, eps=1e-5), inputs,
               lambda t: F.group_norm(t['x'], g, t['weight'], t['bias'], 1e-5),
               grads=['x', 'weight', 'bias'])


def layer_norm_family(w):
    """F.layer_norm over the last dimension and over the last three."""
    for shape, over in [((3, 5, 8), [8]), ((2, 4, 3, 5), [4, 3, 5])]:
        name = f'{dims(*shape)}_over{dims(*over)}'
        r = Draws('draw/ln/' + name)
        inputs = {'x': r.normal(*shape, std=1.3, mean=-.5),
                  'weight': r.normal(*over, std=.5, mean=1), 'bias': r.normal(*over)}
        w.emit('layer_norm', name, 'layer_norm', dict(normalized_shape=over, eps=1e-5), inputs,
               lambda t: F.layer_norm(t['x'], over, t['weight'], t['bias'], 1e-5),
               grads=['x', 'weight', 'bias'])


# ---------------------------------------------------------------------------- activations
def activation_family(w):
    """Pointwise activations and (log_)softmax; inputs include large values of both signs."""
    for name, attrs, f in [('relu', {}, F.relu),
                           ('leaky_relu', dict(negative_slope=0.01), F.leaky_relu),
                           ('sigmoid', {}, torch.sigmoid), ('tanh', {}, torch.tanh),
                           ('gelu', dict(approximate='none'), F.gelu), ('silu', {}, F.silu)]:
        r = Draws(f'draw/act/{name}{attrs}')
        x = r.away(lambda: r.normal(3, 4, 5, std=2.5), lambda t: t.abs() < 1e-3)
        x.view(-1)[:6] = torch.tensor([30., -30., 90., -90., 5., -5.])
        w.emit('activation', name, name, attrs, {'x': x}, lambda t: f(t['x'], **attrs),
               grads=['x'], exact=name == 'relu')
    for name, f in (('softmax', F.softmax), ('log_softmax', F.log_softmax)):
        for shape in [(3, 6), (2, 4, 3, 5)]:
            r = Draws(f'draw/{name}/1/{shape}')
            x = r.normal(*shape, std=3)
            x.view(-1)[0], x.view(-1)[-1] = 80., -75.
            w.emit('activation', f'{name}_dim1_{dims(*shape)}', name, dict(dim=1), {'x': x},
                   lambda t: f(t['x'], 1), grads=['x'])


# ---------------------------------------------------------------------------- losses
def loss_family(w):
    """cross_entropy, bce_with_logits, mse, l1 and smooth_l1."""
    for k, (shape, weighted, attrs) in enumerate([
            ((6, 5), False, dict(reduction='mean')),
            ((2, 4, 3, 5), False, dict(reduction='mean', ignore_index=255)),
            ((7, 4), True, dict(reduction='sum')),
            ((2, 3, 4, 4), True, dict(reduction='mean', ignore_index=255)),
            ((6, 5), False, dict(reduction='mean', label_smoothing=0.1))]):
        name = f'ce{k}_{attrs["reduction"]}'
        name += '_w' if weighted else ''
        name += '_ign255' if 'ignore_index' in attrs else ''
        name += '_ls' if 'label_smoothing' in attrs else ''
        name += f'_{len(shape)}d'
        r = Draws('draw/' + name)
        B, C, *rest = shape
        target = r.integers(C, B, *rest)
        if 'ignore_index' in attrs:
            target = torch.where(r.uniform(B, *rest) < 0.25, torch.tensor(255), target)
        inputs = {'x': r.normal(*shape, std=2), 'target': target}
        if weighted:
            inputs['weight'] = r.uniform(C, lo=.2, hi=2)
        w.emit('loss', name, 'cross_entropy', dict(attrs, has_weight=weighted), inputs,
               lambda t: F.cross_entropy(t['x'], t['target'], weight=t.get('weight'), **attrs),
               grads=['x'],
               note='mean divides by the summed weights of the non-ignored targets'
                    if weighted and attrs['reduction'] == 'mean' else '')

    r = Draws('draw/ceall')
    w.emit('loss', 'ce_all_ignored', 'cross_entropy',
           dict(reduction='mean', ignore_index=255, has_weight=False),
           {'x': r.normal(2, 3, 2, 2), 'target': torch.full((2, 2, 2), 255)},
           lambda t: F.cross_entropy(t['x'], t['target'], ignore_index=255),
           level='extended', note='PyTorch returns NaN (0/0)')

    for name, reduction, weighted in [('bce_0_mean', 'mean', False), ('bce_1_sum_pw', 'sum', True)]:
        r = Draws('draw/' + name)
        x = r.normal(4, 5, std=4)
        x.view(-1)[:4] = torch.tensor([60., -60., 100., -100.])
        target = r.uniform(4, 5)
        if weighted:
            target = (target > .5).float()
        inputs = {'x': x, 'target': target}
        if weighted:
            inputs['pos_weight'] = r.uniform(5, lo=.3, hi=3)
        w.emit('loss', name, 'bce_with_logits',
               dict(reduction=reduction, has_weight=False, has_pos_weight=weighted), inputs,
               lambda t: F.binary_cross_entropy_with_logits(
                   t['x'], t['target'], reduction=reduction, pos_weight=t.get('pos_weight')),
               grads=['x'])

    for name, f, extra, grads in [('mse', F.mse_loss, {}, ['x', 'target']),
                                  ('l1', F.l1_loss, {}, ['x', 'target']),
                                  ('smooth_l1', F.smooth_l1_loss, dict(beta=1.0), ['x'])]:
        attrs = dict(reduction='mean', **extra)
        r = Draws(f'draw/{name}/mean')
        target = r.normal(3, 4, 2)
        x = r.away(lambda: target + r.normal(3, 4, 2, std=1.2), lambda t: (t - target).abs() < 2e-3)
        w.emit('loss', name + '_mean', name + '_loss', attrs, {'x': x, 'target': target},
               lambda t: f(t['x'], t['target'], **attrs), grads=grads)


# ---------------------------------------------------------------------------- matmul
def matmul_family(w):
    """torch.matmul with 0, 1 and 2 batch dimensions, and F.linear."""
    for a, b in [((5, 7), (7, 4)), ((3, 4, 6), (3, 6, 5)), ((2, 3, 4, 5), (2, 3, 5, 6))]:
        name = f'{dims(*a)}_{dims(*b)}'
        r = Draws('draw/mm/' + name)
        w.emit('matmul', name, 'matmul', {}, {'a': r.normal(*a), 'b': r.normal(*b)},
               lambda t: torch.matmul(t['a'], t['b']), grads=['a', 'b'])
    r = Draws('draw/linear')
    w.emit('matmul', 'linear_6x5-4', 'linear', {},
           {'x': r.normal(6, 5), 'weight': r.normal(4, 5), 'bias': r.normal(4)},
           lambda t: F.linear(t['x'], t['weight'], t['bias']), grads=['x', 'weight', 'bias'])


# ---------------------------------------------------------------------------- optimisers, schedule
def optimizer_family(w):
    """Adam, AdamW and SGD on two parameter tensors for 5 given gradients; the cosine schedule.

    The schedule stores its closed form, checked against PyTorch's recursive CosineAnnealingLR.
    """
    steps = 5
    adam = dict(betas=[0.9, 0.999], eps=1e-8)
    for k, (name, attrs) in enumerate([
            ('adam', dict(lr=0.01, **adam, weight_decay=0.0)),
            ('adamw', dict(lr=0.02, **adam, weight_decay=0.05)),
            ('sgd', dict(lr=0.1, momentum=0.0, weight_decay=0.0, nesterov=False, dampening=0.0)),
            ('sgd', dict(lr=0.05, momentum=0.9, weight_decay=1e-2, nesterov=False, dampening=0.0)),
            ('sgd', dict(lr=0.05, momentum=0.9, weight_decay=0.0, nesterov=True, dampening=0.0))]):
        optimizer = {'adam': torch.optim.Adam, 'adamw': torch.optim.AdamW,
                     'sgd': torch.optim.SGD}[name]
        r = Draws(f'draw/opt/{k}/{name}')
        inputs = {'a0': r.normal(4, 3), 'b0': r.normal(5), 'grad_a': r.normal(steps, 4, 3),
                  'grad_b': r.normal(steps, 5, std=0.05)}

        def fn(t):
            a, b = nn.Parameter(t['a0'].clone()), nn.Parameter(t['b0'].clone())
            opt = optimizer([a, b], **attrs)
            a_steps, b_steps = [], []
            for i in range(steps):
                a.grad, b.grad = t['grad_a'][i].clone(), t['grad_b'][i].clone()
                opt.step()
                a_steps.append(a.detach().clone())
                b_steps.append(b.detach().clone())
            return {'a_steps': torch.stack(a_steps), 'b_steps': torch.stack(b_steps)}

        w.emit('optimizer', f'{name}_{k}', name, attrs, inputs, fn,
               note='two parameter tensors, 5 steps with the given gradients; '
                    '*_steps[i] = value after step i+1')

    for k, (lr, T, eta_min) in enumerate([(0.01, 10, 0.0), (3e-3, 400, 1e-5)]):
        def schedule(_):
            opt = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
            sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T, eta_min)
            recursive = []
            for _ in range(T + 1):
                recursive.append(opt.param_groups[0]['lr'])
                opt.step()
                sched.step()
            closed = eta_min + (lr - eta_min) * (1 + np.cos(np.pi * np.arange(T + 1) / T)) / 2
            assert np.abs(np.array(recursive) - closed).max() < 1e-13
            return {'lr': torch.from_numpy(closed)}

        w.emit('optimizer', f'cosine_{k}', 'cosine_lr', dict(lr=lr, T_max=T, eta_min=eta_min), {},
               schedule, truth=TRUTH_F64,
               note='lr[t] used at step t (t=0 is the first step): '
                    'eta_min+(lr-eta_min)*(1+cos(pi*t/T_max))/2')


# ---------------------------------------------------------------------------- command line
def summary(w):
    """Print the number and size of the files of each family."""
    for family in dict.fromkeys(f['family'] for f in w.files):
        sizes = [f['bytes'] for f in w.files if f['family'] == family]
        print(f'{family:18}{len(sizes):4} files {sum(sizes):9} bytes')
    print(f'{"total":18}{len(w.files):4} files {sum(f["bytes"] for f in w.files):9} bytes, '
          f'torch {torch.__version__}')


def main():
    """Parse the command line, write every family and the manifest, print a summary."""
    p = argparse.ArgumentParser(description='Generate the golden files from PyTorch.')
    p.add_argument('--dysample', metavar='PATH', required=True,
                   help="the authors' module, github.com/tiny-smart/dysample, MIT")
    p.add_argument('--out', metavar='DIR', required=True,
                   help='folder to write; must be new or empty')
    args = p.parse_args()
    if os.path.isdir(args.out) and os.listdir(args.out):
        p.error(f'{args.out} is not empty')
    os.makedirs(args.out, exist_ok=True)

    torch.set_num_threads(1)
    warnings.filterwarnings('ignore', message='torch.meshgrid')     # raised by the authors' module
    w = Writer(args.out)
    dysample_family(w, load_dysample(args.dysample))
    for family in (grid_sample_family, conv2d_family, conv_transpose2d_family,
                   pixel_shuffle_family, interpolate_family, pool_family, batch_norm2d_family,
                   group_norm_family, layer_norm_family, activation_family, loss_family,
                   matmul_family, optimizer_family):
        family(w)
    w.manifest()
    summary(w)


if __name__ == '__main__':
    main()
