// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

//go:build linux && (amd64 || arm64)

// Package ccdm opens and closes disks of the device-mapper target ccdm: ephemeral,
// encrypted, with integrity and freshness.
//
// The package calls the kernel itself. It needs neither cgo nor another package, program
// or library, and works without udev. It loads no module. All functions need root
// (CAP_SYS_ADMIN) and /dev/mapper/control. They may be called by several goroutines.
package ccdm

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
)

const (
	kind         = "ccdm" // of the target
	tableVersion = 1
	nameMost     = 90 // the UUID "CCDM-<32 digits>-<name>" must fit, too
	nameBytes    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#+-.:=@_"

	removeTries = 25 // since udev may have the device open
	removePause = 200 * time.Millisecond
)

// Cipher is a cipher suite.
type Cipher string

// The cipher suites. The target's default is AESXTSGMAC.
const (
	AESXTSGMAC       Cipher = "aes-xts-gmac"
	AESXTSHMACSHA256 Cipher = "aes-xts-hmac-sha256"
	AESGCM           Cipher = "aes-gcm"
)

// OnTamper is what the kernel does if the device returns data other than what was
// written last.
type OnTamper string

// The actions on tamper. The target's default is Panic.
const (
	Panic    OnTamper = "panic"    // the kernel panics
	PowerOff OnTamper = "poweroff" // the machine is switched off
	EIO      OnTamper = "eio"      // all I/O of the mapping fails
)

// Options say what Open opens. Device and Name are required.
type Options struct {
	Device string // path of the backing device
	Name   string // name of the mapping: 1 to 90 letters, digits and #+-.:=@_

	// Destroy opens the device although it is not empty. The content of the device is lost.
	Destroy bool

	Cipher        Cipher   // empty: the target's default
	OnTamper      OnTamper // empty: the target's default
	CacheMiB      uint64   // limit of the mapping's memory; 0: the target's default
	Origin        string   // a device whose content shows where nothing was written; may be empty
	Size          uint64   // bytes of the mapping, a multiple of 4096; 0: the most that fits
	UUID          string   // 32 hexadecimal digits in lower case; empty: random
	AllowDiscards bool     // pass discards to the device
	AllowKdump    bool     // open although a crash kernel is loaded
}

// Path returns the path of a mapping, "/dev/mapper/NAME".
func Path(name string) string { return "/dev/mapper/" + name }

func checkPath(option, path string) error {
	// device-mapper splits its line at white space, and a backslash protects a character
	if path == "" || strings.ContainsAny(path, " \t\n\v\f\r\\\x00") {
		return fail(syscall.EINVAL, option, "expected a path without white space and backslash, found %q", path)
	}
	return nil
}

// check checks everything that needs no device.
func (o *Options) check() error {
	if o.Name == "" || len(o.Name) > nameMost || strings.Trim(o.Name, nameBytes) != "" ||
		o.Name == "." || o.Name == ".." || o.Name == "control" {
		return fail(syscall.EINVAL, "Name", "expected 1 to %d letters, digits and #+-.:=@_, found %q", nameMost, o.Name)
	}
	if err := checkPath("Device", o.Device); err != nil {
		return err
	}
	if o.Origin != "" {
		if err := checkPath("Origin", o.Origin); err != nil {
			return err
		}
	}
	switch o.Cipher {
	case "", AESXTSGMAC, AESXTSHMACSHA256, AESGCM:
	default:
		return fail(syscall.EINVAL, "Cipher", "expected %s, %s or %s, found %q", AESXTSGMAC, AESXTSHMACSHA256, AESGCM, string(o.Cipher))
	}
	switch o.OnTamper {
	case "", Panic, PowerOff, EIO:
	default:
		return fail(syscall.EINVAL, "OnTamper", "expected %s, %s or %s, found %q", Panic, PowerOff, EIO, string(o.OnTamper))
	}
	if o.Size%blockSize != 0 {
		return fail(syscall.EINVAL, "Size", "expected a multiple of %d bytes, found %d", blockSize, o.Size)
	}
	if o.UUID != "" && (len(o.UUID) != 32 || strings.Trim(o.UUID, "0123456789abcdef") != "") {
		return fail(syscall.EINVAL, "UUID", "expected 32 hexadecimal digits in lower case, found %q", o.UUID)
	}
	return nil
}

// params returns the table line after "ccdm".
func (o *Options) params() string {
	var words []string
	if o.Cipher != "" {
		words = append(words, "cipher:"+string(o.Cipher))
	}
	if o.CacheMiB != 0 {
		words = append(words, fmt.Sprintf("cache_mib:%d", o.CacheMiB))
	}
	if o.OnTamper != "" {
		words = append(words, "on_tamper:"+string(o.OnTamper))
	}
	if o.Origin != "" {
		words = append(words, "origin:"+o.Origin)
	}
	if o.AllowDiscards {
		words = append(words, "allow_discards")
	}
	if o.AllowKdump {
		words = append(words, "allow_kdump")
	}
	line := fmt.Sprintf("%d %s %d", tableVersion, o.Device, len(words))
	return strings.Join(append([]string{line}, words...), " ")
}

// blocks returns the size of the mapping on a device of this size.
func (o *Options) blocks(device uint64) (uint64, error) {
	most := fit(device / blockSize)
	if most == 0 {
		return 0, fail(syscall.ENOSPC, o.Device, "expected at least %d bytes, found %d", 2*blockSize, device)
	}
	if o.Size == 0 {
		return most, nil
	}
	if o.Size/blockSize > most {
		return 0, fail(syscall.ENOSPC, o.Device, "expected room for %d bytes and their tree, found room for %d", o.Size, most*blockSize)
	}
	return o.Size / blockSize, nil
}

// look examines the devices, and returns the size of the mapping in blocks.
func (o *Options) look() (uint64, error) {
	d, err := openDevice(o.Device, syscall.O_EXCL)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	if d.readOnly {
		return 0, fail(syscall.EROFS, o.Device, "expected a writable device, found a read-only one")
	}
	blocks, err := o.blocks(d.bytes)
	if err != nil {
		return 0, err
	}
	if o.Origin != "" {
		origin, err := openDevice(o.Origin, 0)
		if err != nil {
			return 0, err
		}
		defer origin.Close()
		if origin.bytes == 0 || origin.bytes%blockSize != 0 || origin.bytes/blockSize > blocks {
			return 0, fail(syscall.EINVAL, o.Origin, "expected a multiple of %d bytes, at most %d, found %d",
				blockSize, blocks*blockSize, origin.bytes)
		}
	}
	if o.Destroy {
		return blocks, nil
	}
	at, found, err := firstData(d, int64(d.bytes))
	if err != nil {
		return 0, fail(errnoOf(err), o.Device, "cannot read it: %s", errnoOf(err))
	}
	if found {
		return 0, fail(syscall.ECANCELED, o.Device,
			"expected zeros in the first and the last MiB, found data at byte %d; to lose it, set Destroy", at)
	}
	return blocks, nil
}

// Open opens a mapping as /dev/mapper/NAME.
//
// Unless Destroy is set, Open refuses a device that is not empty: each byte of its first
// MiB and of its last MiB must be zero. Open does not look for data elsewhere. A device
// that held a ccdm disk before is not empty, either.
//
// If Open fails, no mapping is left behind. The numbers of its errors are: EINVAL: an
// option; ENOENT, ENOTBLK, EROFS, EIO: the device; ENOSPC: it is too small; EBUSY: it is
// in use; ECANCELED: it is not empty, or the kernel's target has another version of the
// table line; EEXIST: the name is in use; ENODEV: the kernel has no device-mapper or no
// target ccdm; EPERM, EACCES; others of the kernel, whose log has the reason.
func Open(o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := needTarget(); err != nil {
		return err
	}
	blocks, err := o.look()
	if err != nil {
		return err
	}
	uuid := o.UUID
	if uuid == "" {
		var b [16]byte
		if _, err := rand.Read(b[:]); err != nil {
			return fail(syscall.EIO, "UUID", "cannot read random numbers: %s", err)
		}
		uuid = hex.EncodeToString(b[:])
	}
	r := newRequest(o.Name, 0)
	copy(r[atUUID:atUUID+uuidSize-1], "CCDM-"+uuid+"-"+o.Name)
	created, err := r.run(dmCreate)
	if errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EEXIST) {
		return fail(syscall.EEXIST, o.Name, "expected a free name and UUID, found a mapping that has one of them")
	} else if err != nil {
		return unusable(o.Name, err)
	}
	if err := start(o.Name, created.dev, loadRequest(o.Name, blocks, o.params())); err != nil {
		if undo := remove(o.Name, created.dev, false); undo != nil {
			return fail(errnoOf(err), o.Name, "%s; the mapping stays, since %s", err, undo)
		}
		return err
	}
	return nil
}

// loadRequest returns the request that loads a table of one line.
func loadRequest(name string, blocks uint64, params string) request {
	r := newRequest(name, 0)
	binary.LittleEndian.PutUint32(r[atTargets:], 1)
	spec := make([]byte, targetSize)
	binary.LittleEndian.PutUint64(spec[atTargetLength:], blocks*blockSectors)
	copy(spec[atTargetType:atTargetType+targetTypeSize-1], kind)
	return append(append(append(r, spec...), params...), 0)
}

// start gives a new mapping its table and its name in /dev.
func start(name string, dev uint64, load request) error {
	if _, err := load.run(dmLoad); err != nil {
		return fail(errnoOf(err), name, "the kernel refuses its table: %s; the kernel's log has the reason", err)
	}
	if _, err := newRequest(name, 0).run(dmSuspend); err != nil {
		return fail(errnoOf(err), name, "cannot start it: %s", err)
	}
	return createNode(name, dev)
}

// needTarget checks that the kernel has a target that knows this table line.
func needTarget() error {
	if _, err := newRequest("", 0).run(dmVersion); err != nil {
		return unusable(control, err)
	}
	a, err := newRequest("", 0).run(dmVersions)
	if err != nil {
		return unusable(control, err)
	}
	major, found, err := a.version(kind)
	if err != nil {
		return unusable(control, err)
	}
	if !found {
		return fail(syscall.ENODEV, "kernel", "expected the device-mapper target ccdm, found none; load it with: modprobe dm-ccdm")
	}
	if major != tableVersion {
		return fail(syscall.ECANCELED, "kernel", "expected version %d of the target ccdm, found %d", tableVersion, major)
	}
	return nil
}

// unusable describes why a request failed that says nothing about a mapping.
func unusable(object string, err error) error {
	switch errno := errnoOf(err); errno {
	case syscall.ENOENT, syscall.ENXIO, syscall.ENODEV:
		return fail(syscall.ENODEV, control, "expected device-mapper: %s; load it with: modprobe dm-mod", errno)
	case syscall.EPERM, syscall.EACCES:
		return fail(errno, control, "expected a process with CAP_SYS_ADMIN: %s", errno)
	default:
		return fail(errno, object, "device-mapper does not answer: %s", err)
	}
}

// Mapping is the state of a mapping.
type Mapping struct {
	Name      string
	UUID      string // in device-mapper
	Dev       string // its number, "MAJOR:MINOR"
	Backing   string // number of the backing device
	Bytes     uint64 // its size
	InUse     bool
	Suspended bool
	Table     string            // the table line after "ccdm"
	Words     map[string]string // the words "name:value" of the status line
}

// Active reports whether the mapping works. If it returns false, all I/O fails.
func (m *Mapping) Active() bool { return m.Words["state"] == "active" }

// parseWords returns the words of a status line. A later kernel can have more of them.
func parseWords(line string) map[string]string {
	words := make(map[string]string)
	for _, word := range strings.Fields(line) {
		name, value, found := strings.Cut(word, ":")
		if _, known := words[name]; found && !known {
			words[name] = value
		}
	}
	return words
}

// read returns an answer about a mapping with the target ccdm, and its line.
func read(name string, flags uint32) (answer, target, error) {
	if name == "" || len(name) >= nameSize || strings.IndexByte(name, 0) >= 0 {
		return answer{}, target{}, fail(syscall.EINVAL, "name of the mapping", "expected 1 to %d bytes, found %q", nameSize-1, name)
	}
	// Without flagNoFlush the target would write to its device.
	a, err := newRequest(name, flags|flagNoFlush).run(dmStatus)
	if err == syscall.ENXIO {
		return a, target{}, fail(syscall.ENXIO, name, "expected an open mapping, found none")
	} else if err != nil {
		return a, target{}, unusable(name, err)
	}
	t, err := a.target()
	if err != nil {
		return a, t, fail(syscall.EIO, name, "%s", err)
	}
	if t.kind != kind {
		return a, t, fail(syscall.ENXIO, name, "expected a mapping with the target %s, found %q", kind, t.kind)
	}
	return a, t, nil
}

// Status returns the state of a mapping. It writes nothing to the device.
//
// The numbers of its errors are: ENXIO: there is no such mapping, or it has another
// target; EINVAL: the name; ENODEV: the kernel has no device-mapper; EPERM, EACCES.
func Status(name string) (Mapping, error) {
	_, table, err := read(name, flagTable)
	if err != nil {
		return Mapping{}, err
	}
	a, t, err := read(name, 0)
	if err != nil {
		return Mapping{}, err
	}
	m := Mapping{
		Name:      a.name,
		UUID:      a.uuid,
		Bytes:     t.length * 512,
		InUse:     a.open > 0,
		Suspended: a.flags&flagSuspend != 0,
		Table:     table.line,
		Words:     parseWords(t.line),
	}
	major, minor := number(a.dev)
	m.Dev = fmt.Sprintf("%d:%d", major, minor)
	// "<version> <backing device> ..."
	if words := strings.Fields(table.line); len(words) > 1 {
		m.Backing = words[1]
	}
	return m, nil
}

// Close closes a mapping. Its content is lost. If the mapping is in use, Close tries again
// for 5 seconds. With deferred, a mapping that is in use goes when its last user closes it.
//
// The numbers of its errors are: EBUSY: it is in use; ENXIO: there is no such mapping, or
// it has another target; EINVAL: the name; ENODEV: the kernel has no device-mapper; EPERM,
// EACCES.
func Close(name string, deferred bool) error {
	a, _, err := read(name, flagTable)
	if err != nil {
		return err
	}
	return remove(name, a.dev, deferred)
}

func remove(name string, dev uint64, deferred bool) error {
	flags := uint32(0)
	if deferred {
		flags = flagDeferred
	}
	var a answer
	var err error
	for try := 0; try < removeTries; try++ {
		if try > 0 {
			time.Sleep(removePause)
		}
		a, err = newRequest(name, flags).run(dmRemove)
		if !errors.Is(err, syscall.EBUSY) {
			break
		}
	}
	switch {
	case err == nil:
		if a.flags&flagDeferred == 0 {
			removeNode(name, dev)
		}
		return nil
	case errors.Is(err, syscall.EBUSY):
		return fail(syscall.EBUSY, name, "expected a mapping without users, found one in use")
	case err == syscall.ENXIO:
		return fail(syscall.ENXIO, name, "expected an open mapping, found none")
	default:
		return unusable(name, err)
	}
}

// List returns the names of the mappings with the target ccdm.
//
// The numbers of its errors are: ENODEV: the kernel has no device-mapper; EPERM, EACCES.
func List() ([]string, error) {
	a, err := newRequest("", 0).run(dmList)
	if err != nil {
		return nil, unusable(control, err)
	}
	names, err := a.names()
	if err != nil {
		return nil, unusable(control, err)
	}
	var list []string
	for _, name := range names {
		// The mapping may have disappeared by now, or have another target.
		if _, _, err := read(name, flagTable); err == nil {
			list = append(list, name)
		} else if !errors.Is(err, syscall.ENXIO) {
			return nil, err
		}
	}
	return list, nil
}
