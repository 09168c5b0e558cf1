#!/usr/bin/env bash
# Says where the processor time of the replicas goes under each of the loads that scripts/bench.sh measures: profiles of all
# four of a local cluster, and the share of their samples that pass through each part, as a table.
#
#   SECONDS_EACH=10 scripts/profile.sh [DIR]      DIR keeps the profiles; default: a temporary one, removed
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/cluster.sh
source scripts/cluster.sh

each=${SECONDS_EACH:-10} fill=${FILL:-100000}
names=(512 64 one packed)
begin "${1:-}"

# A part of the table and the functions that make it up. A sample may pass through several parts.
parts=(
  'verifying signatures|tagma/crypto\.\(\*Pool\)\.work'
  'executing|tagma/statemachine\.\(\*Service\)\.Apply'
  'of it reading what is not in memory|tagma/checkpoint/store\.\(\*view\)\.(Get|Scan)'
  'writing the store|badger.*(doWrites|flushMemtable|handleMemTableFlush|subcompact|runCompactor)|tagma/checkpoint/store\.\(\*Store\)\.(writeBatch|checkSpace)'
  'the Merkle tree|tagma/checkpoint/merkle\.'
  'ordering: turns of the core and the journal|tagma/internal/node\.\(\*loop\)\.run'
  'of it the journal|tagma/checkpoint/journal\.\(\*Journal\)\.Append'
  'links: Noise, yamux, frames, decoding|go-yamux|p2p/security/noise|tagma/network\.'
  'waking up and scheduling|runtime\.(mcall|schedule|findRunnable|goready|wakep)$'
  'collecting garbage|runtime\.(gcBgMarkWorker|gcAssistAlloc|bgsweep|bgscavenge)$'
)

admin() { sed -n "s/^admin *= *['\"]\(.*\)['\"].*/\1/p" "$dir/cluster/replica$1/config.toml"; }

# profile NAME loads the cluster and takes a profile of each replica meanwhile.
profile() {
  local name=$1 i takers=()
  # shellcheck disable=SC2046
  "$dir/tagma" bench $(loads "$name") --duration "$((each + 2))s" --warmup 0s >"$dir/$name.bench" 2>&1 &
  local load=$!
  pids+=("$load")
  sleep 1
  for i in 0 1 2 3; do
    curl -fsS -o "$dir/$name.$i.pb.gz" "http://$(admin "$i")/debug/pprof/profile?seconds=$each" &
    takers+=($!)
  done
  wait "${takers[@]}" "$load"
  unset 'pids[4]'
  go tool pprof -top -cum "$dir/tagma" "$dir/$name".?.pb.gz >"$dir/$name.txt" 2>/dev/null
}

# share NAME EXPRESSION prints how much of the samples passes through matching functions.
share() {
  go tool pprof -top -nodecount=100000 -nodefraction=0 -focus="$2" "$dir/tagma" "$dir/$1".?.pb.gz 2>/dev/null |
    awk '/^Showing nodes accounting for/ { share = $6 } END { printf "%.0f %%", share }'
}

machine_line
"$dir/tagma" bench --clients 512 --ops "$fill" --warmup 0s >/dev/null 2>&1
for name in "${names[@]}"; do profile "$name"; done

printf '| part |'
printf ' %s |' "${names[@]}"
printf '\n|---|'
printf -- '---|%.0s' "${names[@]}"
echo
for part in "${parts[@]}"; do
  printf '| %s |' "${part%%|*}"
  for name in "${names[@]}"; do printf ' %s |' "$(share "$name" "${part#*|}")"; done
  echo
done
