"""Error codes of the rules."""

from towncircle.kernel.errors import Row

ROWS = {
    "rules.no-such-set": Row(
        kind="input",
        sentence="'{name}' is not a rule set.",
        clause="house",
        next_step="Name one of these: {known}.",
    ),
    "rules.set-unusable": Row(
        kind="input",
        sentence="The rule set '{name}' in {folder} cannot be used: {what}.",
        clause="house",
        next_step="Mend the file that is named; docs/rule-sets.md says what a rule set holds.",
    ),
    "rules.no-such-parameter": Row(
        kind="broken",
        sentence="The rule set {ruleset} has no parameter '{name}' that is read as {unit}.",
        clause="house",
        next_step="This is a defect: please report it with the command you ran.",
    ),
    "rules.not-in-force": Row(
        kind="refused",
        sentence="The rule set {ruleset} says nothing of {name} on {on}: it begins on {since}.",
        clause="house",
        next_step="Use a date on or after {since}, or the rule set that was in force on {on}.",
    ),
    "rules.value-unreadable": Row(
        kind="input",
        sentence="'{value}' cannot be a value of {name}, which is given as {unit}.",
        clause="house",
        next_step="Write it as the rule set does: {example}.",
    ),
    "rules.file-unreadable": Row(
        kind="broken",
        sentence="The rule file {file} cannot be used: {what}.",
        clause="house",
        next_step="Install towncircle again; a rule file of your own needs clause, quote, unit, quality and dates.",
    ),
    "rules.no-such-folder": Row(
        kind="input",
        sentence="The folder {folder} cannot be laid over the rules: {what}.",
        clause="house",
        next_step="Name a folder of rule files such as src/towncircle/rules/imi_2024, changed where you want.",
    ),
}
