"""Put the manifest of the device module's files into a wheel when it is built (hatchling's custom hook)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManifestHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's class is generic only for checkers
    """Write `psd/MANIFEST` before the files are gathered; it is git-ignored, so it is named as an artifact."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's shape
        """Write the manifest and have it taken along."""
        place = Path(self.root) / "tools" / "manifest.py"
        spec = importlib.util.spec_from_file_location("towncircle_manifest", place)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.refresh()
        build_data["artifacts"].append("src/towncircle/psd/MANIFEST")
