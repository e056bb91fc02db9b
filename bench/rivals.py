"""What everybody has for a series of rounded numbers: zstd, xz, and prediction with Rice codes as FLAC does it.

needs numpy and zstandard
"""

import lzma

import numpy
import zstandard


def narrow(cells):
    """The numbers, counted from the lowest, in as few bytes each as all of them fit."""
    cells = cells.ravel() - cells.min()
    most = int(cells.max())
    return cells.astype(numpy.uint8 if most < 256 else numpy.uint16 if most < 65536 else numpy.uint32).tobytes()


def rice(residuals):
    """Bits of the best Rice code."""
    folded = numpy.where(residuals >= 0, 2 * residuals, -2 * residuals - 1)
    return 5 + min(int((folded >> k).sum()) + len(folded) * (k + 1) for k in range(20))


def partitioned(residuals):
    parts = [1 << order for order in range(7) if order == 0 or len(residuals) >> order >= 8]
    return min(sum(rice(part) for part in numpy.array_split(residuals, n)) for n in parts)


def flac(series, block=4096):
    """Bytes of blocks with the best of five fixed predictors and of linear prediction of five orders; frames are not counted."""
    bits = 0
    for start in range(0, len(series), block):
        part = series[start : start + block].astype(numpy.int64)
        if (part == part[0]).all():
            bits += 24
            continue
        sizes = [16 + 20 * order + partitioned(numpy.diff(part, order)) for order in range(5) if len(part) > order]
        for order in (1, 2, 4, 8, 12):
            if len(part) < 3 * order:
                continue
            past = numpy.stack([part[order - 1 - back : len(part) - 1 - back] for back in range(order)], 1).astype(float)
            weights = numpy.linalg.lstsq(past, part[order:], rcond=None)[0]
            shift = max(0, 11 - int(numpy.ceil(numpy.log2(numpy.abs(weights).max() + 1e-9))))
            said = numpy.floor(past @ numpy.round(weights * 2**shift) / 2**shift + 0.5).astype(numpy.int64)
            sizes.append(16 + 32 * order + partitioned(part[order:] - said))
        bits += min(sizes)
    return bits // 8 + 1


def rivals(cells):
    """Bytes of whole numbers [series, points] by each: plain and as differences for zstd and xz, the smaller counts."""
    forms = [narrow(cells), narrow(numpy.diff(cells, axis=1, prepend=0))]
    packer = zstandard.ZstdCompressor(level=19)
    return {
        "zstd": min(len(packer.compress(form)) for form in forms),
        "xz": min(len(lzma.compress(form, preset=9 | lzma.PRESET_EXTREME, check=lzma.CHECK_CRC32)) for form in forms),
        "FLAC-like": min(flac(cells.ravel()), sum(flac(one) for one in cells)),
    }
