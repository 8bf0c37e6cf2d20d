"""Models: the layer table of each model."""

import streamlit as st

from cifar_core.models import MODELS
from cifar_core.models.torchsummary import format_torchsummary
from pages.ui.components import parts
from pages.ui.session import cache
from pages.ui.session.boot import boot
from pages.ui.session.state import draft, replace_draft

boot(__file__)

parts.heading("Models", "Layers, output shapes, parameters and compute cost of each model.")
model_query = st.query_params.get("model", "")
names = list(MODELS)
name = st.selectbox("Model", names, index=names.index(model_query) if model_query in names else 0)
st.query_params["model"] = name
st.write(MODELS[name].about)

summary = cache.layer_table(name)
parts.metrics_row(
    {
        "Parameters": f"{summary.total_params:,}",
        "MMAC per image": f"{summary.macs / 1e6:,.1f}",
        "Weights": f"{summary.params_mb:.2f} MB",
        "Activation memory": f"{summary.forward_backward_mb:.2f} MB",
    },
    {
        "MMAC per image": "Million multiply-accumulates in convolution and linear layers.",
        "Activation memory": "Forward and backward pass of one fp32 image.",
    },
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
    f"Memory for one fp32 image: {summary.total_mb:.2f} MB (input {summary.input_mb:.2f} MB, "
    f"activations {summary.forward_backward_mb:.2f} MB, weights {summary.params_mb:.2f} MB)"
)
with st.expander("Text in the format of torchsummary", icon=":material/content_copy:"):
    functions = st.toggle(
        "List functions",
        help="Activations and pooling that the model calls as functions between its modules.",
    )
    st.code(format_torchsummary(cache.layer_table(name, functions)), language=None)
