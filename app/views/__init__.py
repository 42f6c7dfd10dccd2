"""One script per page.

Not called `pages`: Streamlit takes a folder of that name beside the main script for its older
kind of navigation and runs a page alone when its address is the first that is opened.
"""
