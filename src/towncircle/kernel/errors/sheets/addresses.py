"""Error codes of addresses and of files of addresses."""

from towncircle.kernel.errors import Row

_QUALITY = "P050 2.5g"


def _refused(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="refused", sentence=sentence, clause=clause, next_step=next_step)


def _input(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="input", sentence=sentence, clause=clause, next_step=next_step)


ROWS = {
    "addresses.no-flag": Row(
        kind="input",
        sentence="'{text}' says neither yes nor no.",
        clause="house",
        next_step="Write yes or no, or leave the cell empty.",
    ),
    "addresses.no-length": Row(
        kind="input",
        sentence="'{text}' is no length in inches.",
        clause="house",
        next_step="Write inches as a decimal, such as 0.25 or 9.5.",
    ),
    "address.foreign": _refused(
        "'{country}' is not in the United States: no price abroad, no customs form and no routing code is known here.",
        "P050 1.4",
        "Use an address in the United States, its territories or an APO, FPO or DPO.",
    ),
    "address.unusable": _refused(
        "The address cannot be used.",
        _QUALITY,
        "Correct what is named and try again.",
    ),
    "address.unreadable": _input(
        "'{text}' is not an address.",
        "house",
        "Write name; street; city ST ZIP, such as: USPS; 475 L'Enfant Plaza SW; Washington DC 20260.",
    ),
    "address.missing": _input(
        "The {field} is missing.",
        _QUALITY,
        "Give the {field}.",
    ),
    "address.too-long": _input(
        "The {field} '{text}' is longer than {most} characters.",
        "house",
        "Shorten it; a second street line is possible.",
    ),
    "address.too-many-lines": _input(
        "The address has more than {most} lines.",
        "house",
        "Leave the name or the company out, or write both street lines in one.",
    ),
    "address.unprintable": _input(
        "The {field} '{text}' has characters that the address fonts do not have.",
        "P050 4.2",
        "Write it in Latin letters.",
    ),
    "address.formula": _input(
        "The {field} '{text}' begins as a formula does.",
        "house",
        "Write the text itself, without the equals sign.",
    ),
    "address.no-such-state": _input(
        "'{state}' is not a state.",
        _QUALITY,
        "Use the two-letter code, such as DC.",
    ),
    "address.no-such-zip": _input(
        "There is no ZIP Code {zip}.",
        _QUALITY,
        "Look the ZIP Code up and correct it.",
    ),
    "address.zip-unreadable": _input(
        "'{zip}' is not a ZIP Code.",
        _QUALITY,
        "Write five digits, or ZIP+4 such as 20260-0004.",
    ),
    "address.zip-short": _input(
        "'{zip}' is not a ZIP Code; {padded} is {city} {state}, and a spreadsheet may have dropped the leading zero.",
        _QUALITY,
        "Write {padded} if that is meant, and format the column as text.",
    ),
    "address.zip-elsewhere": _input(
        "ZIP Code {zip} is {city} {there}, not in {state}.",
        _QUALITY,
        "Correct the state or the ZIP Code.",
    ),
    "address.zip-out-of-use": _input(
        "ZIP Code {zip} ({city} {state}) is no longer in use.",
        _QUALITY,
        "Look up which ZIP Code the address has now.",
    ),
    "address.city-elsewhere": _input(
        "'{city}' is not a city of ZIP Code {zip} {state}: accepted is {accepted}.",
        _QUALITY,
        "Write {accepted}, or correct the ZIP Code.",
    ),
    "address.city-refused": _input(
        "'{city}' is a name that mail for ZIP Code {zip} may not bear: accepted is {accepted}.",
        _QUALITY,
        "Write {accepted}.",
    ),
    "address.military-city": _input(
        "'{city}' does not go with ZIP Code {zip}: military mail for it names {accepted} and no place.",
        _QUALITY,
        "Write {accepted} {state} {zip}.",
    ),
    "address.military-country": _input(
        "Military mail for {state} names no country, not '{country}' either.",
        _QUALITY,
        "Leave the country out: the mail is domestic.",
    ),
    "address.country-elsewhere": _input(
        "'{country}' does not go with the state {state}.",
        _QUALITY,
        "Leave the country out, or correct the state: PR, VI, GU, AS, MP, PW, MH or FM.",
    ),
    "address.urbanization-astray": _input(
        "An urbanization is part of an address in Puerto Rico, not in {state}.",
        _QUALITY,
        "Leave it out, or correct the state.",
    ),
    "addresses.no-file": _input(
        "The address file {path} cannot be read ({why}).",
        "house",
        "Check the path.",
    ),
    "addresses.too-large": _input(
        "{path} is larger than {most} MiB.",
        "house",
        "Divide the file.",
    ),
    "addresses.not-csv": _input(
        "{path} is not a CSV file: in the row at line {row}, {why}.",
        "house",
        "Save it as CSV again; text with the divider or with line ends stands in quotation marks.",
    ),
    "addresses.row-too-long": _input(
        "A row of {path} is longer than {most} characters: a quotation mark may not be closed.",
        "house",
        "Close it, or save the file as CSV again.",
    ),
    "addresses.encoding-strange": _input(
        "'{encoding}' is not an encoding of text files.",
        "house",
        "Name one such as utf-8, utf-16, cp1252, latin-1 or mac-roman.",
    ),
    "addresses.encoding-broken": _input(
        "{path} is not whole {encoding}: line {row} cannot be read.",
        "house",
        "Save it again as UTF-8, or name its encoding with --encoding.",
    ),
    "addresses.encoding-unknown": _input(
        "The encoding of {path} cannot be told: it is neither UTF-8 nor Windows-1252.",
        "house",
        "Save it as UTF-8, or name its encoding with --encoding.",
    ),
    "addresses.workbook-broken": _input(
        "{path} is not a workbook that can be read: {why}.",
        "house",
        "Open it in a spreadsheet program and save it again as XLSX, or as CSV.",
    ),
    "addresses.workbook-bomb": _input(
        "{path} is no list of addresses: {what}.",
        "house",
        "Save the sheet as CSV.",
    ),
    "addresses.workbook-old": _input(
        "{path} is an old or an encrypted workbook.",
        "house",
        "Save it as XLSX without a password, or as CSV.",
    ),
    "addresses.no-such-sheet": _input(
        "{path} has no sheet '{sheet}' that is shown; it has: {known}.",
        "house",
        "Name one with --sheet.",
    ),
    "addresses.formula-unvalued": _input(
        "The cell has a formula and no saved value.",
        "house",
        "Open the workbook in a spreadsheet program and save it, or put the value in place of the formula.",
    ),
    "addresses.formula-failed": _input(
        "The formula of the cell failed: {text}.",
        "house",
        "Mend the formula, or put the value in its place.",
    ),
    "addresses.cell-broken": _input(
        "The cell points to a text that the workbook does not have.",
        "house",
        "Open the workbook in a spreadsheet program and save it again.",
    ),
    "addresses.source-unreadable": _input(
        "The address data in {path} cannot be used: {why}.",
        "house",
        "Make the file as docs/addresses.md says.",
    ),
    "addresses.data-old": _refused(
        "The address data ({name}, edition {edition}) are older than {term} on {on}: they may be used through {last}.",
        _QUALITY,
        "Install newer data (towncircle addresses use DIR --data FILE; the table of ZIP Codes comes with the program),"
        " or say why older ones are used: --old-data REASON. The reason is recorded.",
    ),
    "addresses.source-unknown": _input(
        "No installed package offers address data called '{name}'; there are: {known}.",
        "house",
        "Install the package that does, or name a file: towncircle addresses use DIR --data FILE",
    ),
    "addresses.none-installed": _refused(
        "{licensee} uses the table that comes with the program already.",
        "house",
        "Install data of your own: towncircle addresses use DIR --data FILE",
    ),
    "addresses.reason": _input(
        "A reason must be given in at most {most} printable characters.",
        "house",
        "Say why older data are used.",
    ),
    "address.plus4-contradicted": _input(
        "ZIP+4 {zip} is not that of this house number: {name} of {edition} has {plus4}.",
        _QUALITY,
        "Write {plus4}, or correct the street line.",
    ),
    "addresses.empty": _input(
        "{path} has no addresses.",
        "house",
        "Give a header line and at least one row.",
    ),
    "addresses.too-many": _input(
        "{path} has more than {most} rows.",
        "house",
        "Divide the file.",
    ),
    "addresses.map-unreadable": _input(
        "'{text}' does not say which heading a column has.",
        "house",
        "Write --map name='Full Name',zip=PLZ; each of our columns once.",
    ),
    "addresses.map-unknown": _input(
        "'{text}' is not a column of an address.",
        "house",
        "Use one of: {known}.",
    ),
    "addresses.map-not-there": _input(
        "{path} has no heading '{heading}' for the column {column}; it has: {seen}.",
        "house",
        "Copy the heading from the file.",
    ),
    "addresses.columns-missing": _input(
        "{path} lacks the columns: {columns}. It has: {seen}.",
        "house",
        'Name them name or company, street, city, state, zip, or say which they are: --map street="Line A".',
    ),
    "addresses.columns-many": _input(
        "{path} has {count} columns; a list of addresses has at most {most}.",
        "house",
        "Keep the columns that are needed.",
    ),
    "addresses.columns-twice": _input(
        "The heading '{heading}' of {path} stands there twice, or is too long.",
        "house",
        "Give each column a short heading of its own.",
    ),
    "addresses.columns-unclear": _input(
        "In {path} more than one heading means {column}: {headings}.",
        "house",
        "Say which: --map {column}=HEADING",
    ),
    "addresses.faulty-rows": _refused(
        "{count} of {all} rows of {path} cannot be used. Nothing was printed.",
        _QUALITY,
        "Correct the rows and try again; 'towncircle addresses check FILE' lists every fault.",
    ),
    "addresses.faulty-row": _input(
        "Line {row}: {what}",
        _QUALITY,
        "Correct the row.",
    ),
    "addresses.too-many-cells": _input(
        "It has more cells than the header.",
        "house",
        "Put text with commas in quotation marks.",
    ),
    "addresses.cell-too-long": _input(
        "The cell under '{heading}' is longer than {most} characters.",
        "house",
        "Shorten it, or leave the column out.",
    ),
}
