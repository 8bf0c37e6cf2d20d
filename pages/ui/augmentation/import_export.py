"""Export of a spec as a file in several formats, and import of such files."""

import streamlit as st

from cifar_core.augment import AugmentSpec
from cifar_core.augment.reading import read_text
from cifar_core.data import Dataset
from cifar_core.errors import CifarCoreError
from pages.ui.augmentation import builder
from pages.ui.session import messages
from pages.ui.session.messages import plain

FORMATS = {
    "JSON": ("json", "This app's own format, also for the command line. Keeps the hash."),
    "albumentations JSON": ("json", "For albumentations.load(path)."),
    "albumentations YAML": ("yaml", 'For albumentations.load(path, data_format="yaml").'),
    "Python": ("py", "Code that builds the albumentations pipeline."),
}


def import_export(spec: AugmentSpec, data: Dataset) -> None:
    """The popover with download and upload."""
    with st.popover("Import / export", icon=":material/swap_horiz:"):
        form = st.radio("Export as", list(FORMATS), key="export-form")
        extension, about = FORMATS[form]
        st.caption(about)
        if form == "Python":
            st.code(_export(spec, data, form), language="python")
        st.download_button(
            "Download",
            lambda: _export(spec, data, form),  # only on click, not at every rerun
            f"augment-{spec.digest[:12]}.{extension}",
            icon=":material/download:",
            key="export",
            on_click="ignore",
        )
        if form != "JSON":
            from cifar_core.augment.exchange import not_exported

            st.caption(not_exported(spec))
        st.divider()
        upload = st.file_uploader(
            "Import",
            ["json", "yaml", "yml"],
            key="import",
            help="This app's JSON, or albumentations JSON or YAML.",
        )
        if upload is not None and st.button("Load into builder", icon=":material/upload:"):
            _import(upload.getvalue(), data)


def _export(spec: AugmentSpec, data: Dataset, form: str) -> str:
    if form == "JSON":
        return spec.to_json()
    from cifar_core.augment import exchange
    from cifar_core.data.dataset import mean_color

    write = {
        "albumentations JSON": exchange.to_json,
        "albumentations YAML": exchange.to_yaml,
        "Python": exchange.to_python,
    }
    return write[form](spec, mean_color(data))


def _import(content: bytes, data: Dataset) -> None:
    try:
        reading = read_text(content.decode("utf-8", "replace"), data)
    except CifarCoreError as error:
        messages.error(error)
        return
    builder.load(reading.spec)
    st.toast(f"Imported {reading.spec.digest[:12]}", icon=":material/check:")
    for note in reading.notes:
        st.toast(plain(note), icon=":material/info:", duration="infinite")
    st.rerun()
