"""The chapter `regulation`: the simulated year told, and what must be true at its end.

Here: the steps of the chapter, their results in words and as records. Not here: the year (`year`), the scenes, the
counting (`census`, `closing`).
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from towncircle.cli.demo.narration import Narrator
from towncircle.cli.demo.regulation import closing
from towncircle.cli.demo.regulation.census import UNSHOWN_FACTS, UNSHOWN_MESSAGES
from towncircle.cli.demo.regulation.scenes import TOPICS
from towncircle.cli.demo.regulation.town import MOST_ROOMS, STORIES, Pace
from towncircle.cli.demo.regulation.year import CHECKPOINT_EVERY, Year
from towncircle.cli.demo.stage import UnexpectedError, clear, expect
from towncircle.kernel.errors import BadInput, TowncircleError
from towncircle.world.deadlines import compare

TABLE = "procedures.json"
OTHER_RULE, OTHER_LENGTH = "quality-piece", "9 months"


class Chapter:
    """Play the chapter in a folder."""

    def __init__(self, out: Path, *, seed: int, regime: str, pace: Pace, narrator: Narrator) -> None:
        if not STORIES <= pace.licensees <= MOST_ROOMS:
            raise BadInput("demo.too-few", least=STORIES, most=MOST_ROOMS, given=pace.licensees)
        assert TOPICS  # the scenes are in the registry
        self.out, self.regime, self.pace = out, regime, pace
        self._narrator = narrator
        self._year = Year(out, seed=seed, regime=regime, pace=pace, progress=self._tell)
        self.told: dict[str, Any] = {"chapter": "regulation", "regime": regime, "licensees": pace.licensees}

    def play(self, *, resume: bool) -> bool:
        """Live the year, or finish it, and look at its end; tell whether all is as it should be, and what it took."""
        began = time.perf_counter(), time.process_time()
        if resume:
            self._year.check()
        else:
            clear(self.out)
            self._year.begin()
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            (f"A year of one Provider with {self.pace.licensees} licensees, under {self.regime}", self._lived),
            ("Every procedure of the rule, with the facts that prove it", self._procedures),
            ("Every duty met, or its consequence applied", self._duties),
            ("Every decision under its rule set; what another rule would change", self._decisions),
            ("The audit recomputes everything", self._audited),
        )
        well = True
        try:
            for number, (name, step) in enumerate(steps, start=1):
                well &= self._step(number, name, step, of=len(steps))
                if step == self._lived and not well:
                    break  # a year that was not lived to its end has no end to look at
        finally:
            self._year.close()
        self.told["ok"] = well
        if well:
            self._year.forget()
        self._took(*began)
        (self.out / TABLE).write_text(json.dumps(self.told, indent=1, ensure_ascii=False) + "\n")
        return well

    def _step(self, number: int, name: str, step: Callable[[], str], *, of: int) -> bool:
        started = time.perf_counter()
        with self._narrator.chapter(number, name, of):
            try:
                detail, ok = step(), True
            except UnexpectedError as unexpected:
                detail, ok = str(unexpected), False
            except TowncircleError as error:
                detail, ok = f"{error.sentence} [{error.code}, {error.clause}]", False
        seconds = round(time.perf_counter() - started, 3)
        if ok:
            self._narrator.say(detail)
        self._narrator.result(ok=ok, seconds=seconds, detail=detail)
        self.told.setdefault("steps", []).append({"name": name, "ok": ok, "seconds": seconds, "detail": detail})
        return ok

    def _took(self, began: float, worked: float) -> None:
        wall, busy = round(time.perf_counter() - began, 1), round(time.process_time() - worked, 1)
        self.told["time"] = {"wall_seconds": wall, "processor_seconds": busy, "cores": os.cpu_count()}
        self._narrator.say(f"It took {wall:.0f} s, {busy:.0f} s of them of processor time.")

    def _tell(self, words: str, done: int, of: int) -> None:
        if done % CHECKPOINT_EVERY == 0:
            self._narrator.say(f"{words}, {done} of {of} days")
        self._narrator.doing(words, done, of)

    def _lived(self) -> str:
        self._year.run()
        self._year.census.published(self._year.folder)
        counts = self._year.census.counts
        self.told["messages"] = dict(sorted(counts.items()))
        return f"{sum(counts.values())} messages of {len(counts)} types went between the parties."

    def _procedures(self) -> str:
        rows = closing.table(self._year.world)
        self._narrator.table(
            (f"{row.count}", f"{row.procedure.name} [{row.procedure.clause}]", _facts(row)) for row in rows
        )
        self.told["procedures"] = [_record(row) for row in rows]
        self.told["absent"] = closing.absent(self._year.world.rules)
        for name, reason in self.told["absent"].items():
            self._narrator.say(f"Not in the table: {name}: {reason}")
        for name, reason in {**UNSHOWN_FACTS, **UNSHOWN_MESSAGES}.items():
            self._narrator.say(f"Not shown: {name}: {reason}")
        self.told["not_shown"] = {**UNSHOWN_FACTS, **UNSHOWN_MESSAGES}
        none = [row.procedure.name for row in rows if not row.count]
        expect(not none, f"{len(none)} procedures did not occur: {'; '.join(none)}")
        lacking = self._year.census.missing()
        expect(not lacking, f"nobody sent: {', '.join(lacking)}")
        absent = self.told["absent"]
        beside = f" {len(absent)} more are not of {self.regime}." if absent else ""
        return f"{len(rows)} procedures, none of them at zero.{beside}"

    def _duties(self) -> str:
        found = closing.duties(self._year.world)
        self.told["duties"] = {"states": found.states, "consequences": found.consequences}
        first = next(iter(found.unexplained), "")
        expect(not first, f"{len(found.unexplained)} duties without their consequence; the first: {first}")
        states = ", ".join(f"{count} {state}" for state, count in found.states.items())
        return f"{states}. {found.consequences} ran out, and each has its consequence in the journal."

    def _decisions(self) -> str:
        world = self._year.world
        under = closing.digests(world)
        astray = closing.astray(world)
        expect(not astray, f"{len(astray)} facts were not recorded under the rule in force; the first: {astray[:1]}")
        other = world.rules.with_limit(world.rules.limits[OTHER_RULE].with_value(OTHER_LENGTH))
        differing = [row for party in world.config.parties for row in compare(world, other, party)]
        expect(differing, "another rule changes no decision")
        now, before = under[world.rules.digest], under.total() - under[world.rules.digest]
        self.told["decisions"] = {"rule_digest": world.rules.digest, "facts": now, "facts_before": before}
        self.told["decisions"] |= {"changed": f"{OTHER_RULE} = {OTHER_LENGTH}", "would_differ": len(differing)}
        return (
            f"{now} facts name the rule set {world.rules.digest[:12]}, and those of before it "
            f"({before}) the one that was in force. With {OTHER_LENGTH} instead for "
            f"'{OTHER_RULE}', {len(differing)} decisions would differ (towncircle deadlines --compare lists them)."
        )

    def _audited(self) -> str:
        target = self.out / "export"
        shutil.rmtree(target, ignore_errors=True)
        report, quiet = closing.audited(self._year.world, target)
        self.told["audit"] = {
            "quiet": quiet,
            "checked": dict(report.checked),
            "differences": [one.as_dict() for one in report.differences],
        }
        first = report.differences[0].text if report.differences else ""
        expect(not report.differences, f"{len(report.differences)} differences; the first: {first}")
        expect(quiet, "something was still under way")
        return f"0 differences. Checked: {', '.join(f'{what} {count}' for what, count in report.checked.items())}."


def _facts(row: closing.Shown) -> str:
    return ", ".join(f"{first} {proof.kind}" for proof, _, first in row.proofs)


def _record(row: closing.Shown) -> dict[str, Any]:
    facts = [
        {
            "journal": proof.role,
            "kind": proof.kind,
            "where": dict(proof.where),
            "count": count,
            "first": first,
        }
        for proof, count, first in row.proofs
    ]
    return {"name": row.procedure.name, "clause": row.procedure.clause, "count": row.count, "facts": facts}
