#!/bin/sh
# run-node.sh ARGUMENT...: node, or a test that has failed and says why.
command -v node >/dev/null || {
    echo "there is no node: ./bootstrap test installs it"
    exit 1
}
exec node "$@"
