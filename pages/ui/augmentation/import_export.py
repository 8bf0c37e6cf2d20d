"""A spec down as a file, in our words or in albumentations', and up again."""

import streamlit as st

from cifar_core.augment import AugmentSpec
from cifar_core.data import Dataset
from cifar_core.errors import CifarCoreError
from pages.ui.augmentation import builder

FORMS = {
    "JSON": ("json", "The whole spec, for this app and the command line; it keeps the hash."),
    "albumentations JSON": ("json", "What albumentations.load reads."),
    "albumentations YAML": ("yaml", 'What albumentations.load(..., data_format="yaml") reads.'),
    "Python": ("py", "Lines that build the pipeline."),
}


def share(spec: AugmentSpec, data: Dataset) -> None:
    """Downloads and the upload."""
    with st.popover("Export, import", icon=":material/swap_horiz:"):
        form = st.radio("Export as", list(FORMS), key="export-form")
        kind, about = FORMS[form]
        st.caption(about)
        if form == "Python":
            st.code(_written(spec, data, form), language="python")
        st.download_button(
            "Download",
            lambda: _written(spec, data, form),  # not at every change of a slider
            f"augment-{spec.digest[:12]}.{kind}",
            icon=":material/download:",
            key="export",
            on_click="ignore",
        )
        if form != "JSON":
            from cifar_core.augment.exchange import not_exported

            st.caption(not_exported(spec))
        st.divider()
        given = st.file_uploader(
            "Import", ["json", "yaml", "yml"], key="import", help="Ours, or albumentations' own."
        )
        if given is not None and st.button("Put it into the builder", icon=":material/upload:"):
            _take(given.getvalue(), data)


def _written(spec: AugmentSpec, data: Dataset, form: str) -> str:
    if form == "JSON":
        return spec.to_json()
    from cifar_core.augment import exchange
    from cifar_core.data.dataset import mean_colour

    write = {
        "albumentations JSON": exchange.to_json,
        "albumentations YAML": exchange.to_yaml,
        "Python": exchange.to_python,
    }
    return write[form](spec, mean_colour(data))


def _take(content: bytes, data: Dataset) -> None:
    from cifar_core.augment.exchange import from_text
    from cifar_core.data.dataset import mean_colour

    try:
        spec = from_text(content.decode("utf-8", "replace"), mean_colour(data))
    except CifarCoreError as error:
        st.error(str(error), icon=":material/error:")
        return
    builder.put(spec)
    st.toast(f"Imported {spec.digest[:12]}.", icon=":material/check:")
    st.rerun()
