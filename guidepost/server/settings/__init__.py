"""The settings of a server, from flags, environment variables and a TOML file.

Modules::

    types        the types of settings: how a value is read, and what it may be
    model        every setting, with its type, default and help
    load         flags, environment and file in, settings out
    build        settings in, configurations of the server's parts out
    checks       settings in, problems out, without serving
    file_modes   settings in, warnings about file permissions out
    signing_key  the key that signs the decision log
    docs_page    writes docs/settings.md
"""
