"""Paper: the page model drawn as PDF, SVG, PNG and ZPL, and scans read back.

Here: the PDF writer (`pdf`), labels (`zpl`), the SVG drawing (`svg`), rasters (`png`), the embedded fonts (`fonts`),
the labelled picture (`labelled`) and the reading of scans (`scan`). Not here: where things stand on a page
(`towncircle.mailpiece`).
"""
