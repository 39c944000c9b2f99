"""A full run of scripts whose recipe is not known: on cases that are given, scored from the masks that come of it.

- ``full_run.py`` finds out which names of files scripts put into their test part, and runs them with the held-out cases
  under these names.
- ``cases.py`` gives cases their names, with masks of others for the held-out ones; ``coded.py`` draws cases that are
  never alike; ``sight.py`` tells by sight which case a picture shows.
- ``predicted.py`` reads the masks that came of a run.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
