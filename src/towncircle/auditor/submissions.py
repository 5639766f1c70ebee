"""The submission behind each approved build (502.9 to 502.12, ADR 55).

Here: a part of check 22 of docs/export.md. Not here: versions that rise and run (`updates`), whether a test was good.
Kept: a build is approved for devices only after a submission of that model stands approved on it, for each Provider
that was told; one that stands so from the start says so; any other was handed over to the Postal Service and a
laboratory, and tested, before that. Approvals that name no Providers are of a release that asked for no submission.
"""

from __future__ import annotations

from collections import defaultdict

from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report

_FROM_THE_START, _HOUSE = "from-the-start", "house"
_HANDED_OVER = ("product", "laboratory")  # the steps that name a build
_TESTING = "testing"
_Name = tuple[str, str]  # a submission (Provider and model), and a build


def check_submissions(export: Export, postal: Party, report: Report) -> None:
    """Check 22: every build that devices may run was submitted, tested and approved for whoever releases it."""
    files, asked = _Files(), set[_Name]()
    for fact in facts_of(postal, "product.submitted", "product.approved", "build.approved"):
        where, body = f"{postal.id}/facts.jsonl line {fact.line}", fact["body"]
        if fact["type"] != "build.approved":
            files.learn(fact)
        elif isinstance(body.get("providers"), list):
            asked.add((body["model"], body["build"]))
            if not body["providers"]:
                report.differ("software.not-submitted", where, f"Version {body['version']} is approved for nobody.")
            for provider in body["providers"]:
                files.check((f"{provider} {body['model']}", body["build"]), where, report)
    for provider in export.of_role("provider"):
        for fact in facts_of(provider, "software.released"):
            body, where = fact["body"], f"{provider.id}/facts.jsonl line {fact.line}"
            if (body["model"], body["build"]) in asked:
                files.check((f"{provider.id} {body['model']}", body["build"]), where, report)


class _Files:
    """Hold the submissions as far as they were told, and of each approved build what was missing at its approval."""

    def __init__(self) -> None:
        self._handed: dict[_Name, set[str]] = defaultdict(set)
        self._tested: set[str] = set()
        self._missing: dict[_Name, list[str]] = {}

    def learn(self, fact: Row) -> None:
        """Take a step of a submission, or an approval; each build is tested anew."""
        file, body = fact["subject"], fact["body"]
        name = (file, body["build"])
        if fact["type"] == "product.submitted":
            if body["step"] in _HANDED_OVER:
                self._handed[name].add(body["step"])
            elif body["step"] == _TESTING:
                self._tested.add(file)
            return
        from_the_start = body["reference"] == _FROM_THE_START and _HOUSE in fact["clauses"]
        missing = [] if from_the_start else self._lacks(name)
        self._missing[name] = missing if self._missing.get(name, missing) else []
        self._tested.discard(file)

    def _lacks(self, name: _Name) -> list[str]:
        handed = [step for step in _HANDED_OVER if step not in self._handed[name]]
        return handed + ([] if name[0] in self._tested else [_TESTING])

    def check(self, name: _Name, where: str, report: Report) -> None:
        """Check that a submission stood approved on a build that had gone through all of it."""
        report.checked["submitted builds"] += 1
        file, build = name
        if name not in self._missing:
            text = f"No submission of {file} stands approved on this build."
            report.differ("software.not-submitted", where, text, expected="an approval before it", found=build)
        elif self._missing[name]:
            text = f"The submission of {file} was approved on a build that was not handed over and tested."
            lacking = ", ".join(self._missing[name])
            report.differ("software.not-submitted", where, text, expected=lacking, found="not submitted")
