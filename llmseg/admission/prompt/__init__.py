"""Our prompt for a training pipeline, and the check of scripts against what it asks for.

``requirements`` has the 36 requirements, ``prompt`` writes them as a prompt for given data, and ``check`` says which
of them a folder of scripts meets, as far as its text shows. ``checks/`` has a function per requirement.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
