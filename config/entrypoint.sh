#!/bin/sh
# The container's first process: sets up what is below JR_ROOT, then becomes supervisord.
# With words behind the image's name it runs those instead: docker run -it IMAGE bash
set -eu
[ $# = 0 ] || exec "$@"
instance=$(dirname "$(realpath "$0")")/instance.py
"$instance" prepare --unattended
exec "$instance" start --foreground
