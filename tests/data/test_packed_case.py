from __future__ import annotations

import zlib

import numpy as np
import pytest

from llmseg.data import packed_case
from llmseg.data.image_digests import digest_image, digest_mask
from llmseg.data.packed_case import pack_case
from llmseg.data.store import Case

RANDOM = np.random.default_rng(0)


def unpack(chunks):
    return b"".join(map(zlib.decompress, chunks))


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (8, 8), (16, 8), (1, 1)])
def test_chunks_hold_the_bytes_and_zeros_up_to_the_end(monkeypatch, shape):
    monkeypatch.setattr(packed_case, "CHUNK", 64)
    image = RANDOM.integers(1, 256, shape, dtype=np.uint8)
    packed = pack_case(Case("a", image, image.reshape(*shape[:2], -1)[..., 0]), "group", "test")
    assert packed.shape == (*shape[:2], shape[2] if len(shape) == 3 else 1)
    assert len(packed.image) == -(-image.size // 64)
    assert {len(zlib.decompress(chunk)) for chunk in packed.image} == {64}
    assert unpack(packed.image) == image.tobytes() + bytes(-image.size % 64)
    assert unpack(packed.mask)[: shape[0] * shape[1]] == image.reshape(*shape[:2], -1)[..., 0].tobytes()


def test_what_a_store_asks_of_a_case():
    image, mask = RANDOM.integers(0, 256, (9, 4, 3), dtype=np.uint8), np.eye(9, 4, dtype=np.uint8) * 255
    packed = pack_case(Case("a", image, mask), "patient 1")
    assert (packed.id, packed.group, packed.part) == ("a", "patient 1", "")
    assert (packed.content, packed.mask_content) == (digest_image(image), digest_mask(mask))


def test_the_order_in_memory_does_not_count():
    image = RANDOM.integers(0, 256, (9, 4), dtype=np.uint8)
    assert pack_case(Case("a", np.asfortranarray(image), image), "g") == pack_case(Case("a", image, image), "g")
