// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

//go:build linux && (amd64 || arm64)

package ccdm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

// answerWith returns an answer of the kernel with these data.
func answerWith(targets uint32, data []byte) []byte {
	b := append(newRequest("scratch", 0), data...)
	binary.LittleEndian.PutUint32(b[atTargets:], targets)
	binary.LittleEndian.PutUint32(b[atDataSize:], uint32(len(b)))
	binary.LittleEndian.PutUint64(b[atDev:], 253<<8|3)
	copy(b[atUUID:], "CCDM-0-scratch")
	return b
}

// line returns a struct dm_target_spec and a line.
func line(kind, text string, length uint64) []byte {
	b := make([]byte, targetSize)
	binary.LittleEndian.PutUint64(b[atTargetLength:], length)
	copy(b[atTargetType:], kind)
	return append(append(b, text...), 0)
}

// named returns a struct dm_name_list.
func named(dev uint64, next uint32, name string) []byte {
	b := make([]byte, atListName)
	binary.LittleEndian.PutUint64(b, dev)
	binary.LittleEndian.PutUint32(b[atListNext:], next)
	return append(append(b, name...), 0)
}

// versioned returns a struct dm_target_versions.
func versioned(next, major uint32, name string) []byte {
	b := make([]byte, atVersionName)
	binary.LittleEndian.PutUint32(b, next)
	binary.LittleEndian.PutUint32(b[atVersions:], major)
	return append(append(b, name...), 0)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// expectError fails unless err has this text in it.
func expectError(t *testing.T, what string, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: expected an error with %q, found %v", what, text, err)
	}
}

func TestAnswer(t *testing.T) {
	a, err := parseAnswer(answerWith(1, line("ccdm", "state:active", 2048)))
	if err != nil {
		t.Fatal(err)
	}
	if a.name != "scratch" || a.uuid != "CCDM-0-scratch" || a.targets != 1 || a.dev != 253<<8|3 {
		t.Errorf("header: found %+v", a)
	}
	got, err := a.target()
	if want := (target{2048, "ccdm", "state:active"}); err != nil || got != want {
		t.Errorf("target: expected %+v, found %+v, %v", want, got, err)
	}
	if got, err := (answer{}).target(); err != nil || got != (target{}) {
		t.Errorf("no table: found %+v, %v", got, err)
	}

	_, err = parseAnswer(make([]byte, headerSize-1))
	expectError(t, "short answer", err, "expected at least 312 bytes, found 311")
	b := answerWith(0, nil)
	binary.LittleEndian.PutUint32(b[atDataSize:], headerSize+1)
	_, err = parseAnswer(b)
	expectError(t, "answer that says too much", err, "expected at most 312 bytes, found 313")
	for _, start := range []uint32{0, headerSize - 1, headerSize + 1, 1<<32 - 1} {
		b = answerWith(0, []byte{1})
		binary.LittleEndian.PutUint32(b[atDataStart:], start)
		if a, err := parseAnswer(b); err != nil || len(a.data) != 0 {
			t.Errorf("data at %d: expected none, found %d, %v", start, len(a.data), err)
		}
	}
	_, err = answer{targets: 1, data: make([]byte, targetSize)}.target()
	expectError(t, "short line", err, "expected more than 40 bytes, found 40")
	_, err = answer{targets: 1, data: line("ccdm", "a", 8)[:targetSize+1]}.target()
	expectError(t, "endless line", err, "expected a NUL")
	// a name, a UUID and a type that fill their field
	b = answerWith(1, line(strings.Repeat("t", targetTypeSize), "", 8))
	copy(b[atName:], strings.Repeat("n", nameSize))
	copy(b[atUUID:], strings.Repeat("u", uuidSize))
	if a, err = parseAnswer(b); err != nil || len(a.name) != nameSize || len(a.uuid) != uuidSize {
		t.Errorf("full fields: found %+v, %v", a, err)
	}
	if got, err := a.target(); err != nil || len(got.kind) != targetTypeSize {
		t.Errorf("full type: found %+v, %v", got, err)
	}
}

func TestNames(t *testing.T) {
	for _, good := range []struct {
		data []byte
		want []string
	}{
		{nil, nil},
		{named(0, 0, ""), nil},
		{named(1, 0, "a"), []string{"a"}},
		// the kernel puts more after a name, and aligns
		{join(named(1, 24, "a"), make([]byte, 10), named(2, 0, "bc"), make([]byte, 9)), []string{"a", "bc"}},
	} {
		got, err := answer{data: good.data}.names()
		if err != nil || !reflect.DeepEqual(got, good.want) {
			t.Errorf("names in %v: expected %q, found %q, %v", good.data, good.want, got, err)
		}
	}
	for what, bad := range map[string]struct {
		data []byte
		text string
	}{
		"short":         {make([]byte, atListName), "expected more than 12 bytes, found 12"},
		"endless name":  {named(1, 0, "a")[:atListName+1], "expected a NUL"},
		"next: itself":  {named(1, 12, "a"), "expected the next one after 13 to 13 bytes, found 12"},
		"next: the end": {named(1, 14, "a"), "found 14"},
		"next: beyond":  {named(1, 1<<32-1, "a"), "found 4294967295"},
		"next: short":   {join(named(1, 14, "a"), make([]byte, 5)), "byte 14: expected more than 12 bytes, found 5"},
	} {
		_, err := answer{data: bad.data}.names()
		expectError(t, what, err, bad.text)
	}
}

func TestVersion(t *testing.T) {
	two := join(versioned(22, 3, "linea"), versioned(0, 1, "ccdm"))
	if major, found, err := (answer{data: two}).version("ccdm"); major != 1 || !found || err != nil {
		t.Errorf("second of two: found %d, %t, %v", major, found, err)
	}
	for _, none := range [][]byte{nil, two} {
		if _, found, err := (answer{data: none}).version("ccd"); found || err != nil {
			t.Errorf("no such target: found %t, %v", found, err)
		}
	}
	for what, bad := range map[string]struct {
		data []byte
		text string
	}{
		"short":        {make([]byte, atVersionName), "expected more than 16 bytes, found 16"},
		"endless name": {versioned(0, 1, "ccdm")[:atVersionName+4], "expected a NUL"},
		"next: itself": {versioned(16, 1, "x"), "found 16"},
		"next: beyond": {versioned(18, 1, "x"), "found 18"},
	} {
		_, _, err := answer{data: bad.data}.version("ccdm")
		expectError(t, what, err, bad.text)
	}
}

// No answer makes the parsers panic or loop.
func FuzzAnswer(f *testing.F) {
	f.Add(answerWith(1, line("ccdm", "state:active", 2048)))
	f.Add(answerWith(0, join(named(1, 24, "a"), make([]byte, 10), named(2, 0, "bc"))))
	f.Add(answerWith(0, join(versioned(22, 3, "linea"), versioned(0, 1, "ccdm"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := parseAnswer(b)
		if err != nil {
			return
		}
		if got, err := a.target(); err == nil {
			parseWords(got.line)
		}
		a.names()
		a.version("ccdm")
	})
}

func TestWords(t *testing.T) {
	got := parseWords("state:active pages:8/16 later:a:b alone  empty: state:failed")
	want := map[string]string{"state": "active", "pages": "8/16", "later": "a:b", "empty": ""}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("expected %q, found %q", want, got)
	}
	for line, want := range map[string]bool{"state:active": true, "state:tampered": false, "state:later": false, "": false} {
		if m := (Mapping{Words: parseWords(line)}); m.Active() != want {
			t.Errorf("%q: expected active %t", line, want)
		}
	}
}

func TestParams(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Device: "/dev/vdb"}, "1 /dev/vdb 0"},
		{Options{Device: "/dev/vdb", Cipher: AESGCM, CacheMiB: 4}, "1 /dev/vdb 2 cipher:aes-gcm cache_mib:4"},
		{Options{Device: "/dev/vdb", OnTamper: EIO, Origin: "/dev/vdc", AllowDiscards: true, AllowKdump: true},
			"1 /dev/vdb 4 on_tamper:eio origin:/dev/vdc allow_discards allow_kdump"},
	} {
		if got := c.o.params(); got != c.want {
			t.Errorf("expected %q, found %q", c.want, got)
		}
	}
	b := loadRequest("t", 3, "1 /dev/vdb 0")
	if got, err := (answer{targets: 1, data: b[headerSize:]}).target(); err != nil || got != (target{24, "ccdm", "1 /dev/vdb 0"}) {
		t.Errorf("request: found %+v, %v", got, err)
	}
}

func TestCheck(t *testing.T) {
	good := Options{Device: "/dev/vdb", Name: strings.Repeat("n", 90), UUID: "0123456789abcdef0123456789abcdef", Size: 4096}
	if err := good.check(); err != nil {
		t.Errorf("expected no error, found %s", err)
	}
	if n := len("CCDM-" + good.UUID + "-" + good.Name); n != uuidSize-1 {
		t.Errorf("longest UUID: expected %d bytes, found %d", uuidSize-1, n)
	}
	for text, change := range map[string]func(*Options){
		`Name: expected 1 to 90`:          func(o *Options) { o.Name = "" },
		`#+-.:=@_, found "nnn`:            func(o *Options) { o.Name += "n" },
		`found "a/b"`:                     func(o *Options) { o.Name = "a/b" },
		`found ".."`:                      func(o *Options) { o.Name = ".." },
		`found "control"`:                 func(o *Options) { o.Name = "control" },
		`Device: expected a path`:         func(o *Options) { o.Device = "" },
		`found "/dev/a b"`:                func(o *Options) { o.Device = "/dev/a b" },
		`Origin: expected a path`:         func(o *Options) { o.Origin = "/dev/a\\b" },
		`Cipher: expected aes-xts-gmac,`:  func(o *Options) { o.Cipher = "rot13 x" },
		`OnTamper: expected panic,`:       func(o *Options) { o.OnTamper = "sing" },
		`Size: expected a multiple of`:    func(o *Options) { o.Size = 4097 },
		`UUID: expected 32 hexadecimal`:   func(o *Options) { o.UUID = "0123" },
		`"0123456789ABCDEF0123456789ABCD`: func(o *Options) { o.UUID = strings.ToUpper(o.UUID) },
	} {
		o := good
		change(&o)
		err := o.check()
		expectError(t, text, err, text)
		if !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s: expected EINVAL, found %v", text, err)
		}
	}
}

func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		device, size, want uint64
		err                error
	}{
		{8192, 0, 1, nil},
		{4096*131 + 4095, 0, 128, nil},
		{4096 * 131, 4096 * 128, 128, nil},
		{4096 * 131, 4096 * 129, 0, syscall.ENOSPC},
		{8191, 0, 0, syscall.ENOSPC},
		{0, 0, 0, syscall.ENOSPC},
	} {
		o := Options{Device: "/dev/vdb", Size: c.size}
		got, err := o.blocks(c.device)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%d bytes, size %d: expected %d, %v, found %d, %v", c.device, c.size, c.want, c.err, got, err)
		}
	}
}

func TestFirstData(t *testing.T) {
	for _, c := range []struct {
		size int
		data []int // positions of bytes other than zero
		want int64 // -1: the device counts as empty
	}{
		{0, nil, -1},
		{512, nil, -1},
		{512, []int{511}, 511},
		{4 * edge, nil, -1},
		{4 * edge, []int{0, 1080}, 0},
		{4 * edge, []int{edge - 1}, edge - 1},
		{4 * edge, []int{edge, 3*edge - 1}, -1},
		{4 * edge, []int{3 * edge}, 3 * edge},
		{4 * edge, []int{4*edge - 1}, 4*edge - 1},
		{edge + 512, []int{edge + 511}, edge + 511},
		{edge + 512, nil, -1},
	} {
		b := make([]byte, c.size)
		for _, at := range c.data {
			b[at] = 1
		}
		at, found, err := firstData(bytes.NewReader(b), int64(c.size))
		if err != nil || found != (c.want >= 0) || (found && at != c.want) {
			t.Errorf("%d bytes, data at %v: expected %d, found %d, %t, %v", c.size, c.data, c.want, at, found, err)
		}
	}
	// a device that is shorter than it says
	if _, _, err := firstData(bytes.NewReader(make([]byte, edge)), 4*edge); err == nil {
		t.Error("short device: expected an error, found none")
	}
}

func TestDevice(t *testing.T) {
	for path, want := range map[string]syscall.Errno{
		"/dev/nosuch":   syscall.ENOENT,
		"/dev/null":     syscall.ENOTBLK,
		"/":             syscall.ENOTBLK,
		"/dev/null/sub": syscall.ENOTDIR,
	} {
		_, err := openDevice(path, 0)
		if !errors.Is(err, want) || !strings.HasPrefix(err.Error(), path+": expected a block device") {
			t.Errorf("%s: expected %v, found %v", path, want, err)
		}
	}
}

func TestNumber(t *testing.T) {
	for dev, want := range map[uint64][2]uint64{253<<8 | 3: {253, 3}, 0x00100000 | 253<<8 | 2: {253, 258}} {
		if major, minor := number(dev); major != want[0] || minor != want[1] {
			t.Errorf("%#x: expected %d, found %d:%d", dev, want, major, minor)
		}
	}
}
