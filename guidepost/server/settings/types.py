"""The types of settings: each reads a value of a flag, an environment variable or a TOML file, or raises ValueError."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MAX_TEXT: Final = 4_000
_TRUE, _FALSE = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingType:
    """A type of setting.

    Attributes:
        metavar: the value in help texts.
        read: returns the value; raises ValueError with what is expected.
        flag: whether the flag has no value.
        many: whether the flag may be repeated.
    """

    metavar: str
    read: Callable[[object], Any]
    flag: bool = False
    many: bool = False


def integer(least: int, most: int = 2**31 - 1) -> SettingType:
    """Return the type of integers in a range.

    >>> integer(0, 256).read("12")
    12
    """

    def read(value: object) -> int:
        text = str(value).strip()
        if (
            isinstance(value, bool | float)
            or not text.isascii()
            or not text.isdecimal()
            or not least <= int(text) <= most
        ):
            raise ValueError(
                f"expected an integer {f'of {least:,} or more' if most >= 2**31 - 1 else f'from {least:,} to {most:,}'}"
            )
        return int(text)

    return SettingType(metavar="NUMBER", read=read)


def seconds(least: float) -> SettingType:
    """Return the type of times in seconds, from a minimum.

    >>> seconds(0.01).read("0.5")
    0.5
    """

    def read(value: object) -> float:
        try:
            number = math.nan if isinstance(value, bool) else float(str(value))
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and number >= least):
            raise ValueError(f"expected a number of seconds of {least:g} or more")
        return number

    return SettingType(metavar="SECONDS", read=read)


def _ratio(value: object) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(str(value))
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise ValueError("expected a number from 0 to 1")
    return number


def one_of(*words: str) -> SettingType:
    """Return the type of a word out of several."""

    def read(value: object) -> str:
        if value not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return str(value)

    return SettingType(metavar="|".join(words), read=read)


def _boolean(value: object) -> bool:
    word = str(value).strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise ValueError("expected true or false")
    return word in _TRUE


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError(
            "expected a string" if not isinstance(value, str) else f"expected at most {MAX_TEXT:,} characters"
        )
    return value


def _path(value: object) -> Path | None:
    return Path(text).expanduser() if (text := _text(value)) else None


def _texts(value: object) -> tuple[str, ...]:
    """Return several texts: a list, or an environment variable with commas between the texts."""
    parts = value if isinstance(value, list | tuple) else [part.strip() for part in _text(value).split(",")]
    return tuple(_text(part) for part in parts if part != "")


def _address(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    host, _, port = text.rpartition(":")
    if text and (len(text) > MAX_TEXT or not host or not port.isascii() or not port.isdecimal() or int(port) > 65535):
        raise ValueError("expected HOST:PORT, for example 127.0.0.1:9464")
    return text


BOOLEAN: Final = SettingType(metavar="", read=_boolean, flag=True)
TEXT: Final = SettingType(metavar="TEXT", read=_text)
RATIO: Final = SettingType(metavar="RATIO", read=_ratio)
NAME: Final = SettingType(metavar="NAME", read=_text)
URL: Final = SettingType(metavar="URL", read=_text)
FILE: Final = SettingType(metavar="FILE", read=_path)
FOLDER: Final = SettingType(metavar="DIR", read=_path)
ADDRESS: Final = SettingType(metavar="HOST:PORT", read=_address)
TEXTS: Final = SettingType(metavar="WORD", read=_texts, many=True)
"""Several texts: the flag is repeated, and an environment variable has commas between the texts."""
