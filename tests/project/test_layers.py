"""The shape of the code: a pure core, a thin shell around it, a client that needs neither; imports go one way only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.paths import ROOT

SHELL: Final = ("grpc", "google", "sqlalchemy", "typer", "rich", "guidepost", "server")
"""What serves and shows; the core knows none of it."""

WORLD: Final = (
    "asyncio",
    "multiprocessing",
    "os",
    "random",
    "secrets",
    "signal",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib",
)
"""Ways to the clock, the system and chance."""

SHELL_FOLDERS: Final = tuple(
    f"guidepost.{path.name}"
    for path in (ROOT / "guidepost").iterdir()
    if path.is_dir() and path.name not in ("client", "v1")
)

CLOCK: Final = ("now", "utcnow", "today")

CROSS_CHECK: Final = "engine.cross_check"

LOCKING: Final = "engine.cache imports threading"
"""A lock does not reach the system; it lets several threads use one version."""


def modules(package: str) -> dict[str, Path]:
    """Return the modules of a package by name."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(code: str) -> Iterator[str]:
    """Yield the modules that code imports, wherever it does so; for ``from a import b`` both ``a`` and ``a.b``."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield module
                yield from (f"{module}.{name.name}" for name in names)
            case ast.ImportFrom(level=level) if level:
                yield "." * level


def within(module: str, packages: tuple[str, ...]) -> bool:
    """Return whether a module is one of these packages or inside one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def forbidden(package: str, packages: tuple[str, ...], *, but: str = "") -> list[str]:
    """Return the imports of a package that it must not have; ``but`` is a part of it that is left out."""
    return [
        f"{name} imports {module}"
        for name, path in modules(package).items()
        if not (but and within(name, (but,)))
        for module in imports(path.read_text(encoding="utf-8"))
        if within(module, packages)
    ]


def clock_calls(code: str) -> list[int]:
    """Return the lines that ask what time it is."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCK
    ]


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return a way round a graph, or nothing if there is none.

    >>> cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}})
    ['b', 'c', 'b']
    """
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph.get(name, ())):
            if found := visit(other, [*path, name]):
                return found
        done.add(name)
        return []

    for name in sorted(graph):
        if found := visit(name, []):
            return found
    return []


def test_the_core_knows_nothing_of_the_shell_and_nothing_of_the_world() -> None:
    assert [one for one in forbidden("engine", (*SHELL, *WORLD), but=CROSS_CHECK) if not one.startswith(LOCKING)] == []


def test_what_a_function_keeps_of_its_results_has_a_bound() -> None:
    """``functools.cache`` has none: it is for functions without arguments, which have one result."""
    assert [
        f"{name}.{node.name}"
        for package in ("engine", "guidepost")
        for name, path in modules(package).items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and (node.args.args or node.args.kwonlyargs)
        for one in node.decorator_list
        if ast.unparse(one) in ("cache", "functools.cache", "lru_cache(None)", "lru_cache(maxsize=None)")
    ] == []


def test_the_core_never_asks_what_time_it_is() -> None:
    assert {
        name: lines
        for name, path in modules("engine").items()
        if (lines := clock_calls(path.read_text(encoding="utf-8")))
    } == {}


def test_the_cross_check_may_start_a_process_but_knows_nothing_of_the_shell() -> None:
    assert forbidden(CROSS_CHECK.replace(".", "/"), (*SHELL, "socket", "time", "threading")) == []


def test_only_the_process_of_the_cross_check_calls_durable_rules() -> None:
    users = {
        name
        for package in ("engine", "guidepost")
        for name, path in modules(package).items()
        for module in imports(path.read_text(encoding="utf-8"))
        if within(module, ("durable", "durable_rules_engine"))
    }

    assert users == {"engine.cross_check.worker"}


def test_only_the_command_that_drafts_holiday_lists_asks_the_holidays_package() -> None:
    users = {
        (name, wanted)
        for package in ("engine", "guidepost")
        for name, path in modules(package).items()
        for module in imports(path.read_text(encoding="utf-8"))
        for wanted in ("holidays", "guidepost.policies.holiday_drafts")
        if within(module, (wanted,))
    }

    assert users == {
        ("guidepost.policies.holiday_drafts", "holidays"),
        ("guidepost.cli.commands.holidays", "guidepost.policies.holiday_drafts"),
    }


def test_the_client_needs_neither_the_core_nor_the_shell() -> None:
    assert (
        forbidden(
            "guidepost/client",
            ("engine", *SHELL_FOLDERS, "server", "numpy", "yaml", "jsonschema", "rapidfuzz", "typer", "rich"),
        )
        == []
    )


def test_the_child_imports_nothing_of_the_project() -> None:
    worker = modules("engine")["engine.cross_check.worker"].read_text(encoding="utf-8")

    assert [module for module in imports(worker) if within(module, ("engine", "guidepost", "numpy"))] == []


def test_imports_are_written_in_full() -> None:
    assert [
        name
        for package in ("engine", "guidepost", "benchmarks")
        for name, path in modules(package).items()
        if any(module.startswith(".") for module in imports(path.read_text(encoding="utf-8")))
    ] == []


def test_no_test_module_imports_another() -> None:
    found = [
        name
        for name, path in modules("tests").items()
        if any(
            one != name and one.rpartition(".")[2].startswith("test_")
            for one in imports(path.read_text("utf-8"))
            if one.startswith("tests.")
        )
    ]

    assert found == []


def test_no_module_of_the_core_waits_for_itself() -> None:
    known = modules("engine")
    graph = {
        name: {module for module in imports(path.read_text(encoding="utf-8")) if module in known and module != name}
        for name, path in known.items()
    }

    assert len(graph) > 20
    assert cycle(graph) == []


@pytest.mark.parametrize(
    ("code", "module"),
    [
        ("import os", "os"),
        ("import os.path", "os"),
        ("from google.protobuf import message", "google"),
        ("def f():\n    import grpc.aio", "grpc"),
        ("from guidepost import server", "guidepost"),
    ],
)
def test_a_forbidden_import_would_be_found(code: str, module: str) -> None:
    assert any(within(found, (module,)) for found in imports(code))


@pytest.mark.parametrize(
    ("code", "lines"),
    [("x = 1\ny = datetime.now(tz=UTC)", [2]), ("date.today()", [1]), ("today = 1\nf(now=today)", [])],
)
def test_a_look_at_the_clock_would_be_found(code: str, lines: list[int]) -> None:
    assert clock_calls(code) == lines


@pytest.mark.parametrize(
    ("graph", "way"),
    [
        ({"a": {"b"}, "b": {"a"}}, ["a", "b", "a"]),
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"a"}}, ["a", "a"]),
    ],
)
def test_a_cycle_would_be_found(graph: dict[str, set[str]], way: list[str]) -> None:
    assert cycle(graph) == way


def fields(node: ast.ClassDef) -> int:
    """Return how many fields a data class has that its constructor takes."""
    return sum(
        isinstance(one, ast.AnnAssign)
        and "ClassVar" not in ast.unparse(one.annotation)
        and not (one.value is not None and "init=False" in ast.unparse(one.value))
        for one in node.body
    )


def test_values_of_more_than_three_fields_are_made_by_name() -> None:
    assert [
        f"{name}.{node.name}"
        for package in ("engine", "guidepost")
        for name, path in modules(package).items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and fields(node) > 3
        for decorator in node.decorator_list
        if ast.unparse(decorator).startswith("dataclass") and "kw_only=True" not in ast.unparse(decorator)
    ] == []
