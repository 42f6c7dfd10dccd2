"""The page's navigation. Started by `assistant app`."""

from pathlib import Path

import streamlit as st

from app.components.garbage import collect
from app.components.identity import require_sign_in

# First, without a layout: else the navigation takes the open page's symbol for the browser's tab
# from the network.
st.set_page_config(
    page_title="Knowledge Assistant", page_icon=str(Path(__file__).with_name("icon.png"))
)
require_sign_in()
page = st.navigation(
    {
        "": [
            st.Page("views/chat.py", title="Chat", icon=":material/chat:", default=True),
            st.Page("views/library.py", title="Library", icon=":material/library_books:"),
            st.Page("views/person.py", title="About you", icon=":material/person:"),
        ],
        "Look inside": [
            st.Page("views/retrieval.py", title="Retrieval", icon=":material/manage_search:"),
            st.Page("views/graph.py", title="Graph", icon=":material/hub:"),
            st.Page("views/knowledge.py", title="Knowledge", icon=":material/school:"),
        ],
        "Quality": [
            st.Page("views/evaluation.py", title="Evaluation", icon=":material/fact_check:"),
            st.Page(
                "views/distillation.py", title="Distillation", icon=":material/model_training:"
            ),
        ],
        "Set up": [
            st.Page("views/models.py", title="Models", icon=":material/memory:"),
            st.Page("views/settings.py", title="Settings", icon=":material/tune:"),
            st.Page("views/health.py", title="Health", icon=":material/health_and_safety:"),
        ],
    },
    position="top",
)
# Ranked lists stand side by side; everything else is for reading.
st.set_page_config(layout="wide" if page.url_path == "retrieval" else "centered")
page.run()
collect()
