from __future__ import annotations

import subprocess
import sys

import llmseg


def test_version(call):
    assert call("--version")[:2] == (0, f"{llmseg.__version__}\n")


def test_as_a_module_and_quickly_imported():
    """Listing needs no torch: that is what keeps it fast."""
    found = subprocess.run([sys.executable, "-m", "llmseg", "list"], capture_output=True, text=True, check=True)
    assert "gpt-4o" in found.stdout
    code = "import sys, llmseg, llmseg.cli.main; print([m for m in ('torch', 'monai', 'pandas') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
