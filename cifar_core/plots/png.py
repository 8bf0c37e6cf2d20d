"""Figures of this package as a PNG, drawn by matplotlib; plotly needs a browser for that."""

import io
import re
import warnings
from collections.abc import Mapping
from html import unescape
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

DASHES = {None: "-", "solid": "-", "dash": "--", "dot": ":"}
SIZE = (6.4, 4.4)  # inches, of one plot
DPI = 150
POINT = 0.75  # of a pixel on a page


def as_png(figures: Mapping[str, go.Figure], heading: str = "") -> bytes:
    """A light PNG of figures side by side, by the label of their y axis.

    Takes lines, markers, bands, straight lines across a plot and their notes.

    Raises:
        ValueError: if a figure has anything else.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A letter that the font lacks is a box on the picture, which says enough.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        redrawn(figures, heading).savefig(buffer, format="png")
    return buffer.getvalue()


def redrawn(figures: Mapping[str, go.Figure], heading: str = "") -> "Figure":
    """The figures as one of matplotlib; see `as_png`."""
    from matplotlib.figure import Figure

    width, height = SIZE
    sheet = Figure((width * len(figures), height), dpi=DPI, layout="constrained")
    panels = sheet.subplots(1, len(figures), squeeze=False)[0]
    for axes, (label, figure) in zip(panels, figures.items(), strict=True):
        _draw(axes, figure)
        axes.set_ylabel(label)
    if heading:
        sheet.suptitle(heading, x=0.01, ha="left", fontsize="medium", parse_math=False)
    return sheet


def _draw(axes: "Axes", figure: go.Figure) -> None:
    layout: Any = figure.layout  # plotly's classes have no types
    axes.set_xlabel(_plain(layout.xaxis.title.text))
    axes.grid(color="#e6e4e1")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    traces: list[Any] = list(figure.data)
    lines = [_add_trace(axes, *pair) for pair in zip(traces, [None, *traces], strict=False)]
    for shape in layout.shapes:
        _add_shape(axes, shape)
    _scale(axes, layout)  # then the lines across are within the range
    for note in layout.annotations:
        _add_note(axes, note, layout.xaxis.type == "log")
    pairs = zip(traces, lines, strict=True)
    named = {_plain(t.name): line for t, line in pairs if line and t.showlegend is not False}
    if len(named) > 1:
        _add_legend(axes, named)


def _add_trace(axes: "Axes", trace: Any, before: Any) -> "Line2D | None":
    """A line and its markers, or the band between a line and the one before it."""
    if trace.type not in ("scatter", "scattergl"):
        raise ValueError(f"a trace of type {trace.type} cannot be drawn")
    if "text" in trace.mode:
        raise ValueError(f"a trace of mode {trace.mode} cannot be drawn")
    if trace.fill == "tonexty":
        axes.fill_between(trace.x, before.y, trace.y, color=_color(trace.fillcolor), linewidth=0)
    if trace.line.width == 0:
        return None
    line, marker, is_line = trace.line, trace.marker, "lines" in trace.mode
    has_markers = "markers" in trace.mode and marker.opacity != 0
    (drawn,) = axes.plot(
        trace.x,
        trace.y,
        color=_color(line.color or marker.color),
        linestyle=DASHES[line.dash] if is_line else "",
        linewidth=(line.width or 2) * POINT,
        marker="o" if has_markers else "",
        markersize=(marker.size or 6) * POINT,
        alpha=trace.opacity if is_line else marker.opacity,
    )
    return drawn


def _scale(axes: "Axes", layout: Any) -> None:
    """Ranges, a logarithmic axis, whole epochs, percentages."""
    from matplotlib.ticker import MultipleLocator, PercentFormatter

    if layout.xaxis.type == "log":
        axes.set_xscale("log")
    elif layout.xaxis.dtick:
        axes.xaxis.set_major_locator(MultipleLocator(layout.xaxis.dtick))
    if layout.xaxis.range:
        low, high = layout.xaxis.range
        axes.set_xlim(*((10**low, 10**high) if layout.xaxis.type == "log" else (low, high)))
    if layout.yaxis.range:
        axes.set_ylim(*layout.yaxis.range)
    elif layout.yaxis.rangemode == "tozero":
        axes.set_ylim(bottom=0 if axes.dataLim.y0 >= 0 else None)
    if layout.yaxis.tickformat == ".0%":
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def _add_shape(axes: "Axes", shape: Any) -> None:
    """A straight line across the plot, as `add_vline` and `add_hline` make it."""
    if shape.type != "line":
        raise ValueError(f"a shape of type {shape.type} cannot be drawn")
    style: dict[str, Any] = {
        "color": _color(shape.line.color),
        "linestyle": DASHES[shape.line.dash],
        "linewidth": shape.line.width * POINT,
    }
    if shape.x0 == shape.x1:
        axes.axvline(shape.x0, **style)
    else:
        axes.axhline(shape.y0, **style)


def _add_note(axes: "Axes", note: Any, log: bool) -> None:
    """The text at a line; its place is a share of the plot where the axis is called a domain."""
    vertical = {"bottom": "bottom", "top": "top"}.get(note.yanchor, "center")
    by_share = {name for name in ("xref", "yref") if str(note[name]).endswith(("domain", "paper"))}
    transform = axes.transData
    if by_share == {"yref"}:
        transform = axes.get_xaxis_transform()
    elif by_share == {"xref"}:
        transform = axes.get_yaxis_transform()
    axes.text(
        10**note.x if log and "xref" not in by_share else note.x,
        note.y,
        _plain(note.text),
        transform=transform,
        color=_color(note.font.color) if note.font.color else "#333333",
        fontsize=(note.font.size or 12) * POINT,
        ha=note.xanchor if note.xanchor in ("left", "right") else "center",
        va=vertical,
        parse_math=False,
    )


def _add_legend(axes: "Axes", named: "dict[str, Line2D]") -> None:
    """Below the plot."""
    legend = axes.legend(
        list(named.values()),
        [f" {name}" for name in named],  # a name that begins with _ would be left out
        loc="upper center",
        bbox_to_anchor=(0.5, -0.14),
        ncols=4,
        frameon=False,
        fontsize="small",
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _plain(text: str | None) -> str:
    """Text as it is read, without plotly's tags and entities."""
    return unescape(re.sub(r"</?\w+>", "", text or ""))


def _color(text: str) -> Any:
    """A color as matplotlib takes it."""
    found = re.fullmatch(r"rgba\((\d+), ?(\d+), ?(\d+), ?([\d.]+)\)", text)
    return (*(int(v) / 255 for v in found.groups()[:3]), float(found[4])) if found else text
