"""The page's navigation. Started by `assistant app`."""

from pathlib import Path

import streamlit as st

page = st.navigation(
    [
        st.Page("views/chat.py", title="Chat", icon=":material/chat:", default=True),
        st.Page("views/library.py", title="Library", icon=":material/library_books:"),
        st.Page("views/retrieval.py", title="Retrieval", icon=":material/manage_search:"),
        st.Page("views/graph.py", title="Graph", icon=":material/hub:"),
        st.Page("views/person.py", title="About you", icon=":material/person:"),
        st.Page("views/models.py", title="Models", icon=":material/memory:"),
        st.Page("views/settings.py", title="Settings", icon=":material/tune:"),
    ],
    position="top",
)
st.set_page_config(
    page_title="Knowledge Assistant",
    page_icon=str(Path(__file__).with_name("icon.png")),
    layout="wide" if page.url_path == "retrieval" else "centered",  # its lists stand side by side
)
page.run()
