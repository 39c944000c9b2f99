"""Reading NIfTI files that come from elsewhere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from llmseg.errors import UserError


def decode_nifti(content: bytes, name: str, advice: str) -> tuple[np.ndarray, Any]:
    """Return the array of a NIfTI file in its own number type, and its affine ``[4, 4]``.

    Args:
        content: The file's bytes, unpacked.
        name: What messages call the file.
        advice: What they tell the user to do.

    Raises:
        UserError: The file is none or is damaged, or claims more numbers than it has.
    """
    import nibabel

    try:
        image = nibabel.Nifti1Image.from_bytes(content)
        number = image.get_data_dtype()  # type: ignore[no-untyped-call]
        claimed = math.prod(image.shape) * number.itemsize
        # nibabel takes memory for what the header claims before it looks whether that is there.
        if claimed > len(content):
            raise ValueError(f"its header claims {claimed} bytes, and it has {len(content)}")
        return np.asanyarray(image.dataobj), image.affine
    except Exception as error:  # nibabel lets errors of many kinds through, some in several lines
        why = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{name} is no NIfTI volume or is damaged ({why}); {advice}") from error
