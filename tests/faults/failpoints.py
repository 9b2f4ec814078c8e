"""Failpoints at every await of a module, grafted on by the tests; the product runs its source as it stands.

`grafted(modules)` compiles the modules' functions anew with `await x` turned into `await failpoint(name, x)` (and the same for
`async with`), and puts the new code into the functions that are there. So no await is forgotten, one that is added tomorrow is
covered tomorrow, and a run without tests pays nothing (docs/why/failpoints.md).
"""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any

Action = Callable[[], Awaitable[None] | None]


@dataclass(slots=True)
class Failpoints:
    """Every point by name, what was hit, and what is armed."""

    names: list[str] = field(default_factory=list)
    hits: Counter[str] = field(default_factory=Counter)
    armed: dict[str, Action] = field(default_factory=dict)

    async def fire(self, name: str) -> None:
        """A point was reached; what is armed there happens, once."""
        self.hits[name] += 1
        action = self.armed.pop(name, None)
        if action is not None:
            done = action()
            if done is not None:
                await done

    async def around(self, name: str, awaited: Awaitable[Any]) -> Any:
        """What stands in the place of an await."""
        try:
            await self.fire(f"{name} before")
        except BaseException:
            if inspect.iscoroutine(awaited):
                awaited.close()
            raise
        result = await awaited
        await self.fire(f"{name} after")
        return result

    def scope(self, name: str, inner: Any) -> Scope:
        """What stands in the place of a context manager of `async with`."""
        return Scope(self, name, inner)


@dataclass(slots=True)
class Scope:
    """Points before and after a context manager is entered and left."""

    points: Failpoints
    name: str
    inner: Any

    async def __aenter__(self) -> Any:
        await self.points.fire(f"{self.name} before entering")
        entered = await self.inner.__aenter__()
        try:
            await self.points.fire(f"{self.name} after entering")
        except BaseException as error:
            await self.inner.__aexit__(type(error), error, error.__traceback__)
            raise
        return entered

    async def __aexit__(self, *raised: Any) -> Any:
        if raised[0] is None:
            try:
                await self.points.fire(f"{self.name} before leaving")
            except BaseException as error:
                await self.inner.__aexit__(type(error), error, error.__traceback__)
                raise
        done = await self.inner.__aexit__(*raised)
        if raised[0] is None:
            await self.points.fire(f"{self.name} after leaving")
        return done


class _Graft(ast.NodeTransformer):
    """Wraps awaits; names them by function and the order in which they stand there."""

    def __init__(self, module: str) -> None:
        self.module, self.path, self.names = module, list[str](), list[str]()
        self.count: Counter[str] = Counter()

    def _inside(self, node: Any) -> Any:
        self.path.append(node.name)
        self.generic_visit(node)
        self.path.pop()
        return node

    visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = _inside  # noqa: N815 - named by ast

    def _call(self, method: str, value: ast.expr, ends: Sequence[str]) -> ast.expr:
        at = ".".join([self.module, *self.path])
        self.count[at] += 1
        name = f"{at} {self.count[at]}"
        self.names += [f"{name} {end}" for end in ends]
        function = ast.Attribute(ast.Name("__failpoints__", ast.Load()), method, ast.Load())
        return ast.copy_location(ast.Call(function, [ast.Constant(name), value], []), value)

    def visit_Await(self, node: ast.Await) -> ast.Await:
        self.generic_visit(node)
        return ast.copy_location(ast.Await(self._call("around", node.value, ("before", "after"))), node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AsyncWith:
        ends = ("before entering", "after entering", "before leaving", "after leaving")
        for item in node.items:
            item.context_expr = self._call("scope", item.context_expr, ends)
        node.body = [self.visit(statement) for statement in node.body]
        return node


@contextmanager
def grafted(modules: Sequence[ModuleType], only: str = "") -> Iterator[Failpoints]:
    """Failpoints in some modules for the length of a block; `only`: in functions whose name matches."""
    points, before = Failpoints(), list[tuple[FunctionType, CodeType]]()
    try:
        for module in modules:
            graft = _Graft(module.__name__.rpartition(".")[2])
            tree = ast.fix_missing_locations(graft.visit(ast.parse(inspect.getsource(module))))
            codes = dict(_codes(compile(tree, str(module.__file__), "exec", dont_inherit=True)))
            for function in _functions(module):
                if function.__code__.co_qualname in codes and re.search(
                    only, f"{graft.module}.{function.__qualname__}"
                ):
                    before.append((function, function.__code__))
                    function.__code__ = codes[function.__code__.co_qualname]
            module.__dict__["__failpoints__"] = points
            points.names += [name for name in graft.names if re.search(only, name)]
        yield points
    finally:
        for function, code in before:
            function.__code__ = code
        points.armed = {}  # what is still under way keeps its points; they do nothing any more


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant.co_qualname, constant
            yield from _codes(constant)


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    for found in list(vars(module).values()):
        for one in vars(found).values() if isinstance(found, type) else [found]:
            plain = (
                inspect.unwrap(getattr(one, "__func__", one))
                if callable(one) or hasattr(one, "__func__")
                else one
            )
            if isinstance(plain, FunctionType) and plain.__module__ == module.__name__:
                yield plain
