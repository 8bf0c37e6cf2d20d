"""The list of runs and what sets them apart, as tables."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cifar_core.config.train import difference, display_values
from cifar_core.runs.index import Listed
from cifar_core.runs.store import Run
from pages.ui.components import parts

ROW_PX, MOST_PX = 36, 420


def filtered(entries: list[Listed]) -> list[Listed]:
    """Those in which all the words occur that somebody types."""
    text = st.text_input(
        "Filter",
        key="runs-filter",
        placeholder="Words from name, state, model, data or notes",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    words = text.lower().split()
    return [entry for entry in entries if entry.run and all(w in _words(entry.run) for w in words)]


def _words(run: Run) -> str:
    model = run.config.model if run.config else ""
    said = (run.name, run.run_id, str(run.state), model, run.data_title, run.notes)
    return " ".join(said).lower()


def run_table(entries: Sequence[Listed]) -> list[Run]:
    """The list, to be sorted by any column; returns the ticked runs."""
    runs = [entry.run for entry in entries if entry.run]
    rows = [_row(run, entry.num_bytes) for run, entry in zip(runs, entries, strict=True)]
    choice = st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        key=f"runs-{hash(tuple(run.run_id for run in runs))}",  # another list, no row ticked
        on_select="rerun",
        selection_mode="multi-row",
        height=min(ROW_PX * (len(rows) + 1) + 2, MOST_PX),
        column_config={
            "Val": st.column_config.NumberColumn(
                format="%.2f %%", help="Validation accuracy of the best epoch."
            ),
            "Test": st.column_config.NumberColumn(
                format="%.2f %%", help="Test accuracy of the same epoch, which it did not choose."
            ),
            "Started": st.column_config.DatetimeColumn(format="distance"),
            "MB": st.column_config.NumberColumn(format="%.1f"),
            "lr": st.column_config.NumberColumn(format="%.4g"),
        },
    )
    total = parts.megabytes(sum(entry.num_bytes for entry in entries))
    st.caption(f"{len(runs):,} runs, {total} on disk. Tick rows to compare.")
    picked: list[int] = choice["selection"]["rows"]
    return [runs[number] for number in picked if number < len(runs)]


def _row(run: Run, num_bytes: int) -> dict[str, object]:
    figures, config = _figures(run), run.config
    done = (run.status.get("last") or {}).get("epoch", 0)
    return {
        "Name": run.name,
        "State": str(run.state),
        "Val": _percent(figures, "val_acc"),
        "Test": _percent(figures, "test_acc"),
        "Model": config.model if config else "",
        "Epochs": f"{done} / {config.epochs}" if config else "",
        "lr": config.lr if config else None,
        "Batch": config.batch_size if config else None,
        "Data": run.data_title,
        "Started": run.created,
        "MB": num_bytes / 1e6,
        "Notes": run.notes,
    }


def _figures(run: Run) -> dict[str, float | None]:
    """Those of the best epoch, of the last one if nothing is held out."""
    return run.status.get("best") or run.status.get("last") or {}


def _percent(figures: dict[str, float | None], name: str) -> float | None:
    value = figures.get(name)
    return None if value is None else 100 * value


def side_by_side(runs: Sequence[Run]) -> None:
    """Results and settings, a column per run; at first only the settings in which they differ."""
    runs = [run for run in runs if run.config]
    if len(runs) < 2:
        return
    st.subheader("Side by side")
    every = st.toggle("All settings", key="all-settings")
    configs = [run.config for run in runs if run.config]
    settings = difference(configs)
    if every:
        tables = [display_values(config) for config in configs]
        settings = {name: [table[name] for table in tables] for name in tables[0]}
    rows = {**_results(runs), **settings}
    names = [run.name for run in runs]
    st.dataframe(
        [{"": label, **dict(zip(names, row, strict=True))} for label, row in rows.items()],
        hide_index=True,
    )
    if not settings:
        st.caption("These runs have the same settings.")


def _results(runs: Sequence[Run]) -> dict[str, list[str]]:
    """What each came to, as text."""
    found: dict[str, list[str]] = {}
    for run in runs:
        figures = _figures(run)
        said = {
            "State": str(run.state),
            "Validation accuracy": _text(figures.get("val_acc"), ".2%"),
            "Test accuracy": _text(figures.get("test_acc"), ".2%"),
            "Test loss": _text(figures.get("test_loss"), ".4f"),
            "Best epoch": _text(figures.get("epoch"), ".0f"),
            "Images per second": _text(figures.get("images_per_s"), ",.0f"),
            "Took": "–" if run.took_s is None else parts.duration(run.took_s),
        }
        for label, text in said.items():
            found.setdefault(label, []).append(text)
    return found


def _text(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
