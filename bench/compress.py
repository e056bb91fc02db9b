"""Compression of held-out data, beside what everybody has, with `narrows` as the autoencoder.

    python bench/compress.py DATA [--narrows target/release/narrows] [--seeds 3] [--threads 2]
                             [--only heartbeats,mnist] [--list]

DATA holds `ecg5000`, `mnist`, `fashion_mnist` and `images` (BSDS500_train).

heartbeats       4,000 of the 5,000 beats train, chosen by the seed, the others are compressed with at most 1 % error of the
                 range in training. The rival rounds the same numbers to the same bound and packs them, a byte a number,
                 with zstd -19: once as they are, once as differences to the point before.
mnist, fashion   fitted to the 60,000 training images, measured on the first 1,000 test images (all 10,000 with
                 --images 10000). `sheet`: all of them in one file of ours, and side by side on one sheet as JPEG and as
                 WebP, in the quality whose file is nearest to ours from below, or the smallest where none is as small.
                 `files`: each image a file of its own, sizes added up. PSNR is that of the mean squared error over all.
                 JPEG by Pillow with optimised tables, WebP by Pillow with method 6; grey where the format has it.
photographs      fitted to the first 160 colour photographs of BSDS500_train, the last 40 are compressed, each a file.

needs numpy, pillow and zstandard
"""

import argparse
import io
import pathlib
import tempfile

import numpy
import zstandard
from images import Narrows
from PIL import Image

IMAGES = "--preset compressing"
# name: flags of fit, flags of compress
BOXES = {
    "mnist": ("mnist", f"{IMAGES} --set backbone.code_size=128 --set latent.rate=1e-4 --set train.epochs=20"),
    "fashion": ("fashion_mnist", f"{IMAGES} --set backbone.code_size=256 --set latent.rate=1e-4 --set train.epochs=20"),
}
PHOTOGRAPHS = (
    f"{IMAGES} --set data.view=pieces --set data.side=64 --set backbone.channels=[32,48,64] "
    '--set backbone.code={kind="map",channels=24} --set latent.rate=5e-4 --set train.epochs=60'
)


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
        found.append([told["bytes"], plain / told["bytes"], steps / told["bytes"], told["bits_a_value"], told["zstd_of_cells"] / told["bytes"]])
    tell("heartbeats", found, ["bytes", "zstd/ours", "zstd of differences/ours", "bits a value", "zstd by the program/ours"])


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
    for seed in range(seeds):
        model = fitted(narrows, folder, PHOTOGRAPHS, seed)
        for how in ["--quality 3", "--quality 4", "--quality 5", "--quality 6"]:
            ours, rivals = [], {kind: [] for kind in FORMATS}
            for file in files[-40:]:
                told = narrows.run("compress", model, file, *how.split(), "--force", "-o", narrows.folder / "x.nrw")
                pixels = numpy.asarray(Image.open(file).convert("RGB"))
                ours.append([8 * told["bytes"] / pixels[..., 0].size, told["psnr"]])
                for kind, options in FORMATS.items():
                    size, psnr = nearest([pixels], kind, options, told["bytes"])
                    rivals[kind].append([8 * size / pixels[..., 0].size, psnr])
            line = f"photographs seed {seed} {how}: {numpy.mean(ours, 0).round(3)} (bits a pixel, dB)"
            print(line, *(f"| {kind} {numpy.mean(found, 0).round(3)}" for kind, found in rivals.items()), flush=True)


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


CASES = {"heartbeats": heartbeats, **{name: box(name) for name in BOXES}, "photographs": photographs}


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
