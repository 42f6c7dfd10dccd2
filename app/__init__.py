"""The web page: a reader of the events of `assistant.pipeline`, with no pipeline logic of its own.

`main.py` is navigation only; a page in `views/` composes parts of `components/`, which take plain
data.
"""
