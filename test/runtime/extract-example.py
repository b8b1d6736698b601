#!/usr/bin/env python3
"""Prints the program in the header's opening comment. Usage: extract-example.py HEADER > PROGRAM.c"""
import sys

lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
start = next(i for i, line in enumerate(lines) if line.startswith("//   #include <fovea/fovea.h>"))
end = next(i for i, line in enumerate(lines) if i > start and line == "//   }")
print("\n".join(line[5:] for line in lines[start : end + 1]))
