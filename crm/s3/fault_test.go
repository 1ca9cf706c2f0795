package s3_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"testing"
	"time"

	"chatcast/crm/crmtest"
	"chatcast/crm/s3"
)

// TestUnavailableForAWhile checks that requests during an outage are retried.
func TestUnavailableForAWhile(t *testing.T) {
	o, w := through(t, startService(t))
	s := quick(t, o)
	id := crmtest.FileID("ab")
	cutService := func() { w.cut(3, 0, 0) }
	back := func(what string) {
		t.Helper()
		if w.left() != 0 {
			t.Errorf("%s: the service was not away, %d dials are left", what, w.left())
		}
	}
	cutService()
	if err := s.Check(t.Context()); err != nil { // as Open does
		t.Error(err)
	}
	back("open")
	cutService()
	crmtest.Put(t, s, id, []byte("hello"))
	back("put")
	cutService()
	if b, err := crmtest.Get(t, s, id); err != nil || string(b) != "hello" {
		t.Errorf("%q, %v", b, err)
	}
	back("get")
	cutService()
	if n := len(collect(t, s)); n != 1 {
		t.Errorf("%d files are listed", n)
	}
	back("list")
	cutService()
	if err := s.Delete(t.Context(), id); err != nil {
		t.Error(err)
	}
	back("delete")
}

func collect(t *testing.T, s *s3.Store) (ids []string) {
	t.Helper()
	for id, err := range s.Old(t.Context(), time.Now().Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// TestUnavailableForGood checks that requests fail in the end, with an error that is
// not fs.ErrNotExist.
func TestUnavailableForGood(t *testing.T) {
	o, w := through(t, startService(t))
	s := quick(t, o)
	id := crmtest.FileID("ab")
	crmtest.Put(t, s, id, []byte("hello"))
	w.cut(1000, 0, 0)
	for what, do := range map[string]func() error{
		"put":    func() error { return s.Put(t.Context(), crmtest.FileID("cd"), bytes.NewReader([]byte("x"))) },
		"get":    func() error { _, err := crmtest.Get(t, s, id); return err },
		"delete": func() error { return s.Delete(t.Context(), id) },
		"list": func() error {
			for _, err := range s.Old(t.Context(), time.Now()) {
				return err
			}
			return nil
		},
	} {
		before := w.dialled()
		err := do()
		var serviceErr *s3.Error
		if !errors.As(err, &serviceErr) || serviceErr.Setting != "endpoint" || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", what, err)
		}
		if n := w.dialled() - before; n < 2 || n > 30 {
			t.Errorf("%s: %d dials", what, n)
		}
	}
	w.cut(0, 0, 0)
	if b, err := crmtest.Get(t, s, id); err != nil || string(b) != "hello" {
		t.Errorf("afterwards: %q, %v", b, err)
	}
}

// TestCutInMidStream checks that cuts lose no bytes and repeat none.
func TestCutInMidStream(t *testing.T) {
	o, w := through(t, startService(t))
	s := quick(t, o)
	all := crmtest.Bytes(3*s3.PartSize + 77)
	id := crmtest.FileID("ab")
	w.cut(3, 2<<20, 0)
	crmtest.Put(t, s, id, all)
	if w.left() != 0 {
		t.Errorf("it was not cut going up: %d", w.left())
	}
	w.cut(4, 0, 3<<20)
	if b, err := crmtest.Get(t, s, id); err != nil || !bytes.Equal(b, all) {
		t.Errorf("of %d bytes come back %d, %v", len(all), len(b), err)
	}
	if w.left() != 0 {
		t.Errorf("it was not cut coming down: %d", w.left())
	}

	// After too many cuts there is an error, and the bytes read so far are right.
	w.cut(1000, 0, 200<<10)
	b, err := crmtest.Get(t, s, id)
	var cut *s3.Error
	if !errors.As(err, &cut) || cut.Setting != "endpoint" || len(b) >= len(all) || !bytes.Equal(b, all[:len(b)]) {
		t.Errorf("%d bytes came, %v", len(b), err)
	}
	w.cut(1000, 2<<20, 0)
	err = s.Put(t.Context(), crmtest.FileID("cd"), bytes.NewReader(all))
	if !errors.As(err, &cut) || cut.Setting != "endpoint" {
		t.Errorf("going up: %v", err)
	}
	w.cut(0, 0, 0)
	if _, err := crmtest.Get(t, s, crmtest.FileID("cd")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what did not go up is there: %v", err)
	}
	for range collect(t, s) { // ends the upload that could not be ended before
	}
	if keys := unfinished(t, s); len(keys) > 0 {
		t.Errorf("uploads are left: %v", keys)
	}
}

// TestDeafService checks that a service that accepts connections and never answers is
// given up.
func TestDeafService(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	o := options("http://" + deaf.Addr().String())
	o.Region = "us-east-1"
	s, err := s3.Quick(o, 20*time.Millisecond, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Put(t.Context(), crmtest.FileID("ab"), bytes.NewReader(crmtest.Bytes(1000)))
	var serviceErr *s3.Error
	if !errors.As(err, &serviceErr) || serviceErr.Setting != "endpoint" {
		t.Error(err)
	}
}

// TestFileThatChanges checks that a changed file is not read as a mixture of two.
func TestFileThatChanges(t *testing.T) {
	s := quick(t, startService(t))
	id := crmtest.FileID("ab")
	crmtest.Put(t, s, id, crmtest.Bytes(1000))
	f, _, err := s.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.ReadFull(f, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	crmtest.Put(t, s, id, crmtest.Bytes(1001))
	if _, err := f.Seek(500, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); err == nil || len(b) > 0 {
		t.Errorf("%d bytes of another file were read, %v", len(b), err)
	}
}
