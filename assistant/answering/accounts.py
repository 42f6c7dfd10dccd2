"""Questions for a fact, which a few words answer, and questions for an account, which they do not.

"When does the lease end?" is answered by a date. "How should I descale the boiler?" and "What does
the damping factor do?" are answered by sentences; a model that points at words finds none.
"""

from __future__ import annotations

import re

# What a few words answer. Everything else (why, how to, what can be done, whether, a topic without
# a question) asks for an account.
_FACT = re.compile(
    r"\b(who|whom|whose|when|where|which|what|what's)\b"
    r"|\bhow (many|much|old|long|far|high|tall|big|large|deep|wide|thick|often|heavy|fast|hot|cold|"
    r"late|early|soon)\b",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"\bwhat('s| is| are| was| were) (the |some |my |our |your )?(\w+ )?(differences?|point|"
    r"purpose|process|procedure|ways?|options?|choices|steps?|reasons?|advantages?|disadvantages?|"
    r"benefits?|pros|drawbacks|requirements|rules|consequences|symptoms|tips)\b"
    # what somebody or something does, means, or has to do
    r"|\bwhat (do|does|did|can|could|should|would|will)\b.*\b(do|mean|happen|involve|offer)\W*$"
    r"|\bwhat (do|can|could|should|would|must|may) (i|we|you|one)\b"
    r"|\bwhat (happens|happened|about|else)\b"
    r"|\bhow (to|do|does|did|can|could|should|would|is|are|was|were)\b|\bwhy\b"
    r"|\b(explain|describe|summari[sz]e|compare|discuss|outline)\b|\btell me\b",
    re.IGNORECASE,
)


def asks_for_account(question: str) -> bool:
    """Whether no few words can answer it. Of English questions; of others it is said as well."""
    return bool(_ACCOUNT.search(question)) or not _FACT.search(question)
