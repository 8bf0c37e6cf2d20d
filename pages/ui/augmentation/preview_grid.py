"""The grid of the augmentation page: rows of images, columns of what a spec makes of them."""

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
from cifar_core.data.upload import fit_image
from pages.ui.components import images, parts

MOST_ROWS, MOST_DRAWS = 20, 16
ROWS = ("One per class", "A class", "By index", "My own")


@dataclass(frozen=True)
class Rows:
    """The images that are shown, and what stands before each."""

    split: Split
    indices: Indices
    labels: list[str]
    own: bool = False


def grid(spec: AugmentSpec, data: Dataset) -> None:
    """What a spec makes of images, to be looked at."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.popover("Images", icon=":material/photo_library:"):
            rows = _choose_rows(data)
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, width=140, help="Same seed, same draws.")
        num_draws = st.number_input("Draws", 1, MOST_DRAWS, 6, width=140)
        each = st.toggle(
            "Each operation alone", key="each-alone", help="One column each, at probability 1."
        )
        as_model = st.toggle(
            "As the model gets it", key="as-tensor", help="Normalised; grey is the data's mean."
        )
        captions = st.toggle("Captions", value=True, key="captions", help="What fired, and how.")
    if rows.own:  # it has no label and no partner to be mixed with
        spec = AugmentSpec(operations=spec.pixel)
    with parts.sentences():
        if each and spec.pixel:
            columns = [
                (str(s.operations[0].name), _one(s, data, rows, seed)) for s in isolated(spec)
            ]
        else:
            shown = preview(spec, data, rows.indices, num_draws, seed, rows.split)
            columns = [("", _column(shown, number)) for number in range(num_draws)]
    _draw(columns, data, rows, as_model, captions)


@dataclass(frozen=True)
class _Column:
    """(N, 32, 32, 3) uint8, a caption each, and the share that shows no picture, (N,)."""

    pixels: NDArray[np.uint8]
    captions: list[str]
    filled: NDArray[np.float64]


def _column(shown: Preview, number: int) -> _Column:
    captions = [shown.caption(number, image) for image in range(len(shown.originals))]
    return _Column(shown.draws[number], captions, shown.filled[number])


def _one(spec: AugmentSpec, data: Dataset, rows: Rows, seed: int) -> _Column:
    return _column(preview(spec, data, rows.indices, 1, seed, rows.split), 0)


def _choose_rows(data: Dataset) -> Rows:
    """Which images: by class, split, number, or a picture of one's own."""
    by = st.segmented_control("Images", ROWS, default=ROWS[0], required=True, key="rows-by")
    if by == "My own":
        return _own()
    part = st.segmented_control(
        "Split", ["train", "test"], default="train", required=True, key="rows-split"
    )
    split = data.test if part == "test" else data.train
    if by == "By index":
        indices = _typed(st.text_input("Indices", "0, 1, 2", key="rows-indices"), len(split))
    elif by == "A class":
        name = st.selectbox("Class", data.classes, key="rows-class")
        found = np.flatnonzero(split.labels == data.classes.index(name))
        first = st.number_input("From its image", 1, len(found), 1, width=150, key="rows-from")
        indices = found[first - 1 : first + 9]
    else:
        number = st.number_input("Image of each class", 1, 1000, 1, width=170, key="rows-nth")
        indices = one_per_class(split, number - 1)
    named = by == "One per class"
    labels = [data.classes[split.labels[i]] + ("" if named else f" {i}") for i in indices]
    return Rows(split, indices, labels)


def _typed(text: str, size: int) -> Indices:
    """Indices as people type them; a sentence ends the page where they are none."""
    words = text.replace(",", " ").split()
    good = [int(word) for word in words if word.isdecimal() and int(word) < size]
    if not words or len(good) < len(words) or len(good) > MOST_ROWS:
        st.error(f"Give 1 to {MOST_ROWS} numbers from 0 to {size - 1:,}, such as 0, 17, 4000.")
        st.stop()
    return np.array(good)


def _own() -> Rows:
    kinds = ["png", "jpg", "jpeg"]
    given = st.file_uploader("A picture", kinds, key="rows-own", help="It is not stored.")
    if given is None:
        st.info("Give a PNG or JPEG; its middle square becomes 32x32 pixels.")
        st.stop()
    with parts.sentences():
        pixels = fit_image(given.getvalue()).pixels[None]
    split = Split(pixels, np.zeros(1, np.uint8), histogram_of(pixels), "")
    return Rows(split, np.zeros(1, np.int64), ["yours"], own=True)


def _draw(
    columns: list[tuple[str, _Column]], data: Dataset, rows: Rows, as_model: bool, captions: bool
) -> None:
    originals = np.asarray(rows.split.images[rows.indices])
    drawn = np.stack([originals, *(column.pixels for _, column in columns)], axis=1)
    values = as_tensor(drawn, data)
    shown = tensor_image(values) if as_model else drawn
    lines = []
    for n, label in enumerate(rows.labels):
        said = ["", *(column.captions[n] for _, column in columns)]
        if as_model:
            tail = [_moments(values[n, k], at) for k, at in enumerate([0.0, *_filled(columns, n)])]
            said = [
                f"{text}; {more}" if text else more for text, more in zip(said, tail, strict=True)
            ]
        tips = [said[0] or f"{label}, as it is", *said[1:]]
        lines.append(images.Row(label, shown[n], tips, said if captions else ()))
    images.tile_rows(lines, ["as it is", *(name for name, _ in columns)])
    if as_model:
        whole = _moments(values[:, 1:], float(np.mean([c.filled for _, c in columns])))
        st.caption(f"All draws together: {whole}. An epoch without augmentation has 0 and 1.")


def _filled(columns: list[tuple[str, _Column]], n: int) -> list[float]:
    return [float(column.filled[n]) for _, column in columns]


def _moments(values: NDArray[np.float32], filled: float) -> str:
    return f"mean {values.mean():+.2f}, std {values.std():.2f}, {filled:.0%} filled"
