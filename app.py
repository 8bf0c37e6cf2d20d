"""The router: page config, navigation over pages/, run; nothing else."""

from pathlib import Path

import streamlit as st

from pages.ui.session.boot import mark_app_started, open_requested_page
from pages.ui.session.warm import warm_up

# A file of our own: browsers fetch the favicon of a Material icon from a foreign host.
UI = Path(__file__).with_name("pages") / "ui"
st.set_page_config(page_title="CIFAR-10 Lab", page_icon=UI / "icon.png", layout="wide")
st.logo(UI / "logo.svg", size="large")

GROUPS = {
    "": [
        st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
    ],
    "Explore": [
        st.Page("pages/data.py", title="Data", icon=":material/photo_library:"),
        st.Page("pages/augmentation.py", title="Augmentation", icon=":material/auto_fix_high:"),
    ],
    "Train": [
        st.Page("pages/lr_finder.py", title="LR finder", icon=":material/troubleshoot:"),
        st.Page("pages/train.py", title="Train", icon=":material/play_circle:"),
        st.Page("pages/runs.py", title="Runs", icon=":material/stacked_line_chart:"),
        st.Page("pages/models.py", title="Models", icon=":material/account_tree:"),
    ],
    "Explain": [
        st.Page("pages/evaluation.py", title="Evaluation", icon=":material/fact_check:"),
        st.Page("pages/gallery.py", title="Gallery", icon=":material/broken_image:"),
        st.Page("pages/image.py", title="One image", icon=":material/timeline:"),
        st.Page("pages/compare.py", title="Compare", icon=":material/compare:"),
        st.Page("pages/gradcam.py", title="Grad-CAM", icon=":material/center_focus_strong:"),
    ],
}

# Streamlit 1.67 writes white on every primary color: 2.3:1 on the light blue of the dark theme.
if st.context.theme.type == "dark":
    st.html(
        "<style>[data-testid^=stBaseButton-primary]:not(:disabled){color:#10151c!important}</style>"
    )
mark_app_started()
page = st.navigation(GROUPS)
open_requested_page()
try:
    page.run()
finally:
    warm_up()  # only now: imports in parallel would delay the first page
