"""Puts the modules of the project into the package."""

import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULES = ("kernels.wasm", "training.wasm")


class CopyModules(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        built, own = Path(self.root).parent / "dist", Path(self.root) / "src" / "logodds" / "wasm"
        own.mkdir(exist_ok=True)
        for name in MODULES:
            if (built / name).exists():
                shutil.copyfile(built / name, own / name)
            elif not (own / name).exists():
                raise FileNotFoundError(f"{name}: expected it in {built}, found nothing; run `npm run build` first")
