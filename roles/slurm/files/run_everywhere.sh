#!/bin/bash
# One task on each of the given nodes that is free. A node that a job holds is left alone: the job proves that it works.
# So is one that is kept out of service until it was accepted.
# Nodes are asked again when a job took one of them meanwhile.
set -u
nodes=$1
for _ in 1 2 3 4 5; do
  # Not by --states=idle, which names drained nodes too.
  free=$(sinfo --noheader --Node --nodes="$nodes" --format='%N %T' | awk '$2 == "idle" {print $1}' | sort -u)
  [[ -z $free ]] && { echo "every node is held by a job, or kept out of service"; exit 0; }
  count=$(wc -l <<<"$free")
  if ran=$(srun --immediate=10 --time=1 --job-name=verify --nodes="$count" --ntasks-per-node=1 \
    --nodelist="$(paste -sd, <<<"$free")" --input=none hostname --short 2>&1); then
    missing=$(comm -23 <(echo "$free") <(sort -u <<<"$ran"))
    [[ -z $missing ]] && { echo "a task ran on $count nodes"; exit 0; }
    echo "no task ran on $(paste -sd, <<<"$missing"): $ran"
    exit 1
  fi
  sleep 1
done
echo "srun failed on $(paste -sd, <<<"$free"): $ran"
exit 1
