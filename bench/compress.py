"""Compression of held-out data, beside what everybody has, with `narrows` as the autoencoder.

    python bench/compress.py DATA [--narrows target/release/narrows] [--seeds 3] [--threads 2]
                             [--only heartbeats,mnist] [--list]

DATA holds `ecg5000`, `msl`, `nab`, `mnist`, `fashion_mnist` and `images` (BSDS500_train).

heartbeats       4,000 of the 5,000 beats train, chosen by the seed, the others are compressed with at most 1 % error of the
                 range in training. The rival rounds the same numbers to the same bound and packs them, a byte a number,
                 with zstd -19: once as they are, once as differences to the point before.
unaligned        the beats of ECG5000 end to end, in an order chosen by the seed: windows of 200 points cut at random out of
                 the last fifth, 500 of them, compressed at 1 %; 2,000 windows of the rest train.
msl              27 channels of the rover's telemetry, with their 54 commands: `train` trains, `test` is compressed at 1 %.
                 Channels that never change in training are left out. One seed.
nab              41 series of NAB: the first half trains, the second is compressed at 1 %. One seed.
                 For all of these, rivals have the same numbers rounded to the same bound, plain and as differences
                 (`rivals.py`). `numbers` are ours without the file around them, which counts in `file`.
mnist, fashion   fitted to the 60,000 training images, measured on the first 1,000 test images (all 10,000 with
                 --images 10000). `sheet`: all of them in one file of ours, and side by side on one sheet as JPEG and as
                 WebP, in the quality whose file is nearest to ours from below, or the smallest where none is as small.
                 `files`: each image a file of its own, sizes added up. PSNR is that of the mean squared error over all.
                 JPEG by Pillow with optimised tables, WebP by Pillow with method 6; grey where the format has it.
photographs      fitted to the first 160 colour photographs of BSDS500_train, the last 40 are compressed, each a file, to 0.3, 0.5
                 and 0.8 bits a pixel; mean PSNR of the files, beside that of JPEG (optimised tables), WebP (method 6) and
                 AVIF (speed 4, if Pillow has it) at the very bytes of each of our files, between two qualities.

needs numpy, pillow and zstandard
"""

import argparse
import io
import pathlib
import tempfile
import time

import numpy
import zstandard
from images import Narrows
from PIL import Image, features
from rivals import rivals

IMAGES = "--preset compressing"
# name: flags of fit, flags of compress
BOXES = {
    "mnist": ("mnist", f"{IMAGES} --set backbone.code_size=128 --set latent.rate=1e-4 --set train.epochs=20"),
    "fashion": ("fashion_mnist", f"{IMAGES} --set backbone.code_size=256 --set latent.rate=1e-4 --set train.epochs=20"),
}
# Bits a pixel.
RATES = (0.3, 0.5, 0.8)


def fitted(narrows, data, flags, seed):
    model, _, seconds = narrows.fit(data, flags, seed)
    print(f"   fitted in {seconds:.0f} s", flush=True)
    return model


def heartbeats(narrows, data, seeds, _):
    rows = numpy.load(data / "ecg5000/ecg5000_all.npz")["X"]
    names = ",".join(f"t{i}" for i in range(rows.shape[1]))
    found = []
    for seed in range(seeds):
        order = numpy.random.default_rng(seed).permutation(len(rows))
        train, test = rows[order[:4000]], rows[order[4000:]]
        for name, part in (("train", train), ("test", test)):
            numpy.savetxt(narrows.folder / f"{name}.csv", part, fmt="%.6g", delimiter=",", header=names, comments="")
        flags = "--kind series --layout rows --preset compressing"
        model = fitted(narrows, narrows.folder / "train.csv", flags, seed)
        # In the data's own unit, so that both sides keep the very same bound.
        bound = 0.01 * (train.max() - train.min())
        told = narrows.run("compress", model, narrows.folder / "test.csv", "--max-error", bound, "--verify", "--force", "-o", narrows.folder / "x.nrw")
        cells = numpy.round(test / (2 * bound)).astype(int)
        plain = pack(cells - cells.min())
        steps = pack(numpy.diff(cells, axis=1, prepend=0) % 256)
        all_rivals = rivals(cells)
        print(all_rivals, told["number_bytes"], told["code_bytes"], told["code_trial"], flush=True)
        found.append([told["bytes"], min(all_rivals.values()) / told["number_bytes"], plain / told["bytes"], steps / told["bytes"], told["bits_a_value"], told["zstd_of_cells"] / told["bytes"]])
    tell("heartbeats", found, ["bytes", "best of zstd, xz and FLAC-like/our numbers", "zstd/ours", "zstd of differences/ours", "bits a value", "zstd by the program/ours"])


def compared(narrows, model, table, names, bound, cells, by_rows):
    """Bytes of ours and of the rivals, of columns that are compressed with bounds in their own unit."""
    told = narrows.run("compress", model, table, "--max-error", bound, "--verify", "--force", "-o", narrows.folder / "x.nrw")
    one = {"file": told["bytes"], "numbers": told["number_bytes"], "codes": told["code_bytes"], **rivals(cells if by_rows else cells.T)}
    trial = told["code_trial"]
    one["gain of the code"] = trial["bytes_without_code"] - trial["bytes_with_code"]
    return one


def save(path, names, rows):
    numpy.savetxt(path, rows, fmt="%.9g", delimiter=",", header=",".join(names), comments="")


def shares(name, found):
    """Totals, and the best rival by its total and by the best in each file."""
    total = {key: sum(one[key] for one in found) for key in found[0]}
    best = min(total[key] for key in ("zstd", "xz", "FLAC-like"))
    lost = [one for one in found if one["numbers"] > min(one[key] for key in ("zstd", "xz", "FLAC-like"))]
    print(f"{name}, {len(found)} files: {total}; best rival {best / total['numbers']:.3f} times as large as our numbers; "
          f"larger than the best rival in {len(lost)} files", flush=True)


def unaligned(narrows, data, seeds, _):
    beats = numpy.load(data / "ecg5000/ecg5000_all.npz")["X"]
    names = [f"t{i}" for i in range(200)]
    found = []
    for seed in range(seeds):
        random = numpy.random.default_rng(seed)
        whole = beats[random.permutation(len(beats))].ravel()
        split = len(whole) * 4 // 5
        cut = lambda first, last, n: numpy.stack([whole[at : at + 200] for at in random.integers(first, last - 200, n)])  # noqa: E731
        train, test = cut(0, split, 2000), cut(split, len(whole), 500)
        save(narrows.folder / "train.csv", names, train)
        save(narrows.folder / "test.csv", names, test)
        model = fitted(narrows, narrows.folder / "train.csv", "--kind series --layout rows --preset compressing", seed)
        bound = 0.01 * (train.max() - train.min())
        cells = numpy.round(test / (2 * bound)).astype(int)
        found.append(compared(narrows, model, narrows.folder / "test.csv", names, bound, cells, True))
        print(found[-1], flush=True)
    shares("unaligned", found)


def long(narrows, train, test, flags):
    """Both parts as tables with bounds of 1 %, by making all ranges 100."""
    used = [c for c in range(train.shape[1]) if numpy.ptp(train[:, c]) > 0]
    low, size = train[:, used].min(0), numpy.ptp(train[:, used], axis=0)
    train, test = (100 * (part[:, used] - low) / size for part in (train, test))
    names = [f"c{c}" for c in used]
    for name, part in (("train", train), ("test", test)):
        save(narrows.folder / f"{name}.csv", names, part)
    model = fitted(narrows, narrows.folder / "train.csv", flags, 0)
    cells = numpy.round(test / 2).astype(int)
    return compared(narrows, model, narrows.folder / "test.csv", names, 1.0, cells, False)


SERIES = "--kind series --preset compressing --set train.steps=300"


def msl(narrows, data, *_):
    found = []
    for file in sorted((data / "msl").glob("*.npz")):
        parts = numpy.load(file)
        if numpy.ptp(parts["train"][:, 0]) > 0:
            found.append(long(narrows, parts["train"].astype(float), parts["test"].astype(float), SERIES))
            print(file.stem, found[-1], flush=True)
    shares("msl", found)


def nab(narrows, data, *_):
    found = []
    for file in sorted((data / "nab/data").glob("*/*.csv")):
        series = numpy.genfromtxt(file, delimiter=",", skip_header=1, usecols=1)[:, None]
        half = len(series) // 2
        if numpy.ptp(series[:half]) > 0:
            found.append(long(narrows, series[:half], series[half:], SERIES))
            print(file.stem, found[-1], flush=True)
    shares("nab", found)


def pack(cells):
    return len(zstandard.ZstdCompressor(level=19).compress(cells.astype(numpy.uint8).tobytes()))


def box(name):
    folder, flags = BOXES[name]

    def run(narrows, data, seeds, images):
        test = idx(data / folder / "t10k-images-idx3-ubyte.gz")[:images]
        numpy.save(narrows.folder / "test.npy", test)
        for seed in range(seeds):
            model = fitted(narrows, data / folder / "train-images-idx3-ubyte.gz", flags, seed)
            for how in ["--quality 3", "--quality 4", "--quality 5", "--quality 6", "--max-error 25%", "--max-error 15%", "--max-error 8%", "--lossless"]:
                told = narrows.run("compress", model, narrows.folder / "test.npy", *how.split(), "--force", "-o", narrows.folder / "x.nrw")
                line = f"{name} seed {seed} {how:16} {told['bytes']:8} bytes {told['psnr']:6.2f} dB"
                for kind, options in FORMATS.items():
                    size, psnr = nearest([mosaic(test)], kind, options, told["bytes"])
                    line += f" | {kind} sheet {size:8} {psnr:6.2f}"
                print(line, flush=True)
            few = test[:200]
            for how in ["--quality 4", "--quality 6"]:
                size = psnr = 0
                for image in few:
                    numpy.save(narrows.folder / "one.npy", image[None])
                    told = narrows.run("compress", model, narrows.folder / "one.npy", *how.split(), "--force", "-o", narrows.folder / "x.nrw")
                    size, psnr = size + told["bytes"], psnr + 10 ** (-told["psnr"] / 10)
                line = f"{name} seed {seed} {how:16} {size:8} bytes {-10 * numpy.log10(psnr / len(few)):6.2f} dB"
                for kind, options in FORMATS.items():
                    found, psnr = nearest(list(few), kind, options, size)
                    line += f" | {kind} files {found:8} {psnr:6.2f}"
                print(line, flush=True)

    return run


def photographs(narrows, data, seeds, _):
    files = sorted((data / "images/BSDS500_train").glob("*.jpg"))
    folder = narrows.folder / "train"
    folder.mkdir()
    for file in files[:160]:
        (folder / file.name).symlink_to(file.resolve())
    rivals = {**FORMATS, **({"AVIF": {"speed": 4}} if features.check("avif") else {})}
    for seed in range(seeds):
        model = fitted(narrows, folder, IMAGES, seed)
        for rate in RATES:
            ours, theirs, begun = [], {kind: [] for kind in rivals}, time.perf_counter()
            for file in files[-40:]:
                told = narrows.run("compress", model, file, "--bits", rate / 3, "--force", "-o", narrows.folder / "x.nrw")
                ours.append([8 * told["bytes"] * 3 / told["values"], 8 * told["code_bytes"] * 3 / told["values"], told["psnr"], told["bytes"]])
            seconds = time.perf_counter() - begun
            for file, (*_, size) in zip(files[-40:], ours):
                pixels = numpy.asarray(Image.open(file).convert("RGB"))
                for kind, options in rivals.items():
                    theirs[kind].append(between(pixels, kind, options, size))
            bits, code, psnr, _ = numpy.mean(ours, 0)
            line = f"photographs seed {seed}: {bits:.3f} bits a pixel, of which the code {code:.3f}, {psnr:.2f} dB in {seconds:.0f} s"
            print(line, *(f"| {kind} {numpy.mean(found):.2f} dB" for kind, found in theirs.items()), flush=True)


def between(pixels, kind, options, size):
    """PSNR of an image in this format at exactly so many bytes: between two neighbouring qualities, by the logarithm."""
    def stored(quality):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, kind, quality=quality, **options)
        back = numpy.asarray(Image.open(file).convert("RGB"), float)
        return file.tell(), 10 * numpy.log10(255**2 / numpy.mean((back - pixels) ** 2))

    low, high = 0, 100
    while high - low > 1:
        quality = (low + high) // 2
        low, high = (quality, high) if stored(quality)[0] <= size else (low, quality)
    (less, worse), (more, better) = stored(low), stored(high)
    share = (numpy.log(size) - numpy.log(less)) / max(numpy.log(more) - numpy.log(less), 1e-9)
    return worse + share * (better - worse)


FORMATS = {"JPEG": {"optimize": True}, "WebP": {"method": 6}}


def nearest(images, kind, options, budget):
    """Bytes and PSNR of all images in the best quality that takes no more than the budget, else in the worst."""
    def stored(quality):
        size, error = 0, 0.0
        for image in images:
            file = io.BytesIO()
            Image.fromarray(image).save(file, kind, quality=quality, **options)
            back = numpy.asarray(Image.open(file).convert("L" if image.ndim == 2 else "RGB"), float)
            size, error = size + file.tell(), error + numpy.mean((back - image) ** 2)
        return size, 10 * numpy.log10(255**2 / (error / len(images)))

    best, low, high = stored(1), 2, 101
    while low < high:
        quality = (low + high) // 2
        found = stored(quality)
        if found[0] <= budget:
            best, low = found, quality + 1
        else:
            high = quality
    return best


def mosaic(images):
    columns = int(numpy.ceil(len(images) ** 0.5))
    rows = -(-len(images) // columns)
    sheet = numpy.zeros((rows * columns, *images.shape[1:]), numpy.uint8)
    sheet[: len(images)] = images
    height, width = images.shape[1:]
    return sheet.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)


def idx(path):
    import gzip

    return numpy.frombuffer(gzip.open(path).read(), numpy.uint8, offset=16).reshape(-1, 28, 28)


def tell(name, found, words):
    found = numpy.array(found, float)
    spread = found.std(0, ddof=1) if len(found) > 1 else numpy.zeros(found.shape[1])
    parts = (f"{word} {mean:.3f} +- {s:.3f}" for word, mean, s in zip(words, found.mean(0), spread))
    print(f"{name}, {len(found)} seeds:", ", ".join(parts), flush=True)


CASES = {"heartbeats": heartbeats, "unaligned": unaligned, "msl": msl, "nab": nab, **{name: box(name) for name in BOXES}, "photographs": photographs}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, nargs="?")
    parser.add_argument("--narrows", default="target/release/narrows")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if args.list:
        raise SystemExit("\n".join(CASES))
    if args.data is None:
        parser.error("expected DATA")
    for name in args.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            narrows = Narrows(str(pathlib.Path(args.narrows).resolve()), folder, args.threads, 1)
            CASES[name](narrows, args.data, args.seeds, args.images)


main()
