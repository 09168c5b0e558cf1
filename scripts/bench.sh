#!/usr/bin/env bash
# Measures a local cluster: four `tagma node` processes and the clients share this machine, with signatures and fsync on.
# Prints a table for each run and the medians beside the targets. Stops all it started, by process id.
#
#   RUNS=3 SECONDS_EACH=5 scripts/bench.sh [DIR]      DIR keeps data and results; default: a temporary one, removed
#   SOAK=600 scripts/bench.sh                         and then so many seconds of packed load, memory and disk every tenth
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/cluster.sh
source scripts/cluster.sh

runs=${RUNS:-3} each=${SECONDS_EACH:-5} fill=${FILL:-100000} soak=${SOAK:-0}
begin "${1:-}"

load() { uptime | sed 's/.*load average[s]*: *\([0-9.]*\).*/\1/'; }
field() { awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i } NR == 2 { print $at }' "$1/summary.csv"; }
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# measure NAME FLAGS... runs the benchmark once, after a line with the load of the machine, and says what it cost.
measure() {
  local name=$1 before
  shift
  printf -- '--- %s, load average %s\n' "$name" "$(load)"
  before=$(ticks)
  "$dir/tagma" bench --out "$dir/results/$name" "$@"
  awk -v ticks=$(($(ticks) - before)) -v ops="$(field "$dir/results/$name" acknowledged)" -v to="$dir/results/$name/cost" 'BEGIN {
    if (!ticks || !ops) exit
    printf "%.4f\n", ticks * 10 / ops >to
    printf "%.3f ms of processor time an operation, all replicas together\n\n", ticks * 10 / ops
  }'
}

machine_line
measure fill --clients 512 --ops "$fill" --warmup 0s
rss=$(resident)
# That was the warm-up of all that follows.
for ((run = 1; run <= runs; run++)); do
  for name in one 64 512 packed; do
    # shellcheck disable=SC2046
    measure "$name-$run" $(loads "$name") --duration "${each}s" --warmup 0s
  done
done
after=$(resident)

if ((soak)); then
  echo "--- $soak s of packed load: second, MiB resident in the largest replica, MiB on its disk"
  # shellcheck disable=SC2046
  "$dir/tagma" bench --out "$dir/results/soak" $(loads packed) --duration "${soak}s" --warmup 0s >"$dir/soak.out" &
  pids+=($!)
  for ((tenth = 1; tenth <= 10; tenth++)); do
    sleep $((soak / 10))
    printf '%6d %6d %6d\n' $((tenth * soak / 10)) "$(ps -o rss= -p "$(IFS=,; echo "${pids[*]:0:4}")" | sort -n | awk 'END { print int($1 / 1024) }')" \
      "$(du -sm "$dir/cluster/replica0" | cut -f1)"
  done
  wait "${pids[4]}"
  unset 'pids[4]'
  cat "$dir/soak.out"
fi

# over NAME FIELD prints the median over the runs, and cost NAME that of the processor time.
over() { for ((run = 1; run <= runs; run++)); do field "$dir/results/$1-$run" "$2"; done | median; }
cost() { for ((run = 1; run <= runs; run++)); do cat "$dir/results/$1-$run/cost" 2>/dev/null || echo 0; done | median; }
# row WHAT FIGURE COMPARISON TARGET UNIT COST prints a line of the summary.
row() {
  awk -v what="$1" -v got="$2" -v how="$3" -v want="$4" -v unit="$5" -v cost="${6:-}" 'BEGIN {
    held = how == "<=" ? got + 0 <= want + 0 : got + 0 >= want + 0
    printf "%-44s %10s  %s %6s %-6s %-8s %s\n", what, got, how, want, unit, held ? "reached" : "MISSED", cost ? cost " ms" : ""
  }'
}
printf '\nmedians of %d runs of %d s, load average now %s; last, processor time of the replicas an operation\n' "$runs" "$each" "$(load)"
row "1 client, p50" "$(over one p50_ms)" "<=" 4 ms "$(cost one)"
row "64 clients, 1 request each" "$(over 64 ops_per_s)" ">=" 4000 "ops/s" "$(cost 64)"
row "512 clients over 32 connections" "$(over 512 ops_per_s)" ">=" 8000 "ops/s" "$(cost 512)"
row "64 in flight, 16 operations each" "$(over packed ops_per_s)" ">=" 20000 "ops/s" "$(cost packed)"
row "largest replica after $fill puts" "$rss" "<=" 150 MiB
row "largest replica after the runs" "$after" "<=" 150 MiB
