"""Reading the weights that the original scripts saved: a state dictionary under the script's own names."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from llmseg.errors import UserError
from llmseg.files import read_bytes
from llmseg.recipe.weights import check_values

if TYPE_CHECKING:
    from torch import Tensor, nn


def rename(name: str, prefixes: Sequence[tuple[str, str]]) -> str:
    """Return a dotted name with our prefix replaced by the original's.

    Args:
        name: A name in our state dictionary.
        prefixes: Pairs of our prefix and the original's.

    Raises:
        KeyError: The name starts with no prefix of ours.

    Example:
        >>> rename("encoder.0.3.weight", [("encoder.0", "inc.conv")])
        'inc.conv.3.weight'
    """
    for ours, theirs in prefixes:
        # With the dot: encoder.1 is no prefix of encoder.10.weight.
        if name.startswith(f"{ours}."):
            return theirs + name.removeprefix(ours)
    raise KeyError(name)


def rename_all(state: Mapping[str, Tensor], prefixes: Sequence[tuple[str, str]]) -> dict[str, Tensor]:
    """Return a state dictionary of ours under the original's names; see :func:`rename`."""
    return {rename(name, prefixes): tensor for name, tensor in state.items()}


def load_original(
    path: Path, build: Callable[[int], nn.Module], prefixes: Sequence[tuple[str, str]], pipeline_id: str
) -> nn.Module:
    """Build a network with the weights of an original state dictionary.

    See :meth:`llmseg.zoo.Pipeline.load_original`.

    Args:
        path: The state dictionary that the script saved.
        build: Builds the network for a number of input channels.
        prefixes: Pairs of our prefix and the original's.
        pipeline_id: The pipeline that an error names.
    """
    originals = list(rename_all(build(1).state_dict(), prefixes))
    first = originals[0]
    saved = _strip_wrappers(_read(path), originals)
    check_values(path, saved)
    net = build(_count_input_channels(saved, first))
    ours = net.state_dict()
    our_name = dict(zip(rename_all(ours, prefixes), ours, strict=True))
    _check_fit(pipeline_id, path, saved, {theirs: tuple(ours[name].shape) for theirs, name in our_name.items()})
    net.load_state_dict({our_name[theirs]: tensor for theirs, tensor in saved.items()})
    return net


def _count_input_channels(saved: dict[str, Any], first: str) -> int:
    """Read from the first weight whether it is of colour images; 1 if it has any other shape, which is told later."""
    weight = saved.get(first)
    return 3 if weight is not None and weight.ndim == 4 and weight.shape[1] == 3 else 1


def _read(path: Path) -> dict[str, Any]:
    """Read the tensors of a state dictionary, and execute nothing."""
    import torch

    if not path.is_file():
        raise UserError(f"no file {path}; give a state dictionary (.pth) saved by the original script")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    try:
        # Numbers and arrays of numpy, such as the loss of an epoch, lie beside the weights in many checkpoints.
        with torch.serialization.safe_globals(_list_numpy_globals()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of kinds of tensors and pickles that are refused here anyway
            saved = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _explain_objects(path) from error
    except MemoryError as error:
        raise UserError(f"{path} claims more than the memory holds; give a state dictionary (.pth)") from error
    except Exception as error:  # what a damaged file makes torch raise is of many kinds
        raise UserError(f"{path} is damaged or no PyTorch file; give a state dictionary (.pth)") from error
    return {str(name): tensor for name, tensor in _find_state(path, saved).items()}


def _find_state(path: Path, saved: object) -> dict[str, Any]:
    """Return the state dictionary that a file is, or the only one that it holds among other things."""
    if _is_state(saved):
        return saved
    inner = {key: value for key, value in saved.items() if _is_state(value)} if isinstance(saved, dict) else {}
    if len(inner) == 1:
        return next(iter(inner.values()))
    raise UserError(f"{path} is no state dictionary (a dictionary of tensors); {_advise(path, list(inner))}")


def _list_numpy_globals() -> list[Any]:
    """Return what a file may call to make numbers and arrays of numpy; none of it runs code of the file."""
    import numpy as np

    # Files of numpy 1 call these two by another module's name.
    scalar, reconstruct = np.float64(0).__reduce__()[0], np.zeros(0).__reduce__()[0]
    made = {"scalar": scalar, "_reconstruct": reconstruct}
    functions = [(made[name], f"numpy.{core}.multiarray.{name}") for name in made for core in ("core", "_core")]
    return [*functions, np.ndarray, np.dtype, *(type(np.dtype(code)) for code in np.typecodes["All"])]


def _list_objects(path: Path) -> list[str]:
    """Return the names of what a file would call when it is read, but for what makes tensors."""
    import torch

    try:
        return torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except Exception:  # it reads files of torch's newer format only
        return []


def _explain_objects(path: Path) -> UserError:
    """Return the error for a file of other objects than tensors and numbers."""
    others = [name for name in _list_objects(path) if not name.startswith("numpy.")]
    if not others or any(name.startswith("torch.nn.") for name in others):
        return UserError(
            f"{path} is no file of tensors alone; it may be a whole model, which would execute code when read: "
            "save its state_dict() instead"
        )
    return UserError(
        f"{path} holds other objects than tensors and numbers ({', '.join(sorted(others)[:3])}), which could execute "
        "code when read: where it was made, save the network's state_dict() alone"
    )


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(read_bytes(path))
    except SafetensorError as error:
        raise UserError(f"{path} is damaged or no file of safetensors ({error}); save it again") from error


def _is_state(saved: object) -> TypeGuard[dict[Any, Any]]:
    import torch

    return isinstance(saved, dict) and bool(saved) and all(isinstance(t, torch.Tensor) for t in saved.values())


def _advise(path: Path, keys: Sequence[object]) -> str:
    """Say how to get the weights out of a dictionary that holds several."""
    if not keys:
        return "save the network's state_dict()"
    # Averaged weights or those of another network may lie beside: the choice is the user's.
    safely = not _list_objects(path)
    return (
        f"it holds weights under {' and '.join(map(repr, keys))}: save those that you want alone by "
        f"torch.save(torch.load({str(path)!r}, weights_only={safely})[{keys[0]!r}], 'weights.pth')"
    )


def _strip_wrappers(saved: dict[str, Any], originals: Sequence[str]) -> dict[str, Any]:
    """Take the names of wrappers off: of training on several devices, of ``torch.compile``, of a Lightning module.

    ``torch.compile`` puts its word wherever a compiled module lies. The others are in front of every name.
    """
    saved = {name.replace("_orig_mod.", ""): tensor for name, tensor in saved.items()}
    ours = {name.partition(".")[0] for name in originals}
    while True:
        firsts = {name.partition(".")[0] for name in saved}
        if len(firsts) != 1 or firsts & ours or not all("." in name for name in saved):
            return saved
        saved = {name.partition(".")[2]: tensor for name, tensor in saved.items()}


def _check_fit(pipeline_id: str, path: Path, saved: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> None:
    """Raise an error that names the first tensor that is missing, unknown or of another shape."""
    problems = [
        *(f"has no '{name}'" for name in shapes if name not in saved),
        *(f"has an unknown '{name}'" for name in saved if name not in shapes),
        *(
            f"has '{name}' of shape {tuple(saved[name].shape)}, not {shape}"
            for name, shape in shapes.items()
            if name in saved and tuple(saved[name].shape) != shape
        ),
    ]
    if problems:
        raise UserError(
            f"{path} does not fit {pipeline_id}: it {problems[0]} ({len(saved)} tensors, {len(shapes)} expected); "
            "was it saved by another pipeline's script?"
        )
