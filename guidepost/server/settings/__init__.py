"""What a server is told, by flags, by the environment and by a file: one model of it all.

- ``kinds``: what a setting may be, and how it is read
- ``model``: every setting, once: its name, its kind, its default, what it means
- ``reading``: flags, environment and file -> settings, or every problem with where it came from
- ``checks``: settings -> what would be in the way of serving, without serving
- ``page``: the model -> docs/settings.md
"""
