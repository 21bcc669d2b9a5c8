"""Flags, environment variables and a TOML file in, the settings out; or every problem at once, each with its origin.

A flag overrides a variable, which overrides the file, which overrides the default. Overridden values are checked, too.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from engine.model.did_you_mean import nearest
from engine.model.problems import Place, Problem
from guidepost.server.settings.model import PREFIX, ServerSettings, about, flag, key, settings, variable
from guidepost.source_excerpt import without_secrets
from guidepost.text_encoding import decode_text

CONFIG: Final = "config"
"""The name of the setting that names the file."""

OTHERS: Final = frozenset(
    f"{PREFIX}{name}"
    for name in ("CACHE", "CONFIG", "TRUSTED_KEYS", "PYTHON", "CAMPAIGN", "CELLS", "FAULTS", "SPARK", "BENCH")
)
"""Variables that other parts of the program read, its tests among them."""

_TOML_PLACE: Final = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)

SERVICE_LINK: Final = re.compile(r"tcp://\S+")
SERVICE_LINK_HELP: Final = (
    "Kubernetes sets such variables for a service of this name: set `enableServiceLinks: false` for the pod"
)


_NO_LINE: Final = 2**31
"""The line of problems outside of the file, so that they follow those of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongSetting:
    """A problem with a setting. Its origin is ``--port``, ``$GUIDEPOST_PORT`` or ``guidepost.toml:3``, for example."""

    origin: str
    message: str
    help: str = ""
    place: Place = field(default=Place(file=""), compare=False)
    """Its place in the file, with the text of the line unless it may contain a secret."""

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}" + (f"\n    help: {self.help}" if self.help else "")


class WrongSettings(Exception):
    """Settings cannot be used; ``problems`` has every one."""

    def __init__(self, problems: list[WrongSetting]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True, slots=True)
class _Source:
    """The settings of one source.

    Attributes:
        values: origin and value, by the names of the model.
        problems: what is wrong with the source itself.
        places: the places of the values in a file.
    """

    values: Mapping[str, tuple[str, object]]
    problems: tuple[WrongSetting, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings, and the origins of those that are not the default."""

    settings: ServerSettings
    origins: Mapping[str, str]

    def origin(self, name: str) -> str:
        """Return the origin of a setting; for a default, its flag."""
        return self.origins.get(name, flag(name))


def read_settings(
    flags: Mapping[str, object], environment: Mapping[str, str], file: Path | None = None
) -> LoadedSettings:
    """Return the settings; ``flags`` that are None are not set. Raises WrongSettings."""
    if file is None and (named := environment.get(variable(CONFIG))):
        file = Path(named)
    sources = [_Source({}) if file is None else _file(file), _environment(environment), _flags(flags)]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    problems = [
        (problem.place.line if problem.place.file else _NO_LINE, problem)
        for source in sources
        for problem in source.problems
    ]
    for one in settings():
        for source in sources:
            if one.name not in source.values:
                continue
            origin, value = source.values[one.name]
            try:
                values[one.name], origins[one.name] = about(one).kind.read(value), origin
            except ValueError as error:
                # A long text may be a secret in the wrong place, so it is not repeated.
                short = len(str(value)) <= 60
                place = source.places.get(one.name, Place(file=""))
                line = place.line if place.file else _NO_LINE
                place = place if short else Place(file="")
                help_ = SERVICE_LINK_HELP if isinstance(value, str) and SERVICE_LINK.fullmatch(value) else ""
                problems.append(
                    (
                        line,
                        WrongSetting(
                            origin=origin,
                            message=f"{error}, got {f'`{value}`' if short else f'{len(str(value)):,} characters'}",
                            help=help_,
                            place=place,
                        ),
                    )
                )
    if problems:
        raise WrongSettings([problem for _, problem in sorted(problems, key=itemgetter(0))])
    return LoadedSettings(ServerSettings(**values), origins)


def _flags(flags: Mapping[str, object]) -> _Source:
    return _Source({name: (flag(name), value) for name, value in flags.items() if value is not None and value != []})


def _environment(environment: Mapping[str, str]) -> _Source:
    """Read the variables that begin with PREFIX; an empty one counts as not set."""
    names = {variable(one.name): one.name for one in settings()}
    ours = {name: value for name, value in sorted(environment.items()) if name.startswith(PREFIX) and value != ""}
    unknown = tuple(
        WrongSetting(origin=f"${name}", message="unknown setting", help=_help(name, [*names, *OTHERS], value))
        for name, value in ours.items()
        if name not in names and name not in OTHERS
    )
    return _Source({names[name]: (f"${name}", value) for name, value in ours.items() if name in names}, unknown)


def _file(path: Path) -> _Source:
    try:
        text = decode_text(str(path), path.read_bytes())
    except OSError as error:
        return _Source({}, (WrongSetting(origin=f"{path}", message=f"cannot be read: {error.strerror}"),))
    if isinstance(text, Problem):
        return _Source({}, (WrongSetting(origin=f"{path}", message=text.message, help=text.help),))
    lines = text.splitlines()
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return _Source({}, (_not_toml(path, lines, str(error)),))
    names = {key(one.name): one.name for one in settings()}
    keys = {word: _key_place(path, lines, word) for word in values}
    origins = {word: f"{path}:{place.line}" for word, place in keys.items()}
    unknown = tuple(
        WrongSetting(
            origin=origins[word], message=f"unknown setting `{word}`", help=_help(word, names, ""), place=keys[word]
        )
        for word in values
        if word not in names
    )
    known = {names[word]: (f"{origins[word]}: {word}", value) for word, value in values.items() if word in names}
    return _Source(known, unknown, {names[word]: _value_place(keys[word]) for word in values if word in names})


def _not_toml(path: Path, lines: list[str], error: str) -> WrongSetting:
    """Return the problem of a parser error, whose message ends with its place."""
    found = _TOML_PLACE.fullmatch(error)
    if found is None:
        return WrongSetting(origin=f"{path}", message=f"not TOML: {error}")
    line, column = (int(found[2]), int(found[3])) if found[2] else (len(lines), len(lines[-1]) + 1 if lines else 1)
    place = without_secrets(
        Place(file=str(path), line=line, column=column, text=lines[line - 1] if line <= len(lines) else "")
    )
    return WrongSetting(
        origin=f"{path}:{line}:{column}",
        message=f"not TOML: {found[1][:1].lower()}{found[1][1:]}",
        help="write `key = value`, with strings in double quotes",
        place=place,
    )


def _key_place(path: Path, lines: list[str], word: str) -> Place:
    """Return the place of a key."""
    start = re.compile(rf"""\s*\[*\s*(["']?{re.escape(word)}["']?)\s*[=.\]]""")
    found = next(((number, match) for number, line in enumerate(lines, 1) if (match := start.match(line))), None)
    return (
        Place(file=str(path))
        if found is None
        else without_secrets(Place(file=str(path), line=found[0], column=found[1].start(1) + 1, text=found[1].string))
    )


def _value_place(place: Place) -> Place:
    """Return the place of the value after a key and its `=`."""
    found = re.compile(r"[^=]*=\s*(?=\S)").match(place.text)
    return place if found is None else replace(place, column=found.end() + 1)


def _help(word: str, known: Mapping[str, str] | list[str], value: str) -> str:
    if SERVICE_LINK.fullmatch(value):
        return SERVICE_LINK_HELP
    near = nearest(word, list(known), limit=1)
    return f"did you mean `{near[0]}`?" if near else ""
