"""Run as a process of its own: draws the picture on standard input anew, on standard output.

Nothing of the file goes through but its pixels: no metadata, no second file behind the picture. Says
width and height on standard error; any exit but 0 means that there is no safe copy.
"""

import os
import resource
import sys


def main(side: int, pixels: int, memory: int, seconds: int) -> int:
    """Draw it within these bounds."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024 * 1024,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from PIL import Image, ImageOps

    # Ours is asked before anything is unpacked; Pillow's own only warns.
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(sys.stdin.buffer, formats=("PNG", "JPEG", "WEBP", "GIF")) as picture:
        if picture.width * picture.height > pixels:
            return 3
        keeps_lines = picture.format in ("PNG", "GIF")
        picture.draft("RGB", (side, side))
        picture.load()
        see_through = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
        turned = ImageOps.exif_transpose(picture).convert("RGBA" if see_through else "RGB")
    turned.thumbnail((side, side))
    drawn = Image.new(turned.mode, turned.size)
    drawn.paste(turned)
    if see_through or keeps_lines:
        drawn.save(sys.stdout.buffer, "PNG")
    else:
        drawn.save(sys.stdout.buffer, "JPEG", quality=85)
    sys.stdout.buffer.flush()
    os.write(2, f"{drawn.width} {drawn.height}".encode())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*map(int, sys.argv[1:])))
    except Exception:
        sys.exit(1)
