"""The Augmentation page: the builder, the grid, export and import, the effect on a model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.augment import CATALOG, PRESETS, AugmentSpec, exchange, preset
from cifar_core.augment.pipeline import library
from cifar_core.augment.spec import MAX_OPERATIONS
from cifar_core.data import open_dataset
from cifar_core.data.dataset import mean_color
from cifar_core.runs.states import RunState
from cifar_core.runs.store import AnalysisJob, list_runs
from tests.apptest import app, button, texts
from tests.made_up_data import png
from tests.real_jobs import wait_for

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")


def spec_in(at: AppTest) -> AugmentSpec:
    """The spec in the builder."""
    assert not at.exception
    return AugmentSpec.model_validate(at.session_state["augment_spec"])


def names_in(at: AppTest) -> list[str]:
    return [operation.name for operation in spec_in(at).operations]


def take_preset(at: AppTest, name: str) -> None:
    next(g for g in at.button_group if name in g.options).set_value(name).run()


def by_help(at: AppTest, tip: str, number: int = 0) -> Any:
    return [b for b in at.button if b.help == tip][number]


def html_of(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.get("html"))


def test_presets_pass_the_builder_unchanged_and_reach_the_training_form() -> None:
    at = app("augmentation")
    assert "Train a model first" in texts(at)  # there is no run to measure the effect on
    for name, spec in PRESETS.items():
        take_preset(at, name)
        assert spec_in(at).digest == spec.digest, name
    take_preset(at, "s9_sepnet")
    digest = PRESETS["s9_sepnet"].digest[:12]
    assert digest in texts(at)
    button(at, "Use in training").click().run()
    assert not at.exception
    assert digest in texts(at)


def test_operations_are_added_set_moved_and_removed() -> None:
    at = app("augmentation")
    assert names_in(at) == ["PadCrop", "HorizontalFlip"]
    at.selectbox(key="add").set_value("MixUp").run()
    at.selectbox(key="add").set_value("Cutout").run()
    assert names_in(at) == ["PadCrop", "HorizontalFlip", "Cutout", "MixUp"]  # mixing comes last
    next(s for s in at.slider if s.label == "Size").set_value(8).run()
    assert spec_in(at).operations[2].params == {"size": 8, "fill": "mean"}
    by_help(at, "Move up", 2).click().run()
    by_help(at, "Move up", 1).click().run()
    assert names_in(at) == ["Cutout", "PadCrop", "HorizontalFlip", "MixUp"]
    assert spec_in(at).operations[0].params["size"] == 8  # parameters move with the operation
    assert all(b.label for b in at.button), "read out by screen readers"
    by_help(at, "Remove PadCrop").click().run()
    assert names_in(at) == ["Cutout", "HorizontalFlip", "MixUp"]
    # another page and back: the spec is still there
    digest = spec_in(at).digest
    at.switch_page("pages/data.py").run()
    at.switch_page("pages/augmentation.py").run()
    assert spec_in(at).digest == digest
    assert names_in(at) == ["Cutout", "HorizontalFlip", "MixUp"]


def test_every_operation_can_be_added_and_previewed() -> None:
    at = app("augmentation")
    for name in CATALOG:
        at.session_state["builder"].clear()  # each operation alone
        at.selectbox(key="add").set_value(name).run()
        assert names_in(at) == [name]
        assert not at.error, name
        assert html_of(at).count("<img") >= 10 * 7, name


def test_a_spec_has_room_for_so_many_operations() -> None:
    at = app("augmentation")
    flip = {"name": "HorizontalFlip", "p": 0.5, "params": {}, "operations": []}
    at.session_state["builder"] = [{**flip, "number": n} for n in range(900, 899 + MAX_OPERATIONS)]
    at.run()
    at.selectbox(key="add").set_value("ToGray").run()
    assert len(spec_in(at).operations) == MAX_OPERATIONS
    assert not at.error
    assert not [s for s in at.selectbox if s.key == "add"]


def test_one_of_has_nested_operations() -> None:
    at = app("augmentation")
    at.selectbox(key="add").set_value("OneOf").run()
    held = spec_in(at).operations[-1].operations
    assert [operation.name for operation in held] == ["HorizontalFlip", "ToGray"]
    inner = next(s for s in at.selectbox if s.key and s.key.endswith("-add"))
    assert "MixUp" not in " ".join(inner.options)
    inner.set_value("Blur").run()
    assert [op.name for op in spec_in(at).operations[-1].operations][-1] == "Blur"


def test_an_invalid_order_is_an_error() -> None:
    at = app("augmentation")
    take_preset(at, "strong")
    last = len(PRESETS["strong"].operations) - 1
    by_help(at, "Move up", last).click().run()
    assert not at.exception
    assert "CutMix works on whole batches and must come last" in at.error[0].value
    by_help(at, "Move down", last - 1).click().run()
    assert not at.error


def test_the_preview_follows_seed_options_and_rows() -> None:
    at = app("augmentation")

    def set_seed(seed: int) -> str:
        next(n for n in at.number_input if n.label == "Seed").set_value(seed).run()
        return html_of(at)

    def rows_by(choice: str) -> None:
        next(g for g in at.button_group if "Upload" in g.options).set_value(choice).run()
        assert not at.exception

    # the same seed gives the same samples
    first = html_of(at)
    assert set_seed(1) != first
    assert set_seed(0) == first
    # each caption names the applied operations with their values
    take_preset(at, "s8_resnet18")
    html = html_of(at)
    assert "PadCrop +" in html or "PadCrop -" in html
    assert "Cutout 16x16 at " in html
    at.toggle(key="as-tensor").set_value(True).run()
    assert "filled" in html_of(at)
    assert "All samples: mean" in texts(at)
    at.toggle(key="isolate").set_value(True).run()
    assert ">Cutout<" in html_of(at)
    at.toggle(key="as-tensor").set_value(False)
    at.toggle(key="isolate").set_value(False).run()
    # rows by index, by class, and an uploaded image
    rows_by("By index")
    at.text_input(key="rows-indices").set_value("3, 17").run()
    assert html_of(at).count("<img") == 2 * 7
    at.text_input(key="rows-indices").set_value("3, what").run()
    assert "Indices = '3, what' is not accepted" in at.error[0].value
    rows_by("Single class")
    at.selectbox(key="rows-class").set_value("star").run()
    assert html_of(at).count(">star ") == 10
    rows_by("Upload")
    assert "Upload a PNG or JPEG" in at.info[0].value
    picture = np.full((40, 60, 3), 90, np.uint8)
    at.file_uploader(key="rows-own").set_value([("mine.png", png(picture), "image/png")]).run()
    assert not at.exception
    assert html_of(at).count("<img") == 7


def test_import_and_export() -> None:
    at = app("augmentation")
    # a file keeps its hash
    spec = preset("eva_resnet18")
    content = json.dumps(json.loads(spec.to_json()), indent=2).encode()
    at.file_uploader(key="import").set_value([("a.json", content, "application/json")]).run()
    button(at, "Load into builder").click().run()
    assert spec_in(at).digest == spec.digest
    # what the page exports keeps it, too, in whatever words
    color = mean_color(open_dataset("shapes10"))
    for write, ending in ((exchange.to_json, "json"), (exchange.to_yaml, "yaml")):
        for name in ("s9_sepnet", "s8_resnet18"):
            file = (f"a.{ending}", write(PRESETS[name], color).encode(), "text/plain")
            at.file_uploader(key="import").set_value([file]).run()
            button(at, "Load into builder").click().run()
            assert spec_in(at).digest == PRESETS[name].digest, (name, ending)
    # what is left out is told
    A = library()
    content = json.dumps(A.to_dict(A.Compose([A.HorizontalFlip(p=0.5), A.Normalize()]))).encode()
    at.file_uploader(key="import").set_value([("a.json", content, "application/json")]).run()
    button(at, "Load into builder").click().run()
    assert names_in(at) == ["HorizontalFlip"]
    assert any("Left out: Normalize" in toast.value for toast in at.toast)
    # a spec with parameters of an earlier version keeps them
    former = {"name": "Affine", "p": 0.5, "params": {"translate_percent": [0, 0.1]}}
    content = json.dumps({"operations": [former]}).encode()
    at.file_uploader(key="import").set_value([("a.json", content, "application/json")]).run()
    button(at, "Load into builder").click().run()
    assert spec_in(at) == AugmentSpec.model_validate({"operations": [former]})
    # other content is refused
    at.file_uploader(key="import").set_value([("b.json", b"[]", "application/json")]).run()
    button(at, "Load into builder").click().run()
    assert "This is not an augmentation" in at.error[0].value
    # only the native format exports mixing
    take_preset(at, "strong")
    for form in ("JSON", "albumentations JSON", "albumentations YAML", "Python"):
        at.radio(key="export-form").set_value(form).run()
        assert not at.exception, form
        assert ("Not included: normalization, CutMix" in texts(at)) == (form != "JSON"), form


def test_the_effect_on_a_trained_model_is_a_job(copied: Path) -> None:
    at = app("augmentation")
    take_preset(at, "strong")
    button(at, "Evaluate on 1,000 test images").click().run()
    assert not at.exception
    (job,) = list_runs(copied.parent, AnalysisJob)
    wait_for(job.path, RunState.COMPLETED)
    at.run()
    assert "changed from correct to wrong" in texts(at)
    assert len(at.get("plotly_chart")) == 2
