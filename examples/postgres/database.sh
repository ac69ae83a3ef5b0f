#!/usr/bin/env bash
# A PostgreSQL of this example's own: a cluster in a temporary directory, open to this machine only.
# It has nothing to do with a PostgreSQL that the machine may run as a service.
set -euo pipefail

usage="Usage: ./database.sh start | stop | run FILE.sql | psql ...
  start         make the cluster, load shop.sql into it, and let it serve 127.0.0.1
  stop          end it, and remove all of its data
  run FILE.sql  run statements in it, all or none
  psql ...      open a prompt in it, or whatever else psql does with its own arguments
TAP_POSTGRES_PORT is the port, 55432 if it is not set."

cd "$(dirname "$0")"
port="${TAP_POSTGRES_PORT:-55432}"
# A link to the temporary directory. A path to a socket may have 107 bytes, which some folders of
# projects would use up, and another user than root may not get into them.
link=output/postgres

fail() {
  echo "$1" >&2
  exit 1
}

# Debian keeps the programs of each version out of PATH.
initdb="$(command -v initdb || ls -v /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1 || true)"
[ -n "$initdb" ] || fail "PostgreSQL is not installed. On Debian or Ubuntu: sudo apt-get install postgresql"
bin="$(dirname "$(readlink -f "$initdb")")"

# PostgreSQL refuses to run as root.
owner="$(id -un)"
if [ "$(id -u)" -eq 0 ]; then
  owner=nobody
  if id postgres >/dev/null 2>&1; then owner=postgres; fi
fi
# Not in the current folder, which may be closed to that user.
as_owner() (
  cd /
  if [ "$(id -u)" -eq 0 ]; then runuser -u "$owner" -- "$@"; else "$@"; fi
)

run_psql() {
  # Without the folder of its socket, psql would look for the machine's own PostgreSQL.
  [ -d "$link" ] || fail "It is not there. ./database.sh start makes it."
  as_owner "$bin/psql" --no-psqlrc --host="$(readlink "$link")" --port="$port" --dbname="$@"
}

start() {
  [ ! -e "$link" ] || fail "It is there already. ./database.sh stop removes it."
  local folder
  folder="$(mktemp -d "${TMPDIR:-/tmp}/shop.XXXXXX")"
  if [ "$(id -u)" -eq 0 ]; then chown "$owner" "$folder"; fi
  mkdir -p output
  ln -sfn "$folder" "$link"
  trap stop EXIT
  as_owner "$bin/initdb" --pgdata="$folder/data" --auth=peer --encoding=UTF8 --locale=C --no-sync >/dev/null
  # Over the socket, whoever has started it is its superuser. The port is for Meltano alone.
  as_owner tee "$folder/data/pg_hba.conf" >/dev/null <<END
local all all peer
host shop meltano 127.0.0.1/32 scram-sha-256
END
  as_owner "$bin/pg_ctl" start --wait --silent --pgdata="$folder/data" --log="$folder/log" \
    --options="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder -c fsync=off" || {
    as_owner tail -n 5 "$folder/log" >&2
    exit 1
  }
  run_psql postgres --quiet --command="CREATE DATABASE shop"
  run_file shop.sql
  trap - EXIT
  echo "PostgreSQL serves the database 'shop' at 127.0.0.1:$port."
}

stop() {
  [ -L "$link" ] || fail "It is not there."
  local folder
  folder="$(readlink "$link")"
  if [ -f "$folder/data/postmaster.pid" ]; then
    as_owner "$bin/pg_ctl" stop --wait --silent --mode=immediate --pgdata="$folder/data"
  fi
  rm -rf "$folder" "$link"
}

# The owner may not be able to read the file.
run_file() {
  run_psql shop --quiet --set=ON_ERROR_STOP=1 --single-transaction <"$1"
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  run)
    [ $# -eq 2 ] || fail "$usage"
    run_file "$2"
    ;;
  psql) shift; run_psql shop "$@" ;;
  *) fail "$usage" ;;
esac
