"""One table of what targets pass, from the files that node-cases.py --counts writes.   table.py NAME=FILE.json...

Of each family: how many cases it has, then for each target and form of the shapes those that pass; where some are left out, "passed+left out".
"""
import json
import sys

STATUSES = ("passed", "skipped", "failed")


def cell(counts):
    passed, skipped, failed = (counts.get(s, 0) for s in STATUSES)
    return f"{passed}" + (f"+{skipped}" if skipped else "") + (f" ({failed} failed)" if failed else "")


def table(targets):
    """targets: name -> family -> mode -> status -> number."""
    columns = [(name, mode) for name, families in targets.items() for mode in next(iter(families.values()))]
    families = sorted(set().union(*targets.values()))
    rows = []
    for family in families:
        of = [targets[name].get(family, {}).get(mode, {}) for name, mode in columns]
        rows.append([family, str(max(sum(counts.values()) for counts in of)), *map(cell, of)])
    sums = [{s: sum(f.get(mode, {}).get(s, 0) for f in targets[name].values()) for s in STATUSES} for name, mode in columns]
    rows.append(["all", str(sum(int(row[1]) for row in rows)), *map(cell, sums)])
    rows.insert(0, ["family", "cases", *(f"{name} {mode}" for name, mode in columns)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(f"{row[0]:{widths[0]}}" + "".join(f"  {text:>{width}}" for text, width in zip(row[1:], widths[1:])) for row in rows)


if __name__ == "__main__":
    targets = {}
    for argument in sys.argv[1:]:
        name, path = argument.split("=", 1)
        with open(path) as file:
            targets[name] = json.load(file)
    print(table(targets))
