#!/usr/bin/env bash
# Starts a Prefect server, the deployments of prefect.yaml and one worker on this machine; Ctrl-C stops them all.
# A server that already answers at PREFECT_API_URL is used, and left running.
set -euo pipefail
cd "$(dirname "$0")/../.."

port="${ADE_UP_PORT:-4200}"
# Runs inherit this environment, and would refuse an ADE_ variable that is no setting.
unset ADE_UP_PORT
export PREFECT_API_URL="${PREFECT_API_URL:-http://127.0.0.1:$port/api}"
export DO_NOT_TRACK=1 PREFECT_SERVER_ANALYTICS_ENABLED=false
state="${XDG_STATE_HOME:-$HOME/.local/state}/adverse_events"
mkdir -p "$state"

# Each child leads a process group of its own, so that Ctrl-C reaches this script alone and what a worker started
# ends with it.
set -m
server='' worker=''
stop_group() {
  [ -n "$1" ] || return 0
  kill -TERM "$1" 2>/dev/null || true
  for _ in $(seq 75); do kill -0 "$1" 2>/dev/null || break; sleep 0.2; done
  kill -KILL -- "-$1" 2>/dev/null || true
}
# The worker first: one whose server is gone waits for it without end.
stop() { trap '' EXIT INT TERM HUP; stop_group "$worker"; stop_group "$server"; }
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

healthy() {
  python -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + "/health", timeout=2)' "$PREFECT_API_URL" 2>/dev/null
}

if ! healthy; then
  echo "starting a Prefect server (log: $state/server.log)"
  prefect server start --host 127.0.0.1 --port "$port" >"$state/server.log" 2>&1 &
  server=$!
  for _ in $(seq 120); do
    healthy && break
    kill -0 "$server" 2>/dev/null || { echo "error: the server did not start; see $state/server.log" >&2; exit 1; }
    sleep 1
  done
  healthy || { echo "error: the server did not answer within two minutes; see $state/server.log" >&2; exit 1; }
fi

echo "creating the work pool and the deployments"
prefect --no-prompt work-pool create adverse-events-local --type process --overwrite >/dev/null
prefect --no-prompt deploy --all >"$state/deploy.log" 2>&1 || { cat "$state/deploy.log" >&2; exit 1; }

echo "starting a worker (log: $state/worker.log)"
prefect worker start --pool adverse-events-local >"$state/worker.log" 2>&1 &
worker=$!

cat <<TXT

ready: open ${PREFECT_API_URL%/api}
In another terminal, from this folder:
  export PREFECT_API_URL=$PREFECT_API_URL
  .venv/bin/prefect deployment run 'detect-adverse-events/local' --watch
Ctrl-C here stops the worker${server:+ and the server}.
TXT
wait -n $worker $server
