#!/usr/bin/python3
"""Runs a libFuzzer target for FUZZ_SECONDS (60) on its corpus and on what it finds on the way.

    run.py CORPUS FUZZER SEEDS

SEEDS writes the inputs of CORPUS as bytes. An input that brings the target down is printed as the hexadecimal text
that the corpus is made of, to be kept there. FUZZ_KEEP names a folder in which what was found stays for the next run.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

FLAGS = ("-max_len=4096", "-timeout=20", "-rss_limit_mb=3000", "-handle_xfsz=0", "-print_final_stats=1", "-verbosity=0")


def fuzz(corpus, fuzzer, seeds, folder):
    found, seconds = folder / "found", os.environ.get("FUZZ_SECONDS", "60")
    found.mkdir(exist_ok=True)
    subprocess.run([seeds, corpus, "--write", found], check=True)
    command = [fuzzer, f"-max_total_time={seconds}", f"-artifact_prefix={folder}/", *FLAGS, found]
    status = subprocess.run(command, cwd=folder).returncode
    for crash in sorted(folder.glob("*-*")):
        if crash.is_file():
            print(f"# {crash.name}\n{crash.read_bytes().hex(' ')}")
    return status


def main():
    corpus, fuzzer, seeds = map(os.path.abspath, sys.argv[1:])
    kept = os.environ.get("FUZZ_KEEP")
    if kept:
        folder = pathlib.Path(kept).resolve() / os.path.basename(fuzzer)
        folder.mkdir(parents=True, exist_ok=True)
        return fuzz(corpus, fuzzer, seeds, folder)
    with tempfile.TemporaryDirectory(prefix="thimble-fuzz-") as folder:
        return fuzz(corpus, fuzzer, seeds, pathlib.Path(folder))


sys.exit(main())
