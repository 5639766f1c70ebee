"""The world of the parties' tests, for the stories that break a duty between them."""

from tests.parties.conftest import folder, hand, journeys, line, lived_in, world  # noqa: F401 - fixtures
