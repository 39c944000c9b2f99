"""``python -m llmseg``."""

from llmseg.cli.main import main

main()
