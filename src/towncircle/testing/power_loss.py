"""Power cuts at every disk operation: `python -m towncircle.testing.power_loss --seed N --images M`.

Here: the images that a cut at each operation of a mixed workload may leave, and what is asked of each. Not here: the
disk that forgets (`forgetful_disk`) and the work (`mailer`).

Asked of every image, through the production store: it opens; the device's state is that of the last commit that was
kept, or of the one under way; the law of its registers holds; no acknowledged debit is missing; the record written last
is there byte for byte. Asked of every image at which nothing waits, and of one in `DEEP` of the others: every page is
sound, every record is there, a device starts on it, `recover` gives the bytes of every acknowledged job, and the next
piece is evidenced. A round is one mailer over several lives; each begins on an image from the end of the last one, so
that what recovery writes is cut as well.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from towncircle.kernel.errors import TowncircleError
from towncircle.kernel.money import Mills
from towncircle.psd import commands, states
from towncircle.psd.device import Device
from towncircle.psd.sqlite import SqliteMemory
from towncircle.testing import forgetful_disk
from towncircle.testing.dice import dice_for
from towncircle.testing.forgetful_disk import ForgetfulDisk, Platter
from towncircle.testing.mailer import DEVICE, STORE, Commit, Mailer, slots

DEEP = 150
LIVES, WORKS = 4, 45
_ENOUGH = 3  # troubles of one kind need no hundred examples
BIRTHS = 12  # one round in so many shows the birth of the device too
ENDINGS = 3  # of so many rounds one ends the service of its device
Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Hold what an image broke, and where: with the same seed it is found again."""

    seed: int
    round: int
    life: int
    operation: int
    image: int
    what: str


@dataclass(slots=True, kw_only=True)
class Report:
    """Count images: all, those after the first acknowledged debit, those asked everything, cuts, and troubles."""

    images: int = 0
    after_debit: int = 0
    deep: int = 0
    cuts: int = 0
    debits: int = 0
    troubles: list[Trouble] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Add another report's counts."""
        self.images += other.images
        self.after_debit += other.after_debit
        self.deep += other.deep
        self.cuts += other.cuts
        self.debits += other.debits
        self.troubles += other.troubles


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """Hold what everybody knew at a cut: the commit that was kept, the one under way, the answers given, the debits."""

    kept: Commit
    under_way: Commit | None
    answers: int
    spent: Mills
    ended: frozenset[bytes]
    just_ended: frozenset[bytes]


class LossError(Exception):
    """Tell what an image lost."""


def _demand(ok: bool, what: str) -> None:  # noqa: FBT001 - the outcome of a question
    if not ok:
        raise LossError(what)


class Rehearsal:
    """Cut the power in one round. `honest` false gives a disk that ignores syncs, which must be found out."""

    def __init__(self, *, seed: int, number: int, honest: bool = True, limit: int = 1 << 60) -> None:
        self._seed, self._number, self._honest, self._limit = seed, number, honest, limit
        self._dice = dice_for("power loss", seed, number)
        self._shelf = ForgetfulDisk()  # where images are put to be asked
        self._life = 0
        self.report = Report()

    def run(self) -> Report:
        """Run the round and give its report; it ends early at `limit` images or at the third trouble."""
        disk = ForgetfulDisk()
        try:
            mailer = Mailer(self._dice, disk)
            born = self._number % BIRTHS == 0
            mailer.be_born()
            if not born:
                mailer.switch_off()
                mailer.wake(disk.live(), mailer.commits[-1], len(mailer.answers))
            for self._life in range(LIVES):
                start: Files = {} if born and self._life == 0 else disk.beginning
                for _ in range(WORKS):
                    mailer.work()
                if self._life == LIVES - 1 and self._number % ENDINGS == 0:
                    mailer.end()
                self.report.debits += sum(bool(row.job) for row in mailer.answers)
                left = self._cut_everywhere(mailer, start)
                if left is None:
                    break
                mailer.wake(*left)
        finally:
            disk.close()
            self._shelf.close()
        return self.report

    def _cut_everywhere(self, mailer: Mailer, start: Files) -> tuple[Files, Commit, int] | None:
        """Ask every image of a life; give one near its end for the next life, or None where the round ends."""
        platter, operations = Platter(start, honest=self._honest), mailer.disk.operations
        last = self._dice.randrange(mailer.answers[-2].at, len(operations) + 1)
        asked = (-1, -1, -1)
        left = None
        for index in range(len(operations) + 1):
            if index:
                platter.play(operations[index - 1])
            cut = _known(mailer, index)
            fresh = (platter.settled, cut.kept.kept, cut.answers) != asked
            asked = (platter.settled, cut.kept.kept, cut.answers)
            for number, files in enumerate(self._images(platter, fresh=fresh)):
                found = self._judge(mailer, cut, files, index, number, deep=platter.waiting == 0)
                if len(self.report.troubles) >= _ENOUGH or self.report.images >= self._limit:
                    return None
                if index == last and found is not None:
                    left = (files, found, cut.answers)
            self.report.cuts += 1
        return left

    def _images(self, platter: Platter, *, fresh: bool) -> Iterator[Files]:
        """Give the images of a cut: what is durable (once while that stays), all, drawn subsets, torn ones."""
        if fresh or platter.waiting == 0:
            yield platter.image(forgetful_disk.nothing)
        if platter.waiting:
            yield platter.image(forgetful_disk.everything)
            for _ in range(min(platter.waiting - 1, 2)):
                yield platter.image(forgetful_disk.subset(self._dice))
            for _ in range(2):
                yield platter.image(forgetful_disk.torn(self._dice))

    def _judge(self, mailer: Mailer, cut: _Cut, files: Files, index: int, number: int, *, deep: bool) -> Commit | None:
        report = self.report
        report.images += 1
        report.after_debit += cut.spent > 0
        try:
            found = self._look(mailer, cut, files)
            if (deep or report.images % DEEP == 0) and found.state is not None:
                report.deep += 1
                self._look_deep(mailer, cut, found, files)
        except (TowncircleError, apsw.Error, LossError) as error:
            what = f"{type(error).__name__}: {error}"
            report.troubles.append(
                Trouble(seed=self._seed, round=self._number, life=self._life, operation=index, image=number, what=what)
            )
            return None
        return found

    def _look(self, mailer: Mailer, cut: _Cut, files: Files) -> Commit:
        for sealed in cut.just_ended:  # all of them in the deep look: it takes long
            _demand(not any(sealed in data for data in files.values()), "a destroyed key is still there")
        self._shelf.insert(files)
        memory = SqliteMemory(STORE, create=cut.kept.state is None, vfs=self._shelf.vfs)
        state = memory.load([DEVICE]).get(DEVICE)
        found = cut.kept
        if state != found.state and cut.under_way is not None:
            found = cut.under_way
        _demand(state == found.state, "it holds neither the last commit that was kept nor the one under way")
        if state is not None:
            state.check()
            _demand(state.registers.ascending >= cut.spent, "an acknowledged debit is lost")
        if found.records:
            row = mailer.records[found.records - 1]
            _demand(memory.record(DEVICE, kind=row.kind, request_id=row.request_id) == row, "the last record is lost")
        memory.close()
        return found

    def _look_deep(self, mailer: Mailer, cut: _Cut, found: Commit, files: Files) -> None:
        for sealed in cut.ended:
            _demand(not any(sealed in data for data in files.values()), "a destroyed key is still there")
        connection = apsw.Connection(str(STORE), vfs=self._shelf.vfs)
        connection.execute("PRAGMA locking_mode=EXCLUSIVE").get  # noqa: B018 - apsw's way to run it to its end
        verdict = connection.execute("PRAGMA integrity_check").get
        _demand(verdict == "ok", f"a page is damaged: {verdict}")
        connection.close()
        memory = SqliteMemory(STORE, vfs=self._shelf.vfs)
        _demand(list(memory.records(DEVICE)) == mailer.records[: found.records], "a record is lost or doubled")
        device = Device(memory, DEVICE, slots=slots(), clock=mailer.clock)
        ended = found.state is not None and found.state.state == states.ZEROISED
        for row in () if ended else mailer.answers_so_far(cut.answers):
            command = commands.encode_command(commands.Recover(request_id=row))
            _demand(device.exchange(command) == mailer.jobs[row].answer, f"{row} does not come back as it was")
        assert found.state is not None
        if found.state.state == states.IN_SERVICE and found.state.registers.descending > 0:
            done = commands.decode_answer(device.exchange(mailer.one_more()))
            assert isinstance(done, commands.Evidenced)
            _demand(done.first_piece == found.state.registers.pieces + 1, "the next piece has another number")
        device.close()


def _known(mailer: Mailer, index: int) -> _Cut:
    at = bisect_right(mailer.commits, index, key=lambda row: row.kept)
    answers = bisect_right(mailer.answers, index, key=lambda row: row.at)
    coming = mailer.commits[at] if at < len(mailer.commits) and mailer.commits[at].begun <= index else None
    last = mailer.answers[answers - 1] if answers else None
    spent, ended = (last.spent, last.ended) if last is not None else (Mills(0), frozenset[bytes]())
    just = ended - (mailer.answers[answers - 4].ended if answers > 3 else frozenset())
    kept = mailer.commits[at - 1]
    return _Cut(kept=kept, under_way=coming, answers=answers, spent=spent, ended=ended, just_ended=just)


def rehearse(*, seed: int, rounds: Iterator[int] | range, images: int, told: Callable[[int, Report], None]) -> Report:
    """Run rounds until so many images were asked; `told` is called after each round."""
    report = Report()
    for number in rounds:
        report.add(Rehearsal(seed=seed, number=number, limit=images - report.images).run())
        told(number, report)
        if report.troubles or report.images >= images:
            break
    return report


def run(argv: list[str]) -> int:
    """Run the command and give its exit code: 0 nothing was lost, 1 something was, 2 the arguments are wrong."""
    parser = argparse.ArgumentParser(prog="towncircle.testing.power_loss", description="Cut the power everywhere.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--images", type=int, default=1_000_000, metavar="M")
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="ROUND", help="begin at this round")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="keep the progress here, and go on from it")
    args = parser.parse_args(argv)
    first, before = args.first, Report()
    if args.resume is not None and args.resume.exists():
        held = json.loads(args.resume.read_text())
        if held["seed"] != args.seed:
            parser.error(f"{args.resume} holds the progress of seed {held['seed']}")
        first = held["round"] + 1
        before = Report(**held["counts"])
    began = time.perf_counter()

    def told(number: int, report: Report) -> None:
        rate = report.images / (time.perf_counter() - began)
        counts = {name: getattr(before, name) + getattr(report, name) for name in _COUNTS}
        _say(f"seed {args.seed} round {number}: {counts['images']:,} images, {rate:,.0f}/s")
        if args.resume is not None:
            draft = args.resume.with_suffix(".new")
            draft.write_text(json.dumps({"seed": args.seed, "round": number, "counts": counts}))
            draft.replace(args.resume)

    rounds = range(first, 1 << 31)
    report = rehearse(seed=args.seed, rounds=rounds, images=args.images - before.images, told=told)
    before.add(report)
    share = before.after_debit / max(1, before.images)
    _say(
        f"{before.images:,} images at {before.cuts:,} cuts of {before.debits:,} debits; {share:.1%} after the first "
        f"acknowledged debit; {before.deep:,} asked everything; {len(before.troubles)} troubles"
    )
    for trouble in before.troubles:
        _say(str(trouble))
    return 1 if before.troubles else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


_COUNTS = ("images", "after_debit", "deep", "cuts", "debits")

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
