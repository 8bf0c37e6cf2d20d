"""The live page as tutorials have it: all lines read and a full figure drawn at each refresh."""

import json
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

lines = Path(st.query_params["metrics"]).read_text(encoding="utf-8").splitlines()
records = [json.loads(line) for line in lines]
steps = [record for record in records if record["kind"] == "step"]
for quantity in ("loss", "acc"):
    figure = go.Figure()
    figure.add_scatter(x=[s["step"] for s in steps], y=[s[quantity] for s in steps])
    st.plotly_chart(figure, key=quantity)
