"""Images: published protocols on MNIST, Fashion-MNIST, photographs and magnetic tiles, with `narrows` as the autoencoder.

    python bench/images.py DATA [--narrows target/release/narrows] [--seeds 3] [--threads 2] [--only simple,denoise-25]
                           [--steps 1] [--list]

DATA holds `mnist`, `fashion_mnist` (IDX as they come), `images` (Train400, BSDS500_train, Set12, Set5) and `mtd`
(MT_Free, MT_Blowhole). `--steps 0.1` takes a tenth of the training, to try the script.

digits, clothes  784 pixels in [0, 1]; the model is fitted to the 60,000 training images, of which narrows itself keeps 2 %
                 to choose when to stop and 2 % to calibrate, and measured on the 10,000 test images, which choose nothing.
                 The references are the Keras blog's and TensorFlow's tutorials, which stop by the test set.
photographs      clean images are damaged, restored and compared, mean PSNR in dB. `rival` is scikit-image's non-local
                 means (fast, patch 5, distance 6, h = 0.8 sigma, sigma known) on the very same noisy images where the
                 damage is noise, else narrows' own classical method. DnCNN's published figure for Set12 at sigma 25 is 30.44
                 after 50 epochs on the same 400 images.
tiles            image AUC-ROC: fitted to the defect-free tiles of two thirds of the captures, measured on the others and on
                 all tiles with blowholes. Captures are numbered in the file names; frames of one capture look alike, so they
                 stay together. `pca` sees the same pieces of pixels.

needs numpy, pillow and scikit-image
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import numpy

KERAS = "--set detect.calibration=0.02 --set train.validation=0.02"
DENSE = f"{KERAS} --set train.epochs=50 --set train.batch_size=128"
CONV = f"--preset conv {KERAS} --set train.epochs=30"

# name: (data, flags of fit, figure, bound, what the bound is)
BOXES = {
    "simple": ("mnist", f"--preset simple {DENSE} --set backbone.code_size=32", "bce", 0.0915, "Keras 0.0916"),
    "deep": (
        "mnist",
        f"--preset deep {DENSE} --set backbone.nodes=[128,64] --set backbone.code_size=32",
        "bce",
        0.0845,
        "Keras 0.0845",
    ),
    "sparse": (
        "mnist",
        f"--preset sparse {DENSE} --set backbone.code_size=32 --set sparsity.weight=1e-4",
        "bce",
        0.095,
        "Keras 0.10",
    ),
    "conv": ("mnist", f"{CONV} --set backbone.code_size=128", "bce", 0.0798, "Keras, strided 0.0798"),
    "denoise-0.5": ("mnist", f"{CONV} --set backbone.code_size=128 --corrupt gaussian:127.5:clip", "bce", 0.0930, "Keras 0.0930"),
    "denoise-0.4": ("mnist", f"{CONV} --set backbone.code_size=128 --corrupt gaussian:102:clip", "bce", 0.0872, "Keras 0.0872"),
    "clothes": (
        "fashion_mnist",
        f"--preset simple {DENSE} --set backbone.code_size=64",
        "mse",
        0.0088,
        "TensorFlow 0.0088",
    ),
    "clothes-denoise": (
        "fashion_mnist",
        f"{CONV} --set backbone.code_size=392 --set loss=mse --corrupt gaussian:51:clip",
        "mse",
        0.0076,
        "TensorFlow 0.0076, code 392",
    ),
    "clothes-ssim": (
        "fashion_mnist",
        CONV + ' --set backbone.channels=[32,64] --set backbone.code={kind="map",channels=64} --set loss=ssim',
        "1-ssim",
        0.0095,
        "tf.image.ssim as loss, code 3136",
    ),
}

RESTORE = "--set train.steps=7000"
# name: (training folder, damage, flags, test folders)
PHOTOGRAPHS = {
    "denoise-25": ("Train400", "gaussian:25", RESTORE, ["Set12"]),
    "denoise-blind": ("Train400", "gaussian:5-50", RESTORE, ["Set12"]),
    "repair": ("Train400", "blocks:0.1:8px:grey", "--set train.steps=3000", ["Set12"]),
    "repair-any": ("Train400", "blocks:0.1:8px:any", "--set train.steps=3000", ["Set12"]),
    "watermark": ("Train400", 'watermark:"SAMPLE":0.4', "--set train.steps=3000", ["Set12"]),
    "upscale-2": ("Train400", "downscale:2", "--set train.steps=3000", ["Set12"]),
    "upscale-2-colour": ("BSDS500_train", "downscale:2", "--set train.steps=3000", ["Set5"]),
    "colour": ("BSDS500_train", "grayscale", "--set train.steps=3000", ["BSDS500_train"]),
}


class Narrows:
    """The binary, working in a folder of its own."""

    def __init__(self, binary, folder, threads, share):
        self.binary, self.folder, self.threads, self.share = binary, pathlib.Path(folder), threads, share

    def run(self, *words):
        command = [self.binary, *map(str, words), "--threads", str(self.threads), "--json"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in (0, 5):
            raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def fit(self, data, flags, seed):
        """The model's file, the report, and the seconds."""
        words = flags.split()
        for i, word in enumerate(words):
            for field in ("train.steps=", "train.epochs="):
                if word.startswith(field):
                    words[i] = field + str(max(1, round(int(word[len(field) :]) * self.share)))
        start = time.time()
        report = self.run("fit", *([data] if isinstance(data, (str, pathlib.Path)) else data), *words, "--seed", seed, "--force", "-o", self.folder / "m.narrows")
        return self.folder / "m.narrows", report, time.time() - start


def tell(name, found, remark=""):
    """One line: means of the figures with their spread."""
    figures = {key: [one[key] for one in found] for key in found[0]}
    text = [f"{key} {numpy.mean(all_of):.4f} +- {numpy.std(all_of):.4f}" for key, all_of in figures.items()]
    print(f"{name:18} " + "  ".join(text) + f"   {remark}", flush=True)


def boxes(narrows, data, name, seeds):
    kind, flags, figure, bound, remark = BOXES[name]
    folder = data / kind
    other = data / ("fashion_mnist" if kind == "mnist" else "mnist")
    found = []
    for seed in range(seeds):
        model, report, seconds = narrows.fit(folder / "train-images-idx3-ubyte.gz", flags, seed)
        quality = narrows.run("evaluate", model, folder / "t10k-images-idx3-ubyte.gz")
        model_quality = quality["model"]
        one = {"minutes": seconds / 60, "code": report["network"]["code_size"]}
        one[figure] = 1 - model_quality["ssim"] if figure == "1-ssim" else model_quality[figure]
        one["pca mse"], one["mse"] = quality["pca"]["mse"], model_quality["mse"]
        if name == "sparse":
            one["activity"] = activity(narrows, model, folder)
        if name == "simple":
            one["activity"] = activity(narrows, model, folder)
            strange = narrows.run("evaluate", model, other / "t10k-images-idx3-ubyte.gz")["model"]["mse"]
            one["clothes/digits mse"] = strange / model_quality["mse"]
        found.append(one)
    mean = numpy.mean([one[figure] for one in found])
    tell(name, found, f"at most {bound} ({remark}): {'met' if mean <= bound else 'missed'}")


def activity(narrows, model, folder):
    """Mean activity of a code unit over the test images."""
    codes = narrows.folder / "codes.csv"
    subprocess.run([narrows.binary, "encode", model, folder / "t10k-images-idx3-ubyte.gz", "--force", "-o", codes, "--quiet"], check=True)
    return numpy.abs(numpy.genfromtxt(codes, delimiter=",", skip_header=1, comments=None)[:, 1:]).mean()


def non_local_means(folder, sigma):
    """Mean PSNR of scikit-image's non-local means, and of the noisy images."""
    from PIL import Image
    from skimage.restoration import denoise_nl_means

    psnr = lambda a, b: 10 * numpy.log10(1 / numpy.mean((numpy.clip(a, 0, 1) - b) ** 2))
    rng = numpy.random.default_rng(0)
    rival, noisy = [], []
    for path in sorted(folder.glob("*.png")):
        clean = numpy.asarray(Image.open(path).convert("L")) / 255
        damaged = clean + rng.normal(0, sigma, clean.shape)
        restored = denoise_nl_means(damaged, patch_size=5, patch_distance=6, h=0.8 * sigma, sigma=sigma, fast_mode=True)
        rival.append(psnr(restored, clean))
        noisy.append(psnr(damaged, clean))
    return numpy.mean(rival), numpy.mean(noisy)


def photographs(narrows, data, name, seeds):
    train, damage, flags, tests = PHOTOGRAPHS[name]
    found = []
    train_on, test_on = data / "images" / train, [data / "images" / test for test in tests]
    if tests == [train]:
        # Every tenth image is held out.
        train_on, test_on = narrows.folder / "train", [narrows.folder / "test"]
        for folder in (train_on, *test_on):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for i, path in enumerate(sorted((data / "images" / train).iterdir())):
            shutil.copy(path, (test_on[0] if i % 10 == 0 else train_on) / path.name)
    for seed in range(seeds):
        model, _, seconds = narrows.fit([train_on, "--corrupt", damage], flags, seed)
        for folder in test_on:
            quality = narrows.run("evaluate", model, folder)
            one = {"minutes": seconds / 60, "restored": quality["restored"]["psnr"], "input": quality["input"]["psnr"]}
            one[quality["rival"]["name"]] = quality["rival"]["psnr"]
            one["ssim"] = quality["restored"]["ssim"]
            if name == "colour":
                one["colourfulness"] = quality["restored"]["colourfulness"]
            if name == "denoise-25":
                one["scikit-image"], _ = non_local_means(folder, 25 / 255)
            found.append(one)
    tell(name, found)


def tiles(narrows, data, seeds, flags):
    """Captures stay together: exp1_num_4727.jpg is capture 4727 of the first experiment, followed by its neighbours."""
    number = lambda path: int(re.search(r"num_(\d+)", path.name).group(1))
    free = sorted((p for p in (data / "mtd" / "MT_Free").rglob("*.jpg")), key=number)
    holes = sorted((data / "mtd" / "MT_Blowhole").rglob("*.jpg"))
    found = []
    for seed in range(seeds):
        third = [i * 3 // len(free) == seed % 3 for i in range(len(free))]
        for folder, paths in {
            "train": [p for p, held_out in zip(free, third) if not held_out],
            "test/free": [p for p, held_out in zip(free, third) if held_out],
            "test/holes": holes,
        }.items():
            at = narrows.folder / folder
            shutil.rmtree(at, ignore_errors=True)
            at.mkdir(parents=True)
            for path in paths:
                shutil.copy(path, at / path.name)
        model, _, seconds = narrows.fit(narrows.folder / "train", flags, seed)
        quality = narrows.run("evaluate", model, narrows.folder / "test", "--normal", "free")
        one = {"minutes": seconds / 60, "auc": quality["auc_roc"], "auc_pr": quality["auc_pr"]}
        one["pca"] = quality["baselines"]["pca"]["auc_roc"]
        one["false alarms"] = quality["false_alarm_rate"]
        found.append(one)
    tell("tiles", found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--narrows", default="target/release/narrows")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--steps", type=float, default=1, help="share of the training steps")
    parser.add_argument("--extra", default="", help="more flags of fit")
    args = parser.parse_args()
    wanted = args.only.split(",") if args.only else [*BOXES, *PHOTOGRAPHS, "tiles"]
    with tempfile.TemporaryDirectory() as folder:
        narrows = Narrows(str(pathlib.Path(args.narrows).resolve()), folder, args.threads, args.steps)
        for name in wanted:
            if name in BOXES:
                kind, flags, *rest = BOXES[name]
                BOXES[name] = (kind, f"{flags} {args.extra}", *rest)
                boxes(narrows, args.data, name, args.seeds)
            elif name in PHOTOGRAPHS:
                train, damage, flags, tests = PHOTOGRAPHS[name]
                PHOTOGRAPHS[name] = (train, damage, f"{flags} {args.extra}", tests)
                photographs(narrows, args.data, name, args.seeds)
            elif name == "tiles":
                tiles(narrows, args.data, args.seeds, args.extra)
            else:
                raise SystemExit(f"--only: expected some of {', '.join([*BOXES, *PHOTOGRAPHS, 'tiles'])}, got {name}")


if __name__ == "__main__":
    main()
