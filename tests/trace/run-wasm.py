"""The fold compiled for WebAssembly, a 32-bit machine, gives the same checkpoints as here, byte for byte.

run-wasm.py CLANG NODE SOURCES-FOLDER WRITE-EVENTS FOLD-BYTES"""
import pathlib, subprocess, sys, tempfile

clang, node, sources, write_events, fold_bytes = sys.argv[1:]
root = pathlib.Path(sources)
files = ['src/base/map.c'] + ['src/trace/%s.c' % name for name in (
    'counter', 'film', 'fold', 'fold-check', 'fold-save', 'fold-show', 'fold-space', 'goal', 'schema', 'strings',
    'syscall-name', 'text')]
run = '''
const { WASI } = require('wasi'), fs = require('fs');
const wasi = new WASI({ version: 'preview1' });
WebAssembly.instantiate(fs.readFileSync(process.argv[2]), { wasi_snapshot_preview1: wasi.wasiImport })
    .then(program => process.exit(wasi.start(program.instance)));
'''
warnings = ['-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-Wswitch-enum', '-Wno-unused-parameter', '-Wno-sign-conversion',
            '-Wno-missing-field-initializers', '-Werror']

with tempfile.TemporaryDirectory() as folder:
    wasm, script = folder + '/fold.wasm', folder + '/run.js'
    subprocess.run([clang, '--target=wasm32-wasi', '-O1', '-std=gnu11', '-D_GNU_SOURCE', *warnings, '-I', root / 'src', '-o', wasm,
                    root / 'tests/trace/fold-bytes.c', *[root / file for file in files]], check=True)
    pathlib.Path(script).write_text(run)
    for seed in range(1, 6):
        events = subprocess.run([write_events, str(seed)], stdout=subprocess.PIPE, check=True).stdout
        here = subprocess.run([fold_bytes], input=events, stdout=subprocess.PIPE, check=True).stdout
        there = subprocess.run([node, '--no-warnings', script, wasm], input=events, stdout=subprocess.PIPE, check=True, timeout=60).stdout
        if here != there or len(here) < 1000:
            sys.exit('seed %d: %d bytes here, %d there, and they differ' % (seed, len(here), len(there)))
        print('seed %d: the same %d bytes from %d events' % (seed, len(here), len(events) // 64))
