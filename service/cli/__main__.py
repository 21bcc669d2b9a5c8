"""``python -m service.cli`` is the ``guidepost`` command."""

from __future__ import annotations

from service.cli.entry import main

if __name__ == "__main__":
    main()
