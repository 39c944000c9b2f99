"""Running a folder of scripts in the sandbox, unchanged, on cases of ours.

- ``layout.py`` reads how the scripts want files to be named, and lays cases out like that.
- ``mapping.py`` decides where in the sandbox the paths lie that scripts have written into themselves.
- ``epochs.py`` tells a copy of the scripts another number of epochs.
- ``run.py`` runs them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
