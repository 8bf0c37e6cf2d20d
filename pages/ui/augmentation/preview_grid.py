"""The preview grid: one row per image, the original beside augmented samples."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.augment import AugmentSpec
from cifar_core.augment.preview import (
    Indices,
    Preview,
    as_tensor,
    isolated,
    one_per_class,
    preview,
    tensor_image,
)
from cifar_core.data import Dataset, Split
from cifar_core.data.dataset import histogram_of
from cifar_core.data.upload import ENDINGS, fit_image
from pages.ui.components import images, parts
from pages.ui.session import messages
from pages.ui.session.state import draft

MOST_ROWS, MOST_DRAWS = 20, 16
ROWS = ("One per class", "Single class", "By index", "Upload")


@dataclass(frozen=True)
class Rows:
    """The images to preview, and the label of each row."""

    split: Split
    indices: Indices
    labels: list[str]
    is_upload: bool = False


def preview_grid(spec: AugmentSpec, data: Dataset) -> None:
    """Options and the grid of originals and augmented samples."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.popover("Images", icon=":material/photo_library:"):
            rows = _choose_rows(data)
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, 0, width=140, help="The same seed gives the same samples."
        )
        num_draws = st.number_input("Samples", 1, MOST_DRAWS, 6, width=140)
        isolate = st.toggle(
            "Isolate each transform", key="isolate", help="One column each, with probability 1."
        )
        as_model = st.toggle(
            "Normalized input", key="as-tensor", help="As the model receives it; gray is the mean."
        )
        captions = st.toggle(
            "Captions", value=True, key="captions", help="Applied operations and their values."
        )
    if rows.is_upload:  # without a label and other images there is nothing to mix
        spec = AugmentSpec(operations=spec.pixel)
    with parts.show_errors():
        if isolate and spec.pixel:
            columns = [
                (str(s.operations[0].name), _sample(s, data, rows, seed)) for s in isolated(spec)
            ]
        else:
            result = preview(spec, data, rows.indices, num_draws, seed, rows.split)
            columns = [("", _column(result, number)) for number in range(num_draws)]
    _draw(columns, data, rows, as_model, captions)


@dataclass(frozen=True)
class _Column:
    """(N, 32, 32, 3) uint8 pixels, their captions, and their filled fractions (N,)."""

    pixels: NDArray[np.uint8]
    captions: list[str]
    filled: NDArray[np.float64]


def _column(result: Preview, number: int) -> _Column:
    captions = [result.caption(number, image) for image in range(len(result.originals))]
    return _Column(result.draws[number], captions, result.filled[number])


def _sample(spec: AugmentSpec, data: Dataset, rows: Rows, seed: int) -> _Column:
    return _column(preview(spec, data, rows.indices, 1, seed, rows.split), 0)


def _choose_rows(data: Dataset) -> Rows:
    """Selects images by class, split or index, or an uploaded one."""
    by = st.segmented_control("Images", ROWS, default=ROWS[0], required=True, key="rows-by")
    if by == "Upload":
        return _upload()
    part = st.segmented_control(
        "Split", ["train", "test"], default="train", required=True, key="rows-split"
    )
    split = data.test if part == "test" else data.train
    if by == "By index":
        indices = _parse_indices(
            st.text_input("Indices", "0, 1, 2", key="rows-indices"), len(split)
        )
    elif by == "Single class":
        name = st.selectbox("Class", data.classes, key="rows-class")
        members = np.flatnonzero(split.labels == data.classes.index(name))
        first = st.number_input("Start at image", 1, len(members), 1, width=150, key="rows-from")
        indices = members[first - 1 : first + 9]
    else:
        number = st.number_input("Image of the class", 1, 1000, 1, width=170, key="rows-nth")
        indices = one_per_class(split, number - 1)
    one_each = by == "One per class"
    labels = [data.classes[split.labels[i]] + ("" if one_each else f" {i}") for i in indices]
    return Rows(split, indices, labels)


def _parse_indices(text: str, size: int) -> Indices:
    """Indices from text; stops the page with an error if they are not valid."""
    words = text.replace(",", " ").split()
    valid = [int(word) for word in words if word.isdecimal() and int(word) < size]
    if not words or len(valid) < len(words) or len(valid) > MOST_ROWS:
        messages.error(
            f"Indices = {text[:80]!r} is not accepted; enter 1 to {MOST_ROWS} indices from 0 to "
            f"{size - 1:,}, such as 0, 17, 4000."
        )
        st.stop()
    return np.array(valid)


def _upload() -> Rows:
    upload = st.file_uploader("Image file", ENDINGS, key="rows-own", help="Not stored.")
    if upload is None:
        messages.info("Upload a PNG or JPEG. It is center-cropped and resized to 32x32 pixels.")
        st.stop()
    with parts.show_errors():
        fitted = fit_image(upload.getvalue())
    if fitted.note:
        st.caption(messages.plain(fitted.note))
    pixels = fitted.pixels[None]
    split = Split(pixels, np.zeros(1, np.uint8), histogram_of(pixels), "")
    return Rows(split, np.zeros(1, np.int64), ["upload"], is_upload=True)


def _draw(
    columns: list[tuple[str, _Column]], data: Dataset, rows: Rows, as_model: bool, captions: bool
) -> None:
    originals = np.asarray(rows.split.images[rows.indices])
    drawn = np.stack([originals, *(column.pixels for _, column in columns)], axis=1)
    values = as_tensor(drawn, data, str(draft().get("normalization", "train")))
    pictures = tensor_image(values) if as_model else drawn
    lines = []
    for n, label in enumerate(rows.labels):
        texts = ["", *(column.captions[n] for _, column in columns)]
        if as_model:
            tail = [_moments(values[n, k], at) for k, at in enumerate([0.0, *_filled(columns, n)])]
            texts = [
                f"{text}; {more}" if text else more for text, more in zip(texts, tail, strict=True)
            ]
        tips = [texts[0] or f"{label}, original", *texts[1:]]
        lines.append(images.Row(label, pictures[n], tips, texts if captions else ()))
    images.tile_rows(lines, ["Original", *(name for name, _ in columns)])
    if as_model:
        overall = _moments(values[:, 1:], float(np.mean([c.filled for _, c in columns])))
        st.caption(f"All samples: {overall}. Without augmentation: mean 0, std 1.")


def _filled(columns: list[tuple[str, _Column]], n: int) -> list[float]:
    return [float(column.filled[n]) for _, column in columns]


def _moments(values: NDArray[np.float32], filled: float) -> str:
    return f"mean {values.mean():+.2f}, std {values.std():.2f}, {filled:.0%} filled"
