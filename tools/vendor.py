"""Puts the pinned front-end packages into static/vendor: htmx, the icons in use, Inter."""

import re
import shutil
import sys
from pathlib import Path

from fontTools import subset

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
INTER = "@fontsource-variable/inter"
LATIN, EXTENDED = "inter-latin-wght-normal.woff2", "inter-latin-ext-wght-normal.woff2"
NEAR = (*range(0x0100, 0x0180), *range(0x0218, 0x021C), 0x1E9E)
"""Letters of European names, as `unicode-range` in tokens.css has them: a sixth of the extended font."""
COPIES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    **{f"{INTER}/files/{font}": f"inter/{font}" for font in (LATIN, EXTENDED)},
    "htmx.org/LICENSE": "licences/htmx.txt",
    f"{INTER}/LICENSE": "licences/inter.txt",
    "lucide-static/LICENSE": "licences/lucide.txt",
}
STROKE = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'


def symbol(name: str) -> str:
    """One lucide icon as a sprite symbol; exits with the name when lucide has no such icon."""
    source = PACKAGES / "lucide-static" / "icons" / f"{name}.svg"
    if not source.is_file():
        sys.exit(f"tools/icons.txt: lucide has no icon named {name}")
    shapes = re.search(r"<svg[^>]*>(.*)</svg>", source.read_text(encoding="utf-8"), re.DOTALL)
    if shapes is None:
        sys.exit(f"{source.name}: no <svg> element")
    drawing = re.sub(r">\s+<", "><", shapes[1].strip())
    return f'<symbol id="{name}" viewBox="0 0 24 24" {STROKE}>{drawing}</symbol>'


def cut(source: Path, target: Path) -> None:
    """The font with the near letters only."""
    options = subset.Options(flavor="woff2", layout_features=["*"])
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=NEAR)
    subsetter.subset(font)
    subset.save_font(font, str(target), options)


def main() -> None:
    """Builds in a folder beside, then swaps it in, so that an interrupted build leaves the old one whole."""
    fresh = VENDOR.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for source, target in COPIES.items():
        (fresh / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGES / source, fresh / target)
    cut(fresh / "inter" / EXTENDED, fresh / "inter" / "inter-near.woff2")
    names = (ROOT / "tools" / "icons.txt").read_text(encoding="utf-8").split()
    symbols = [symbol(name) for name in sorted(set(names))]
    sprite = '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"
    (fresh / "icons.svg").write_text(sprite, encoding="utf-8")
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


if __name__ == "__main__":
    main()
