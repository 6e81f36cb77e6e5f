"""Generate the golden files of the single operations: arithmetic, reductions, layout, ...

Usage

    OPENBLAS_NUM_THREADS=1 python3 make_arithmetic_goldens.py --out arithmetic

Needs numpy and torch. The stored files were made with PyTorch 2.13.0 (CPU wheel), one thread; on
the same machine the files come out byte for byte.

The set next to this one, network, holds what a network with a DySample upsampler is made of. This
one adds the elementary operations and the corners that the other set leaves out. File format,
metadata, tolerances and manifest are those of make_goldens.py, whose docstring defines them; here
the set's name is 'arithmetic'.

Tensors and attributes beyond what PyTorch's argument names say:

    two operands        inputs a and b; a power with a scalar exponent has x and attrs.exponent
    comparisons         the output is 0 or 1 in float32, without a gradient
    where               inputs condition (0 or 1 in float32), a and b
    concat, stack       inputs x0, x1, ... in order
    reductions          attrs.dim is a list of axes, or null for all
    clamp               attrs.min and attrs.max, null where there is no bound
    slice               attrs.starts, stops and steps, one of each per axis, with 0 <= start < stop
    pad                 attrs.padding is [before, after] per axis, first axis first
    conv*, *_pool2d     attrs in pixels are [height, width] pairs
    interpolate         attrs.scale_factor is [height, width]
    carafe              inputs x and kernels [N, groups*k*k, s*H, s*W]; k is attrs.kernel_size, s
                        attrs.scale_factor, as in mmcv.ops.carafe, whose groups is a group_size
    window_similarity   inputs query [N, C, s*H, s*W] and key [N, C, H, W], attrs likewise: the
                        products of a query with the k*k keys around it, as SAPA's sim gives them
    step_lr             output lr[t] in float64, the rate used at step t
    clip_grad_norm      inputs grad_a and grad_b; outputs a, b (the clipped gradients), total_norm

Tolerance 0 is asked for where an operation only moves, selects or negates values. A gradient that
sums (over a broadcast axis, an overlapping window) rounds, and gets a tolerance as usual.

Inputs stay at least 1e-2 away from kinks and ties. Cases named *_ties put them exactly there and
record PyTorch's choice; their level is 'extended'.
"""
import make_goldens as golden           # first: it limits the threads that numpy and torch start

import argparse
import math
import os
import warnings
from fractions import Fraction

import torch
import torch.nn as nn
import torch.nn.functional as F

SET = 'arithmetic'
MARGIN = 1e-2               # least distance of an input from a kink or a tie
LEAST_COT = 0.1             # least magnitude in a cotangent: none so small that atol hides its grad

dims = golden.dims


def label(shape):
    """(2, 3) -> '2x3', () -> 'scalar', for file names."""
    return dims(*shape) if shape else 'scalar'


def away_from_zero(r, *shape, std=1.0):
    """Normal draws whose magnitude is at least MARGIN."""
    return r.away(lambda: r.normal(*shape, std=std), lambda t: t.abs() < MARGIN)


# ---------------------------------------------------------------------------- arithmetic
SAME = ((2, 3, 4), (2, 3, 4))
OUTER = ((4, 1, 3), (1, 5, 1))
BROADCASTS = [SAME, ((2, 3, 4), (3, 1)), OUTER, ((), (2, 3))]


def two_operands(r, a, b, far_apart):
    """Normal draws of the two shapes.

    With far_apart no broadcast pair is closer than MARGIN, and each side is the larger one at
    least twice.
    """
    for _ in range(1000):
        x, y = r.normal(*a), r.normal(*b)
        d = x - y
        if not far_apart or d.abs().min() >= MARGIN and min((d > 0).sum(), (d < 0).sum()) >= 2:
            return x, y
    raise RuntimeError('no acceptable draw')


def unsummed(shapes):
    """The names of the gradients that no broadcasting sums: {name: shape} -> {'grad.' + name}."""
    full = torch.broadcast_shapes(*shapes.values())
    return {'grad.' + k for k, shape in shapes.items() if shape == full}


def binary_family(w):
    """add, sub, mul, div, maximum, minimum, pow, comparisons and where, with broadcasting."""
    def emit(name, op, a, b, fn, **kw):
        w.emit('arithmetic', name, op, {}, {'a': a, 'b': b}, lambda t: fn(t['a'], t['b']),
               grads=['a', 'b'], **kw)

    for op, fn in [('add', torch.add), ('sub', torch.sub), ('mul', torch.mul), ('div', torch.div),
                   ('maximum', torch.maximum), ('minimum', torch.minimum)]:
        for shapes in BROADCASTS:
            name = f'{op}_{label(shapes[0])}_{label(shapes[1])}'
            r = w.draws('draw/' + name)
            extremum = op in ('maximum', 'minimum')
            a, b = two_operands(r, *shapes, far_apart=extremum)
            if op == 'div':
                b = torch.copysign(r.uniform(*shapes[1], lo=.4, hi=2.5), b)
            exact = unsummed(dict(zip('ab', shapes))) if extremum or op in ('add', 'sub') else set()
            emit(name, op, a, b, fn, exact=exact | {'out'} if extremum else exact)
    for op, fn in [('maximum', torch.maximum), ('minimum', torch.minimum)]:
        r = w.draws(f'draw/{op}_ties')
        emit(op + '_ties', op, r.integers(3, 4, 5).float(), r.integers(3, 4, 5).float(), fn,
             exact=True, level='extended',
             note='where the operands are equal each receives half of the gradient')

    for shapes in (SAME, OUTER):
        name = f'pow_{label(shapes[0])}_{label(shapes[1])}'
        r = w.draws('draw/' + name)
        emit(name, 'pow', r.uniform(*shapes[0], lo=.2, hi=3), r.normal(*shapes[1], std=1.5),
             torch.pow)

    for op, fn in [('eq', torch.eq), ('ne', torch.ne), ('lt', torch.lt), ('le', torch.le),
                   ('gt', torch.gt), ('ge', torch.ge)]:
        for shapes in (SAME, OUTER):
            name = f'{op}_{label(shapes[0])}_{label(shapes[1])}'
            r = w.draws('draw/' + name)
            a, b = r.integers(3, *shapes[0]).float(), r.integers(3, *shapes[1]).float()
            w.emit('arithmetic', name, op, {}, {'a': a, 'b': b},
                   lambda t: fn(t['a'], t['b']).to(t['a'].dtype), exact=True,
                   note='small integers: about a third of the pairs are equal')

    for condition, a, b in [((3, 4), (3, 4), (3, 4)), ((2, 1, 4), (3, 1), (2, 3, 4)),
                            ((5,), (4, 1), ())]:
        name = f'where_{label(condition)}_{label(a)}_{label(b)}'
        r = w.draws('draw/' + name)
        inputs = {'condition': r.integers(2, *condition).float(), 'a': r.normal(*a),
                  'b': r.normal(*b)}
        assert 0 < inputs['condition'].mean() < 1, name
        w.emit('arithmetic', name, 'where', {}, inputs,
               lambda t: torch.where(t['condition'] != 0, t['a'], t['b']), grads=['a', 'b'],
               exact=unsummed({k: tuple(v.shape) for k, v in inputs.items()}) | {'out'})


def unary_family(w):
    """Pointwise functions of one tensor, a power with a scalar exponent, clamp."""
    def emit(name, op, attrs, x, fn, **kw):
        w.emit('arithmetic', name, op, attrs, {'x': x}, lambda t: fn(t['x']), grads=['x'], **kw)

    shape = (3, 4, 5)
    for op, fn in [('neg', torch.neg), ('abs', torch.abs), ('sign', torch.sign)]:
        emit(op, op, {}, away_from_zero(w.draws('draw/' + op), *shape, std=2), fn, exact=True)
    emit('exp', 'exp', {}, w.draws('draw/exp').normal(*shape, std=2), torch.exp)
    for op, fn in [('log', torch.log), ('sqrt', torch.sqrt)]:
        emit(op, op, {}, w.draws('draw/' + op).uniform(*shape, lo=.05, hi=5), fn)
    r = w.draws('draw/floor')
    emit('floor', 'floor', {}, r.away(lambda: r.normal(*shape, std=4),
                                      lambda t: (t - t.round()).abs() < MARGIN),
         torch.floor, exact=True, note='the gradient is 0')

    ties = torch.tensor([-2., -1., -.5, 0., .5, 1., 2.])
    for op, fn, note in [('abs', torch.abs, 'the gradient at 0 is 0'),
                         ('sign', torch.sign, 'sign(0) is 0'),
                         ('floor', torch.floor, 'integers stay as they are')]:
        emit(op + '_ties', op, {}, ties, fn, exact=True, level='extended', note=note)

    for exponent in (2, 3, .5, -1, 0):
        name = f'pow_scalar_{exponent}'
        emit(name, 'pow', dict(exponent=exponent),
             w.draws('draw/' + name).uniform(*shape, lo=.2, hi=3), lambda x: x ** exponent,
             exact=exponent == 0)
    for exponent in (2, 3, -1):
        name = f'pow_scalar_{exponent}_negative_base'
        x = -w.draws('draw/' + name).uniform(3, 4, lo=.2, hi=3)
        emit(name, 'pow', dict(exponent=exponent), x, lambda x: x ** exponent, level='extended',
             note='negative base, whole exponent')

    for bounds in (dict(min=-.5, max=None), dict(min=None, max=.75), dict(min=-.5, max=.75)):
        name = 'clamp_' + '_'.join(k for k, v in bounds.items() if v is not None)
        limits = [v for v in bounds.values() if v is not None]
        r = w.draws('draw/' + name)
        x = r.away(lambda: r.normal(*shape),
                   lambda t: torch.stack([(t - v).abs() for v in limits]).amin(0) < MARGIN)
        emit(name, 'clamp', bounds, x, lambda x: x.clamp(**bounds), exact=True)
    emit('clamp_ties', 'clamp', dict(min=-.5, max=1.), ties, lambda x: x.clamp(-.5, 1.),
         exact=True, level='extended', note='at a bound the gradient passes')


# ---------------------------------------------------------------------------- reductions
def reduce_family(w):
    """sum, mean, amax and amin over some axes or all; ties of the extrema."""
    def emit(op, x, dim, keepdim, name, **kw):
        fn = {'sum': torch.sum, 'mean': torch.mean, 'amax': torch.amax, 'amin': torch.amin}[op]
        axes = list(range(x.dim())) if dim is None else dim
        w.emit('reduce', name, op, dict(dim=dim, keepdim=keepdim), {'x': x},
               lambda t: fn(t['x'], axes, keepdim), grads=['x'], **kw)

    for op in ('sum', 'mean', 'amax', 'amin'):
        extremum = op in ('amax', 'amin')
        for shape, dim, keepdim in [((2, 3, 4), None, False), ((2, 3, 4), [1], False),
                                    ((2, 3, 4, 5), [0, 2], True), ((3, 4, 5), [-1], True),
                                    ((2, 3, 4, 3), [-1, -3], False)]:
            axes = 'all' if dim is None else ','.join(map(str, dim))
            name = f'{op}_{dims(*shape)}_over_{axes}{"_keepdim" if keepdim else ""}'
            r = w.draws('draw/' + name)
            x = r.normal(*shape)
            if extremum:            # distinct multiples of MARGIN: never a tie
                order = torch.randperm(x.numel(), generator=r.generator)
                x = ((order - x.numel() / 2) * MARGIN).float().view(shape)
            emit(op, x, dim, keepdim, name, exact=extremum)
    for op in ('amax', 'amin'):
        for shape, dim in [((4, 6), [1]), ((2, 3, 4), [0, 2])]:
            name = f'{op}_ties_{dims(*shape)}'
            x = w.draws('draw/' + name).integers(3, *shape).float() - 1
            emit(op, x, dim, False, name, level='extended', exact={'out'},
                 note='the gradient is divided evenly among the equal extrema')


# ---------------------------------------------------------------------------- matmul
def matmul_family(w):
    """torch.matmul where batch dimensions broadcast or are missing on one side, and of vectors."""
    for a, b in [((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (1, 3, 4, 2)),
                 ((2, 1, 3, 4), (3, 4, 5)), ((1, 3, 1), (2, 1, 4)), ((1, 6), (6, 1)),
                 ((5,), (5,)), ((1,), (1,)), ((4,), (4, 3)), ((3, 4), (4,)), ((1, 4), (4,)),
                 ((4,), (2, 4, 3)), ((2, 3, 4), (4,)), ((3,), (2, 1, 3, 1)), ((2, 3, 1, 5), (5,))]:
        name = f'{dims(*a)}_{dims(*b)}'
        r = w.draws('draw/mm/' + name)
        w.emit('matmul', name, 'matmul', {}, {'a': r.normal(*a), 'b': r.normal(*b)},
               lambda t: torch.matmul(t['a'], t['b']), grads=['a', 'b'])


def linear_family(w):
    """linear of a vector, without bias, and with a vector for the weight."""
    for x, weight, bias in [((5,), (3, 5), True), ((2, 3, 4), (2, 4), False), ((2, 3, 4), (4,), False),
                            ((4,), (4,), False)]:
        name = f'{dims(*x)}_{dims(*weight)}{"" if bias else "_no_bias"}'
        r = w.draws('draw/linear/' + name)
        inputs = {'x': r.normal(*x), 'weight': r.normal(*weight)}
        if bias:
            inputs['bias'] = r.normal(weight[0])
        w.emit('linear', name, 'linear', {}, inputs,
               lambda t: F.linear(t['x'], t['weight'], t.get('bias')), grads=list(inputs))


# ---------------------------------------------------------------------------- layout
def layout_family(w):
    """reshape, permute, transpose, expand, slice, concat, stack, pad and flip (exact).

    Only the gradient of expand, a sum, is not.
    """
    def emit(name, op, attrs, shapes, fn, exact=True):
        r = w.draws('draw/' + name)
        names = ['x'] if len(shapes) == 1 else [f'x{i}' for i in range(len(shapes))]
        w.emit('layout', name, op, attrs, {k: r.normal(*s) for k, s in zip(names, shapes)},
               lambda t: fn(*(t[k] for k in names)), grads=names, exact=exact)

    for shape, to in [((2, 3, 4), [4, 6]), ((4, 6), [2, 2, 3, 2]), ((2, 3, 4), [3, -1]),
                      ((), [1, 1])]:
        name = f'reshape_{label(shape)}_{dims(*to)}'
        emit(name, 'reshape', dict(shape=to), [shape], lambda x: x.reshape(to))
    for shape, order in [((2, 3, 4), [2, 0, 1]), ((2, 3, 4, 5), [0, 2, 3, 1]),
                         ((2, 3, 4, 5), [3, 2, 1, 0])]:
        emit(f'permute_{dims(*shape)}_{dims(*order)}', 'permute', dict(dims=order), [shape],
             lambda x: x.permute(order))
    for shape, i, j in [((3, 5), 0, 1), ((2, 3, 4), -2, -1), ((2, 3, 4, 5), 1, 3)]:
        emit(f'transpose_{dims(*shape)}_{i}_{j}', 'transpose', dict(dim0=i, dim1=j), [shape],
             lambda x: x.transpose(i, j))
    for shape, to in [((3, 1), [3, 4]), ((1, 3, 1), [2, 3, 4]), ((4,), [2, 3, 4]), ((), [2, 3])]:
        emit(f'expand_{label(shape)}_{dims(*to)}', 'expand', dict(shape=to), [shape],
             lambda x: x.expand(to), exact={'out'})
    for k, (shape, starts, stops, steps) in enumerate([
            ((4, 6), [1, 0], [3, 6], [1, 1]), ((5, 7), [0, 1], [5, 6], [2, 3]),
            ((2, 3, 4, 5), [0, 1, 0, 2], [2, 2, 4, 5], [1, 1, 3, 2]),
            ((6,), [5], [6], [4])]):
        window = tuple(slice(*v) for v in zip(starts, stops, steps))
        emit(f'slice_{k}_{dims(*shape)}', 'slice', dict(starts=starts, stops=stops, steps=steps),
             [shape], lambda x: x[window])
    for dim, shapes in [(0, [(2, 3), (1, 3), (3, 3)]), (1, [(2, 3, 4), (2, 1, 4)]),
                        (-1, [(2, 2, 3), (2, 2, 1), (2, 2, 2)])]:
        emit(f'concat_{dims(*shapes[0])}_dim{dim}', 'concat', dict(dim=dim), shapes,
             lambda *x: torch.cat(x, dim))
    for dim, shape, n in [(0, (3, 4), 3), (1, (2, 3), 2), (-1, (2, 3), 3)]:
        emit(f'stack_{dims(*shape)}_dim{dim}', 'stack', dict(dim=dim), [shape] * n,
             lambda *x: torch.stack(x, dim))
    for k, (shape, padding, value) in enumerate([
            ((3, 4), [[1, 2], [0, 3]], 0.), ((2, 3, 4), [[0, 0], [2, 0], [1, 1]], -1.5),
            ((1, 2, 3, 3), [[0, 0], [0, 1], [1, 1], [2, 2]], .25)]):
        innermost_first = [n for pair in reversed(padding) for n in pair]
        emit(f'pad_{k}_{dims(*shape)}', 'pad', dict(padding=padding, value=value), [shape],
             lambda x: F.pad(x, innermost_first, 'constant', value))
    for shape, over in [((5,), [0]), ((3, 4), [1]), ((2, 3, 4), [0, -1])]:
        emit(f'flip_{dims(*shape)}_{"_".join(map(str, over))}', 'flip', dict(dims=over), [shape],
             lambda x: x.flip(over))


# ---------------------------------------------------------------------------- resampling
def resample_family(w):
    """affine_grid, interpolate, grid_sample on whole pixels, pixel_shuffle by 1."""
    for size, ac in [((2, 3, 4, 5), True), ((2, 3, 4, 5), False), ((1, 1, 1, 4), True),
                     ((1, 1, 1, 4), False)]:
        attrs = dict(size=list(size), align_corners=ac)
        name = f'affine_grid_{"ac" if ac else "nac"}_{dims(*size)}'
        w.emit('resample', name, 'affine_grid', attrs,
               {'theta': w.draws('draw/' + name).normal(size[0], 2, 3)},
               lambda t: F.affine_grid(t['theta'], list(size), ac), grads=['theta'],
               note='an axis of extent 1 lies at coordinate 0' if 1 in size[2:] else '')

    for shape, scale, mode, ac in [
            ((2, 3, 3, 4), [2, 2], 'nearest', None), ((1, 2, 3, 2), [3, 3], 'nearest', None),
            ((1, 2, 5, 6), [1.5, 1.5], 'nearest', None),
            ((2, 3, 3, 4), [2, 2], 'bilinear', False), ((1, 2, 3, 4), [2, 2], 'bilinear', True),
            ((1, 2, 4, 6), [1.5, 1.5], 'bilinear', False),
            ((2, 2, 5, 7), [1.5, 1.5], 'bilinear', False),
            ((1, 2, 7, 5), [.6, 1.3], 'bilinear', False),
            ((1, 2, 5, 7), [1.5, 1.5], 'bilinear', True)]:
        H, W = shape[2:]
        out = [math.floor(n * s) for n, s in zip((H, W), scale)]
        attrs = dict(scale_factor=scale, mode=mode, align_corners=ac)
        name = 'interpolate_' + mode + {None: '', True: '_ac', False: '_nac'}[ac]
        name += f'_{dims(*scale)}_{dims(H, W)}'
        if mode == 'nearest':
            check_nearest(H, W, scale, name)
        note = ''
        if not ac and any(n * s != q for n, s, q in zip((H, W), scale, out)):
            note = ('the output has floor(in * scale_factor) pixels; positions use the given '
                    'scale_factor, not out / in')
        w.emit('resample', name, 'interpolate', attrs, {'x': w.draws('draw/' + name).normal(*shape)},
               lambda t: F.interpolate(t['x'], **attrs), grads=['x'], note=note)

    bicubic(w)
    on_whole_pixels(w)
    for op, fn, attr in [('pixel_shuffle', F.pixel_shuffle, 'upscale_factor'),
                         ('pixel_unshuffle', F.pixel_unshuffle, 'downscale_factor')]:
        name = op + '_r1'
        w.emit('resample', name, op, {attr: 1}, {'x': w.draws('draw/' + name).normal(2, 3, 4, 5)},
               lambda t: fn(t['x'], 1), grads=['x'], exact=True)


def reassembly_family(w):
    """carafe and window_similarity, from their formulas: windows of 1, 3 and 5, scales 1 to 3."""
    for B, C, H, W, k, s, groups in [(2, 3, 3, 4, 1, 2, 1), (1, 4, 3, 5, 3, 1, 2),
                                     (2, 2, 4, 3, 3, 2, 1), (1, 4, 2, 3, 3, 3, 2),
                                     (1, 2, 4, 6, 5, 2, 1), (2, 4, 3, 2, 5, 2, 2),
                                     (1, 2, 3, 5, 5, 1, 1)]:
        attrs = dict(kernel_size=k, scale_factor=s, groups=groups)
        size = f'k{k}_s{s}_g{groups}_{dims(B, C, H, W)}'
        fine = s * H, s * W
        r = w.draws('draw/carafe_' + size)
        kernels = r.normal(B, groups, k * k, *fine, std=2).softmax(2).reshape(B, -1, *fine)
        w.emit('resample', 'carafe_' + size, 'carafe', attrs,
               {'x': r.normal(B, C, H, W), 'kernels': kernels},
               lambda t: (windows(t['x'], k, s, groups) *
                          t['kernels'].view(B, groups, 1, k * k, *fine)).sum(3).view(B, C, *fine),
               grads=['x', 'kernels'])
        r = w.draws('draw/window_similarity_' + size)
        w.emit('resample', 'window_similarity_' + size, 'window_similarity', attrs,
               {'query': r.normal(B, C, *fine), 'key': r.normal(B, C, H, W)},
               lambda t: (windows(t['key'], k, s, groups) *
                          t['query'].view(B, groups, -1, 1, *fine)).sum(2).view(B, -1, *fine),
               grads=['query', 'key'])


def windows(x, k, s, groups):
    """What the fine pixels see of x, zeros outside: [B, groups, C/groups, k*k, s*H, s*W]."""
    B, C, H, W = x.shape
    seen = F.unfold(x, k, padding=k // 2).view(B, C * k * k, H, W)
    fine = seen.repeat_interleave(s, 2).repeat_interleave(s, 3)
    return fine.view(B, groups, C // groups, k * k, s * H, s * W)


def check_nearest(H, W, scale, name):
    """Assert that nearest reads floor(i / scale) in exact arithmetic, in float32 and float64."""
    rows, cols = ([int(i / Fraction(s)) for i in range(math.floor(n * s))]
                  for n, s in zip((H, W), scale))
    want = torch.tensor(rows).view(-1, 1) * W + torch.tensor(cols)
    for dtype in (torch.float32, torch.float64):
        index = torch.arange(H * W, dtype=dtype).view(1, 1, H, W)
        got = F.interpolate(index, scale_factor=scale, mode='nearest')[0, 0].long()
        assert torch.equal(got, want), name


def bicubic(w):
    """Bicubic interpolate by factors and to sizes, up on one axis and down on the other.

    Where both axes keep their size under a factor above 1, the output is resampled all the same;
    PyTorch's gradient is a copy of the cotangent, not the transpose, and is left out.
    """
    for shape, target in [
            ((2, 3, 3, 4), dict(scale_factor=[2, 2])),
            ((1, 2, 5, 7), dict(scale_factor=[1.5, 1.5])),
            ((1, 2, 7, 5), dict(scale_factor=[.6, 1.3])),
            ((1, 2, 3, 4), dict(scale_factor=[1.3, 1.3])),
            ((1, 2, 3, 3), dict(scale_factor=[1.3, 1.3])),
            ((2, 2, 5, 7), dict(size=[8, 4])),
            ((1, 3, 9, 6), dict(size=[3, 13])),
            ((1, 2, 1, 4), dict(size=[3, 1]))]:
        before, by = dims(*shape[2:]), dims(*next(iter(target.values())))
        for ac in (False, True):
            attrs = dict(target, mode='bicubic', align_corners=ac)
            name = f'interpolate_bicubic_{"ac" if ac else "nac"}_'
            name += f'{before}-{by}' if 'size' in target else f'{by}_{before}'
            copied = name == 'interpolate_bicubic_nac_1.3x1.3_3x3'
            w.emit('resample', name, 'interpolate', attrs,
                   {'x': w.draws('draw/' + name).normal(*shape)},
                   lambda t: F.interpolate(t['x'], **attrs), grads=[] if copied else ['x'],
                   note='the output is no copy, though the size stays; the gradient is left out, '
                        'since PyTorch makes it a copy of the cotangent' if copied else '')


def on_whole_pixels(w):
    """Bilinear grid_sample exactly on pixel centres, one pixel beyond the image included.

    The extents make every normalised coordinate, and so every position, exact in float32.
    """
    for padding, ac, n in [('zeros', True, 5), ('zeros', False, 4), ('border', True, 5),
                           ('border', False, 4)]:
        attrs = dict(mode='bilinear', padding_mode=padding, align_corners=ac)
        name = f'grid_sample_ties_{padding}_{"ac" if ac else "nac"}'
        u = torch.arange(-1, n + 1).float()
        g = 2 * u / (n - 1) - 1 if ac else (2 * u + 1) / n - 1
        gy, gx = torch.meshgrid(g, g, indexing='ij')
        position = (g + 1) / 2 * (n - 1) if ac else ((g + 1) * n - 1) / 2
        assert torch.equal(position, u), name
        w.emit('resample', name, 'grid_sample', attrs,
               {'x': w.draws('draw/' + name).normal(1, 2, n, n),
                'grid': torch.stack((gx, gy), -1)[None]},
               lambda t: F.grid_sample(t['x'], t['grid'], **attrs), grads=['x', 'grid'],
               level='extended',
               note="on a pixel centre the slope is the right-hand (lower) cell's" +
                    ('; the outermost row and column of samples lie one pixel outside'
                     if padding == 'zeros' else
                     '; at and beyond the clamp the gradient of the grid is 0'))


# ---------------------------------------------------------------------------- convolutions, pooling
def conv_family(w):
    """conv2d and conv_transpose2d with unequal axes, without bias, with strides 1 and 3."""
    for B, Ci, Co, H, W, k, s, p, d, g, bias in [
            (1, 3, 4, 5, 6, (3, 3), (1, 1), (1, 1), (1, 1), 1, False),
            (2, 2, 3, 6, 7, (3, 2), (2, 1), (1, 0), (1, 1), 1, True),
            (1, 4, 2, 7, 8, (1, 3), (1, 2), (0, 2), (1, 2), 2, False),
            (2, 4, 6, 3, 4, (1, 1), (1, 1), (0, 0), (1, 1), 2, True),
            (2, 5, 3, 3, 4, (1, 1), (1, 1), (0, 0), (1, 1), 1, False)]:
        attrs = dict(stride=list(s), padding=list(p), dilation=list(d), groups=g)
        name = f'k{dims(*k)}_s{dims(*s)}_p{dims(*p)}_d{dims(*d)}_g{g}'
        name = f'conv2d_{name}{"" if bias else "_no_bias"}'
        convolution(w, name, 'conv2d', attrs, F.conv2d, (B, Ci, H, W), (Co, Ci // g, *k),
                    Co if bias else None)
    for B, Ci, Co, H, W, k, s, p, op, d, g, bias in [
            (1, 2, 3, 4, 5, (3, 3), (1, 1), (1, 1), (0, 0), (1, 1), 1, True),
            (1, 2, 2, 3, 3, (3, 3), (3, 3), (1, 1), (0, 0), (2, 2), 1, False),
            (1, 4, 6, 3, 4, (2, 2), (2, 2), (0, 0), (0, 0), (1, 1), 2, True),
            (1, 2, 3, 3, 4, (3, 2), (2, 3), (1, 0), (1, 2), (1, 2), 1, True)]:
        attrs = dict(stride=list(s), padding=list(p), output_padding=list(op), groups=g,
                     dilation=list(d))
        name = f'k{dims(*k)}_s{dims(*s)}_p{dims(*p)}_op{dims(*op)}_d{dims(*d)}_g{g}'
        name = f'conv_transpose2d_{name}{"" if bias else "_no_bias"}'
        convolution(w, name, 'conv_transpose2d', attrs, F.conv_transpose2d, (B, Ci, H, W),
                    (Ci, Co // g, *k), Co if bias else None)


def convolution(w, name, op, attrs, fn, x, weight, bias):
    """One convolution; bias is its length or None."""
    r = w.draws('draw/' + name)
    inputs = {'x': r.normal(*x), 'weight': r.normal(*weight, std=math.prod(weight[1:]) ** -.5)}
    if bias:
        inputs['bias'] = r.normal(bias)
    w.emit('conv', name, op, attrs, inputs,
           lambda t: fn(t['x'], t['weight'], t.get('bias'), **attrs), grads=list(inputs))


def pool_family(w):
    """avg_pool2d that counts no padding; max_pool2d with dilation, overlap, unequal axes; ceil_mode."""
    for op, fn, extra, cases in [
            ('avg_pool2d', F.avg_pool2d, dict(ceil_mode=False, count_include_pad=False),
             [((2, 2, 6, 7), (3, 3), (2, 2), (1, 1), None),
              ((1, 2, 5, 8), (2, 3), (1, 2), (1, 0), None)]),
            ('max_pool2d', F.max_pool2d, {},
             [((1, 2, 7, 8), (3, 3), (2, 2), (1, 1), (2, 2)),
              ((2, 2, 5, 6), (3, 3), (1, 1), (1, 1), (1, 1)),
              ((1, 2, 6, 8), (2, 3), (2, 1), (0, 1), (1, 2))])]:
        for shape, k, s, p, d in cases:
            attrs = dict(kernel_size=list(k), stride=list(s), padding=list(p), **extra)
            name = f'{op}_k{dims(*k)}_s{dims(*s)}_p{dims(*p)}'
            if d:
                attrs['dilation'] = list(d)
                name += f'_d{dims(*d)}'
            w.emit('pool', name, op, attrs, {'x': w.draws('draw/' + name).normal(*shape)},
                   lambda t: fn(t['x'], **attrs), grads=['x'])
    ceil_mode(w)


def ceil_mode(w):
    """Pools whose last window reaches over, by rows, by columns or both, and one that is dropped."""
    for shape, k, s, p, d in [((1, 2, 5, 7), (2, 2), (2, 2), (0, 0), (1, 1)),
                              ((2, 2, 6, 9), (2, 2), (2, 2), (0, 0), (1, 1)),
                              ((1, 2, 6, 7), (3, 3), (2, 2), (0, 1), (1, 1)),
                              ((1, 2, 4, 5), (2, 3), (3, 2), (1, 1), (1, 1)),
                              ((1, 3, 5, 4), (1, 2), (4, 3), (0, 1), (1, 1)),
                              ((1, 1, 7, 8), (3, 2), (3, 4), (1, 0), (2, 3)),
                              ((1, 2, 2, 3), (4, 5), (3, 3), (0, 0), (1, 1))]:
        size = f'k{dims(*k)}_s{dims(*s)}_p{dims(*p)}'
        attrs = dict(kernel_size=list(k), stride=list(s), padding=list(p), ceil_mode=True)
        name = f'max_pool2d_{size}_d{dims(*d)}_ceil_{dims(*shape[2:])}'
        most = dict(attrs, dilation=list(d))
        w.emit('pool', name, 'max_pool2d', most, {'x': w.draws('draw/' + name).normal(*shape)},
               lambda t: F.max_pool2d(t['x'], **most), grads=['x'])
        if d != (1, 1):
            continue
        for include, divisor in [(True, None), (False, None), (True, 3)]:
            mean = dict(attrs, count_include_pad=include)
            if divisor:
                mean['divisor_override'] = divisor
            name = f'avg_pool2d_{size}_ceil_{dims(*shape[2:])}'
            name += ('' if include else '_no_pad') + (f'_div{divisor}' if divisor else '')
            w.emit('pool', name, 'avg_pool2d', mean, {'x': w.draws('draw/' + name).normal(*shape)},
                   lambda t: F.avg_pool2d(t['x'], **mean), grads=['x'])


# ---------------------------------------------------------------------------- normalisation
def norm_family(w):
    """layer_norm, group_norm and batch_norm without weight and bias."""
    r = w.draws('draw/layer_norm')
    w.emit('norm', 'layer_norm_plain', 'layer_norm', dict(normalized_shape=[4, 5], eps=1e-5),
           {'x': r.normal(3, 4, 5, std=1.3, mean=.5)},
           lambda t: F.layer_norm(t['x'], [4, 5], eps=1e-5), grads=['x'])
    r = w.draws('draw/group_norm')
    w.emit('norm', 'group_norm_plain', 'group_norm', dict(num_groups=2, eps=1e-5),
           {'x': r.normal(2, 4, 3, 5, std=2, mean=-.7)},
           lambda t: F.group_norm(t['x'], 2, eps=1e-5), grads=['x'])
    for training in (True, False):
        attrs = dict(training=training, momentum=.2, eps=1e-3)
        name = f'batch_norm2d_plain_{"train" if training else "eval"}'
        r = w.draws('draw/' + name)
        inputs = {'x': r.normal(3, 2, 4, 5, std=1.5, mean=1), 'running_mean': r.normal(2),
                  'running_var': r.uniform(2, lo=.3, hi=3)}

        def fn(t):
            mean, var = t['running_mean'].clone(), t['running_var'].clone()
            y = F.batch_norm(t['x'], mean, var, **attrs)
            if not training:
                return y
            return {'out': y, 'running_mean_after': mean, 'running_var_after': var}

        w.emit('norm', name, 'batch_norm2d', attrs, inputs, fn, grads=['x'])


# ---------------------------------------------------------------------------- activations
def activation_family(w):
    """Activations at moderate values and at 0; softmax over the first and the last axis."""
    for name, op, attrs, fn in [
            ('relu', 'relu', {}, F.relu),
            ('leaky_relu_0.2', 'leaky_relu', dict(negative_slope=.2), F.leaky_relu),
            ('sigmoid', 'sigmoid', {}, torch.sigmoid), ('tanh', 'tanh', {}, torch.tanh),
            ('gelu_none', 'gelu', dict(approximate='none'), F.gelu),
            ('gelu_tanh', 'gelu', dict(approximate='tanh'), F.gelu), ('silu', 'silu', {}, F.silu)]:
        x = away_from_zero(w.draws('draw/' + name), 2, 3, 5, std=1.5)
        w.emit('activation', name, op, attrs, {'x': x}, lambda t: fn(t['x'], **attrs), grads=['x'],
               exact=op == 'relu')
    ties = torch.tensor([-1., 0., 1., 0., 2.])
    for op, attrs, fn, slope in [
            ('relu', {}, F.relu, '0'),
            ('leaky_relu', dict(negative_slope=.25), F.leaky_relu, 'negative_slope')]:
        w.emit('activation', op + '_ties', op, attrs, {'x': ties}, lambda t: fn(t['x'], **attrs),
               grads=['x'], level='extended', exact=op == 'relu', note='the slope at 0 is ' + slope)

    for op, fn in (('softmax', F.softmax), ('log_softmax', F.log_softmax)):
        for shape, dim in [((4, 3), 0), ((3, 2, 5), -1)]:
            name = f'{op}_dim{dim}_{dims(*shape)}'
            w.emit('activation', name, op, dict(dim=dim),
                   {'x': w.draws('draw/' + name).normal(*shape, std=2)},
                   lambda t: fn(t['x'], dim), grads=['x'])


# ---------------------------------------------------------------------------- losses
def loss_family(w):
    """The reductions, weights and parameters of the losses that network leaves out."""
    for shape, weighted, attrs in [
            ((6, 4), False, dict(reduction='none')),
            ((2, 3, 3, 4), True, dict(reduction='none', ignore_index=255)),
            ((8, 5), True, dict(reduction='mean', ignore_index=255, label_smoothing=.1)),
            ((2, 3, 2, 4), False, dict(reduction='sum', ignore_index=-100, label_smoothing=.2))]:
        name = f'cross_entropy_{attrs["reduction"]}_{len(shape)}d'
        name += ('_w' if weighted else '') + ('_ls' if 'label_smoothing' in attrs else '')
        name += f'_ign{attrs["ignore_index"]}' if 'ignore_index' in attrs else ''
        r = w.draws('draw/' + name)
        B, C, *rest = shape
        target = r.integers(C, B, *rest)
        if 'ignore_index' in attrs:
            target = torch.where(r.uniform(B, *rest) < .3, attrs['ignore_index'], target)
            assert 0 < (target == attrs['ignore_index']).sum() < target.numel(), name
        inputs = {'x': r.normal(*shape, std=2), 'target': target}
        if weighted:
            inputs['weight'] = r.uniform(C, lo=.2, hi=2)
        w.emit('loss', name, 'cross_entropy', dict(attrs, has_weight=weighted), inputs,
               lambda t: F.cross_entropy(t['x'], t['target'], weight=t.get('weight'), **attrs),
               grads=['x'],
               note='an ignored target has loss 0' if attrs['reduction'] == 'none'
                    and 'ignore_index' in attrs else '')

    for reduction, weight, pos_weight in [('none', None, None), ('none', (3, 4), (4,)),
                                          ('mean', (4,), None)]:
        name = f'bce_with_logits_{reduction}{"_w" if weight else ""}{"_pw" if pos_weight else ""}'
        r = w.draws('draw/' + name)
        inputs = {'x': r.normal(3, 4, std=3), 'target': r.uniform(3, 4)}
        if weight:
            inputs['weight'] = r.uniform(*weight, lo=.2, hi=2)
        if pos_weight:
            inputs['pos_weight'] = r.uniform(*pos_weight, lo=.3, hi=3)
        w.emit('loss', name, 'bce_with_logits',
               dict(reduction=reduction, has_weight=bool(weight), has_pos_weight=bool(pos_weight)),
               inputs,
               lambda t: F.binary_cross_entropy_with_logits(
                   t['x'], t['target'], weight=t.get('weight'), reduction=reduction,
                   pos_weight=t.get('pos_weight')),
               grads=['x'])

    for op, fn, extra, reductions, grads in [
            ('mse_loss', F.mse_loss, {}, ('sum', 'none'), ['x', 'target']),
            ('l1_loss', F.l1_loss, {}, ('sum', 'none'), ['x', 'target']),
            ('smooth_l1_loss', F.smooth_l1_loss, dict(beta=.5), ('mean', 'sum', 'none'), ['x'])]:
        kinks = [0.] if op == 'l1_loss' else [extra['beta']] if extra else []
        for reduction in reductions:
            attrs = dict(reduction=reduction, **extra)
            name = f'{op}_{reduction}{"_beta0.5" if extra else ""}'
            r = w.draws('draw/' + name)
            target = r.normal(3, 4, 2)

            def near_kink(t):
                near = torch.zeros(t.shape, dtype=torch.bool)
                for k in kinks:
                    near |= ((t - target).abs() - k).abs() < MARGIN
                return near

            x = r.away(lambda: target + r.normal(3, 4, 2), near_kink)
            w.emit('loss', name, op, attrs, {'x': x, 'target': target},
                   lambda t: fn(t['x'], t['target'], **attrs), grads=grads)


# ---------------------------------------------------------------------------- optimisers, schedule
def optimizer_family(w):
    """Adam, AdamW and SGD with weight decay, the step schedule, clipping by the global norm."""
    steps = 5
    for name, op, optimizer, attrs in [
            ('adam_weight_decay', 'adam', torch.optim.Adam,
             dict(lr=.01, betas=[.9, .999], eps=1e-8, weight_decay=.1)),
            ('adamw_weight_decay', 'adamw', torch.optim.AdamW,
             dict(lr=.05, betas=[.8, .95], eps=1e-6, weight_decay=.1)),
            ('sgd_nesterov_weight_decay', 'sgd', torch.optim.SGD,
             dict(lr=.05, momentum=.9, weight_decay=.02, nesterov=True, dampening=0.)),
            ('sgd_dampening', 'sgd', torch.optim.SGD,
             dict(lr=.05, momentum=.9, weight_decay=.01, nesterov=False, dampening=.1))]:
        r = w.draws('draw/' + name)
        inputs = {'a0': r.normal(4, 3), 'b0': r.normal(5), 'grad_a': r.normal(steps, 4, 3),
                  'grad_b': r.normal(steps, 5, std=.05)}

        def fn(t):
            a, b = nn.Parameter(t['a0'].clone()), nn.Parameter(t['b0'].clone())
            opt = optimizer([a, b], **attrs)
            history = {'a_steps': [], 'b_steps': []}
            for i in range(steps):
                a.grad, b.grad = t['grad_a'][i].clone(), t['grad_b'][i].clone()
                opt.step()
                history['a_steps'].append(a.detach().clone())
                history['b_steps'].append(b.detach().clone())
            return {k: torch.stack(v) for k, v in history.items()}

        w.emit('optimizer', name, op, attrs, inputs, fn,
               note='two parameter tensors, 5 steps with the given gradients; '
                    '*_steps[i] = value after step i+1')

    for lr, step_size, gamma, n in [(.1, 3, .5, 10), (3e-3, 1, .9, 12)]:
        def schedule(_):
            opt = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
            sched = torch.optim.lr_scheduler.StepLR(opt, step_size, gamma)
            recursive = []
            for _ in range(n):
                recursive.append(opt.param_groups[0]['lr'])
                opt.step()
                sched.step()
            closed = torch.tensor([lr * gamma ** (t // step_size) for t in range(n)],
                                  dtype=torch.float64)
            assert (torch.tensor(recursive, dtype=torch.float64) - closed).abs().max() < 1e-13
            return {'lr': closed}

        w.emit('optimizer', f'step_lr_every_{step_size}', 'step_lr',
               dict(lr=lr, step_size=step_size, gamma=gamma, steps=n), {}, schedule,
               truth=golden.TRUTH_F64,
               note='lr[t] used at step t (t=0 is the first step): lr*gamma^floor(t/step_size)')

    for max_norm in (1., 100.):
        name = f'clip_grad_norm_{max_norm:g}'
        r = w.draws('draw/' + name)
        inputs = {'grad_a': r.normal(4, 3, std=2), 'grad_b': r.normal(5)}

        def clip(t):
            parameters = [nn.Parameter(torch.zeros_like(g)) for g in t.values()]
            for p, g in zip(parameters, t.values()):
                p.grad = g.clone()
            total = nn.utils.clip_grad_norm_(parameters, max_norm)
            return {'a': parameters[0].grad, 'b': parameters[1].grad, 'total_norm': total}

        w.emit('optimizer', name, 'clip_grad_norm', dict(max_norm=max_norm), inputs, clip,
               note='the L2 norm over both tensors; gradients times '
                    'min(1, max_norm / (total_norm + 1e-6))')


# ---------------------------------------------------------------------------- command line
def main():
    """Parse the command line, write every family and the manifest, print a summary."""
    p = argparse.ArgumentParser(description='Generate the golden files of the single operations.')
    p.add_argument('--out', metavar='DIR', required=True,
                   help='folder to write; must be new or empty')
    args = p.parse_args()
    if os.path.isdir(args.out) and os.listdir(args.out):
        p.error(f'{args.out} is not empty')
    os.makedirs(args.out, exist_ok=True)

    torch.set_num_threads(1)
    warnings.filterwarnings('ignore', message='Since version 1.3.0, affine_grid')
    w = golden.Writer(args.out, SET, LEAST_COT)
    for family in (binary_family, unary_family, reduce_family, matmul_family, linear_family,
                   layout_family, resample_family, reassembly_family, conv_family, pool_family,
                   norm_family, activation_family, loss_family, optimizer_family):
        family(w)
    w.manifest()
    golden.summary(w)


if __name__ == '__main__':
    main()
