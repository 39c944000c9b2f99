"""``python -m llmseg``."""

from llmseg.cli import main

main()
