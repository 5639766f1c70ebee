"""What is not done in this house, found in the syntax trees: no float near money, no hidden clock, no hidden chance.

A place that may do it stands in a list with its reason; a list that names a place where it is no longer done fails.
"""

import ast
from collections.abc import Callable

import pytest
from tests.house.source import Module, called, modules, name_of, texts, tracked

MONEY_ROOMS = {"kernel", "rules", "ledger", "psd", "licensee", "provider", "postal", "bank", "auditor", "wire"}

# where the machine's clock may be read: shells that own a clock
CLOCKS = {
    "world/clock.py": "the world's clock",
    "psd/process.py": "the device's own clock",
    "cli/price.py": "a price is asked for today; no world is open",
}
STOPWATCHES = {"bench", "cli", "testing"}  # rooms that may measure how long something takes


Ban = Callable[[Module, ast.AST], bool]


def _float_in_a_money_room(module: Module, node: ast.AST) -> bool:
    if module.room not in MONEY_ROOMS:
        return False
    literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
    return literal or called(node) in {"float", "round", "math.floor", "math.ceil"}


def _division_in_a_money_room(module: Module, node: ast.AST) -> bool:
    if module.room not in {"ledger", "kernel", "bank", "auditor"}:
        return False
    if not isinstance(node, ast.BinOp | ast.AugAssign) or not isinstance(node.op, ast.Div):
        return False
    return not _joins_a_path(node)


def _joins_a_path(node: ast.BinOp | ast.AugAssign) -> bool:
    """Tell whether a slash joins a path: one side is text, or a name that says so."""
    sides = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.target, node.value]
    words = ("path", "folder", "dir", "root", "out", "place")
    for side in sides:
        if isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str)):
            return True
        if isinstance(side, ast.BinOp) and isinstance(side.op, ast.Div) and _joins_a_path(side):
            return True
        name = getattr(side, "id", getattr(side, "attr", "")).lower()
        if any(name == word or name.endswith(f"_{word}") for word in words):
            return True
    return False


def _reads_a_clock(module: Module, node: ast.AST) -> bool:
    names = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
    return called(node) in names and module.path not in CLOCKS


def _measures_time(module: Module, node: ast.AST) -> bool:
    names = {"time.perf_counter", "time.perf_counter_ns", "time.process_time"}
    return called(node) in names and module.room not in STOPWATCHES


def _imports(module: Module, node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] in names for alias in node.names)
    return isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] in names


def _draws_from_hidden_chance(module: Module, node: ast.AST) -> bool:
    if module.path == "pki/randomness.py":
        return False  # the operating system's source, behind the port
    hidden = called(node) in {"os.urandom", "uuid.uuid4", "uuid.uuid1"}
    return hidden or _imports(module, node, {"random", "secrets", "uuid"})


def _prints(module: Module, node: ast.AST) -> bool:
    return module.room != "cli" and called(node) in {"print", "input", "breakpoint"}


def _catches_everything(module: Module, node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler) or module.path == "cli/main.py":
        return False
    caught = [] if node.type is None else node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    passed_on = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None  # tidies up and raises again
    everything = not caught or any(getattr(kind, "id", "") in {"Exception", "BaseException"} for kind in caught)
    return everything and not passed_on


def _swallows(module: Module, node: ast.AST) -> bool:
    """Find `suppress(Exception)`, which is `except Exception: pass` in other words."""
    return called(node).endswith("suppress") and any(
        getattr(arg, "id", "") in {"Exception", "BaseException"} for arg in getattr(node, "args", [])
    )


def _evaluates(module: Module, node: ast.AST) -> bool:
    names = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}
    return called(node) in names or _imports(module, node, {"pickle", "marshal", "shelve", "dill"})


def _uses_a_shell(_module: Module, node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and node.arg == "shell" and getattr(node.value, "value", True) is not False


def _asserts_by_acting(_module: Module, node: ast.AST) -> bool:
    """Find an assertion that changes something: it would not happen under `python -O`."""
    changing = {"pop", "append", "add", "remove", "write", "commit", "execute", "put", "send", "take", "update", "read"}
    if not isinstance(node, ast.Assert):
        return False
    inside = list(ast.walk(node.test))
    calls = [part.func for part in inside if isinstance(part, ast.Call)]
    acting = any(isinstance(func, ast.Attribute) and func.attr in changing for func in calls)
    return acting or any(isinstance(part, ast.NamedExpr | ast.Await | ast.Yield) for part in inside)


def _passes_by_saying_nothing(_module: Module, node: ast.AST) -> bool:
    return called(node) == "NotImplementedError" or (isinstance(node, ast.Name) and node.id == "NotImplementedError")


BANS: dict[str, Ban] = {
    "a float or a rounding in a room of money": _float_in_a_money_room,
    "a division in a room of money": _division_in_a_money_room,
    "a clock read outside a shell": _reads_a_clock,
    "time measured outside a bench": _measures_time,
    "chance that is not the injected port": _draws_from_hidden_chance,
    "printing outside the command line": _prints,
    "catching everything": _catches_everything,
    "swallowing everything": _swallows,
    "evaluating or unpickling": _evaluates,
    "a shell": _uses_a_shell,
    "an assertion that acts": _asserts_by_acting,
    "a stub": _passes_by_saying_nothing,
}

# "path:what is banned": the reason that it is done there
ALLOWED: dict[str, str] = {
    "__main__.py:catching everything": "loading an altered file can raise anything; unless one is, it is raised again",
    "testing/dice.py:chance that is not the injected port": "the dice of rehearsals; a printed seed brings them back",
}


def _found(ban: str) -> list[str]:
    check = BANS[ban]
    return [module.at(node) for module in modules() for node in ast.walk(module.tree) if check(module, node)]


@pytest.mark.parametrize("ban", BANS)
def test_it_is_not_done(ban: str) -> None:
    assert [place for place in _found(ban) if f"{place.split(':')[0]}:{ban}" not in ALLOWED] == []


def test_no_permission_is_out_of_date() -> None:
    used = {f"{place.split(':')[0]}:{ban}" for ban in BANS for place in _found(ban)}
    assert sorted(set(ALLOWED) - used) == []
    paths = {module.path for module in modules()}
    assert sorted(set(CLOCKS) - paths) == []


SPECIMENS = {
    "a float or a rounding in a room of money": ["x = 1.5", "x = float(y)", "x = round(y)"],
    "a division in a room of money": ["x = total / count", "total /= 2"],
    "a clock read outside a shell": ["x = datetime.now(UTC)", "x = time.time()", "x = date.today()"],
    "time measured outside a bench": ["x = time.perf_counter()"],
    "chance that is not the injected port": ["import random", "from secrets import token_bytes", "x = os.urandom(4)"],
    "printing outside the command line": ["print(1)"],
    "catching everything": ["try:\n    x\nexcept Exception:\n    y", "try:\n    x\nexcept:\n    y"],
    "swallowing everything": ["with suppress(Exception):\n    x"],
    "evaluating or unpickling": ["eval(x)", "import pickle", "from pickle import loads"],
    "a shell": ["subprocess.run(x, shell=True)"],
    "an assertion that acts": ["assert queue.pop()", "assert (x := 1)"],
    "a stub": ["raise NotImplementedError"],
}


@pytest.mark.parametrize(("ban", "text"), [(ban, text) for ban, texts in SPECIMENS.items() for text in texts])
def test_it_would_be_found(ban: str, text: str) -> None:
    module = Module("ledger/specimen.py", "ledger", text, ast.parse(text))
    assert any(BANS[ban](module, node) for node in ast.walk(module.tree))


def test_every_ban_has_a_specimen_that_it_finds() -> None:
    assert SPECIMENS.keys() == BANS.keys()


def test_a_path_is_not_mistaken_for_a_division() -> None:
    for text in ("x = folder / name", "x = self.path / name / 'a'", "x = place / f'{a}.json'"):
        module = Module("ledger/specimen.py", "ledger", text, ast.parse(text))
        assert not any(_division_in_a_money_room(module, node) for node in ast.walk(module.tree))


WORDS = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]


@pytest.mark.parametrize("word", WORDS)
def test_nothing_is_left_for_later(word: str) -> None:
    import re

    written = [".py", ".md", ".toml", ".sh"]
    pattern = re.compile(rf"\b{word}\b")
    assert [name for name, text in texts() if name.endswith(tuple(written)) and pattern.search(text)] == []


MACHINE_PATHS = ["/wo" + "rk", "/tm" + "p/", "/ho" + "me/", "/ro" + "ot/"]
REGISTRIES = ["pypi." + "org", "pythonhosted." + "org", "npmjs." + "org", "index-" + "url", "extra-" + "index"]


@pytest.mark.parametrize("text", [*MACHINE_PATHS, *REGISTRIES])
def test_no_file_knows_a_machine_or_a_package_index(text: str) -> None:
    assert [name for name, held in texts() if text in held] == []


def test_no_file_is_larger_than_a_reader_would_take() -> None:
    assert [name_of(path) for path in tracked() if path.stat().st_size > 2_000_000] == []
