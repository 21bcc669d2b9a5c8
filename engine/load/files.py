"""Which files belong to a version.

Paths decide, whether the folder is on disk, in a revision or in an archive.

Editors and systems add files of their own: Emacs locks with ``.#due.yaml``, a dangling link, macOS keeps ``._due.yaml``
on other file systems, vim swaps to ``.due.yaml.swp``. None of them is a policy file.
"""

from __future__ import annotations

ENDINGS = (".yaml", ".yml")
FOLDERS = ("", "cases", "holidays")


def is_policy_name(name: str) -> bool:
    """Return whether a file of this name is a policy file: it ends in .yaml or .yml and does not begin with a dot.

    >>> [
    ...     name
    ...     for name in ("a.yaml", "b.yml", ".#a.yaml", "._a.yaml", "a.yaml~", "#a.yaml#", ".a.yaml.swp", "4913")
    ...     if is_policy_name(name)
    ... ]
    ['a.yaml', 'b.yml']
    """
    return name.endswith(ENDINGS) and not name.startswith(".")


def of_a_version(path: str) -> bool:
    r"""Return whether a path in a version's folder is one of its files.

    >>> paths = (
    ...     "a.yaml",
    ...     "cases/a.yml",
    ...     "holidays/.#NZ.yaml",
    ...     "past/1.0.0/a.yaml",
    ...     "README.md",
    ...     "../a.yaml",
    ...     "x\\a.yaml",
    ... )
    >>> [path for path in paths if of_a_version(path)]
    ['a.yaml', 'cases/a.yml']
    """
    folder, _, name = path.rpartition("/")
    return folder in FOLDERS and is_policy_name(name) and "\\" not in name and not path.startswith("/")
