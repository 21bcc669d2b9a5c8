"""Flags, environment and a TOML file in, the settings out; or every problem at once, each with where it came from.

Flags go before the environment, that before the file, and that before the defaults. What is overridden is checked all the same.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
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

LINK: Final = re.compile(r"tcp://\S+")
LINKED: Final = "Kubernetes sets such variables for a service of this name: set `enableServiceLinks: false` for the pod"


_NO_LINE: Final = 2**31
"""Sorts a problem that is not about a line of the file behind those that are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongSetting:
    """What is wrong with a setting, and where it was said: ``--port``, ``$GUIDEPOST_PORT`` or ``guidepost.toml:3``."""

    origin: str
    message: str
    help: str = ""
    place: Place = field(default=Place(file=""), compare=False)
    """Where it stands in a file, with the line, if that may be shown."""

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}" + (f"\n    help: {self.help}" if self.help else "")


class WrongSettings(Exception):
    """Settings that cannot be used: every problem with them."""

    def __init__(self, problems: list[WrongSetting]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True, slots=True)
class _Source:
    """What one source says: values by the names of the model, each with where it was said; and what is wrong with the source itself.

    ``places`` are those of the values in a file.
    """

    values: Mapping[str, tuple[str, object]]
    problems: tuple[WrongSetting, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings, and where each that is not the default was said."""

    settings: ServerSettings
    origins: Mapping[str, str]

    def origin(self, name: str) -> str:
        """Return where a setting was said, or could be."""
        return self.origins.get(name, flag(name))


def read_settings(
    flags: Mapping[str, object], environment: Mapping[str, str], file: Path | None = None
) -> LoadedSettings:
    """Return the settings; ``flags`` are by name, and those that are None were not given. Raises WrongSettings."""
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
            origin, said = source.values[one.name]
            try:
                values[one.name], origins[one.name] = about(one).kind.read(said), origin
            except ValueError as error:
                # A text may be anything, a secret that was put in the wrong place among it: it is not repeated at length.
                short = len(repr(said)) <= 60
                place = source.places.get(one.name, Place(file=""))
                line = place.line if place.file else _NO_LINE
                place = place if short else Place(file="")
                help_ = LINKED if isinstance(said, str) and LINK.fullmatch(said) else ""
                problems.append(
                    (
                        line,
                        WrongSetting(
                            origin=origin,
                            message=f"{error}, got {repr(said) if short else 'what is said'}",
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
    """Take the variables that begin as ours do; one that is empty counts as not set."""
    names = {variable(one.name): one.name for one in settings()}
    ours = {name: value for name, value in sorted(environment.items()) if name.startswith(PREFIX) and value != ""}
    unknown = tuple(
        WrongSetting(origin=f"${name}", message="no such setting", help=_help(name, [*names, *OTHERS], value))
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
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return _Source({}, (_not_toml(path, lines, str(error)),))
    names = {key(one.name): one.name for one in settings()}
    keys = {word: _key_place(path, lines, word) for word in said}
    origins = {word: f"{path}:{place.line}" for word, place in keys.items()}
    unknown = tuple(
        WrongSetting(
            origin=origins[word], message=f"no such setting `{word}`", help=_help(word, names, ""), place=keys[word]
        )
        for word in said
        if word not in names
    )
    values = {names[word]: (f"{origins[word]}: {word}", value) for word, value in said.items() if word in names}
    return _Source(values, unknown, {names[word]: _value_place(keys[word]) for word in said if word in names})


def _not_toml(path: Path, lines: list[str], error: str) -> WrongSetting:
    """Return the place of an error of the parser, which writes it behind its words."""
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
        help="write `key = value`, a text in double quotes",
        place=place,
    )


def _key_place(path: Path, lines: list[str], word: str) -> Place:
    """Return where a key stands."""
    start = re.compile(rf"""\s*\[*\s*(["']?{re.escape(word)}["']?)\s*[=.\]]""")
    found = next(((number, match) for number, line in enumerate(lines, 1) if (match := start.match(line))), None)
    return (
        Place(file=str(path))
        if found is None
        else without_secrets(Place(file=str(path), line=found[0], column=found[1].start(1) + 1, text=found[1].string))
    )


def _value_place(place: Place) -> Place:
    """Return where the value of a key stands, behind its `=`."""
    found = re.compile(r"[^=]*=\s*(?=\S)").match(place.text)
    return place if found is None else replace(place, column=found.end() + 1)


def _help(word: str, known: Mapping[str, str] | list[str], value: str) -> str:
    if LINK.fullmatch(value):
        return LINKED
    near = nearest(word, list(known), limit=1)
    return f"did you mean `{near[0]}`?" if near else ""


def setting_rows(found: LoadedSettings) -> Iterator[tuple[str, object, str]]:
    """Yield every setting with its value, and where it was said ("default" where it was not)."""
    for one in settings():
        yield key(one.name), getattr(found.settings, one.name), found.origins.get(one.name, "default")
