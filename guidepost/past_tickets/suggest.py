"""Drafts of mapping files: a source and a version in, the text of a mapping with a comment at each guess out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.model.vocabulary import Fact, FactType, folded
from engine.version.version import Version
from guidepost.past_tickets.column_names import TICKET_COLUMNS
from guidepost.past_tickets.mapper import Vocabulary
from guidepost.past_tickets.open import inspect_files
from guidepost.past_tickets.sample import SAMPLE_ROWS, ColumnProfile, profile_columns
from guidepost.past_tickets.similarity import (
    MAX_CHOICES,
    MIN_NAME_SIMILARITY,
    InstantFormat,
    ValueMatch,
    ambiguous_values,
    fit_score,
    instant_format,
    match_values,
    name_similarity,
)

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ .()/+-]*[A-Za-z0-9_)]|[A-Za-z]")
_SHOWN: Final = 15

FACT, OUTCOME, DEADLINE = "facts", "recorded", "recorded_due"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guess:
    """A column that may be a fact, an outcome or a deadline (the ``part`` of the file), with its scores."""

    part: str
    fact: Fact
    profile: ColumnProfile
    named: float
    score: float


def suggest_mapping(spec: str, version: Version) -> str:
    """Return a draft of a mapping file for the files of a source; raises TicketsError."""
    files = inspect_files(spec)
    columns = profile_columns(files)
    vocabulary = Vocabulary.of(version)
    ticket = _ticket(columns)
    guesses = _best_guesses([profile for profile in columns if profile is not ticket], vocabulary)
    asked = {name for plan in version.triage for name in plan.facts} | {vocabulary.received} - {""}
    return (
        "\n".join(_lines(files.paths[0].name, version, columns=columns, ticket=ticket, guesses=guesses, asked=asked))
        + "\n"
    )


def _ticket(columns: Sequence[ColumnProfile]) -> ColumnProfile | None:
    """Return the column with the ids of tickets: by its name, or the first column without a repeated value."""
    known = {folded(name): place for place, name in enumerate(TICKET_COLUMNS)}
    named = sorted((known[folded(one.name)], at) for at, one in enumerate(columns) if folded(one.name) in known)
    if named:
        return columns[named[0][1]]
    return next(
        (one for one in columns if len(one.given) == one.rows > 1 and not one.typed and instant_format(one) is None),
        None,
    )


def _best_guesses(columns: Sequence[ColumnProfile], vocabulary: Vocabulary) -> list[_Guess]:
    """Return the guesses with the highest scores, with each column and each fact used once."""
    deadlines = set(vocabulary.deadlines)
    parts: list[tuple[str, Mapping[str, Fact]]] = [
        (FACT, vocabulary.facts),
        (OUTCOME, {name: one for name, one in vocabulary.outcomes.items() if name not in deadlines}),
        (DEADLINE, {name: vocabulary.outcomes[name] for name in vocabulary.deadlines}),
    ]
    guesses = [
        guess
        for part, known in parts
        for fact in known.values()
        for profile in columns
        if (guess := _guess(part, fact, profile))
    ]
    guesses.sort(key=lambda one: (-one.score, one.part, one.fact.name, one.profile.name))
    taken: set[tuple[str, str]] = set()
    chosen = []
    for one in guesses:
        keys = {(one.part, one.fact.name), ("column", one.profile.name)}
        if not keys & taken:
            taken |= keys
            chosen.append(one)
    return chosen


def _guess(part: str, fact: Fact, profile: ColumnProfile) -> _Guess | None:
    named = name_similarity(profile.name, fact.name)
    # Instants and booleans need a similar name; the words of a choice or a unit are enough by themselves.
    speaking = part == FACT and (fact.type is FactType.CHOICE or fact.numeric) and len(profile.given) > 2
    if named < (MIN_NAME_SIMILARITY if part == FACT else 90) and not speaking:
        return None
    fit = fit_score(profile, fact, named=named >= MIN_NAME_SIMILARITY)
    if named == 100 and not fit and 0 < len(profile.given) <= MAX_CHOICES and fact.type is FactType.CHOICE:
        return _Guess(part=part, fact=fact, profile=profile, named=named, score=named)
    if (
        not fit
        or (named < MIN_NAME_SIMILARITY and fit < 95)
        or (fact.type is FactType.CHOICE and fit < 50 and named < 100)
    ):
        return None
    return _Guess(part=part, fact=fact, profile=profile, named=named, score=named + fit)


def _lines(
    name: str,
    version: Version,
    *,
    columns: Sequence[ColumnProfile],
    ticket: ColumnProfile | None,
    guesses: Sequence[_Guess],
    asked: set[str],
) -> Iterator[str]:
    ref = version.ref
    yield f"# A draft from {_rows(columns)} of {name} for {ref.name} {ref.version}. Check every line, since it was made"
    yield "# by comparing names and values. Lines with GUESS need a decision; docs/tickets.md describes mappings."
    if ticket:
        yield f"ticket: {_quoted(ticket.name)}"
        yield from _repeated(ticket)
    yield ""
    yield "facts:"
    chosen = [one for one in guesses if one.part == FACT]
    silent = not any(_has_rule(one) for one in chosen)
    for one in sorted(chosen, key=lambda one: list(version.policy.facts).index(one.fact.name)):
        yield from _rule(one)
    if silent:
        first = next(iter(version.policy.facts.values()))
        yield "  # GUESS: no column is similar to a fact. Replace this constant, which is only an example."
        yield f"  {first.name}: {{always: {_quoted(first.words[0] if first.words else '0')}}}"
    missing = sorted(asked - {one.fact.name for one in chosen})
    if missing:
        yield "  # No column was found for these facts; write NAME: {always: VALUE} for one that is the same for all tickets"
        yield from _folded("  #   ", missing)
    for part, about in (
        (OUTCOME, "What the desk decided, for the comparison."),
        (DEADLINE, "When it was due at the desk."),
    ):
        found = [one for one in guesses if one.part == part]
        if found:
            yield from ("", f"# {about}", f"{part}:" if any(map(_has_rule, found)) else f"# {part}:")
            for one in found:
                yield from _rule(one)
    asked_for = {doubt.text for one in guesses for doubt in ambiguous_values(one.profile, one.fact)}
    nulls = list(dict.fromkeys(text for profile in columns for text in profile.nulls if text not in asked_for))
    if nulls:
        yield from ("", f"empty: [{', '.join(json.dumps(text) for text in ('', *nulls))}]")
    yield from _unused_columns(columns, ticket, guesses)


def _repeated(ticket: ColumnProfile) -> Iterator[str]:
    """Yield `repeated` with its comment if a ticket has several rows."""
    name, most = max(
        ((text, count) for text, count in ticket.counts.items() if text), key=lambda one: one[1], default=("", 0)
    )
    if most > 1:
        rows = f"{sum(ticket.given.values()):,} rows are {len(ticket.given):,} tickets ({_short(name)} is in {most:,})"
        yield f"# GUESS: {rows}. `last` takes the last row of each, `all` counts every row."
        yield "repeated: last"


def _has_rule(guess: _Guess) -> bool:
    """Return whether a guess becomes a rule, not only a comment."""
    return guess.fact.type is not FactType.CHOICE or guess.fact.open or bool(match_values(guess.profile, guess.fact)[0])


def _rule(guess: _Guess) -> Iterator[str]:
    """Yield the lines of one rule: the column, and the meaning of its values."""
    why = (
        ""
        if guess.named == 100
        else "by a usual name"
        if guess.named == 90
        else "by a similar name"
        if guess.named >= MIN_NAME_SIMILARITY
        else "by its values"
    )
    remark = f"  # {why}" if why else ""
    column = _quoted(guess.profile.name)
    name, fact = guess.fact.name, guess.fact
    if fact.type is FactType.INSTANT:
        within = guess.part == DEADLINE and guess.profile.to_the_minute
        yield from _clock(name, column, instant_format(guess.profile) or InstantFormat(), remark, within=within)
        return
    if fact.numeric and any("," in text for text in guess.profile.given):
        yield f'  {name}: {{column: {column}, decimal: ","}}{remark}'
        return
    if fact.type not in (FactType.CHOICE, FactType.BOOLEAN):
        yield f"  {name}: {column}{remark}"
        return
    found, left = match_values(guess.profile, fact)
    asked = ambiguous_values(guess.profile, fact)
    if not found and not asked and not fact.open:
        yield f"  # GUESS: {name} may be the column {column}, but none of its values is a word of the policy:"
        yield "  # write what each means."
        yield from (
            f"  # {name}:",
            f"  #   column: {column}",
            "  #   values:",
            *(f"  #     {_quoted(text)}: ?" for text in left[:_SHOWN]),
        )
        return
    if not left and not asked and all(folded(one.text) == folded(one.target) for one in found):
        yield f"  {name}: {column}{remark}"
        return
    yield f"  {name}:{remark}"
    yield f"    column: {column}"
    if fact.open and len(left) > MAX_CHOICES:
        yield f"    # {len(left)} values are not in the policy's list, which is open: they are sent unchanged."
        return
    listed = [*found, *(one for one in asked if one.reason)]
    yield "    values:" if listed else "    # values:"
    if any(one.reason == "by order" for one in found):
        yield f"      # GUESS: by order, {_quoted(found[0].target)} first; is that the right direction?"
    for one in found:
        guessed = f"  # GUESS: {one.reason}" if one.reason == "similar word" else ""
        yield f"      {_quoted(one.text)}: {one.target}{guessed}"
    for one in asked:
        yield from _question(one)
    for text in left[:_SHOWN]:
        yield f"      # {_quoted(text)}: ?  in {guess.profile.counts[text]} rows, which cannot be read until you write a meaning"
    if len(left) > _SHOWN:
        yield f"      # and {len(left) - _SHOWN} more"


def _question(one: ValueMatch) -> Iterator[str]:
    """Yield the question about a word that is a value and may also mark an empty cell."""
    rows = f"{one.rows:,} {'row' if one.rows == 1 else 'rows'}"
    said = f"{one.text}: the answer `{one.target}`, or an empty cell (then list it under `empty`)?"
    yield f"      # GUESS: {said} In {rows}" + (
        "." if one.reason else ", which cannot be read until you write a meaning."
    )
    yield f"      {'' if one.reason else '# '}{_quoted(one.text)}: {one.target}"


def _clock(name: str, column: str, written: InstantFormat, remark: str, *, within: bool = False) -> Iterator[str]:
    parts = [f"column: {column}", *(["within: 1 minute"] if within else [])]
    if within:
        yield "  # These times have minutes; decided times have seconds."
    if not written.offset:
        parts.append("zone: UTC")
    if written.format:
        parts.append(f"format: {json.dumps(written.format)}")
    if not written.offset:
        yield "  # GUESS: the times have no offset; write their zone, such as Australia/Sydney"
    if written.other:
        yield f"  # GUESS: {json.dumps(written.other)} also fits all times; which is right?"
    yield f"  {name}: {column}{remark}" if len(parts) == 1 else f"  {name}: {{{', '.join(parts)}}}{remark}"


def _unused_columns(
    columns: Sequence[ColumnProfile], ticket: ColumnProfile | None, guesses: Sequence[_Guess]
) -> Iterator[str]:
    used = {one.profile.name for one in guesses} | ({ticket.name} if ticket else set())
    left = [one for one in columns if one.name not in used]
    if left:
        yield from ("", "# Left out, since neither the name nor the values are similar to a fact:")
        for one in left:
            given = list(one.given)
            what = (
                "empty"
                if not given
                else f"{len(given)} values, such as {', '.join(map(_short, given[:3]))}"
                if len(given) > 3
                else ", ".join(map(_short, given))
            )
            yield f"#   {one.name}: {what}"


def _rows(columns: Sequence[ColumnProfile]) -> str:
    rows = max(one.rows for one in columns)
    return f"the first {rows:,} rows" if rows >= SAMPLE_ROWS else f"the {rows:,} rows"


def _folded(indent: str, names: Sequence[str]) -> Iterator[str]:
    line = ""
    for name in names:
        if line and len(indent) + len(line) + len(name) > 130:
            yield f"{indent}{line},"
            line = ""
        line = f"{line}, {name}" if line else name
    yield f"{indent}{line}"


def _short(text: str) -> str:
    shown = " ".join(text.split())
    return shown if len(shown) <= 30 else f"{shown[:29]}…"


def _quoted(text: str) -> str:
    """Return a text as YAML, in quotes if it needs them.

    >>> _quoted("Self service"), _quoted("1 - High"), _quoted("")
    ('Self service', '"1 - High"', '""')
    """
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
