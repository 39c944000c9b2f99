"""Reading what the modules of ``llmseg.data.download.layouts`` find."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from llmseg.data.download.layouts.case_files import DatasetFiles
from llmseg.data.store import Case


@pytest.fixture(scope="session")
def read() -> Callable[[DatasetFiles], dict[str, Case]]:
    """A function that reads all cases of a listing, by id."""

    def cases(dataset_files: DatasetFiles) -> dict[str, Case]:
        read = [case for item in dataset_files.case_files for case in item.read()]
        assert len({case.id for case in read}) == len(read)
        return {case.id: case for case in read}

    return cases


@pytest.fixture(scope="session")
def half() -> np.ndarray:
    """A mask ``[6, 8]`` whose upper left corner alone is white: no turn and no flip leaves it."""
    mask = np.zeros((6, 8), np.uint8)
    mask[:2, :3] = 255
    return mask
