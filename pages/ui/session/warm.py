"""Imports heavy packages in a background thread, so that no click waits for them."""

import gc
import importlib
import os
import threading

import streamlit as st

# torch first: most pages need it; the others follow while the first page is being read.
HEAVY = ("torch", "cifar_core.augment.kernels", "albumentations")


@st.cache_resource
def warm_up() -> None:
    """Starts the thread, once per server; CIFAR_WARM_UP=0 disables it."""
    if os.environ.get("CIFAR_WARM_UP") != "0":
        os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
        threading.Thread(target=_import_all, daemon=True).start()


def _import_all() -> None:
    for name in HEAVY:
        importlib.import_module(name)
    # A full collection over torch's objects stalls every session. Frozen, they are skipped.
    gc.collect()
    gc.freeze()
