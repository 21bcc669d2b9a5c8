"""``python -m guidepost.cli`` is the ``guidepost`` command."""

from __future__ import annotations

from guidepost.cli.entry import main

if __name__ == "__main__":
    main()
