"""The Augmentation page: the builder, the grid, export and import, the effect on a model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.augment import CATALOGUE, PRESETS, AugmentSpec, preset
from cifar_core.runs.states import RunState
from cifar_core.runs.store import list_runs
from tests.apptest import app, button, texts
from tests.conftest import png
from tests.real_jobs import wait_for

pytestmark = pytest.mark.usefixtures("fresh_caches", "known_speeds")


def spec_in(at: AppTest) -> AugmentSpec:
    """What stands in the builder."""
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


def test_a_preset_reaches_the_training_form_with_its_hash() -> None:
    at = app("augmentation")
    take_preset(at, "s9_sepnet")
    digest = PRESETS["s9_sepnet"].digest[:12]
    assert digest in texts(at)
    button(at, "Use in training").click().run()
    assert not at.exception
    assert digest in texts(at)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_passes_the_builder_unchanged(name: str) -> None:
    at = app("augmentation")
    take_preset(at, name)
    assert spec_in(at).digest == PRESETS[name].digest


def test_an_operation_is_added_set_moved_and_taken_out() -> None:
    at = app("augmentation")
    assert names_in(at) == ["PadCrop", "HorizontalFlip"]
    at.selectbox(key="add").set_value("MixUp").run()
    at.selectbox(key="add").set_value("Cutout").run()
    assert names_in(at) == ["PadCrop", "HorizontalFlip", "Cutout", "MixUp"]  # mixing comes last
    next(s for s in at.slider if s.label == "Size").set_value(8).run()
    assert spec_in(at).operations[2].params == {"size": 8, "fill": "mean"}
    by_help(at, "Earlier", 2).click().run()
    by_help(at, "Earlier", 1).click().run()
    assert names_in(at) == ["Cutout", "PadCrop", "HorizontalFlip", "MixUp"]
    assert spec_in(at).operations[0].params["size"] == 8  # it keeps its values where it goes
    by_help(at, "Take PadCrop out").click().run()
    assert names_in(at) == ["Cutout", "HorizontalFlip", "MixUp"]


@pytest.mark.parametrize("name", [n for n in CATALOGUE if n != "PadCrop"])
def test_every_operation_can_be_added_and_is_shown(name: str) -> None:
    at = app("augmentation")
    at.selectbox(key="add").set_value(name).run()
    assert name in names_in(at)
    assert not at.error
    assert html_of(at).count("<img") >= 10 * 7


def test_a_choice_holds_operations_of_its_own() -> None:
    at = app("augmentation")
    at.selectbox(key="add").set_value("OneOf").run()
    held = spec_in(at).operations[-1].operations
    assert [operation.name for operation in held] == ["HorizontalFlip", "ToGray"]
    inner = next(s for s in at.selectbox if s.key and s.key.endswith("-add"))
    assert "MixUp" not in " ".join(inner.options)
    inner.set_value("Blur").run()
    assert [op.name for op in spec_in(at).operations[-1].operations][-1] == "Blur"


def test_what_is_built_is_there_again_after_another_page() -> None:
    at = app("augmentation")
    at.selectbox(key="add").set_value("ToGray").run()
    digest = spec_in(at).digest
    at.switch_page("pages/data.py").run()
    at.switch_page("pages/augmentation.py").run()
    assert spec_in(at).digest == digest
    assert names_in(at)[-1] == "ToGray"


def test_an_order_that_cannot_be_is_a_sentence() -> None:
    at = app("augmentation")
    take_preset(at, "strong")
    last = len(PRESETS["strong"].operations) - 1
    by_help(at, "Earlier", last).click().run()
    assert not at.exception
    assert "CutMix works on whole batches and must come last" in at.error[0].value
    by_help(at, "Later", last - 1).click().run()
    assert not at.error


def test_the_same_seed_draws_the_same_grid_and_another_another() -> None:
    at = app("augmentation")
    first = html_of(at)
    seed = next(n for n in at.number_input if n.label == "Seed")
    seed.set_value(1).run()
    assert html_of(at) != first
    seed = next(n for n in at.number_input if n.label == "Seed")
    seed.set_value(0).run()
    assert html_of(at) == first


def test_each_tile_says_what_fired_with_which_values() -> None:
    at = app("augmentation")
    take_preset(at, "s8_resnet18")
    drawn = html_of(at)
    assert "PadCrop +" in drawn or "PadCrop -" in drawn
    assert "Cutout 16x16 at " in drawn
    at.toggle(key="as-tensor").set_value(True).run()
    assert "filled" in html_of(at)
    assert "All draws together: mean" in texts(at)
    at.toggle(key="each-alone").set_value(True).run()
    assert ">Cutout<" in html_of(at)


def test_rows_are_chosen_by_class_by_index_and_given() -> None:
    at = app("augmentation")

    def rows_by(what: str) -> None:
        next(g for g in at.button_group if "My own" in g.options).set_value(what).run()
        assert not at.exception

    rows_by("By index")
    at.text_input(key="rows-indices").set_value("3, 17").run()
    assert html_of(at).count("<img") == 2 * 7
    at.text_input(key="rows-indices").set_value("3, what").run()
    assert "Give 1 to 20 numbers" in at.error[0].value
    rows_by("A class")
    at.selectbox(key="rows-class").set_value("star").run()
    assert html_of(at).count(">star ") == 10
    rows_by("My own")
    assert "Give a PNG or JPEG" in at.info[0].value
    picture = np.full((40, 60, 3), 90, np.uint8)
    at.file_uploader(key="rows-own").set_value([("mine.png", png(picture), "image/png")]).run()
    assert not at.exception
    assert html_of(at).count("<img") == 7


def test_a_file_goes_into_the_builder_with_its_hash() -> None:
    at = app("augmentation")
    spec = preset("eva_resnet18")
    given = json.dumps(json.loads(spec.to_json()), indent=2).encode()
    at.file_uploader(key="import").set_value([("a.json", given, "application/json")]).run()
    button(at, "Put it into the builder").click().run()
    assert spec_in(at).digest == spec.digest
    at.file_uploader(key="import").set_value([("b.json", b"[]", "application/json")]).run()
    button(at, "Put it into the builder").click().run()
    assert "This is not an augmentation" in at.error[0].value


@pytest.mark.parametrize("form", ["JSON", "albumentations JSON", "albumentations YAML", "Python"])
def test_every_form_can_be_had(form: str) -> None:
    at = app("augmentation")
    take_preset(at, "strong")
    at.radio(key="export-form").set_value(form).run()
    assert not at.exception
    assert ("CutMix for whole batches" in texts(at)) == (form != "JSON")


def test_the_effect_on_a_trained_model_is_a_job(copied: Path) -> None:
    at = app("augmentation")
    take_preset(at, "strong")
    button(at, "Try it on 1,000 test images").click().run()
    assert not at.exception
    (job,) = list_runs(copied.parent, "effect")
    wait_for(job.path, RunState.COMPLETED)
    at.run()
    assert "flip from right to wrong" in texts(at)
    assert len(at.get("plotly_chart")) == 2


def test_without_a_model_the_effect_waits_for_one(runs: Path) -> None:
    assert "Once a model is trained" in texts(app("augmentation"))
