"""The table of runs, and the comparison of selected runs."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st

from cifar_core.config.display import difference, display_values
from cifar_core.config.train import TrainConfig
from cifar_core.records.csv import cell
from cifar_core.runs.index import Listed
from cifar_core.runs.store import TrainingRun
from pages.ui.components import parts
from pages.ui.components.widgets import label_of

ROW_PX, MOST_PX = 36, 420


def filter_runs(entries: list[Listed]) -> list[Listed]:
    """The filter box; returns the runs that contain all of its words."""
    text = st.text_input(
        "Filter",
        key="runs-filter",
        placeholder="Filter by name, state, model, data or notes",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    words = text.lower().split()
    return [
        entry
        for entry in entries
        if isinstance(entry.run, TrainingRun) and all(w in _search_text(entry.run) for w in words)
    ]


def _search_text(run: TrainingRun) -> str:
    fields = (run.name, run.run_id, str(run.state), run.config.model, run.data_title, run.notes)
    return " ".join(fields).lower()


def run_table(entries: Sequence[Listed]) -> list[TrainingRun]:
    """The table of runs; returns the selected ones."""
    runs = [entry.run for entry in entries if isinstance(entry.run, TrainingRun)]
    rows = [_row(run, entry.num_bytes) for run, entry in zip(runs, entries, strict=True)]
    event = st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        key=f"runs-{hash(tuple(run.run_id for run in runs))}",  # a new list, no selection
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],
        height=min(ROW_PX * (len(rows) + 1) + 2, MOST_PX),
        column_config={
            "Val": st.column_config.NumberColumn(
                format="%.2f%%", help="Validation accuracy of the best epoch."
            ),
            "Test": st.column_config.NumberColumn(
                format="%.2f%%",
                help="Test accuracy of that epoch. Test images are never used for selection.",
            ),
            "Started": st.column_config.DatetimeColumn(format="distance"),
            "Size (MB)": st.column_config.NumberColumn(format="%.1f"),
            "LR": st.column_config.NumberColumn(format="%.4g"),
        },
    )
    total = parts.megabytes(sum(entry.num_bytes for entry in entries))
    num_runs = parts.count(len(runs), "run")
    st.caption(f"{num_runs}, {total} on disk. Click a name to open its run; tick rows to compare.")
    for number, column in event["selection"]["cells"]:
        if column == "Name" and number < len(runs):
            st.switch_page("pages/train.py", query_params={"run": runs[number].run_id})
    selected: list[int] = event["selection"]["rows"]
    return [runs[number] for number in selected if number < len(runs)]


def _row(run: TrainingRun, num_bytes: int) -> dict[str, object]:
    metrics, config = run.figures, run.config
    done = run.status.last.epoch if run.status.last else 0
    return {
        "Name": cell(run.name),  # the table can be downloaded as CSV
        "State": "shipped" if run.is_shipped else str(run.state),
        "Val": _percent(metrics.val_acc if metrics else None),
        "Test": _percent(metrics.test_acc if metrics else None),
        "Model": config.model,
        "Epochs": f"{done} / {config.epochs}",
        "LR": config.lr,
        "Batch": config.batch_size,
        "Data": cell(run.data_title),
        "Started": run.created,
        "Size (MB)": num_bytes / 1e6,
        "Notes": cell(run.notes),
        "Augmentation": cell(str(config.augment)),
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def settings_table(config: TrainConfig) -> None:
    """All settings of a run, with the default of each that is another one."""
    values, defaults = display_values(config), display_values(TrainConfig())
    rows = [
        {
            "Setting": label_of(name),
            "Value": value,
            "Default": "" if value == defaults[name] else defaults[name],
        }
        for name, value in values.items()
    ]
    st.dataframe(rows, hide_index=True, height="content")


def side_by_side(runs: Sequence[TrainingRun]) -> None:
    """Results and settings, one column per run; by default only settings that differ."""
    if len(runs) < 2:
        return
    st.subheader("Side by side")
    show_all = st.toggle("All settings", key="all-settings")
    configs = [run.config for run in runs]
    settings = difference(configs)
    if show_all:
        tables = [display_values(config) for config in configs]
        settings = {name: [table[name] for table in tables] for name in tables[0]}
    rows = {**_results(runs), **settings}
    names = [cell(run.name) for run in runs]
    st.dataframe(
        [{"": label, **dict(zip(names, row, strict=True))} for label, row in rows.items()],
        hide_index=True,
    )
    if not settings:
        st.caption("These runs have the same settings.")


def _results(runs: Sequence[TrainingRun]) -> dict[str, list[str]]:
    """Each run's results as text."""
    rows: dict[str, list[str]] = {}
    for run in runs:
        metrics = asdict(run.figures) if run.figures else {}
        results = {
            "State": str(run.state),
            "Validation accuracy": _text(metrics.get("val_acc"), ".2%"),
            "Test accuracy": _text(metrics.get("test_acc"), ".2%"),
            "Test loss": _text(metrics.get("test_loss"), ".4f"),
            "Best epoch": _text(metrics.get("epoch"), ".0f"),
            "Images per second": _text(metrics.get("images_per_s"), ",.0f"),
            "Duration": "–" if run.took_s is None else parts.duration(run.took_s),
        }
        for label, text in results.items():
            rows.setdefault(label, []).append(text)
    return rows


def _text(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
