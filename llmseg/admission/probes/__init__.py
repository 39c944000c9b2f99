"""Probes: what scripts do is asked by experiment, because we own the cases that they see.

A probe changes the folder of cases, runs the scripts on it and on the folder as it was, and compares.

- ``changes.py`` has the changes of a folder, ``bench.py`` makes and keeps the runs, ``seen.py`` says what is compared.
- ``weights.py``, ``reading.py`` and ``scoring.py`` have the probes; ``gates.py`` says when one tells nothing.
- ``numbers.py`` reads the scores that scripts print and write.
- ``probes.py`` lists the probes, ``result.py`` is what each says.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
