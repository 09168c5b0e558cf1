#!/usr/bin/env bash
# Measures a local cluster: four `tagma node` processes and the clients share this machine, with signatures and fsync on.
# Prints a table for each run and the medians beside the targets. Stops all it started, by process id.
#
#   RUNS=3 SECONDS_EACH=5 scripts/bench.sh [DIR]      DIR keeps data and results; default: a temporary one, removed
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-3} each=${SECONDS_EACH:-5} fill=${FILL:-100000}
kept=${1:-}
dir=${kept:-$(mktemp -d)}
mkdir -p "$dir"
pids=()

finish() {
  local code=$?
  trap - EXIT
  if ((${#pids[@]})); then
    kill -TERM "${pids[@]}" 2>/dev/null || true # some may have ended
    wait "${pids[@]}" 2>/dev/null || true
  fi
  [[ -n $kept ]] || rm -rf "$dir"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

load() { uptime | sed 's/.*load average[s]*: *\([0-9.]*\).*/\1/'; }
field() { awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i } NR == 2 { print $at }' "$1/summary.csv"; }
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# resident prints the largest replica's resident memory in MiB.
resident() { ps -o rss= -p "$(IFS=,; echo "${pids[*]}")" | sort -n | awk 'END { printf "%.0f\n", $1 / 1024 }'; }
# ticks prints the processor time of all replicas so far, in hundredths of a second; 0 where there is no /proc.
ticks() {
  local pid sum=0 used
  for pid in "${pids[@]}"; do
    used=$(awk '{ print $14 + $15 }' "/proc/$pid/stat" 2>/dev/null || echo 0)
    sum=$((sum + used))
  done
  echo "$sum"
}
# taken says whether something listens on one of four ports from $1 on, or on the admin ports a hundred above them.
taken() {
  local port
  for port in $(seq "$1" $(($1 + 3))) $(seq $(($1 + 100)) $(($1 + 103))); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
  done
  return 1
}

go build -o "$dir/tagma" ./cmd/tagma
base=$((10000 + RANDOM % 20000))
while taken "$base"; do base=$((10000 + RANDOM % 20000)); done
"$dir/tagma" init --dir "$dir/cluster" --base-port "$base" >/dev/null
export TAGMA_CLUSTER="$dir/cluster/cluster.toml"
for i in 0 1 2 3; do
  "$dir/tagma" node --home "$dir/cluster/replica$i" >"$dir/replica$i.out" 2>"$dir/replica$i.log" &
  pids+=($!)
done
for i in 0 1 2 3; do
  until grep -q "is ready" "$dir/replica$i.out"; do
    kill -0 "${pids[$i]}" 2>/dev/null || { echo "bench: replica $i ended:" >&2; cat "$dir/replica$i.log" >&2; exit 1; }
    sleep 0.1
  done
done

# measure NAME FLAGS... runs the benchmark once, after a line with the load of the machine, and says what it cost.
measure() {
  local name=$1 before
  shift
  printf -- '--- %s, load average %s\n' "$name" "$(load)"
  before=$(ticks)
  "$dir/tagma" bench --out "$dir/results/$name" "$@"
  awk -v ticks=$(($(ticks) - before)) -v ops="$(field "$dir/results/$name" acknowledged)" \
    'BEGIN { if (ticks && ops) printf "%.2f ms of processor time an operation, all replicas together\n\n", ticks * 10 / ops }'
}

printf '%s, %s CPUs, %s\n\n' "$("$dir/tagma" --version)" "$(getconf _NPROCESSORS_ONLN)" "$(go version)"
measure fill --clients 512 --ops "$fill" --warmup 0s
rss=$(resident)
# That was the warm-up of all that follows.
for ((run = 1; run <= runs; run++)); do
  measure "one-$run" --clients 1 --duration "${each}s" --warmup 0s
  measure "64-$run" --clients 64 --duration "${each}s" --warmup 0s
  measure "512-$run" --clients 512 --connections 32 --duration "${each}s" --warmup 0s
  measure "packed-$run" --clients 64 --connections 1 --batch 16 --duration "${each}s" --warmup 0s
done

# over NAME FIELD prints the median over the runs.
over() { for ((run = 1; run <= runs; run++)); do field "$dir/results/$1-$run" "$2"; done | median; }
# row WHAT FIGURE COMPARISON TARGET UNIT prints a line of the summary.
row() {
  awk -v what="$1" -v got="$2" -v how="$3" -v want="$4" -v unit="$5" 'BEGIN {
    held = how == "<=" ? got + 0 <= want + 0 : got + 0 >= want + 0
    printf "%-44s %10s  %s %6s %-6s %s\n", what, got, how, want, unit, held ? "reached" : "MISSED"
  }'
}
printf '\nmedians of %d runs of %d s, load average now %s\n' "$runs" "$each" "$(load)"
row "1 client, p50" "$(over one p50_ms)" "<=" 4 ms
row "64 clients, 1 request each" "$(over 64 ops_per_s)" ">=" 4000 "ops/s"
row "512 clients over 32 connections" "$(over 512 ops_per_s)" ">=" 8000 "ops/s"
row "64 in flight, 16 operations each" "$(over packed ops_per_s)" ">=" 20000 "ops/s"
row "largest replica after $fill puts" "$rss" "<=" 150 MiB
row "largest replica at the end" "$(resident)" "<=" 150 MiB
