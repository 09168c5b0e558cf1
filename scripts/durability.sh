#!/usr/bin/env bash
# Measures what it costs to wait for the disk: two clusters of four processes on this machine, one with durability =
# "pessimistic" and one with "optimistic", take turns under the same loads. Prints both medians, and the median and range of the
# pairs' ratios. Stops all it started, by process id.
#
#   PAIRS=5 SECONDS_EACH=5 scripts/durability.sh
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/cluster.sh
source scripts/cluster.sh

pairs=${PAIRS:-5} each=${SECONDS_EACH:-5} loads=${LOADS:-one 64 512 packed}
root=$(mktemp -d)
begin "$root/pessimistic"
machine_line
begin "$root/optimistic" --durability optimistic
kept="" dir=$root # for end

field() { awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i } NR == 2 { print $at }' "$1/summary.csv"; }
# turn MODE LOAD RUN loads a cluster once.
turn() {
  # shellcheck disable=SC2046
  TAGMA_CLUSTER="$root/$1/cluster/cluster.toml" "$root/pessimistic/tagma" bench --out "$root/results/$1-$2-$3" $(loads "$2") \
    --duration "${each}s" --warmup 1s >"$root/$1.txt" || { cat "$root/$1.txt" >&2; exit 1; }
}

for name in $loads; do
  for ((run = 1; run <= pairs; run++)); do
    for mode in $([[ $((run % 2)) == 1 ]] && echo pessimistic optimistic || echo optimistic pessimistic); do turn "$mode" "$name" "$run"; done
  done
done

printf '%-8s %-10s %12s %12s %8s  %s\n' load figure pessimistic optimistic ratio range
for name in $loads; do
  for figure in ops_per_s p50_ms p99_ms; do
    for ((run = 1; run <= pairs; run++)); do
      echo "$(field "$root/results/pessimistic-$name-$run" "$figure") $(field "$root/results/optimistic-$name-$run" "$figure")"
    done | awk -v name="$name" -v figure="$figure" '
      function sorted(v, n, i, j, t) { for (i = 1; i < n; i++) for (j = i + 1; j <= n; j++) if (v[j] < v[i]) { t = v[i]; v[i] = v[j]; v[j] = t } }
      { a[NR] = $1; b[NR] = $2; r[NR] = $2 / $1 }
      END {
        sorted(a, NR); sorted(b, NR); sorted(r, NR); m = int((NR + 1) / 2)
        printf "%-8s %-10s %12.2f %12.2f %8.2f  %.2f to %.2f\n", name, figure, a[m], b[m], r[m], r[1], r[NR]
      }'
  done
done
echo "load average now $(uptime | sed 's/.*load average[s]*: *//')"
