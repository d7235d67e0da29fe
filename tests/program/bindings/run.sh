#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# bindings - the bindings for Go and Rust: known answers, unit tests, what they import
set -u
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib/ktap.sh
scripts/setup bindings >&2 || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export GOFLAGS='' GOPROXY=off GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0
echo "KTAP version 1"

# ---- known answers of the kernel's header
check "the header makes the known answers" gcc -Wall -Werror -Ikmod -o "$tmp/geometry" tests/program/bindings/geometry.c
"$tmp/geometry" >"$tmp/geometry.txt"
check "Go has these known answers" cmp "$tmp/geometry.txt" bindings/go/testdata/geometry.txt
check "Rust has them, too" cmp "$tmp/geometry.txt" bindings/rust/tests/geometry.txt

# ---- Go
go() { (cd bindings/go && command go "$@"); }
check "go: the oldest supported version is 1.19" grep -qx "go 1.19" bindings/go/go.mod
check_sh "go: gofmt changes nothing" "[ -z \"\$(cd bindings/go && gofmt -l .)\" ]"
check "go vet" go vet ./...
check "go test" go test -count=1 ./...
check "go: hostile answers of the kernel" go test -fuzz=FuzzAnswer -fuzztime=10s
go list -deps -f '{{if not .Standard}}{{.ImportPath}}{{end}}' ./... 2>&1 | sort >"$tmp/deps"
printf 'ccdm\nccdm/examples/disk\n' >"$tmp/expected"
check "go: only the standard library" diff "$tmp/expected" "$tmp/deps"
mkdir "$tmp/readme"
awk '/^```go$/ { on = 1; next } /^```$/ { on = 0 } on' bindings/go/README.md >"$tmp/readme/main.go"
printf 'module readme\n\ngo 1.19\n\nrequire ccdm v0.0.0\n\nreplace ccdm => %s/bindings/go\n' "$PWD" >"$tmp/readme/go.mod"
check_sh "go: the example of README.md compiles" "cd $tmp/readme && command go vet . && [ -z \"\$(gofmt -l .)\" ]"
check_sh "go: no cgo" "! grep -rn 'import \"C\"' bindings/go"

# ---- Rust: Debian's, also if the user has another one
cargo() { (cd bindings/rust && PATH=/usr/bin:/bin CARGO_TARGET_DIR=$PWD/../../build/cargo command cargo "$@"); }
check "rust: the oldest supported version is 1.63" grep -qx 'rust-version = "1.63"' bindings/rust/Cargo.toml
check "rust: rustfmt changes nothing" cargo fmt --check
check "cargo test" cargo test --offline
check "cargo doc without a warning" env RUSTDOCFLAGS=-Dwarnings bash -c "$(declare -f cargo); cargo doc --offline"
cargo tree --offline --prefix none 2>&1 | sed 's/ .*//' >"$tmp/deps"
check_sh "rust: only the standard library" "[ \"\$(cat $tmp/deps)\" = ccdm ]"
check_sh "rust: unsafe code in one file only" "[ \"\$(grep -lw 'unsafe' -r bindings/rust/src bindings/rust/examples)\" = bindings/rust/src/sys.rs ]"

# ---- the programs for tests/vm/87-bindings
check "the programs for the VM are built" make -s bindings
for p in go rust; do check_sh "$p: it is static" "! ldd build/tests/binding-$p 2>&1 | grep ld-linux >/dev/null"; done
finish
