#!/bin/sh
# Prints a Python that can run BrandMind (3.11 or newer, able to make a virtual environment).
# The machine's own python3 comes first; $PYTHON, where set, before all.
for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14; do
    if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
        >/dev/null 2>&1; then
        command -v "$name"
        exit 0
    fi
done
echo "BrandMind needs Python 3.11 or newer with venv, and finds none." >&2
echo "Debian and Ubuntu: apt-get install python3 python3-venv; or set PYTHON=/path/to/python3." >&2
exit 1
