# Sourced by the scripts that measure: a cluster of four `tagma node` processes on loopback, stopped by process id at the end.
# shellcheck shell=bash

pids=() # of the replicas

# begin DIR FLAGS... builds tagma and starts a cluster in DIR, made with these flags; "" is a temporary directory, which end
# removes. It sets dir.
begin() {
  local first=${#pids[@]}
  kept=$1 dir=${1:-$(mktemp -d)}
  shift
  mkdir -p "$dir"
  trap end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  go build -o "$dir/tagma" ./cmd/tagma
  local base=$((10000 + RANDOM % 20000)) i
  while taken "$base"; do base=$((10000 + RANDOM % 20000)); done
  "$dir/tagma" init --dir "$dir/cluster" --base-port "$base" "$@" >/dev/null
  export TAGMA_CLUSTER="$dir/cluster/cluster.toml"
  for i in 0 1 2 3; do
    "$dir/tagma" node --home "$dir/cluster/replica$i" >"$dir/replica$i.out" 2>"$dir/replica$i.log" &
    pids+=($!)
  done
  for i in 0 1 2 3; do
    until grep -q "is ready" "$dir/replica$i.out"; do
      kill -0 "${pids[$((first + i))]}" 2>/dev/null || { echo "replica $i ended:" >&2; cat "$dir/replica$i.log" >&2; exit 1; }
      sleep 0.1
    done
  done
}

end() {
  local code=$?
  trap - EXIT
  if ((${#pids[@]})); then
    kill -TERM "${pids[@]}" 2>/dev/null || true # some may have ended
    wait "${pids[@]}" 2>/dev/null || true
  fi
  [[ -n $kept ]] || rm -rf "$dir"
  exit "$code"
}

# taken says whether something listens on one of four ports from $1 on, or on the admin ports a hundred above them.
taken() {
  local port
  for port in $(seq "$1" $(($1 + 3))) $(seq $(($1 + 100)) $(($1 + 103))); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
  done
  return 1
}

# ticks prints the processor time of all replicas so far, in hundredths of a second; 0 where there is no /proc.
ticks() {
  local pid sum=0 used
  for pid in "${pids[@]}"; do
    used=$(awk '{ print $14 + $15 }' "/proc/$pid/stat" 2>/dev/null || echo 0)
    sum=$((sum + used))
  done
  echo "$sum"
}

# resident prints the largest replica's resident memory in MiB.
resident() { ps -o rss= -p "$(IFS=,; echo "${pids[*]}")" | sort -n | awk 'END { printf "%.0f\n", $1 / 1024 }'; }

# loads prints the flags of a load by its name.
loads() {
  case $1 in
  one) echo "--clients 1" ;;
  64) echo "--clients 64" ;;
  512) echo "--clients 512 --connections 32" ;;
  packed) echo "--clients 64 --connections 1 --batch 16" ;;
  esac
}

machine_line() { printf '%s, %s CPUs, %s\n\n' "$("$dir/tagma" --version)" "$(getconf _NPROCESSORS_ONLN)" "$(go version)"; }
