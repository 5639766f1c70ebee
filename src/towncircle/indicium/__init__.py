"""The indicium: what its bytes mean, and what is printed beside them for people.

Here: layouts as data, the codec that they drive, foreign marks by name, the town circle and the human-readable part,
every field in words. Not here: pixels and modules (`symbol/`), signatures (`pki/`), whether a mark is good
(`verification/`).
Kept: P050 4.5. A layout file is immutable by id and digest; a layout is chosen by version byte and vendor, never by
guessing; what a layout does not carry is left out, never invented.
"""

from towncircle.indicium.catalogue import Field, Layout, layout, layouts
from towncircle.indicium.codec import Decoded, decode, encode_content, join

__all__ = ["Decoded", "Field", "Layout", "decode", "encode_content", "join", "layout", "layouts"]
