#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What orch costs on this machine, beside what the machine itself takes for the same work in the same run. Ratios travel between
# machines, milliseconds don't. Usage: run.sh FOLDER-OF-RELEASE-PROGRAMS (with bin/orch in it) [SERVICES]
set -euo pipefail
dist=$(cd "$1" && pwd) count=${2:-1000} rounds=5
sim=$(realpath -m "${SIM:-/nowhere}")
orch=$dist/bin/orch
work=$(mktemp -d)
export ORCH_HOME=$work/home
trap '"$orch" daemon stop >/dev/null 2>&1 || true; pkill -P $$ 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

now() { date +%s%N; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# row NAME NANOSECONDS [LIMIT-NANOSECONDS]
row() {
    awk -v name="$1" -v ns="$2" -v limit="${3:-0}" 'BEGIN {
        printf "%-52s %10.1f ms", name, ns / 1e6
        if (limit > 0) printf "   %6.2f x the limit (%.1f ms)", ns / limit, limit / 1e6
        print ""
    }'
}

stack() { # stack NAME COUNT VALUE
    printf 'name: %s\nservices:\n  s:\n    command: [sleep, "100000"]\n    replicas: %s\n' "$1" "$2"
    printf '    environment: { VALUE: "%s" }\n    logging: { stdout: null, stderr: null }\n' "$3"
}

echo "$count services, medians of $rounds; the limit is a shell that starts the same processes and waits for nothing"

limits=() applies=() downs=()
for _ in $(seq $rounds); do
    t=$(now); bash -c "for _ in \$(seq $count); do sleep 100000 & done; kill \$(jobs -p)" 2>/dev/null; limits+=($(($(now) - t)))
    stack many "$count" 1 >orch.yaml
    t=$(now); "$orch" apply >/dev/null; applies+=($(($(now) - t)))
    t=$(now); "$orch" down >/dev/null; downs+=($(($(now) - t)))
done
limit=$(printf '%s\n' "${limits[@]}" | median)
row "apply of $count, command to all ready" "$(printf '%s\n' "${applies[@]}" | median)" "$limit"
row "down of $count, command to nothing left" "$(printf '%s\n' "${downs[@]}" | median)" "$limit"

"$orch" apply >/dev/null
nothing=() statuses=() noops=()
for _ in $(seq $rounds); do
    t=$(now); "$orch" --version >/dev/null; nothing+=($(($(now) - t)))
    t=$(now); "$orch" status --json >/dev/null; statuses+=($(($(now) - t)))
    t=$(now); "$orch" apply >/dev/null; noops+=($(($(now) - t)))
done
version=$(printf '%s\n' "${nothing[@]}" | median)
row "status --json with $count (limit: orch --version)" "$(printf '%s\n' "${statuses[@]}" | median)" "$version"
row "apply with nothing to do" "$(printf '%s\n' "${noops[@]}" | median)" "$version"

daemon=$(pgrep -f "orchd --state $ORCH_HOME") keeper=$(pgrep -f "orch-keeper --socket $ORCH_HOME")
ticks() { awk '{ print $14 + $15 }' /proc/"$1"/stat; }
before=$(($(ticks "$daemon") + $(ticks "$keeper")))
read -r -t 10 _ < <(exec tail -f /dev/null) || true
echo "idle with $count for 10 s: $(($(ticks "$daemon") + $(ticks "$keeper") - before)) CPU ticks;" \
    "PSS $(awk '/^Pss:/ { s += $2 } END { print s }' /proc/"$daemon"/smaps_rollup) kB daemon," \
    "$(awk '/^Pss:/ { s += $2 } END { print s }' /proc/"$keeper"/smaps_rollup) kB keeper"
t=$(now); kill -9 "$daemon"; until "$orch" daemon status >/dev/null 2>&1; do :; done
row "kill -9 of the daemon until the next one answers" $(($(now) - t)) "$version"

# Of the keeper's time a restart takes what handing over to a daemon costs, an upgrade that and becoming another keeper.
used() { awk '{ print $1 }' /proc/"$keeper"/schedstat; }
upgrades=() handing=() becoming=()
for _ in $(seq $rounds); do
    c=$(used); "$orch" daemon restart >/dev/null; handing+=($(($(used) - c)))
    c=$(used); t=$(now); "$orch" daemon upgrade >/dev/null; upgrades+=($(($(now) - t))); becoming+=($(($(used) - c)))
done
row "daemon upgrade with $count, command to the new one's answer" "$(printf '%s\n' "${upgrades[@]}" | median)" "$version"
row "  the keeper's CPU: handing $count launches over" "$(printf '%s\n' "${handing[@]}" | median)"
row "  the keeper's CPU: that, and becoming another keeper" "$(printf '%s\n' "${becoming[@]}" | median)"
"$orch" down >/dev/null

cat >orch.yaml <<'Y'
name: one
services:
  s:
    command: 'date +%s%N >> born; exec sleep 100000'
    restart: { policy: always, delay: 0s }
Y
"$orch" apply >/dev/null
deaths=() births=()
for _ in $(seq 25); do
    seen=$(wc -l <born)
    pid=$("$orch" status --json | tr ',' '\n' | awk -F: '/"pid"/ { print $2 }')
    t=$(now); kill -9 "$pid"
    until [ "$(wc -l <born)" -gt "$seen" ]; do :; done
    deaths+=($(($(tail -1 born) - t)))
    t=$(now); sh -c 'date +%s%N > direct'; births+=($(($(cat direct) - t)))
done
row "SIGKILL to the replacement's first words, of 25" "$(printf '%s\n' "${deaths[@]}" | median)" "$(printf '%s\n' "${births[@]}" | median)"
"$orch" down >/dev/null

if [ -n "${SIM:-}" ]; then
    t=$(now); turns=$("$sim" 500 | awk '{ print $3 }'); t=$(($(now) - t))
    awk -v turns="$turns" -v ns="$t" 'BEGIN { printf "simulated turns on one core: %d in a second\n", turns / (ns / 1e9) }'
fi

# What one event costs among few and among many services, in instructions: they don't depend on who else uses the machine. Two runs of
# each that differ only in how many services crash and come back; the difference is theirs.
if [ -n "${SIM:-}" ] && command -v valgrind >/dev/null; then
    instructions() { # instructions SERVICES: of one crash, back-off and start among so many
        local few many
        few=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$sim" --cost threes "$1" 100 2>&1 | awk '/Collected/ { print $NF }')
        many=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$sim" --cost threes "$1" 600 2>&1 | awk '/Collected/ { print $NF }')
        echo $(((many - few) / 500))
    }
    small=$(instructions 100) large=$(instructions 10000)
    awk -v small="$small" -v large="$large" 'BEGIN {
        printf "a crash and its restart among 10,000 services: %d instructions, %.2f x of the same among 100; at most 2\n", large, large / small
        exit large > 2 * small }'
elif [ -n "${SIM:-}" ]; then
    echo "the cost of an event among 10,000 services: not counted, valgrind is not installed"
fi
