"""The commands about images: data and augment."""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cifar_core.cli.out_file import check_out, write_out
from cifar_core.cli.settings import read_augmentation
from cifar_core.cli.sheets import add_data_sheet
from cifar_core.errors import ConfigError, DataError
from cifar_core.system.progress import Progress


def add_data(commands: Any) -> None:
    """Data: find, prepare, download, stats, sheet."""
    group = commands.add_parser("data", help="find, download and describe the images")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    for name, do, text in (
        ("stats", _stats, "counts, mean and standard deviation"),
        ("prepare", _prepare, "decode a copy into the cache"),
        ("download", _download, "download CIFAR-10 into the cache and decode it"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.set_defaults(do=do)
        if name == "download":
            action.add_argument("--origin", default="archive", help="archive (default) or hub")
            action.add_argument(
                "--mirror",
                default=os.environ.get("CIFAR_MIRROR"),
                help="base URL of a mirror with the same files; default CIFAR_MIRROR",
            )
            continue
        action.add_argument("--data", default="cifar10", help="cifar10, shapes10, or a folder")
        if name == "stats":
            action.add_argument("--json", action="store_true", help="print JSON")
        else:
            action.add_argument(
                "--allow-modified",
                action="store_true",
                help="allow incomplete or modified data, labeled as modified everywhere",
            )
    add_data_sheet(actions)


def _stats(options: argparse.Namespace) -> None:
    from cifar_core.data import open_dataset, prepare

    _show(prepare(options.data))
    data = open_dataset(options.data)
    statistics = {
        name: [values.tolist() for values in mean_std]
        for name, mean_std in data.split_statistics.items()
    }
    counts = {"train": data.train.counts.tolist(), "test": data.test.counts.tolist()}
    if options.json:
        stats = {name: {"mean": mean, "std": std} for name, (mean, std) in statistics.items()}
        summary = {"title": data.title, "origin": data.origin, "fingerprint": data.fingerprint}
        print(json.dumps({**summary, "classes": data.classes, "counts": counts, **stats}))
        return
    print(f"{data.title}, from {data.origin}")
    print(f"{len(data.train):,} training and {len(data.test):,} test images, 32x32 RGB\n")
    for name, (mean, std) in statistics.items():
        print(f"{name:5}  mean {_row(mean)}  std {_row(std)}")
    print("\nA run normalizes by train, or as its setting normalization says: separate, all.")
    print(f"\n{'class':12}  {'train':>6}  {'test':>6}")
    for k, label in enumerate(data.classes):
        print(f"{label:12}  {counts['train'][k]:>6,}  {counts['test'][k]:>6,}")


def _row(values: list[float]) -> str:
    return "(" + ", ".join(f"{value:.8f}" for value in values) + ")"


def _prepare(options: argparse.Namespace) -> None:
    from cifar_core.data import open_dataset, prepare

    _show(prepare(options.data, options.allow_modified))
    data = open_dataset(options.data)
    print(f"{data.title} is ready: {len(data.train):,} + {len(data.test):,} images.")


def _download(options: argparse.Namespace) -> None:
    from cifar_core.data import prepare
    from cifar_core.data.download import download_cifar10
    from cifar_core.system.paths import cache_dir

    folder = cache_dir() / "downloads"
    try:
        _show(download_cifar10(folder, options.origin, options.mirror))
        _show(prepare(str(folder)))
    except KeyboardInterrupt:
        raise DataError("Cancelled. Run the same command again to resume.") from None
    print("CIFAR-10 is ready.")


def _show(progress: Iterable[Progress]) -> None:
    """A progress bar on the error stream, so that results stay clean."""
    from tqdm import tqdm

    bar: tqdm[Any] | None = None
    stage = ""  # a disabled bar has no desc
    for at in progress:
        if bar is None or stage != at.stage:
            stage = at.stage
            if bar is not None:
                bar.close()
            in_bytes = at.unit == "bytes"
            bar = tqdm(
                desc=at.stage,
                total=at.total,
                unit="B" if in_bytes else " images",
                unit_scale=in_bytes,
                file=sys.stderr,
                disable=not sys.stderr.isatty(),
            )
        bar.total = at.total
        bar.update(at.done - bar.n)
    if bar is not None:
        bar.close()


def add_augment(commands: Any) -> None:
    """augment: what a spec is and what it does to images."""
    command = commands.add_parser("augment", help="show an augmentation, or draw samples of it")
    command.add_argument(
        "spec", nargs="?", help="a preset, JSON, or a JSON or YAML file; none: list them"
    )
    command.add_argument("--data", default="cifar10", help="cifar10, shapes10, or a folder")
    command.add_argument("--out", type=Path, help="write a PNG of originals and samples")
    command.add_argument(
        "--export", type=Path, help="write it for albumentations: a .json, .yaml or .py file"
    )
    command.add_argument("--samples", type=int, default=8, help="samples per image, 1 to 32")
    command.add_argument("--seed", type=int, default=0, help="the same seed gives the same samples")
    command.add_argument("--json", action="store_true", help="print the spec as JSON")
    command.set_defaults(do=_augment)


def _augment(options: argparse.Namespace) -> None:
    from cifar_core.augment import PRESETS

    if options.spec is None:
        presets = {name: json.loads(spec.to_json()) for name, spec in PRESETS.items()}
        lines = [f"{name:14} {spec.digest[:12]}  {spec}" for name, spec in PRESETS.items()]
        print(json.dumps(presets) if options.json else "\n".join(lines))
        return
    spec = read_augmentation(options.spec, options.data)
    if options.out:
        _draw_sheet(spec, options)
    if options.export:
        _export(spec, options)
    path = "batched kernels" if spec.batched else "albumentations in DataLoader workers"
    summary = f"{spec}\nhash  {spec.digest[:12]}\nruns  by {path}"
    print(
        json.dumps({"hash": spec.digest, **spec.model_dump(mode="json")})
        if options.json
        else summary
    )


def _export(spec: Any, options: argparse.Namespace) -> None:
    from cifar_core.augment import exchange
    from cifar_core.data import open_dataset
    from cifar_core.data.dataset import mean_color

    forms = {
        ".json": exchange.to_json,
        ".yaml": exchange.to_yaml,
        ".yml": exchange.to_yaml,
        ".py": exchange.to_python,
    }
    check_out("--export", options.export, *forms)
    form = forms[options.export.suffix.lower()]
    text = form(spec, mean_color(open_dataset(options.data)))
    write_out("--export", options.export, text.encode())
    sys.stderr.write(f"{exchange.not_exported(spec)}\n")


def _draw_sheet(spec: Any, options: argparse.Namespace) -> None:
    from cifar_core.augment.preview import contact_sheet, one_per_class, preview
    from cifar_core.data import open_dataset

    if not 1 <= options.samples <= 32:
        raise ConfigError(f"--samples = {options.samples} is not accepted; give 1 to 32.")
    check_out("--out", options.out, ".png")
    data = open_dataset(options.data)
    shown = preview(spec, data, one_per_class(data.train), options.samples, options.seed)
    write_out("--out", options.out, contact_sheet(shown.rows()))
