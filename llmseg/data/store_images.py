"""The digests of a store's images: by them, an image is known again under another name or in another format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from llmseg.data.cache import cache_folder
from llmseg.data.hdf5 import Hdf5Store
from llmseg.data.image_digests import digest_image
from llmseg.data.read_ahead import map_ahead
from llmseg.data.store import Store
from llmseg.data.subset import Subset
from llmseg.errors import UserError
from llmseg.files import make_folder, read_json_if_any, write_text


def digest_images(store: Store, ids: Sequence[str], *, cache: bool = False) -> dict[str, str]:
    """Return the digest of the image of some cases, see :func:`llmseg.data.image_digests.digest_image`.

    A prepared file holds the digests of its images. Of other stores, the images are decoded.

    Args:
        store: The store, or a subset of it.
        ids: The cases.
        cache: Whether to keep what was computed in the cache, where the next run on the same store finds it.

    Raises:
        UserError: An image cannot be read.

    Example:
        >>> from llmseg import SyntheticStore
        >>> store = SyntheticStore("fundus", count=2)
        >>> digests = digest_images(store, store.ids)
        >>> {id: len(digest) for id, digest in digests.items()}
        {'001.png': 64, '002.png': 64}
    """
    if isinstance(store, Subset):
        return digest_images(store.whole, ids, cache=cache)
    if isinstance(store, Hdf5Store):
        return {id: store.contents[id] for id in ids}
    path = cache_folder() / f"{store.digest[:32]}.images.json"
    known = _read_earlier(path) if cache else {}
    lacking = [id for id in ids if id not in known]
    if lacking:
        images = map_ahead(lambda id: digest_image(store.read(id).image), lacking)
        known |= dict(zip(lacking, images, strict=True))
        if cache:
            make_folder(path.parent)
            write_text(path, json.dumps(known))
    return {id: known[id] for id in ids}


def _read_earlier(path: Path) -> dict[str, str]:
    try:
        return read_json_if_any(path)
    except UserError:  # damaged; it is made anew
        return {}
