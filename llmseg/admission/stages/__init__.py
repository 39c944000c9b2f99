"""The stages of an admission: what is said of a folder of scripts, and how it is decided and kept.

- ``stage.py`` has the stages, ``judge.py`` the verdicts on text and run.
- ``tiny_run.py`` runs scripts on a few dyed cases, first those of ``known_good.py``.
- ``mistakes.py`` asks the observer and the probes for silent mistakes.
- ``replayed.py`` lets the recipe replay the record of the run.
- ``contest.py`` trains the recipe beside other contenders, ``card.py`` writes what the zoo says of it.
- ``code_error.py`` names the error that ended scripts in the words of the study, ``turns.py`` counts repairs.
- ``driver.py`` decides all stages, ``folder.py`` keeps what is decided, ``admission.py`` is what comes of it.
- ``repair_sheet.py`` writes what to tell the language model.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
