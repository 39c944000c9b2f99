"""Places on this machine: kept out of what people publish."""

from __future__ import annotations

import re
from pathlib import PurePath, PurePosixPath, PureWindowsPath

_PLACE = re.compile(r"""(?:^|(?<=[\s,;:='"(\[]))(?:[A-Za-z]:[\\/]|\\\\|/|~[\\/]|\.\.[\\/])[^\s,;'")\]]+""")


def name_only(path: str | PurePath) -> str:
    r"""Return the last part of a path, of whatever system.

    Example:
        >>> name_only("/home/ada/skin.h5"), name_only(r"C:\Users\ada\skin.h5")
        ('skin.h5', 'skin.h5')
    """
    return PureWindowsPath(path).name if "\\" in str(path) else PurePosixPath(path).name


def is_place(text: str) -> bool:
    """Return whether a text is a path that leads out of the current folder: absolute, or upwards."""
    absolute = PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()
    return absolute or re.match(r"(~|\.\.)([\\/]|$)", text) is not None


def hide_places(text: str) -> str:
    """Replace the folders of each path that leads out of the current folder by three dots.

    A text that is such a path as a whole, or behind the ``=`` of an option, may have blanks in it.

    Example:
        >>> hide_places("--data=/home/ada/my images/skin.h5")
        '--data=.../skin.h5'
        >>> hide_places("no folder /home/ada/images; give another one")
        'no folder .../images; give another one'
        >>> hide_places("runs/gpt-4")
        'runs/gpt-4'
    """
    option, _, value = text.partition("=") if text.startswith("-") else ("", "", text)
    if is_place(value):
        return f"{option}{'=' if option else ''}.../{name_only(value)}"
    return _PLACE.sub(lambda place: f".../{name_only(place[0])}", text)
