"""The commands of ``guidepost``, one module each."""
