"""A page that trains in a thread of the server and draws what it has so far."""

import threading

import plotly.graph_objects as go
import streamlit as st
import torch
import torch.nn.functional as F

from cifar_core.models import create_model


@st.cache_resource
def training() -> list[float]:
    """The losses so far; the thread goes on as long as the server."""
    losses: list[float] = []

    def train() -> None:
        model = create_model("resnet18")
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        while True:
            images, labels = torch.randn(128, 3, 32, 32), torch.randint(10, (128,))
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

    threading.Thread(target=train, daemon=True).start()
    return losses


@st.fragment(run_every=2)
def draw() -> None:
    """The curve, again and again."""
    figure = go.Figure()
    figure.add_scatter(y=training())
    st.plotly_chart(figure)


st.title("Training inside the script")
draw()
