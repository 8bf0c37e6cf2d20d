"""LR finder: a live LR test with the training form's settings, and its suggestion."""

from typing import Any

import streamlit as st

from cifar_core.config.lr_test import LRTestConfig
from cifar_core.config.train import make_config
from cifar_core.errors import CifarCoreError
from cifar_core.jobs.launch import launch_lr_find
from cifar_core.runs.store import LRTestRun, find_run
from cifar_core.validation import validated
from pages.ui.components import parts
from pages.ui.components.widgets import field_widget, label_of
from pages.ui.session import cache, messages
from pages.ui.session.boot import boot
from pages.ui.session.messages import plain
from pages.ui.training.form import fill_draft
from pages.ui.training.lr_test import show_test
from pages.ui.training.start_once import clear_pending_start, draft_id, start_button

boot(__file__)
START = "start_test"
MAIN_FIELDS = ("start_lr", "end_lr", "num_steps", "num_seeds")


def test_settings() -> dict[str, Any]:
    """Draws the settings of the test and returns their values."""
    fields, values = LRTestConfig.model_fields, {}

    def draw(name: str) -> None:
        field = fields[name]
        common = {"label": label_of(name), "help": field.description, "key": f"find-{name}"}
        values[name] = field_widget(field, field.default, common)

    with st.container(horizontal=True):
        for name in MAIN_FIELDS:
            draw(name)
    more = st.expander("Advanced", icon=":material/tune:")
    with more, st.container(horizontal=True):
        for name in fields:
            if name not in MAIN_FIELDS:
                draw(name)
    return values


def start_form() -> None:
    """The training settings that are tested, the range of learning rates, and Start."""
    draft = draft_id("pages/lr_finder.py")
    form = fill_draft()
    with parts.show_errors():
        config = make_config(form)
    with st.container(horizontal=True, vertical_alignment="center"):
        name = parts.NAMES.get(config.data, plain(config.data))
        st.markdown(
            f"Settings from the training form: **{config.model}** on {name}, "
            f"{config.optimizer}, batch {config.batch_size}, precision {config.precision}, "
            f"augmentation `{config.augment.digest[:12]}`."
        )
        st.page_link("pages/train.py", label="Edit settings", icon=":material/edit:")
    values = test_settings()
    if start_button("Start LR test", START, draft):
        try:
            with st.spinner("Starting …"):
                find = validated(LRTestConfig, values)
                run_dir = launch_lr_find(cache.root(), config, find, draft)
        except CifarCoreError as error:
            messages.error(error)
            clear_pending_start()
            st.stop()
        clear_pending_start()
        st.query_params.from_dict({"test": run_dir.name})
        st.rerun()


parts.heading("LR finder", "Find a good learning rate: train a few steps while it increases.")
start_form()
tests = cache.listing().runs(LRTestRun)
test_id = st.query_params.get("test") or (tests[0].run_id if tests else None)
if test_id:
    st.subheader("LR test")
    with parts.show_errors():
        test = find_run(cache.root(), test_id, LRTestRun)
    show_test(test)
others = [run for run in tests if run.run_id != test_id][:6]
if others:
    with st.expander("Previous tests", icon=":material/history:"):
        for run in others:
            st.page_link(
                "pages/lr_finder.py",
                label=f"{run.created:%Y-%m-%d %H:%M} UTC · {run.config.model} · {run.state}",
                query_params={"test": run.run_id},
            )
