"""Small data for the pages: a table with labels, series, images, and names that try to be markup."""

import csv
import io
import math
import random
import struct
import zlib

HOSTILE = '<img src=x onerror="document.title=\'owned\'">'
HOSTILE_CELL = "</script><script>document.title='owned'</script>"


def as_csv(header, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def payments(n, seed, anomalies=0, column="country"):
    """`n` rows; the first `anomalies` of every tenth row have an amount and a country that no other has."""
    rng = random.Random(seed)
    rows = []
    for i in range(n):
        is_odd = i % 10 == 3 and i // 10 < anomalies
        amount = rng.lognormvariate(3.5, 0.5) * (40 if is_odd else 1)
        hour = min(23, max(0, round(rng.gauss(13, 3))))
        country = "XX" if is_odd else rng.choice(["DE", "DE", "DE", "FR", "IT"])
        fee = 0.02 * amount + rng.gauss(0.3, 0.02)
        rows.append([f"C{seed}{i:05}", f"{amount:.2f}", hour, country, f"{fee:.3f}", int(is_odd)])
    return as_csv(["customer_id", "amount", "hour", column, "fee", "is_fraud"], rows)


def hostile(n, seed):
    """As `payments`, with names and cells that would run if they became markup, and a cell that is a formula."""
    rng = random.Random(seed)
    rows = []
    for i in range(n):
        is_odd = i % 10 == 3
        level = HOSTILE_CELL if is_odd else rng.choice(["a", "b"])
        rows.append([f"=cmd|{i}", f"{rng.gauss(0, 1) + (30 if is_odd else 0):.3f}", level, f"{rng.gauss(0, 1):.3f}"])
    return as_csv(["customer_id", HOSTILE, "level", "b"], rows)


def engines(n, seed, is_broken=False):
    """Two engines with two channels; in broken ones a channel jumps for a while."""
    rng = random.Random(seed)
    rows = []
    for i in range(n):
        minutes = 10 * i
        time = f"2024-03-{1 + minutes // 1440:02} {minutes // 60 % 24:02}:{minutes % 60:02}"
        for engine in ("north", "south"):
            a = math.sin(i / 6) + rng.gauss(0, 0.05)
            b = math.cos(i / 6) + rng.gauss(0, 0.05)
            if is_broken and engine == "north" and n // 2 <= i < n // 2 + 12:
                a += 6
            rows.append([time, engine, f"{a:.4f}", f"{b:.4f}"])
    return as_csv(["time", "engine", "temperature", "pressure"], rows)


def stripes(seed, is_broken=False, side=24):
    """A grey PNG of stripes; broken ones have a white block."""
    rng = random.Random(seed)
    shift = rng.random() * 6
    lines = []
    for y in range(side):
        line = [round(128 + 90 * math.sin((x + shift) / 2) + rng.gauss(0, 3)) for x in range(side)]
        if is_broken and 8 <= y < 16:
            line[8:16] = [255] * 8
        lines.append(bytes(min(255, max(0, v)) for v in line))
    return png(lines, side)


def png(lines, side):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, len(lines), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + line for line in lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
