"""TREC iKAT (Interactive Knowledge Assistance Track), 2023–2025: topics, runs, scores, checks.

A topic is a conversation of one person, about whom some statements are known (the personal text
knowledge base, PTKB). A run holds for every turn a ranking of passages, a response, the passages
it cites and the statements it took as relevant. The three years differ in their files only: one
form in memory serves all (`runs.py`).
"""

YEARS = (2023, 2024, 2025)
