"""Notes on what is going on, for the command line and for whoever listens to the logger ``llmseg``.

In Python, they are heard by whoever asks for them, as from any library::

    import logging

    logging.basicConfig()
    logging.getLogger("llmseg").setLevel(logging.INFO)

The command line prints them on standard error.
"""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("llmseg")
"""Levels: ``DEBUG`` for how something is done, ``INFO`` for what one wants to know while one waits, and ``WARNING`` for
what makes results other than expected."""

LOGGER.addHandler(logging.NullHandler())


def note(message: object) -> None:
    """Say what is going on."""
    LOGGER.info("%s", message)


def warn(message: object) -> None:
    """Say what makes results other than expected, and ends nothing."""
    LOGGER.warning("%s", message)


def explain(message: object) -> None:
    """Say how something is done, for who looks for the cause of something."""
    LOGGER.debug("%s", message)
