"""What a server is told, by flags, by the environment and by a file: one model of it all.

Modules::

    build        the settings of a server, as its parts take them
    checks       settings in, what would be in the way of serving out, without serving
    docs_page    the model of the settings in, docs/settings.md out
    file_modes   settings in, warnings out
    load         flags, environment and a TOML file in, the settings out
    model        every setting of a server, once
    signing_key  which key signs the heads of a server's decision log, as its settings say
    types        what a setting may be
"""
