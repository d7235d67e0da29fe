// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

package ccdm

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The answers are those of ccdm_geometry_fit() in kmod/ccdm_format.h.
func TestFit(t *testing.T) {
	text, err := os.ReadFile("testdata/geometry.txt")
	if err != nil {
		t.Fatal(err)
	}
	tests := 0
	for _, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		var device, want uint64
		if _, err := fmt.Sscanf(line, "%d %d", &device, &want); err != nil {
			t.Fatalf("%q: %s", line, err)
		}
		if got := fit(device); got != want {
			t.Errorf("fit(%d): expected %d, found %d", device, want, got)
		}
		tests++
	}
	if tests < 500 {
		t.Errorf("expected at least 500 known answers, found %d", tests)
	}
}
