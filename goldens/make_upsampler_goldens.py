"""Generate the golden files of the upsamplers with predicted kernels: CARAFE, FADE and SAPA-B.

Usage

    OPENBLAS_NUM_THREADS=1 python3 make_upsampler_goldens.py --out upsamplers

Needs numpy and torch. The stored files were made with PyTorch 2.13.0 (CPU wheel), one thread. File
format, metadata, tolerances and manifest are those of make_goldens.py; the set's name is
'upsamplers'. Parameters are inputs under the names of the authors' state_dict.

The modules are written out here from the papers' formulas and from what the authors' modules
compute, with PyTorch's unfold: window j of pixel q is pixel q + j - (k - 1) / 2, zero outside.

    carafe    Wang et al., arXiv:1905.02188, as mmcv's CARAFEPack; attrs.up_groups
    fade      Lu et al., arXiv:2207.10392, github.com/poppinace/fade, whose convolution of the
              encoder's feature runs, as there, once for each sub-pixel, with a stride, on a
              feature that is padded accordingly; 'align.weight' is ours, and there where the guide
              has other channels than x
    sapa_b    Lu et al., arXiv:2209.12866, github.com/poppinace/sapa, with channels last
"""
import make_goldens as golden           # first: it limits the threads that numpy and torch start

import argparse
import os

import torch
import torch.nn.functional as F

SET = 'upsamplers'
LEAST_COT = 0.1             # least magnitude in a cotangent: none so small that atol hides its grad


def windows(x, k):
    """The k*k pixels around each pixel, [N, C, k*k, H, W]."""
    N, C, H, W = x.shape
    return F.unfold(x, k, padding=k // 2).view(N, C, k * k, H, W)


def cells(t, s):
    """[N, A, s*H, s*W] as [N, A, s*s, H, W]: the sub-pixels of each coarse pixel, row by row."""
    N, A, P, Q = t.shape
    return t.view(N, A, P // s, s, Q // s, s).permute(0, 1, 3, 5, 2, 4).reshape(
        N, A, s * s, P // s, Q // s)


def from_cells(t, s):
    """And back."""
    N, A, _, H, W = t.shape
    return t.view(N, A, s, s, H, W).permute(0, 1, 4, 2, 5, 3).reshape(N, A, s * H, s * W)


def reassemble(x, kernels, k, s, groups=1):
    N, C, H, W = x.shape
    w = cells(kernels, s).view(N, groups, k * k, s * s, H, W)
    seen = windows(x, k).view(N, groups, C // groups, k * k, H, W)
    return from_cells(torch.einsum('ngkshw,ngckhw->ngcshw', w, seen).reshape(N, C, s * s, H, W), s)


def carafe(t, k, s, groups, encoder_kernel):
    compressed = F.conv2d(t['x'], t['channel_compressor.weight'], t['channel_compressor.bias'])
    encoded = F.conv2d(compressed, t['content_encoder.weight'], t['content_encoder.bias'],
                       padding=encoder_kernel // 2)
    logits = F.pixel_shuffle(encoded, s)
    N, _, P, Q = logits.shape
    kernels = logits.view(N, groups, k * k, P, Q).softmax(2).view(N, groups * k * k, P, Q)
    return reassemble(t['x'], kernels, k, s, groups)


def fade(t, k, s):
    x, guide = t['x'], t['guide']
    gate = torch.sigmoid(F.interpolate(
        F.conv2d(x, t['gate_generator.conv.weight'], t['gate_generator.conv.bias']),
        scale_factor=s))
    g = {name[len('kernel_generator.'):]: v for name, v in t.items()
         if name.startswith('kernel_generator.')}
    en = F.conv2d(guide, g['conv1_en.weight'], g['conv1_en.bias'])
    de = F.conv2d(x, g['conv1_de.weight'])
    H, W = x.shape[2:]
    parts = []
    for i in range(s):
        for j in range(s):
            # Sub-pixel (i, j) of each cell in the middle of its 3x3 window.
            padded = F.pad(en, (1, 1, 1, 1))[:, :, i:i + s * (H - 1) + 3, j:j + s * (W - 1) + 3]
            parts.append(F.conv2d(padded, g['conv2_kernels'], g['conv2_bias'], stride=s))
    shared = F.conv2d(de, g['conv2_kernels'], g['conv2_bias'], padding=1)
    logits = from_cells(torch.stack(parts, 2) + shared.unsqueeze(2), s)
    upsampled = reassemble(x, logits.softmax(1), k, s)
    detail = F.conv2d(guide, t['align.weight']) if 'align.weight' in t else guide
    return gate * detail + (1 - gate) * upsampled


def sapa_b(t, k, s):
    x, guide = t['x'], t['guide']

    def embed(features, norm, name):
        last = features.permute(0, 2, 3, 1)
        normed = F.layer_norm(last, last.shape[-1:], t[norm + '.weight'], t[norm + '.bias'])
        return F.linear(normed, t[name + '.weight'], t[name + '.bias']).permute(0, 3, 1, 2)

    query = cells(embed(guide, 'norm_y', 'q').contiguous(), s)
    key = windows(embed(x, 'norm_x', 'k'), k)
    similarity = from_cells(torch.einsum('ncshw,nckhw->nkshw', query, key), s)
    return reassemble(x, similarity.softmax(1), k, s)


def draw(w, key, shapes, **std):
    """Normal inputs by name, in the order of shapes."""
    d = w.draws(key)
    return {name: d.normal(*shape, std=std.get(name.split('.')[-1], 0.5))
            for name, shape in shapes.items()}


def emit(w, op, name, attrs, shapes, fn):
    inputs = draw(w, f'draw/{op}/{name}', shapes)
    w.emit(op, name, op, attrs, inputs, fn, grads=tuple(inputs))


def carafe_family(w):
    for N, C, H, W, s, k, groups, encoder in ((2, 4, 4, 5, 2, 5, 1, 3), (1, 6, 3, 4, 2, 3, 2, 1),
                                              (1, 3, 4, 3, 3, 3, 1, 3), (2, 4, 5, 4, 1, 5, 1, 5)):
        mid = 5
        weights = groups * (s * k) ** 2
        shapes = {'x': (N, C, H, W),
                  'channel_compressor.weight': (mid, C, 1, 1), 'channel_compressor.bias': (mid,),
                  'content_encoder.weight': (weights, mid, encoder, encoder),
                  'content_encoder.bias': (weights,)}
        attrs = dict(scale=s, kernel_size=k, up_groups=groups, compressed_channels=mid,
                     encoder_kernel=encoder)
        emit(w, 'carafe_upsampler', f's{s}_k{k}_g{groups}_e{encoder}_{N}x{C}x{H}x{W}', attrs, shapes,
             lambda t, k=k, s=s, groups=groups, encoder=encoder: carafe(t, k, s, groups, encoder))


def fade_family(w):
    for N, C, G, H, W, s, k in ((2, 4, 4, 4, 5, 2, 5), (1, 4, 3, 3, 4, 2, 3), (1, 3, 3, 4, 3, 3, 3),
                                (1, 4, 2, 5, 3, 1, 5)):
        mid = 5
        shapes = {'x': (N, C, H, W), 'guide': (N, G, s * H, s * W),
                  'gate_generator.conv.weight': (1, C, 1, 1), 'gate_generator.conv.bias': (1,),
                  'kernel_generator.conv1_en.weight': (mid, G, 1, 1),
                  'kernel_generator.conv1_en.bias': (mid,),
                  'kernel_generator.conv1_de.weight': (mid, C, 1, 1),
                  'kernel_generator.conv2_kernels': (k * k, mid, 3, 3),
                  'kernel_generator.conv2_bias': (k * k,)}
        if G != C:
            shapes['align.weight'] = (C, G, 1, 1)
        attrs = dict(scale=s, kernel_size=k, embedding_dim=mid)
        emit(w, 'fade', f's{s}_k{k}_guide{G}_{N}x{C}x{H}x{W}', attrs, shapes,
             lambda t, k=k, s=s: fade(t, k, s))


def sapa_b_family(w):
    for N, C, G, H, W, s, k in ((2, 4, 4, 4, 5, 2, 5), (1, 5, 3, 3, 4, 2, 3), (1, 4, 6, 4, 3, 3, 3),
                                (1, 4, 4, 5, 3, 1, 5)):
        mid = 6
        shapes = {'x': (N, C, H, W), 'guide': (N, G, s * H, s * W),
                  'norm_y.weight': (G,), 'norm_y.bias': (G,),
                  'norm_x.weight': (C,), 'norm_x.bias': (C,),
                  'q.weight': (mid, G), 'q.bias': (mid,), 'k.weight': (mid, C), 'k.bias': (mid,)}
        attrs = dict(scale=s, kernel_size=k, embedding_dim=mid)
        emit(w, 'sapa_b', f's{s}_k{k}_guide{G}_{N}x{C}x{H}x{W}', attrs, shapes,
             lambda t, k=k, s=s: sapa_b(t, k, s))


def main():
    p = argparse.ArgumentParser(description='Generate the golden files of the upsamplers.')
    p.add_argument('--out', metavar='DIR', required=True,
                   help='folder to write; must be new or empty')
    args = p.parse_args()
    if os.path.isdir(args.out) and os.listdir(args.out):
        p.error(f'{args.out} is not empty')
    os.makedirs(args.out, exist_ok=True)
    torch.set_num_threads(1)
    w = golden.Writer(args.out, SET, LEAST_COT)
    for family in (carafe_family, fade_family, sapa_b_family):
        family(w)
    w.manifest()
    golden.summary(w)


if __name__ == '__main__':
    main()
