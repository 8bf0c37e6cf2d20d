"""Figures as HTML that opens offline."""

from typing import Any

import plotly.graph_objects as go

CONFIG: dict[str, Any] = {"displaylogo": False, "responsive": True}


def script() -> str:
    """The source of plotly.js, about 5 MB; needed once per page."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()


def as_html(figure: go.Figure, name: str) -> str:
    """A figure as an HTML element for a light page, as wide as its container."""
    from plotly.io import to_html

    light = go.Figure(figure).update_layout(template="plotly_white", autosize=True)
    return to_html(
        light, config=CONFIG, include_plotlyjs=False, full_html=False, div_id=f"plot-{name}"
    )
