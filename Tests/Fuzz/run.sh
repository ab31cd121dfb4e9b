#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SECONDS [TARGET...]: builds the sources with coverage counters and feeds each target for so long. What broke a rule is left in
# .build-fuzz/found/TARGET; put it into Tests/FuzzTests/Corpus/TARGET together with the fix.
set -eu
cd "$(dirname "$0")/../.."
seconds=$1
shift
[ $# -gt 0 ] || set -- $(ls Tests/FuzzTests/Corpus)
mkdir -p .build-fuzz/Fuzz
cp Tests/Fuzz/Package.swift .build-fuzz/
cp Tests/Fuzz/Entry.swift Tests/FuzzTests/FuzzTarget.swift .build-fuzz/Fuzz/
ln -sfn ../Sources .build-fuzz/Sources
(cd .build-fuzz && swift build -c release --product orch-fuzz)
broken=0
for target in "$@"; do
    mkdir -p ".build-fuzz/corpus/$target" ".build-fuzz/found/$target"
    echo "== $target, $seconds s"
    # A crash is libFuzzer's to tell, and to keep its input.
    SWIFT_BACKTRACE=enable=no ORCH_FUZZ=$target .build-fuzz/.build/release/orch-fuzz \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=16384 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix=".build-fuzz/found/$target/" ".build-fuzz/corpus/$target" "Tests/FuzzTests/Corpus/$target" \
        >".build-fuzz/$target.log" 2>&1 || broken=1
    grep -E "^(stat|BROKEN|SUMMARY|==)" ".build-fuzz/$target.log" || true
    [ -z "$(ls ".build-fuzz/found/$target")" ] || { broken=1; ls ".build-fuzz/found/$target"; }
done
exit $broken
