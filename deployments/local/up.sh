#!/usr/bin/env bash
# Starts a Prefect server, the deployments of prefect.yaml and one worker on this machine; Ctrl-C stops them all.
# A server that already answers at PREFECT_API_URL is used, and left running.
set -euo pipefail
cd "$(dirname "$0")/../.."

port="${ADE_UP_PORT:-4200}"
# Runs inherit this environment, and would refuse an ADE_ variable that is no setting.
unset ADE_UP_PORT
export PREFECT_API_URL="${PREFECT_API_URL:-http://127.0.0.1:$port/api}"
export DO_NOT_TRACK=1 PREFECT_SERVER_ANALYTICS_ENABLED=false ORT_DISABLE_TELEMETRY=1
state="${XDG_STATE_HOME:-$HOME/.local/state}/adverse_events"
mkdir -p "$state"

server='' worker=''
# Ends a child and what it started: each leads a process group of its own, which Ctrl-C on this terminal does not reach.
stop_group() {
  [ -n "$1" ] || return 0
  kill -TERM -- "-$1" || true
  # A worker never ends by itself once it was told to; its runs take a moment to report that they were stopped.
  for _ in $(seq 25); do kill -0 -- "-$1" || return 0; sleep 0.2; done
  kill -KILL -- "-$1" || true
}
# The worker first: its runs still have a server to report to.
stop() { trap '' EXIT HUP INT TERM; exec 2>/dev/null; stop_group "$worker"; stop_group "$server"; }
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

healthy() {
  python -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + "/health", timeout=2)' "$PREFECT_API_URL" 2>/dev/null
}

if ! healthy; then
  echo "starting a Prefect server (log: $state/server.log)"
  set -m
  prefect server start --host 127.0.0.1 --port "$port" >"$state/server.log" 2>&1 &
  server=$!
  set +m
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
set -m
prefect worker start --pool adverse-events-local >"$state/worker.log" 2>&1 &
worker=$!
set +m

cat <<TXT

ready: open ${PREFECT_API_URL%/api}
In another terminal, from this folder:
  export PREFECT_API_URL=$PREFECT_API_URL
  .venv/bin/prefect deployment run 'detect-adverse-events/local' --watch
Ctrl-C here stops the worker${server:+ and the server}.
TXT
wait -n $worker $server
