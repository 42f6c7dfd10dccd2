"""One thread at a time loads weights through transformers.

Two threads that import parts of transformers for the first time wait for each other's modules;
Python resolves that by giving one of them a half-made module, and its import fails. And while a
model is made, transformers lets torch make every tensor without memory, in all threads: another
model's weights would be gone.
"""

from __future__ import annotations

import threading

LOADING = threading.RLock()
