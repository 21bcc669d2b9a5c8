"""What a setting may be: each kind reads what stands on a command line, in the environment or in a TOML file, and says what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MAX_TEXT: Final = 4_000
_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingType:
    """A kind of setting. ``read`` gives the value, or raises ValueError, which says what is wanted; ``metavar`` stands for it in the help.

    ``flag`` tells that it is said by a flag without a value, ``many`` that the flag may be repeated.
    """

    metavar: str
    read: Callable[[object], Any]
    flag: bool = False
    many: bool = False


def integer(least: int, most: int = 2**31 - 1) -> SettingType:
    """Return the kind of whole numbers in a range.

    >>> whole(0, 256).read("12")
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
    """Return the kind of times in seconds.

    >>> seconds(0.01).read("0.5")
    0.5
    """

    def read(value: object) -> float:
        try:
            number = math.nan if isinstance(value, bool) else float(str(value))
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and number >= least):
            raise ValueError(f"expected a number of seconds, {least:g} or more")
        return number

    return SettingType(metavar="SECONDS", read=read)


def _share(value: object) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(str(value))
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise ValueError("expected a share from 0 to 1")
    return number


def one_of(*words: str) -> SettingType:
    """Return the kind of one of some words."""

    def read(value: object) -> str:
        if value not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return str(value)

    return SettingType(metavar="|".join(words), read=read)


def _yes(value: object) -> bool:
    word = str(value).strip().lower()
    if word not in (*_YES, *_NO):
        raise ValueError("expected true or false")
    return word in _YES


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError(
            "expected a text" if not isinstance(value, str) else f"expected at most {MAX_TEXT:,} characters"
        )
    return value


def _path(value: object) -> Path | None:
    return Path(text).expanduser() if (text := _text(value)) else None


def _texts(value: object) -> tuple[str, ...]:
    """Read several texts: a list, or in the environment words with commas between them."""
    parts = value if isinstance(value, list | tuple) else [part.strip() for part in _text(value).split(",")]
    return tuple(_text(part) for part in parts if part != "")


def _address(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    host, _, port = text.rpartition(":")
    if text and (len(text) > MAX_TEXT or not host or not port.isascii() or not port.isdecimal() or int(port) > 65535):
        raise ValueError("expected HOST:PORT, for example 127.0.0.1:9464")
    return text


YES: Final = SettingType(metavar="", read=_yes, flag=True)
TEXT: Final = SettingType(metavar="TEXT", read=_text)
SHARE: Final = SettingType(metavar="SHARE", read=_share)
NAME: Final = SettingType(metavar="NAME", read=_text)
URL: Final = SettingType(metavar="URL", read=_text)
FILE: Final = SettingType(metavar="FILE", read=_path)
FOLDER: Final = SettingType(metavar="DIR", read=_path)
ADDRESS: Final = SettingType(metavar="HOST:PORT", read=_address)
TEXTS: Final = SettingType(metavar="WORD", read=_texts, many=True)
"""Several words; the flag is repeated, and in the environment they have commas between them."""
