"""Models: the layer table of each."""

import streamlit as st

from cifar_core.models import MODELS
from pages.ui.components import parts
from pages.ui.session import cache
from pages.ui.session.boot import boot
from pages.ui.session.state import draft, replace_draft

boot(__file__)

parts.heading("Models", "Every layer in the order in which it runs, with its shape and its size.")
asked = st.query_params.get("model", "")
names = list(MODELS)
name = st.selectbox("Model", names, index=names.index(asked) if asked in names else 0)
st.query_params["model"] = name
st.write(MODELS[name].about)

summary = cache.layer_table(name)
parts.figures(
    {
        "Parameters": f"{summary.total_params:,}",
        "MMAC per image": f"{summary.macs / 1e6:,.1f}",
        "Weights": f"{summary.params_mb:.2f} MB",
        "Forward, backward": f"{summary.forward_backward_mb:.2f} MB",
    },
    {"MMAC per image": "Million multiply-adds, convolutions and linear layers."},
)
if st.button(f"Train {name}", type="primary", icon=":material/play_circle:"):
    replace_draft({**draft(), "model": name})
    st.switch_page("pages/train.py")
st.dataframe(
    [
        {
            "Layer": row.name,
            "Type": row.type,
            "Output shape": " x ".join(map(str, row.output_shape)),
            "Parameters": row.params,
            "MMAC": round(row.macs / 1e6, 2),
        }
        for row in summary.rows
    ],
    hide_index=True,
    height=560,
    column_config={
        "Parameters": st.column_config.NumberColumn(format="localized"),
        "MMAC": st.column_config.NumberColumn(format="%.2f"),
    },
)
st.caption(
    f"Input {summary.input_mb:.2f} MB, forward and backward {summary.forward_backward_mb:.2f} MB, "
    f"parameters {summary.params_mb:.2f} MB, total {summary.total_mb:.2f} MB for one image in fp32."
)
